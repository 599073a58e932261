"""Commands for writing contracts: new, build."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from ewasm.cli.compilers import SUFFIXES, CompileError, compile_source
from ewasm.cli.options import rules_option
from ewasm.cli.output import Failure, console, json_option, print_json
from ewasm.errors import ModuleError
from ewasm.rules import Rules
from ewasm.sdk import FOLDER

__all__ = ["build", "new"]

TEMPLATES = FOLDER / "templates"
SUMS = "SHA256SUMS"
# How to get each language's compiler, for the project's README.
LANGUAGES = {
    "c": "The compiler is Zig's: `pip install ziglang`.",
    "zig": "The compiler: `pip install ziglang`.",
    "as": "The compiler: `npm install`.",
    "rust": "The compilers: `rustup target add wasm32v1-none` and, to link, `pip install ziglang`.",
    "wat": "Nothing else has to be installed.",
}


@click.command()
@click.argument("folder", metavar="NAME", type=click.Path(path_type=Path))
@click.option("--lang", type=click.Choice(tuple(LANGUAGES)), required=True, help="Language of the contract.")
def new(folder: Path, lang: str) -> None:
    """Start a project: a counter with an event, its ABI and a test, in the new folder NAME."""
    name = folder.name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise click.BadParameter(f"{name!r}: letters, digits and _, a letter first", param_hint="NAME")
    files = sorted(path for part in ("common", lang) for path in (TEMPLATES / part).iterdir() if path.is_file())
    suffix = next(path.suffix for path in (TEMPLATES / lang).iterdir() if path.stem == "contract")
    words = {"@NAME@": name, "@SUFFIX@": suffix[1:], "@GET@": LANGUAGES[lang]}
    try:
        folder.mkdir(parents=True)
        for path in files:
            text = path.read_text(encoding="utf-8")
            for word, value in words.items():
                text = text.replace(word, value)
            target = {"gitignore": ".gitignore"}.get(
                path.name, path.name.removesuffix(".txt").replace("contract", name)
            )
            (folder / target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{error.filename or folder}: {error.strerror or error}") from None
    hint = " && npm install" if lang == "as" else ""
    click.echo(f"{folder} is ready; next: cd {folder}{hint} && ewasm build && ewasm test")


@dataclass(frozen=True, slots=True)
class _Built:
    source: Path
    module: Path
    code: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.code).hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    """Sources of contracts: those with an ABI beside them. Folders of packages and hidden ones are passed over."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if not path.name.startswith((".", "_")) and path.name != "node_modules":
                yield from _sources(path)
        elif path.suffix in SUFFIXES and path.with_suffix(".json").is_file():
            yield path


def _compile(source: Path, rules: Rules, npm_folder: Path) -> bytes:
    """The module, past the gate."""
    from ewasm.contract import check

    try:
        code = compile_source(source, npm_folders=[npm_folder])
        check(code, rules)
    except CompileError as error:
        raise Failure(str(error)) from None
    except ModuleError as error:
        facts = {"ok": False, "file": str(source), "error": {"message": str(error), **error.as_dict()}}
        raise Failure(f"{source}: {error}", facts) from None
    return code


def _compile_elsewhere(source: Path, rules: Rules) -> bytes:
    """The same from a copy of the source's folder, in another place."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "elsewhere", source.parent.name)
        shutil.copytree(source.parent, copy, ignore=shutil.ignore_patterns("node_modules", ".*", "*.wasm"))
        return _compile(copy / source.name, rules, source.parent.resolve())


def _sums(folder: Path, built: list[_Built]) -> str:
    """The text of SHA256SUMS, as `sha256sum -c` reads it."""
    return "".join(f"{item.digest}  {item.module.relative_to(folder).as_posix()}\n" for item in built)


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option("--verify", is_flag=True, help="Write nothing: build copies elsewhere and compare with what is there.")
@rules_option
@json_option
def build(folder: Path, verify: bool, rules: Rules, as_json: bool) -> None:
    """Build the contracts in DIR (here, unless given) and below.

    A contract is a source (.c, .zig, .rs, .sol, .ts, .wat) with its ABI, a .json of the same name, beside it. Each
    becomes a .wasm that the node would accept, byte for byte the same on every machine; SHA256SUMS lists them.
    """
    if not folder.is_dir():
        raise Failure(f"{folder}: no such folder")
    sources = list(_sources(folder))
    if not sources:
        raise Failure(
            f"{folder}: no contracts: a source ({', '.join(SUFFIXES)}) and a .json of the same name beside it"
        )
    targets = [source.with_suffix(".wasm") for source in sources]
    if len(set(targets)) < len(targets):
        double = next(target for target in targets if targets.count(target) > 1)
        raise Failure(f"{double}: would be built from two sources")
    make = _compile_elsewhere if verify else lambda source, rules: _compile(source, rules, folder.resolve())
    built = [_Built(source, target, make(source, rules)) for source, target in zip(sources, targets, strict=True)]
    sums = _sums(folder, built)
    different: list[str] = []
    if verify:
        different = [str(b.module) for b in built if not b.module.is_file() or b.module.read_bytes() != b.code]
        listed = folder / SUMS
        if not listed.is_file() or listed.read_text() != sums:
            different.append(str(listed))
    else:
        for item in built:
            item.module.write_bytes(item.code)
        (folder / SUMS).write_text(sums)
    _report(built, different, verify, as_json)


def _report(built: list[_Built], different: list[str], verify: bool, as_json: bool) -> None:
    facts = {
        "ok": not different,
        "contracts": [
            {"source": str(b.source), "module": str(b.module), "size_bytes": len(b.code), "sha256": b.digest}
            for b in built
        ],
        "different": different,
    }
    if different:
        raise Failure(f"not what the sources build: {', '.join(different)}", facts)
    if as_json:
        print_json(facts)
        return
    out = console()
    for item in built:
        out.print(f"{len(item.code):7,} bytes  {item.module}", markup=False, highlight=False)
    if verify:
        out.print(f"{len(built)} of {len(built)} rebuilt byte for byte", markup=False, highlight=False)
