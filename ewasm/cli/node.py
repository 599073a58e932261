"""`ewasm node`: the local testnet."""

from __future__ import annotations

from pathlib import Path

import click

from ewasm.cli.options import INTEGER, engine_option, rules_option
from ewasm.rules import Rules

__all__ = ["node"]


@click.command()
def node() -> None:
    """Start a local Ethereum testnet."""
