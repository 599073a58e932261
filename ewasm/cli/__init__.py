"""The `ewasm` command (click for parsing, rich for what people read, `--json` for what programs read).

Exit codes: 0 it worked, 1 it did not (one line on standard error says what and where), 2 the command line is wrong.
Modules here import the VM and the node inside the functions that use them, so that `ewasm --version` stays fast.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ewasm import __version__
from ewasm.cli.cache import cache
from ewasm.cli.check import check
from ewasm.cli.contracts import call, deploy, send
from ewasm.cli.fill import fill
from ewasm.cli.fuzz import fuzz
from ewasm.cli.modules import instrument, wasm, wat
from ewasm.cli.node import node
from ewasm.cli.projects import build, new
from ewasm.cli.run import run
from ewasm.cli.spectest import spectest
from ewasm.cli.statetest import statetest
from ewasm.cli.test import test

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="ewasm")
def cli() -> None:
    """WebAssembly contracts: inspect them, run them, and a local Ethereum testnet that does."""


for _command in (
    new,
    build,
    test,
    run,
    check,
    wat,
    wasm,
    instrument,
    spectest,
    statetest,
    fill,
    fuzz,
    node,
    cache,
    deploy,
    call,
    send,
):
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code."""
    try:
        code = cli.main(args=arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # `ewasm wat FILE | head` is no failure; closing standard error too keeps the interpreter quiet at exit.
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)
