"""Calls, creations and ends of frames of EWASM_2026, priced and limited by the EVM opcodes of the fork in force.

Return codes: 0 success, 1 failure, 2 revert. The return buffer afterwards is what the EVM's would be.
"""

from __future__ import annotations

from typing import NoReturn

from ewasm.eei.frame import Frame
from ewasm.errors import ArgumentOutOfRange, Finish, Revert

_CREATE, _CALL, _CALLCODE, _DELEGATECALL, _CREATE2, _STATICCALL, _SELFDESTRUCT = (
    0xF0,
    0xF1,
    0xF2,
    0xF4,
    0xF5,
    0xFA,
    0xFF,
)
_SIGN_I64 = 1 << 63


def checked_gas(gas: int) -> int:
    """The gas argument of a call.

    Raises:
        ArgumentOutOfRange: Negative.
    """
    if gas & _SIGN_I64:
        raise ArgumentOutOfRange("call with a negative amount of gas")
    return gas


def read_call_data(frame: Frame, data: int, length: int) -> bytes:
    """Data of a call or create, paid for by the word; a length of 0 names no range at all."""
    if not length:
        return b""
    frame.charge(frame.prices["call_data"], length)
    return frame.memory.read(data, length)


def _run(frame: Frame, opcode: int, operands: tuple[int, ...], data: bytes) -> int:
    before = frame.host.call_gas
    frame.loaded.clear()
    result = frame.evm(opcode, operands, data)
    frame.call_gas += frame.host.call_gas - before
    frame.return_data = frame.host.return_data
    return result


def call(frame: Frame, gas: int, address: int, value: int, data: int, length: int) -> int:
    return _call_with_value(frame, _CALL, gas, address, value, data, length)


def call_code(frame: Frame, gas: int, address: int, value: int, data: int, length: int) -> int:
    return _call_with_value(frame, _CALLCODE, gas, address, value, data, length)


def _call_with_value(frame: Frame, opcode: int, gas: int, address: int, value: int, data: int, length: int) -> int:
    gas = checked_gas(gas)
    callee = int.from_bytes(frame.read_address(address), "big")
    amount = frame.read_u128(value)
    return _run(frame, opcode, (gas, callee, amount), read_call_data(frame, data, length))


def call_delegate(frame: Frame, gas: int, address: int, data: int, length: int) -> int:
    return _call_without_value(frame, _DELEGATECALL, gas, address, data, length)


def call_static(frame: Frame, gas: int, address: int, data: int, length: int) -> int:
    return _call_without_value(frame, _STATICCALL, gas, address, data, length)


def _call_without_value(frame: Frame, opcode: int, gas: int, address: int, data: int, length: int) -> int:
    gas = checked_gas(gas)
    callee = int.from_bytes(frame.read_address(address), "big")
    return _run(frame, opcode, (gas, callee), read_call_data(frame, data, length))


def create(frame: Frame, value: int, data: int, length: int, out: int) -> int:
    amount = frame.read_u128(value)
    return _create(frame, _CREATE, (amount,), data, length, out)


def create2(frame: Frame, value: int, data: int, length: int, salt: int, out: int) -> int:
    amount = frame.read_u128(value)
    number = int.from_bytes(frame.memory.read(salt, 32), "big")
    return _create(frame, _CREATE2, (amount, number), data, length, out)


def _create(frame: Frame, opcode: int, operands: tuple[int, ...], data: int, length: int, out: int) -> int:
    """The address is written only on success; an `out` beyond memory then fails the frame, the creation with it."""
    result = _run(frame, opcode, operands, read_call_data(frame, data, length))
    if result == 0:
        frame.memory.write(out, frame.host.created)
    return result


def finish(frame: Frame, data: int, length: int) -> NoReturn:
    frame.charge(frame.prices["finish"], length)
    raise Finish(frame.memory.read(data, length))


def revert(frame: Frame, data: int, length: int) -> NoReturn:
    frame.charge(frame.prices["finish"], length)
    raise Revert(frame.memory.read(data, length))


def self_destruct(frame: Frame, address: int) -> NoReturn:
    frame.evm(_SELFDESTRUCT, (int.from_bytes(frame.read_address(address), "big"),))
    raise Finish(b"")
