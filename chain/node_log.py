"""Where trie nodes stand: one behind another, in the order in which they were made, and found by their place.

A trie node's hash is random, so a table by hash is written at a random page for each node, and more of them as the
state grows: with a million accounts that was four fifths of a block. Here a node's record names the places of its
children beside their hashes, so nothing is looked up by hash but the roots, and a block's nodes are one write at the
end of a file. Nothing in it is ever changed.

A place is an offset and a length, so that a node is read at once. Behind each record stand four bytes of a checksum
that makes the CRC-32 of all of it, begun with the node's hash, one constant: neither a damaged record nor another
node's is taken for the one that was asked for. To hash every node again would cost more than to read it. How far the
file counts is said by whoever owns it (`chain.store`): what stands behind that is left from a block that never was.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

from chain.errors import StoreCorrupt, StoreFull, StoreReadOnly

__all__ = ["CHECK_BYTES", "FIRST", "NodeCache", "NodeLog", "checked", "place_of", "record_among"]

MAGIC = b"ewasm-2\n"
FIRST = len(MAGIC)
"""The first place there is."""

MAX_BYTES = 0xFFFF
CHECK_BYTES = 4
# The CRC-32 of anything with its own CRC-32 behind it, lowest byte first.
RESIDUE = 0x2144DF1C
# Buffers of one write.
MAX_BUFFERS = 512

CACHED_NODES = 24_000
"""Most are leaves and branches of some children, 0.3 to 0.7 KB each."""


def checked(body: bytes, key: bytes) -> bytes:
    """The record of a node with this hash (32 bytes)."""
    return body + crc32(body, int.from_bytes(key[:4], "big")).to_bytes(CHECK_BYTES, "little")


def is_checked(record: bytes, key: bytes) -> bool:
    """Whether this is the whole record of the node with this hash."""
    return crc32(record, int.from_bytes(key[:4], "big")) == RESIDUE and len(record) > CHECK_BYTES


def place_of(offset: int, size: int = 0) -> int:
    """Offset and length in one number; numbers are in order of the offsets."""
    return offset << 16 | size


def record_among(records: Sequence[bytes], place: int, key: bytes) -> bytes:
    """A record by its place among others that are not in a log yet; the first of them is at 0.

    Raises:
        StoreCorrupt: It is not there.
    """
    offset = place >> 16
    for record in records:
        if offset <= 0:
            if not offset and is_checked(record, key):
                return record
            break
        offset -= len(record)
    raise StoreCorrupt(f"trie node 0x{key.hex()} is not among those to be written")


class NodeCache(dict[bytes, Any]):
    """Committed nodes of one log by hash. Those that came first go first; what a block replaced goes with it.

    Attributes:
        accounts: Decoded accounts by state root and address, for calls that ask for the same ones again and again.
    """

    __slots__ = ("accounts", "limit")

    def __init__(self, limit: int = CACHED_NODES) -> None:
        super().__init__()
        self.limit = limit
        self.accounts: dict[bytes, Any] = {}

    def shrink(self) -> None:
        """Forget the older half if there are too many."""
        if len(self) > self.limit:
            for key in list(islice(self, len(self) - self.limit // 2)):
                self.pop(key, None)


class NodeLog:
    """Records in a file, or in memory until there are too many of them, then in a file that ends with the process.

    One thread appends; any thread reads what was appended before.
    """

    def __init__(self, path: Path | None = None, end: int = FIRST, spilled_bytes: int = 0) -> None:
        """Open a log that counts up to `end`.

        Raises:
            StoreReadOnly: It cannot be opened for writing.
            StoreCorrupt: It is shorter than that, or is no log.
        """
        self._file = -1
        self.end = end
        self._path = path
        self._limit = spilled_bytes
        self._memory = bytearray(MAGIC)
        if path is None:
            return
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreReadOnly(f"cannot write the database {path}: {error.strerror}") from error
        size = os.fstat(self._file).st_size
        if size < end and end > FIRST:
            self.close()
            raise StoreCorrupt(f"the database {path} is damaged: {size} bytes of {end}; move it away to start afresh")
        if end == FIRST:
            self._write([MAGIC], 0)
        elif os.pread(self._file, FIRST, 0) != MAGIC:
            self.close()
            raise StoreCorrupt(f"the database {path} is damaged: not a log of nodes; move it away to start afresh")

    def read(self, place: int, key: bytes) -> bytes:
        """The record at a place.

        Args:
            key: 32 bytes, the hash of the node.

        Raises:
            StoreCorrupt: There is none, or it is another's.
        """
        offset, size = place >> 16, place & MAX_BYTES
        memory = self._memory
        if self._file < 0:
            record = bytes(memory[offset : offset + size])
        else:
            record = os.pread(self._file, size, offset)
        if crc32(record, int.from_bytes(key[:4], "big")) != RESIDUE or len(record) != size:
            raise StoreCorrupt(f"trie node 0x{key.hex()} is not at byte {offset} of {self._path or 'the log'}")
        return record

    def append(self, records: Sequence[bytes]) -> None:
        """Write records behind the end, which moves; with `sync` they are there to stay.

        Raises:
            StoreFull: There is no room; the end stays where it was.
        """
        if self._file < 0:
            for record in records:
                self._memory += record
            self.end = len(self._memory)
            if self.end > self._limit:
                # Where no file is to be had, in memory still.
                with contextlib.suppress(OSError):
                    self._spill()
            return
        self.end = self._write(records, self.end)

    def sync(self) -> None:
        """Return when what was appended survives a loss of power."""
        if self._path is not None:
            try:
                os.fdatasync(self._file)
            except OSError as error:
                raise StoreFull(f"cannot write the database {self._path}: {error.strerror}") from error

    def _write(self, records: Sequence[bytes], offset: int) -> int:
        try:
            for start in range(0, len(records), MAX_BUFFERS):
                some = records[start : start + MAX_BUFFERS]
                size = sum(map(len, some))
                written = os.pwritev(self._file, some, offset)
                if written < size:
                    view = memoryview(b"".join(some))
                    while written < size:
                        written += os.pwrite(self._file, view[written:], offset + written)
                offset += size
        except OSError as error:
            raise StoreFull(
                f"cannot write the database {self._path}: {error.strerror}; what was answered before is safe"
            ) from error
        return offset

    def _spill(self) -> None:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
        memory = self._memory
        # Written in full before any reader can see the file.
        view = memoryview(memory)
        place = 0
        while place < len(view):
            place += os.pwrite(descriptor, view[place:], place)
        view.release()
        self._file = descriptor
        self._memory = bytearray()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        descriptor, self._file = self._file, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def __del__(self) -> None:
        self.close()
