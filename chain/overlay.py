"""Writes that nobody keeps: a mapping over a store's committed rows and nodes, for blocks that are only tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chain.errors import StoreError
from chain.node_log import NodeCache, NodeLog, place_of, record_among
from chain.store import KeyValue

__all__ = ["Overlay"]

# Places of nodes that stay here are beyond those of any log.
FIRST_PLACE = place_of(1 << 44)


class Overlay:
    """Reads fall through to `below`; writes stay here and end with the object."""

    __slots__ = ("_below", "_records", "_rows", "_size")

    def __init__(self, below: KeyValue) -> None:
        self._below = below
        self._rows: dict[bytes, bytes | None] = {}
        self._records: list[bytes] = []
        self._size = 0

    @property
    def cache(self) -> NodeCache:
        """The committed nodes'."""
        return self._below.cache

    @property
    def settled(self) -> int:
        """Nodes of this place and on are not committed."""
        return self._below.settled

    @property
    def log(self) -> NodeLog:
        """What is committed."""
        return self._below.log

    @property
    def next_place(self) -> int:
        """Where the next record will stand."""
        return FIRST_PLACE + place_of(self._size)

    def record(self, place: int, key: bytes) -> bytes:
        """The record at a place, of here or below."""
        if place < FIRST_PLACE:
            return self._below.record(place, key)
        return record_among(self._records, place - FIRST_PLACE, key)

    def append(self, place: int, records: Sequence[bytes]) -> None:
        """Keep records."""
        if place != self.next_place:
            raise StoreError("two states were written into one overlay at once")
        self._records += records
        self._size += sum(map(len, records))

    def after_commit(self, what: Callable[[], None]) -> None:
        """Nothing: there is no commit."""

    def __getitem__(self, key: bytes) -> bytes:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._rows[key] = value

    def __delitem__(self, key: bytes) -> None:
        self._rows[key] = None

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self.get(key) is not None

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        if key in self._rows:
            return self._rows[key]
        return self._below.get(key)
