"""What the prelude's functions read: written by the host into a contract's second memory before a frame starts."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable

from ewasm.eei.frame import Frame
from ewasm.message import TxContext
from ewasm.prelude.source import load_prelude
from ewasm.wasm.types import PAGE_BYTES

__all__ = ["BEYOND_BUFFER", "OUT_OF_RANGE", "Environment"]

_MASK_I64 = (1 << 64) - 1
_SPENT = struct.Struct("<qI")
_BUFFER = struct.Struct("<II")


class Environment:
    """The environment of one frame.

    Args:
        frame: The frame; its message and transaction are written at once.
        address: Of the memory's first byte. It never moves.
        buffers: See `LinkedModule.buffers`.
        grow: Makes the memory larger by so many pages.
    """

    __slots__ = ("_end", "_grow", "_pages", "address")

    def __init__(self, frame: Frame, address: int, buffers: frozenset[str], grow: Callable[[int], None]) -> None:
        self.address = address
        self._grow = grow
        self._pages = 1
        message, tx = frame.message, frame.tx
        at = _BUFFERS_AT
        hashes = tx.blob_hashes if "blob_hashes" in buffers else ()
        input_data = frame.input_data if "call_data" in buffers else b""
        code = frame.code if "code" in buffers else b""
        call_data_at = at + 32 * len(hashes)
        code_at = call_data_at + len(input_data)
        self._end = code_at + len(code)
        if self._end > PAGE_BYTES:
            self._reserve(self._end)
        head = b"".join(
            (
                message.recipient.ljust(32, b"\0"),
                message.sender.ljust(32, b"\0"),
                message.value.to_bytes(32, "little"),
                _transaction_part(tx),
                _HEAD_END.pack(at, len(hashes), call_data_at, len(input_data), code_at, len(code), self._end, 0),
            )
        )
        ctypes.memmove(address, head, len(head))
        if self._end > at:
            ctypes.memmove(address + at, b"".join((*hashes, input_data, code)), self._end - at)

    def _reserve(self, end: int) -> None:
        pages = -(-end // PAGE_BYTES)
        if pages > self._pages:
            self._grow(pages - self._pages)
            self._pages = pages

    def set_return_data(self, data: bytes) -> None:
        """What the last call returned."""
        self._reserve(self._end + len(data))
        ctypes.memmove(self.address + self._end, data, len(data))
        ctypes.memmove(self.address + _RETURN_DATA_AT, _BUFFER.pack(self._end, len(data)), _BUFFER.size)

    def report(self) -> tuple[int, int]:
        """(particles that functions of the prelude charged, why one stopped: 0 or a code of the layout)."""
        spent, failure = _SPENT.unpack(ctypes.string_at(self.address + _SPENT_AT, _SPENT.size))
        return spent, failure


_HEAD_END = struct.Struct("<8I")
_last_tx: tuple[TxContext, bytes] | None = None


def _transaction_part(tx: TxContext) -> bytes:
    """Fields that all frames of a transaction share; the last one's are kept."""
    global _last_tx
    last = _last_tx
    if last is not None and last[0] is tx:
        return last[1]
    numbers = (tx.gas_limit, tx.number, tx.timestamp_s)
    part = b"".join(
        (
            tx.origin.ljust(32, b"\0"),
            tx.coinbase.ljust(32, b"\0"),
            tx.gas_price.to_bytes(32, "little"),
            tx.difficulty.to_bytes(32, "little"),
            tx.prev_randao,
            tx.chain_id.to_bytes(32, "little"),
            tx.base_fee.to_bytes(32, "little"),
            tx.blob_base_fee.to_bytes(32, "little"),
            struct.pack("<3Q", *(n & _MASK_I64 for n in numbers)),
        )
    )
    _last_tx = tx, part
    return part


_layout = load_prelude().layout
OUT_OF_RANGE = _layout["out_of_range"]
BEYOND_BUFFER = _layout["beyond_buffer"]
_BUFFERS_AT = _layout["buffers"]
_RETURN_DATA_AT = _layout["return_data"]
_SPENT_AT = _layout["spent"]
