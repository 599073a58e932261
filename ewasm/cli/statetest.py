"""`ewasm statetest`: run GeneralStateTest files."""

from __future__ import annotations

import click


@click.command()
def statetest() -> None:
    """Run."""
