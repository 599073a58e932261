"""Messages and results, in EVMC's words.

Addresses are 20 bytes, hashes and storage words 32 bytes, gas is whole gas, values are wei as Python ints.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Kind", "Message", "Result", "Status", "TxContext"]


class Kind(enum.Enum):
    """What a frame was started by; a static call is `CALL` with `is_static` (EVMC's convention)."""

    CALL = "CALL"
    DELEGATECALL = "DELEGATECALL"
    CALLCODE = "CALLCODE"
    CREATE = "CREATE"
    CREATE2 = "CREATE2"


class Status(enum.Enum):
    """EVMC status words. Only `is_success`, `is_revert` and neither are visible to consensus."""

    SUCCESS = "SUCCESS"
    REVERT = "REVERT"
    FAILURE = "FAILURE"
    OUT_OF_GAS = "OUT_OF_GAS"
    INVALID_MEMORY_ACCESS = "INVALID_MEMORY_ACCESS"
    CALL_DEPTH_EXCEEDED = "CALL_DEPTH_EXCEEDED"
    STATIC_MODE_VIOLATION = "STATIC_MODE_VIOLATION"
    CONTRACT_VALIDATION_FAILURE = "CONTRACT_VALIDATION_FAILURE"
    ARGUMENT_OUT_OF_RANGE = "ARGUMENT_OUT_OF_RANGE"
    WASM_UNREACHABLE_INSTRUCTION = "WASM_UNREACHABLE_INSTRUCTION"
    WASM_TRAP = "WASM_TRAP"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


@dataclass(frozen=True, slots=True)
class Message:
    """What a frame is given.

    Attributes:
        kind: How the frame was started.
        is_static: No state change may happen in this frame or below it.
        depth: 0 for the transaction's own frame; at most 1,024.
        gas: Whole gas this frame may use.
        recipient: 20 bytes, the account whose storage and balance the frame works on (`getAddress`).
        sender: 20 bytes, `getCaller`.
        input_data: Call data; empty in a creation (constructor arguments travel inside the init code).
        value: Wei sent along (for DELEGATECALL the parent's value, shown but not moved).
        code_address: 20 bytes, the account whose code runs.
        salt: 32 bytes for CREATE2, else None.
    """

    kind: Kind
    is_static: bool
    depth: int
    gas: int
    recipient: bytes
    sender: bytes
    input_data: bytes = b""
    value: int = 0
    code_address: bytes = b""
    salt: bytes | None = None

    @property
    def is_create(self) -> bool:
        return self.kind is Kind.CREATE or self.kind is Kind.CREATE2


@dataclass(frozen=True, slots=True)
class TxContext:
    """Transaction and block fields that a frame can read; numbers as Python ints, prices in wei."""

    origin: bytes
    gas_price: int
    coinbase: bytes
    number: int
    timestamp_s: int
    gas_limit: int
    difficulty: int
    prev_randao: bytes
    chain_id: int
    base_fee: int
    blob_base_fee: int
    blob_hashes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """How a frame ended.

    Attributes:
        status: EVMC status word.
        gas_left: Whole gas given back: 0 on failure.
        output: What `finish` or `revert` passed; for a creation that succeeded, the code to store.
        gas_used: Whole gas used, `message.gas - gas_left`.
        gas_instructions: Part of `gas_used` for Wasm instructions (fractions are rounded up here).
        gas_eei: Part of `gas_used` for host functions, what the contracts called by them used included.
        gas_calls: Part of `gas_eei` that contracts called from this frame used.
        error: A sentence for people, or None on success.
        create_address: 20 bytes if this was a creation that succeeded, else None.
    """

    status: Status
    gas_left: int
    output: bytes = b""
    gas_used: int = 0
    gas_instructions: int = 0
    gas_eei: int = 0
    gas_calls: int = 0
    error: str | None = None
    create_address: bytes | None = None

    @property
    def is_success(self) -> bool:
        return self.status is Status.SUCCESS

    @property
    def is_revert(self) -> bool:
        return self.status is Status.REVERT
