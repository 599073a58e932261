"""EVM opcodes by name, as geth spells them in traces, and which of them concern more than the stack."""

from __future__ import annotations

from typing import Final

__all__ = [
    "CALLS",
    "CREATES",
    "SELFDESTRUCT",
    "SLOAD",
    "SSTORE",
    "STOP",
    "is_defined",
    "op_name",
    "operands",
]

STOP, SLOAD, SSTORE, SELFDESTRUCT = 0x00, 0x54, 0x55, 0xFF
CALL, CALLCODE, DELEGATECALL, STATICCALL, CREATE, CREATE2 = 0xF1, 0xF2, 0xF4, 0xFA, 0xF0, 0xF5
CALLS: Final = frozenset({CALL, CALLCODE, DELEGATECALL, STATICCALL})
CREATES: Final = frozenset({CREATE, CREATE2})

# (first opcode, names of it and of those that follow)
_RUNS: Final = (
    (0x00, "STOP ADD MUL SUB DIV SDIV MOD SMOD ADDMOD MULMOD EXP SIGNEXTEND"),
    (0x10, "LT GT SLT SGT EQ ISZERO AND OR XOR NOT BYTE SHL SHR SAR CLZ"),
    (0x20, "KECCAK256"),
    (0x30, "ADDRESS BALANCE ORIGIN CALLER CALLVALUE CALLDATALOAD CALLDATASIZE CALLDATACOPY CODESIZE CODECOPY GASPRICE"),
    (0x3B, "EXTCODESIZE EXTCODECOPY RETURNDATASIZE RETURNDATACOPY EXTCODEHASH"),
    (0x40, "BLOCKHASH COINBASE TIMESTAMP NUMBER DIFFICULTY GASLIMIT CHAINID SELFBALANCE BASEFEE BLOBHASH BLOBBASEFEE"),
    (0x50, "POP MLOAD MSTORE MSTORE8 SLOAD SSTORE JUMP JUMPI PC MSIZE GAS JUMPDEST TLOAD TSTORE MCOPY PUSH0"),
    (0x60, " ".join(f"PUSH{n}" for n in range(1, 33))),
    (0x80, " ".join(f"DUP{n}" for n in range(1, 17))),
    (0x90, " ".join(f"SWAP{n}" for n in range(1, 17))),
    (0xA0, "LOG0 LOG1 LOG2 LOG3 LOG4"),
    (0xF0, "CREATE CALL CALLCODE RETURN DELEGATECALL CREATE2"),
    (0xFA, "STATICCALL"),
    (0xFD, "REVERT INVALID SELFDESTRUCT"),
)
_NAMES: Final = {start + i: name for start, names in _RUNS for i, name in enumerate(names.split())}

# (first opcode, operands popped by it and by those that follow); DUP and SWAP look deeper than they pop.
_DEPTH_RUNS: Final = (
    (0x00, (0, 2, 2, 2, 2, 2, 2, 2, 3, 3, 2, 2)),
    (0x10, (2, 2, 2, 2, 2, 1, 2, 2, 2, 1, 2, 2, 2, 2, 1)),
    (0x20, (2,)),
    (0x30, (0, 1, 0, 0, 0, 1, 0, 3, 0, 3, 0, 1, 4, 0, 3, 1)),
    (0x40, (1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0)),
    (0x50, (1, 1, 2, 2, 1, 2, 1, 2, 0, 0, 0, 0, 1, 2, 3, 0)),
    (0x80, tuple(range(1, 17))),
    (0x90, tuple(range(2, 18))),
    (0xA0, (2, 3, 4, 5, 6)),
    (0xF0, (3, 7, 7, 2, 6, 4)),
    (0xFA, (6,)),
    (0xFD, (2, 0, 1)),
)
_DEPTHS: Final = {start + i: depth for start, depths in _DEPTH_RUNS for i, depth in enumerate(depths)}


def op_name(op: int) -> str:
    """The opcode's name, or a phrase for one that is not defined."""
    return _NAMES.get(op) or f"opcode {op:#x} not defined"


def is_defined(op: int) -> bool:
    """Whether any fork has the opcode."""
    return op in _NAMES


def operands(op: int) -> int:
    """How many stack items the opcode needs."""
    return _DEPTHS.get(op, 0)
