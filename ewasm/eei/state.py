"""State access of EWASM_2026: each function is the EVM opcode of the fork in force, price included.

The opcode's gas, warm and cold sets, refund and static rule come from `Host.evm`; here are only ranges, byte orders and
the copies. Where the fork does not have the opcode, the host fails the frame.
"""

from __future__ import annotations

from ewasm.eei.data import copy_out
from ewasm.eei.frame import Frame
from ewasm.errors import ArgumentOutOfRange, MemoryAccess, OutOfGas
from ewasm.wasm.types import PAGE_BYTES

_BALANCE, _EXTCODESIZE, _EXTCODECOPY, _EXTCODEHASH = 0x31, 0x3B, 0x3C, 0x3F
_BLOCKHASH, _SELFBALANCE = 0x40, 0x47
_SLOAD, _SSTORE, _TLOAD, _TSTORE = 0x54, 0x55, 0x5C, 0x5D
_LOG0 = 0xA0
MAX_TOPICS = 4
MAX_LOADED = 1_024


def _number(data: bytes) -> int:
    """An address or a bytes32 as the number that the EVM's stack holds."""
    return int.from_bytes(data, "big")


def get_external_balance(frame: Frame, address: int, out: int) -> None:
    """Fails where the balance needs more than 128 bits."""
    account = frame.read_address(address)
    frame.write_u128(out, frame.evm(_BALANCE, (_number(account),)))


def get_self_balance(frame: Frame, out: int) -> None:
    frame.write_u256(out, frame.evm(_SELFBALANCE, ()))


def get_block_hash(frame: Frame, number: int, out: int) -> int:
    """1 for a block that is not one of the last 256."""
    block_hash = frame.evm(_BLOCKHASH, (number,))
    if block_hash == 0:
        return 1
    frame.memory.write(out, block_hash.to_bytes(32, "big"))
    return 0


def external_code_copy(frame: Frame, address: int, out: int, offset: int, length: int) -> None:
    account = frame.read_address(address)
    if length > frame.rules.limits.memory_pages * PAGE_BYTES:
        # No memory holds that, and the EVM's opcode would fill up what it copies before it fails.
        raise MemoryAccess(f"copy of {length} bytes")
    frame.evm(_EXTCODECOPY, (_number(account), offset, length))
    copy_out(frame, None, frame.host.get_code(account), out, offset, length)


def get_external_code_size(frame: Frame, address: int) -> int:
    return frame.evm(_EXTCODESIZE, (_number(frame.read_address(address)),))


def get_external_code_hash(frame: Frame, address: int, out: int) -> None:
    code_hash = frame.evm(_EXTCODEHASH, (_number(frame.read_address(address)),))
    frame.memory.write(out, code_hash.to_bytes(32, "big"))


def storage_load(frame: Frame, key: int, out: int) -> None:
    """A slot that the frame has read is warm until the frame ends, and what it was until a store or a call."""
    memory = frame.memory
    slot = memory.read(key, 32)
    value = frame.loaded.get(slot)
    if value is None:
        value = frame.evm(_SLOAD, (_number(slot),)).to_bytes(32, "big")
        if frame.host.warm_load_gas and len(frame.loaded) < MAX_LOADED:
            frame.loaded[slot] = value
    else:
        frame.charge_gas(frame.host.warm_load_gas)
    memory.write(out, value)


def storage_store(frame: Frame, key: int, value: int) -> None:
    slot = frame.memory.read(key, 32)
    frame.loaded.pop(slot, None)
    frame.evm(_SSTORE, (_number(slot), _number(frame.memory.read(value, 32))))


def transient_load(frame: Frame, key: int, out: int) -> None:
    value = frame.evm(_TLOAD, (_number(frame.memory.read(key, 32)),))
    frame.memory.write(out, value.to_bytes(32, "big"))


def transient_store(frame: Frame, key: int, value: int) -> None:
    frame.evm(_TSTORE, (_number(frame.memory.read(key, 32)), _number(frame.memory.read(value, 32))))


def log(frame: Frame, data: int, length: int, topics: int, t1: int, t2: int, t3: int, t4: int) -> None:
    """Only the first `topics` pointers are read."""
    pointers = topic_pointers(topics, (t1, t2, t3, t4))
    payload = _paid_read(frame, data, length)
    frame.evm(_LOG0 + topics, tuple(_number(frame.memory.read(p, 32)) for p in pointers), payload)


def topic_pointers(topics: int, pointers: tuple[int, int, int, int]) -> tuple[int, ...]:
    """The pointers in use.

    Raises:
        ArgumentOutOfRange: More than four topics.
    """
    if topics > MAX_TOPICS:
        raise ArgumentOutOfRange(f"log with {topics} topics")
    return pointers[:topics]


def _paid_read(frame: Frame, data: int, length: int) -> bytes:
    """Log data, refused before it is copied where it can't be paid."""
    if length > frame.gas_left:
        # 8 gas a byte in every fork: such a log can't be paid, whatever else it costs.
        raise OutOfGas
    return frame.memory.read(data, length)
