"""The `ewasm` command (click for parsing, rich for what people read, `--json` for what programs read).

Exit codes: 0 it worked, 1 it did not (one line on standard error says what and where), 2 the command line is wrong.
Modules here import the VM and the node inside the functions that use them, so that `ewasm --version` stays fast.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Sequence

import click

from ewasm import __version__

__all__ = ["cli", "main"]

# By name: the module, and what the command is called there.
_COMMANDS = {
    "new": ("projects", "new"),
    "build": ("projects", "build"),
    "test": ("test", "test"),
    "run": ("run", "run"),
    "check": ("check", "check"),
    "wat": ("modules", "wat"),
    "wasm": ("modules", "wasm"),
    "instrument": ("modules", "instrument"),
    "spectest": ("spectest", "spectest"),
    "statetest": ("statetest", "statetest"),
    "fill": ("fill", "fill"),
    "fuzz": ("fuzz", "fuzz"),
    "node": ("node", "node"),
    "cache": ("cache", "cache"),
    "deploy": ("contracts", "deploy"),
    "call": ("contracts", "call"),
    "send": ("contracts", "send"),
}

cli: click.Group


def _group(names: Iterable[str]) -> click.Group:
    """The command with these of its commands."""

    @click.group(name="cli", context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, "-V", "--version", prog_name="ewasm")
    def group() -> None:
        """WebAssembly contracts: inspect them, run them, and a local Ethereum testnet that does."""

    for name in names:
        module, attribute = _COMMANDS[name]
        group.add_command(getattr(importlib.import_module(f"ewasm.cli.{module}"), attribute))
    return group


def __getattr__(name: str) -> click.Group:
    """`cli` holds all commands, and is made when somebody wants it: a node need not import the compilers' drivers."""
    if name != "cli":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()["cli"] = _group(_COMMANDS)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        group = _group(words[:1]) if words and words[0] in _COMMANDS else __getattr__("cli")
        code = group.main(args=words, standalone_mode=False)
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
