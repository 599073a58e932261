"""State, calls and creations of EWASM_2018: Byzantium's prices and Hera's order of checks (PROTOCOL section 2).

Here the VM itself does the accounting, with prices from the schedule and the host's unpriced primitives. A call that
returns 1 early (too deep, balance too small) leaves the return buffer as it was.
"""

from __future__ import annotations

from typing import NoReturn

from ewasm.eei.calls import checked_gas, finish, revert
from ewasm.eei.data import copy_out
from ewasm.eei.frame import Frame
from ewasm.eei.state import topic_pointers
from ewasm.errors import ArgumentOutOfRange, Finish, StaticViolation
from ewasm.message import Kind, Message, Status

__all__ = [
    "call",
    "call_code",
    "call_delegate",
    "call_static",
    "create",
    "external_code_copy",
    "finish",
    "get_block_hash",
    "get_external_balance",
    "get_external_code_size",
    "log",
    "revert",
    "self_destruct",
    "storage_load",
    "storage_store",
]

MAX_DEPTH = 1_024
CALL_STIPEND = 2_300
STORAGE_CLEAR_REFUND = 15_000
_ZERO_WORD = bytes(32)
_SUCCESS, _FAILURE, _REVERT = 0, 1, 2


def read_call_data(frame: Frame, data: int, length: int) -> bytes:
    """Data of a call or create, unpriced in 2018; a length of 0 names no range at all."""
    return frame.memory.read(data, length) if length else b""


def get_external_balance(frame: Frame, address: int, out: int) -> None:
    """Fails where the balance needs more than 128 bits."""
    account = frame.read_address(address)
    frame.charge(frame.prices["external_balance"])
    frame.write_u128(out, frame.host.get_balance(account))


def get_block_hash(frame: Frame, number: int, out: int) -> int:
    frame.charge(frame.prices["block_hash"])
    block_hash = frame.host.get_block_hash(number)
    if block_hash == _ZERO_WORD:
        return 1
    frame.memory.write(out, block_hash)
    return 0


def external_code_copy(frame: Frame, address: int, out: int, offset: int, length: int) -> None:
    account = frame.read_address(address)
    frame.charge(frame.prices["external_code_copy"], length)
    copy_out(frame, None, frame.host.get_code(account), out, offset, length)


def get_external_code_size(frame: Frame, address: int) -> int:
    account = frame.read_address(address)
    frame.charge(frame.prices["external_code_size"])
    return len(frame.host.get_code(account))


def storage_load(frame: Frame, key: int, out: int) -> None:
    slot = frame.memory.read(key, 32)
    frame.charge(frame.prices["storage_load"])
    frame.memory.write(out, frame.host.get_storage(frame.message.recipient, slot))


def storage_store(frame: Frame, key: int, value: int) -> None:
    """5,000; 15,000 more to fill an empty slot; clearing a slot refunds 15,000."""
    frame.charge(frame.prices["storage_store"])
    slot, new = frame.memory.read(key, 32), frame.memory.read(value, 32)
    own = frame.message.recipient
    old = frame.host.get_storage(own, slot)
    if old == _ZERO_WORD and new != _ZERO_WORD:
        frame.charge(frame.prices["storage_store_new"])
    elif old != _ZERO_WORD and new == _ZERO_WORD:
        frame.host.add_refund(STORAGE_CLEAR_REFUND)
    frame.host.set_storage(own, slot, new)


def log(frame: Frame, data: int, length: int, topics: int, t1: int, t2: int, t3: int, t4: int) -> None:
    """375 + 8 a byte + 375 a topic, before anything is read."""
    pointers = topic_pointers(topics, (t1, t2, t3, t4))
    frame.charge(frame.prices["log"], length)
    for _ in pointers:
        frame.charge(frame.prices["log_topic"])
    words = tuple(frame.memory.read(pointer, 32) for pointer in pointers)
    frame.host.emit_log(frame.message.recipient, frame.memory.read(data, length), words)


def call(frame: Frame, gas: int, address: int, value: int, data: int, length: int) -> int:
    gas, callee, amount = checked_gas(gas), frame.read_address(address), frame.read_u128(value)
    if amount and frame.message.is_static:
        raise StaticViolation("call with value in a static frame")
    payload = read_call_data(frame, data, length)
    own = frame.message.recipient
    return _call(frame, gas, Kind.CALL, callee, callee, own, amount, payload, frame.message.is_static)


