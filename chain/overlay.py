"""Writes that nobody keeps: a mapping over a store's committed rows, for blocks that are only tried."""

from __future__ import annotations

from chain.store import KeyValue

__all__ = ["Overlay"]


class Overlay:
    """Reads fall through to `below`; writes stay here and end with the object."""

    __slots__ = ("_below", "_rows")

    def __init__(self, below: KeyValue) -> None:
        self._below = below
        self._rows: dict[bytes, bytes | None] = {}

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
