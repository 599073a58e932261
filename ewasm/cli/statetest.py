"""`ewasm statetest`: GeneralStateTest files, judged by state root and hash of the logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ewasm.cli.options import engine_option, rules_option
from ewasm.cli.output import Failure, json_option, print_json
from ewasm.rules import Rules

if TYPE_CHECKING:
    from chain.statetest import CaseResult

__all__ = ["statetest"]


@click.command()
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PATH...")
@engine_option
@rules_option
@click.option("--fork", "forks", multiple=True, metavar="NAME", help="Only cases of this fork; may be given again.")
@click.option("-v", "--verbose", is_flag=True, help="Name the cases that pass, too.")
@json_option
def statetest(
    paths: tuple[Path, ...], engine: str, rules: Rules, forks: tuple[str, ...], verbose: bool, as_json: bool
) -> None:
    """Run GeneralStateTest files, and all such files below folders.

    The last line is "N passed, N failed"; the exit code is 1 if anything failed.
    """
    from chain.stack import run_with_stack

    files = [file for path in paths for file in _files(path)]
    passed, failed, rows = run_with_stack(lambda: _run(files, engine, rules, forks, verbose, as_json))
    if as_json:
        print_json({"passed": passed, "failed": failed, "cases": rows})
    else:
        click.echo(f"{passed} passed, {failed} failed")
    if failed:
        raise click.exceptions.Exit(1)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if not path.exists():
            raise Failure(f"{path}: No such file or directory")
        return [path]
    found = sorted(path.rglob("*.json"))
    if not found:
        raise Failure(f"{path}: no .json file in this folder or below")
    return found


def _run(
    files: list[Path], engine: str, rules: Rules, forks: tuple[str, ...], verbose: bool, as_json: bool
) -> tuple[int, int, list[dict[str, Any]]]:
    passed = failed = 0
    rows: list[dict[str, Any]] = []
    for file, result in _results(files, engine, rules, forks):
        good = not isinstance(result, str) and result.passed
        passed += good
        failed += not good
        row: dict[str, Any] = {"file": str(file), "passed": good}
        if isinstance(result, str):
            row["reason"] = text = result
        else:
            row |= {"name": result.name, "fork": result.fork, "indexes": list(result.indexes), "reason": result.reason}
            row |= {"state_root": result.state_root, "logs_hash": result.logs_hash}
            text = f"{result.name} {result.fork} {'/'.join(map(str, result.indexes))}"
            text += f": {result.reason}" if result.reason else ""
        if as_json:
            rows.append(row)
        elif not good or verbose:
            click.echo(f"{'ok  ' if good else 'FAIL'} {file}: {text}")
    return passed, failed, rows


def _results(
    files: list[Path], engine: str, rules: Rules, forks: tuple[str, ...]
) -> Iterator[tuple[Path, CaseResult | str]]:
    """Every case with its file; a sentence in place of a case where the file holds none."""
    from chain.errors import InvalidGenesis
    from chain.forks import parse_fork
    from chain.statetest import run_file
    from ewasm.vm import VM

    try:
        for name in forks:
            parse_fork(name)
    except InvalidGenesis as error:
        raise click.BadParameter(str(error), param_hint="--fork") from None
    machine = VM(rules, engine)
    for file in files:
        try:
            for result in run_file(file, rules=rules, engine=engine, forks=forks or None, machine=machine):
                yield file, result
        except InvalidGenesis as error:
            yield file, str(error)
