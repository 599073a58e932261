"""`ewasm test`: a project's pytest, with a chain of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ewasm.cli.output import Failure

if TYPE_CHECKING:
    from ewasm.rules import Rules

__all__ = ["test"]

EXTRA = "pip install 'ewasm[testing]'"


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENTS]...")
@click.option("--build/--no-build", default=True, help="Build the contracts first. [default: build]")
@click.option(
    "--rules", "rules_name", metavar="2018|2026", help="Rule set to build for and test under. [default: 2026]"
)
@click.option("--gas-snapshot", is_flag=True, help="Fail where gas is not what .gas-snapshot says.")
@click.option("--gas-snapshot-update", is_flag=True, help="Write .gas-snapshot.")
@click.pass_context
def test(
    ctx: click.Context,
    folder: Path,
    arguments: tuple[str, ...],
    build: bool,
    rules_name: str | None,
    gas_snapshot: bool,
    gas_snapshot_update: bool,
) -> None:
    """Build the contracts in DIR (here, unless given) and run its tests with pytest.

    Tests find the fixtures chain, accounts, deploy, w3 and eth_tester; each starts from the same chain. What follows
    DIR goes to pytest: ewasm test . -k transfer -x. Rules and fork are those of pytest's ini file (ewasm_rules,
    ewasm_fork) unless --rules names them.
    """
    from ewasm.cli.options import find_rules

    rules = find_rules(rules_name or "2026")
    if not folder.is_dir():
        # `ewasm test -k transfer`: an option of pytest's came before any folder.
        if not str(folder).startswith("-"):
            raise Failure(f"{folder}: no such folder")
        folder, arguments = Path(), (str(folder), *arguments)
    if importlib.util.find_spec("pytest") is None:
        raise Failure(f"pytest is not installed: {EXTRA}")
    if build and _has_sources(folder):
        from ewasm.cli.projects import build as build_command

        ctx.invoke(build_command, folder=folder, verify=False, rules=rules, as_json=False)
    command = [sys.executable, "-m", "pytest", *_plugin(), *(_chain(rules) if rules_name else [])]
    command += ["--gas-snapshot"] * gas_snapshot + ["--gas-snapshot-update"] * gas_snapshot_update
    done = subprocess.run([*command, *arguments], cwd=folder, env=os.environ, check=False)
    if done.returncode:
        ctx.exit(done.returncode)


def _chain(rules: Rules) -> list[str]:
    """The chain as `ewasm node` has it under these rules."""
    from chain.predict import default_fork
    from ewasm.rules import EWASM_2018, EWASM_2018_FLAT

    # An endless loop that costs nothing would never end.
    found = EWASM_2018_FLAT if rules == EWASM_2018 else rules
    return ["-o", f"ewasm_rules={found.name}", "-o", f"ewasm_fork={default_fork(found)}"]


def _plugin() -> list[str]:
    """Name the plug-in where the installation does not (a checkout on the path, plug-ins switched off)."""
    from importlib.metadata import entry_points

    known = any(point.value == "chain.testing.plugin" for point in entry_points(group="pytest11"))
    return [] if known and not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") else ["-p", "chain.testing.plugin"]


def _has_sources(folder: Path) -> bool:
    from ewasm.cli.projects import _sources

    return any(True for _ in _sources(folder))
