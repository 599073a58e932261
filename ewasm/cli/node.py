"""`ewasm node`: the local testnet."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ewasm.cli.options import INTEGER, engine_option, rules_option
from ewasm.cli.output import Failure
from ewasm.rules import Rules

__all__ = ["node"]

TEST_MNEMONIC = "test test test test test test test test test test test junk"
UNITS = {"": 1, "wei": 1, "gwei": 10**9, "ether": 10**18, "eth": 10**18}


class _Amount(click.ParamType[int]):
    """Ether, as a number (`10000`, `0.5`) or with a unit (`3gwei`); wei inside."""

    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        from decimal import Decimal

        match = re.fullmatch(r"(\d[\d_]*(?:\.\d+)?)\s*([a-z]*)", str(value).lower())
        if match is None or (match[2] or "ether") not in UNITS:
            self.fail(f"{value!r} is not an amount such as 10000, 0.5 or 3gwei", param, ctx)
        wei = Decimal(match[1].replace("_", "")) * UNITS[match[2] or "ether"]
        if wei != int(wei):
            self.fail(f"{value!r} is no whole number of wei", param, ctx)
        return int(wei)


@click.command()
def node() -> None:
    """Start a local Ethereum testnet."""
