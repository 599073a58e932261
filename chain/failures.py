"""Why a frame failed, in the words clients look for."""

from __future__ import annotations

from eth.exceptions import (
    ContractCreationCollision,
    FullStack,
    InsufficientFunds,
    InsufficientStack,
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    ReservedBytesInCode,
    Revert,
    StackDepthLimit,
    VMError,
    WriteProtection,
)

from chain.executor import WasmFailure
from chain.tracing.names import op_name
from ewasm.message import Status

__all__ = ["error_words"]

# The base raises one class for several failures; its words tell them apart.
_WORDS: tuple[tuple[type[VMError], str], ...] = (
    (Revert, "execution reverted"),
    (InvalidJumpDestination, "invalid jump destination"),
    (WriteProtection, "write protection"),
    (ContractCreationCollision, "contract address collision"),
    (OutOfBoundsRead, "return data out of bounds"),
    (ReservedBytesInCode, "invalid code: must not begin with 0xef"),
    (StackDepthLimit, "max call depth exceeded"),
    (InsufficientFunds, "insufficient balance for transfer"),
    (FullStack, "stack limit reached 1024 (1023)"),
)


def error_words(error: VMError) -> str:
    """A frame's failure in geth's words; a Wasm trap in ours."""
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    text = str(error)
    if isinstance(error, WasmFailure):
        return "out of gas" if error.result.status is Status.OUT_OF_GAS else text
    if isinstance(error, InvalidInstruction):
        op = int(text.split()[2], 16) if text.startswith("Invalid opcode 0x") else 0xFE
        return f"invalid opcode: {op_name(op)}"
    if isinstance(error, InsufficientStack):
        return "stack underflow"
    if isinstance(error, OutOfGas):
        if "EIP170" in text:
            return "max code size exceeded"
        if "EIP-3860" in text:
            return "max initcode size exceeded"
        if "Write contract code" in text:
            return "contract creation code storage out of gas"
        return "out of gas"
    return text or type(error).__name__
