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

from ewasm.cli.abi_text import AbiTextError, abi_lines
from ewasm.cli.blame import named_refusal
from ewasm.cli.compilers import SUFFIXES, CompileError, abi_of, compile_source, optimize
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
    abi: str | None
    """What belongs beside the module; None where a file by hand is all there is."""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.code).hexdigest()

    def files(self) -> dict[Path, bytes]:
        """What is written, by where."""
        found = {self.module: self.code}
        if self.abi is not None:
            found[self.module.with_suffix(".json")] = self.abi.encode()
        return found


def _is_contract(path: Path) -> bool:
    """Whether a source has an ABI: a .json beside it, `abi:` lines, or a compiler that makes one."""
    if path.suffix == ".sol" or (path.suffix in SUFFIXES and path.with_suffix(".json").is_file()):
        return True
    return path.suffix in SUFFIXES and bool(abi_lines(path.read_text(encoding="utf-8", errors="replace")))


def _sources(folder: Path) -> Iterator[Path]:
    """Sources of contracts. Folders of packages and hidden ones are passed over."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if not path.name.startswith((".", "_")) and path.name != "node_modules":
                yield from _sources(path)
        elif _is_contract(path):
            yield path


def _compile(source: Path, rules: Rules, npm_folder: Path, wasm_opt: bool) -> tuple[bytes, str | None]:
    """The module, past the gate, and the ABI where it follows from the source."""
    from ewasm.contract import check

    try:
        code = compile_source(source, npm_folders=[npm_folder])
        if wasm_opt:
            code = optimize(code, [source.resolve().parent, npm_folder])
        check(code, rules)
        return code, abi_of(source, [npm_folder])
    except (CompileError, AbiTextError) as error:
        raise Failure(str(error) if str(source) in str(error) else f"{source}: {error}") from None
    except ModuleError as unnamed:
        refusal = named_refusal(source, unnamed, rules, [npm_folder])
        facts = {"ok": False, "file": str(source), "error": {"message": str(refusal), **refusal.as_dict()}}
        raise Failure(f"{source}: {refusal}", facts) from None


def _compile_elsewhere(source: Path, rules: Rules, npm_folder: Path, wasm_opt: bool) -> tuple[bytes, str | None]:
    """The same from a copy of the source's folder, in another place."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "elsewhere", source.parent.name)
        shutil.copytree(source.parent, copy, ignore=shutil.ignore_patterns("node_modules", ".*", "*.wasm"))
        return _compile(copy / source.name, rules, npm_folder, wasm_opt)


def _sums(folder: Path, built: list[_Built]) -> str:
    """The text of SHA256SUMS, as `sha256sum -c` reads it."""
    return "".join(f"{item.digest}  {item.module.relative_to(folder).as_posix()}\n" for item in built)


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option("--verify", is_flag=True, help="Write nothing: build copies elsewhere and compare with what is there.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Write there, in the same tree.")
@click.option("--wasm-opt", is_flag=True, help="Make the modules smaller with Binaryen's wasm-opt.")
@rules_option
@json_option
def build(folder: Path, verify: bool, out: Path | None, wasm_opt: bool, rules: Rules, as_json: bool) -> None:
    """Build the contracts in DIR (here, unless given) and below.

    A contract is a source (.c, .zig, .rs, .sol, .ts, .wat) with an ABI: a .json of the same name beside it, or lines
    such as `abi: function name() view returns (string)` in its comments, from which the .json is written. Each becomes
    a .wasm that the node would accept, byte for byte the same on every machine; SHA256SUMS lists them.
    """
    if not folder.is_dir():
        raise Failure(f"{folder}: no such folder")
    sources = list(_sources(folder))
    if not sources:
        raise Failure(
            f"{folder}: no contracts: a source ({', '.join(SUFFIXES)}) with `abi:` lines, or a .json of the same name "
            "beside it"
        )
    root = out or folder
    targets = [root / source.relative_to(folder).with_suffix(".wasm") for source in sources]
    if len(set(targets)) < len(targets):
        double = next(target for target in targets if targets.count(target) > 1)
        raise Failure(f"{double}: would be built from two sources")
    make = _compile_elsewhere if verify else _compile
    built = []
    for source, target in zip(sources, targets, strict=True):
        code, abi = make(source, rules, folder.resolve(), wasm_opt)
        if abi is None and out is not None:
            abi = source.with_suffix(".json").read_text(encoding="utf-8")
        built.append(_Built(source, target, code, abi))
    files = {path: data for item in built for path, data in item.files().items()}
    files[root / SUMS] = _sums(root, built).encode()
    different: list[str] = []
    if verify:
        different = [str(path) for path, data in files.items() if not path.is_file() or path.read_bytes() != data]
    else:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
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