def call_code(frame: Frame, gas: int, address: int, value: int, data: int, length: int) -> int:
    gas, callee, amount = checked_gas(gas), frame.read_address(address), frame.read_u128(value)
    payload = read_call_data(frame, data, length)
    own = frame.message.recipient
    return _call(frame, gas, Kind.CALLCODE, own, callee, own, amount, payload, frame.message.is_static)


def call_delegate(frame: Frame, gas: int, address: int, data: int, length: int) -> int:
    gas, callee = checked_gas(gas), frame.read_address(address)
    payload = read_call_data(frame, data, length)
    message = frame.message
    return _call(
        frame,
        gas,
        Kind.DELEGATECALL,
        message.recipient,
        callee,
        message.sender,
        message.value,
        payload,
        message.is_static,
    )


def call_static(frame: Frame, gas: int, address: int, data: int, length: int) -> int:
    gas, callee = checked_gas(gas), frame.read_address(address)
    payload = read_call_data(frame, data, length)
    return _call(frame, gas, Kind.CALL, callee, callee, frame.message.recipient, 0, payload, is_static=True)


def _call(
    frame: Frame,
    gas: int,
    kind: Kind,
    recipient: bytes,
    code_address: bytes,
    sender: bytes,
    value: int,
    payload: bytes,
    is_static: bool,
) -> int:
    """Steps 6 to 12 of the call family."""
    frame.charge(frame.prices["call"])
    if frame.message.depth >= MAX_DEPTH:
        return _FAILURE
    moves_value = value != 0 and kind in (Kind.CALL, Kind.CALLCODE)
    if moves_value:
        frame.charge(frame.prices["call_value"])
        if not _can_send(frame, value):
            return _FAILURE
        if kind is Kind.CALL and not frame.host.account_exists(code_address):
            frame.charge(frame.prices["call_new_account"])
    given = min(gas, frame.gas_left - frame.gas_left // 64)
    frame.charge_gas(given)
    if moves_value:
        given += CALL_STIPEND
    message = Message(
        kind=kind,
        is_static=is_static,
        depth=frame.message.depth + 1,
        gas=given,
        recipient=recipient,
        sender=sender,
        input_data=payload,
        value=value,
        code_address=code_address,
    )
    return _finish_call(frame, message, b"")[0]


def _can_send(frame: Frame, value: int) -> bool:
    """Whether the own balance covers `value`. The interface counts in 128 bits, so a larger balance fails the frame."""
    balance = frame.host.get_balance(frame.message.recipient)
    if balance >= 1 << 128:
        raise ArgumentOutOfRange("own balance over 128 bits")
    return balance >= value


def _finish_call(frame: Frame, message: Message, init_code: bytes) -> tuple[int, bytes]:
    """Run the child and take its gas and output back.

    Returns:
        (return code, created address).
    """
    result = frame.host.call(message, init_code)
    frame.refund_gas(result.gas_left)
    frame.call_gas += message.gas - result.gas_left
    created = message.is_create and result.status is Status.SUCCESS
    frame.return_data = b"" if created else result.output
    if result.status is Status.SUCCESS:
        return _SUCCESS, result.create_address or b""
    return (_REVERT if result.status is Status.REVERT else _FAILURE), b""


def create(frame: Frame, value: int, data: int, length: int, out: int) -> int:
    """The address is written behind the creation, so an `out` beyond memory fails the frame after it."""
    frame.charge(frame.prices["create"])
    amount = frame.read_u128(value)
    if frame.message.depth >= MAX_DEPTH or not _can_send(frame, amount):
        return _FAILURE
    init_code = read_call_data(frame, data, length)
    given = frame.gas_left - frame.gas_left // 64
    frame.charge_gas(given)
    message = Message(
        kind=Kind.CREATE,
        is_static=False,
        depth=frame.message.depth + 1,
        gas=given,
        recipient=b"",
        sender=frame.message.recipient,
        value=amount,
    )
    code, address = _finish_call(frame, message, init_code)
    if code == _SUCCESS:
        frame.memory.write(out, address)
    return code


def self_destruct(frame: Frame, address: int) -> NoReturn:
    """5,000; 25,000 more for a beneficiary that does not exist, even where nothing is moved.

    The refund of 24,000 is the host's to count.
    """
    beneficiary = frame.read_address(address)
    frame.charge(frame.prices["selfdestruct"])
    if not frame.host.account_exists(beneficiary):
        frame.charge(frame.prices["selfdestruct_new_account"])
    frame.host.selfdestruct(frame.message.recipient, beneficiary)
    raise Finish(b"")
