"""The three read-only buffers of a frame: call data, own code, return data.

A copy whose source range leaves the buffer fails the frame; the EVM's opcodes pad with zeros instead (return data
excepted).
"""

from __future__ import annotations

from ewasm.eei.frame import Frame
from ewasm.errors import MemoryAccess


def get_call_data_size(frame: Frame) -> int:
    frame.charge(frame.prices["context"])
    return len(frame.input_data)


def get_code_size(frame: Frame) -> int:
    frame.charge(frame.prices["context"])
    return len(frame.code)


def get_return_data_size(frame: Frame) -> int:
    frame.charge(frame.prices["context"])
    return len(frame.return_data)


def call_data_copy(frame: Frame, out: int, offset: int, length: int) -> None:
    copy_out(frame, "copy", frame.input_data, out, offset, length)


def code_copy(frame: Frame, out: int, offset: int, length: int) -> None:
    copy_out(frame, "copy", frame.code, out, offset, length)


def return_data_copy(frame: Frame, out: int, offset: int, length: int) -> None:
    copy_out(frame, "copy", frame.return_data, out, offset, length)


def copy_out(frame: Frame, price: str | None, source: bytes, out: int, offset: int, length: int) -> None:
    """Pay for and copy `source[offset:offset + length]` to memory at `out`.

    Raises:
        MemoryAccess: Either range leaves its buffer.
    """
    if price is not None:
        frame.charge(frame.prices[price], length)
    if offset + length > len(source):
        raise MemoryAccess(f"copy of bytes {offset}..{offset + length} of a buffer of {len(source)}")
    frame.memory.write(out, source[offset : offset + length])
