"""EVM init code from Solidity and Vyper, in hexadecimal, without metadata: the bytes follow from the source alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ewasm.cli.abi_text import abi_json
from ewasm.cli.solidity import SolidityError, compile_json

__all__ = ["solidity", "vyper", "vyper_abi"]

SETTINGS: dict[str, Any] = {
    "optimizer": {"enabled": True, "runs": 200},
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
}


def solidity(source: Path, contract: str, solc: Path) -> str:
    """Init code of one contract in a source; places of libraries stand in it as `__$...$__`.

    Args:
        source: A Solidity source.
        contract: The contract's name; letters' case does not count.
        solc: A folder with node_modules/solc.

    Raises:
        SolidityError: The source is refused, or has no such contract.
    """
    found = compile_json(solc, source.name, source.read_text(), SETTINGS)
    for name, made in found.items():
        if name.lower() == contract.lower():
            return str(made["evm"]["bytecode"]["object"])
    raise SolidityError(f"no contract named {contract}")


def vyper(source: Path) -> str:
    """Init code of a Vyper source.

    Raises:
        SolidityError: The source is refused.
    """
    return _vyper(source, "--no-bytecode-metadata").removeprefix("0x")


def vyper_abi(source: Path) -> str:
    """The text of the .json of a Vyper source.

    Raises:
        SolidityError: The source is refused.
    """
    return abi_json(json.loads(_vyper(source, "-f", "abi")))


def _vyper(source: Path, *options: str) -> str:
    command = [sys.executable, "-m", "vyper", *options, source.name]
    done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SolidityError(done.stderr.strip())
    return done.stdout.strip()
