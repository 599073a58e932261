"""Options and parameter types that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ewasm.rules import Rules

__all__ = [
    "HEX",
    "INTEGER",
    "ArgsCommand",
    "engine_option",
    "file_argument",
    "find_rules",
    "rpc_option",
    "rules_option",
    "with_schedule",
]

ENGINES = ("native", "interpreter", "cranelift", "winch")


class ArgsCommand(click.Command):
    """Lets `--args` take every word up to the next option: `--args Gold GLD 1000000 --rpc URL`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        names = {name for parameter in self.params for name in parameter.opts} | {"--help", "-h"}
        plain: list[str] = []
        position = 0
        while position < len(args):
            if args[position] != "--args":
                plain.append(args[position])
                position += 1
                continue
            position += 1
            while position < len(args) and args[position].split("=")[0] not in names:
                plain.append(f"--args={args[position]}")
                position += 1
        return super().parse_args(ctx, plain)


class _Hex(click.ParamType[bytes]):
    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        text = str(value).removeprefix("0x").removeprefix("0X")
        if re.search(r"[^0-9a-fA-F]", text):
            self.fail(f"{_short(value)} is not hexadecimal", param, ctx)
        if len(text) % 2:
            self.fail(f"{_short(value)} has an odd number of hexadecimal digits", param, ctx)
        return bytes.fromhex(text)


class _Integer(click.ParamType[int]):
    """A non-negative number: decimal or 0x, `_` between digits."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            number = int(value, 0)
        except ValueError:
            self.fail(f"{_short(value)} is not a number", param, ctx)
        if number < 0:
            self.fail(f"{_short(value)} is negative", param, ctx)
        return number


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


HEX = _Hex()
INTEGER = _Integer()

file_argument = click.argument("file", type=click.Path(path_type=Path))
engine_option = click.option(
    "--engine", type=click.Choice(ENGINES), default="native", show_default=True, help="What runs WebAssembly."
)
rules_option = click.option(
    "--rules",
    default="2026",
    show_default=True,
    metavar="2018|2026",
    help="Rule set: EWASM_2018 (the original interface) or EWASM_2026.",
    callback=lambda _ctx, _param, value: find_rules(value),
)
rpc_option = click.option(
    "--rpc",
    "rpc_url",
    default="http://127.0.0.1:8545",
    show_default=True,
    envvar="EWASM_RPC",
    metavar="URL",
    help="JSON-RPC address of the node (or $EWASM_RPC).",
)


def find_rules(name: str) -> Rules:
    """`2018`, `EWASM_2018`, ... -> Rules; a usage error for anything else."""
    from ewasm.rules import RULES

    wanted = name.upper()
    found = RULES.get(wanted) or RULES.get(f"EWASM_{wanted}")
    if found is None:
        raise click.BadParameter(f"no rule set {_short(name)}; there are {', '.join(RULES)}", param_hint="--rules")
    return found


def with_schedule(rules: Rules, name: str) -> Rules:
    """`rules` with another gas schedule; a usage error if there is none of that name."""
    from dataclasses import replace

    from ewasm.metering.schedule import SCHEDULES

    schedule = SCHEDULES.get(name) or SCHEDULES.get(name.lower()) or SCHEDULES.get(name.upper())
    if schedule is None:
        raise click.BadParameter(
            f"no schedule {_short(name)}; there are {', '.join(SCHEDULES)}", param_hint="--schedule"
        )
    return replace(rules, schedule=schedule)
