"""`ewasm statetest`: GeneralStateTest files, judged by state root, hash of the logs and what `_ewasm` says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ewasm.cli.options import engine_option, rules_option
from ewasm.cli.output import Failure, json_option
from ewasm.rules import Rules

if TYPE_CHECKING:
    from ewasm.vm import VM

__all__ = ["statetest"]

Row = dict[str, Any]


@click.command()
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PATH...")
@engine_option
@rules_option
@click.option("--fork", "forks", multiple=True, metavar="NAME", help="Only cases of this fork; may be given again.")
@click.option("--processes", type=click.IntRange(1, 256), default=1, show_default=True, help="Files at the same time.")
@click.option("-v", "--verbose", is_flag=True, help="Name the cases that pass, too.")
@json_option
def statetest(
    paths: tuple[Path, ...],
    engine: str,
    rules: Rules,
    forks: tuple[str, ...],
    processes: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Run GeneralStateTest files, and all such files below folders.

    A test with a part `_ewasm` runs under the rules it names, any other under --rules. The last line is
    "N passed, N failed"; with --json there is one object a line for each case, and the last has the two numbers. The
    exit code is 1 if anything failed.
    """
    files = [file for path in paths for file in _files(path)]
    _check_forks(forks)
    passed = failed = 0
    for rows in _run(files, processes, engine, rules.name, forks):
        for row in rows:
            good = row["passed"]
            passed += good
            failed += not good
            if as_json:
                click.echo(json.dumps(row))
            elif not good or verbose:
                click.echo(f"{'ok  ' if good else 'FAIL'} {row['file']}: {_text(row)}")
    click.echo(json.dumps({"passed": passed, "failed": failed}) if as_json else f"{passed} passed, {failed} failed")
    if failed:
        raise click.exceptions.Exit(1)


def _text(row: Row) -> str:
    if "name" not in row:
        return str(row["reason"])
    text = f"{row['name']} {row['fork']} {'/'.join(map(str, row['indexes']))}"
    return f"{text}: {row['reason']}" if row["reason"] else text


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if not path.exists():
            raise Failure(f"{path}: No such file or directory")
        return [path]
    found = sorted(path.rglob("*.json"))
    if not found:
        raise Failure(f"{path}: no .json file in this folder or below")
    return found


def _check_forks(forks: tuple[str, ...]) -> None:
    from chain.errors import InvalidGenesis
    from chain.forks import parse_fork

    for name in forks:
        try:
            parse_fork(name)
        except InvalidGenesis as error:
            raise click.BadParameter(str(error), param_hint="--fork") from None


def _run(files: list[Path], processes: int, engine: str, rules: str, forks: tuple[str, ...]) -> Iterator[list[Row]]:
    """Rows of each file, in the order of the files however many run at the same time."""
    run = partial(_run_one, engine=engine, rules=rules, forks=forks)
    if processes == 1 or len(files) == 1:
        yield from map(run, files)
        return
    import multiprocessing

    # Spawned, not forked: a child must not inherit the threads and locks of this process.
    with multiprocessing.get_context("spawn").Pool(min(processes, len(files))) as pool:
        yield from pool.imap(run, files)


_machines: dict[tuple[str, str], VM] = {}


def _run_one(file: Path, engine: str, rules: str, forks: tuple[str, ...]) -> list[Row]:
    """Rows of a file; where it cannot be run to its end, the last has no case, only a reason."""
    from chain.stack import run_with_stack

    rows: list[Row] = []
    run_with_stack(lambda: _collect(rows, file, engine, rules, forks))
    return rows


def _collect(rows: list[Row], file: Path, engine: str, rules: str, forks: tuple[str, ...]) -> None:
    from chain.errors import InvalidGenesis
    from chain.statetest import run_file
    from ewasm.rules import RULES
    from ewasm.vm import VM

    key = (engine, rules)
    if key not in _machines:
        _machines[key] = VM(RULES[rules], engine)
    try:
        rows.extend(
            {
                "file": str(file),
                "passed": result.passed,
                "name": result.name,
                "fork": result.fork,
                "indexes": list(result.indexes),
                "reason": result.reason,
                "state_root": "0x" + result.state_root.hex(),
                "logs_hash": "0x" + result.logs_hash.hex(),
            }
            for result in run_file(file, engine=engine, forks=forks or None, machine=_machines[key])
        )
    except InvalidGenesis as error:
        rows.append({"file": str(file), "passed": False, "reason": str(error)})
    except Exception as error:  # noqa: BLE001 - one file that cannot be run must not hide the verdict on the others
        reason = f"stopped by {type(error).__name__}: {error}"
        rows.append({"file": str(file), "passed": False, "reason": reason})
