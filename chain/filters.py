"""Which logs a query wants, and the filters that clients poll.

A filter holds a cursor, not a copy of what it has seen: `changes` reads forward from the cursor in the chain's own
records, so a forgotten filter costs a few hundred bytes and a node that runs for weeks does not grow.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from chain.crypto import keccak
from chain.requests import LogFilter, LogQuery

__all__ = [
    "FILTER_LIFETIME_S",
    "MAX_FILTERS",
    "Filter",
    "FilterLimit",
    "FilterRegistry",
    "LogQuery",
    "bloom_has",
    "bloom_may_match",
    "log_matches",
    "logs_bloom",
]

FILTER_LIFETIME_S = 300.0
MAX_FILTERS = 10_000

FilterKind = Literal["block", "log", "pending"]


class LogLike(Protocol):
    """What a log needs to be matched."""

    @property
    def address(self) -> bytes: ...

    @property
    def topics(self) -> tuple[bytes, ...]: ...


def log_matches(query: LogQuery, log: LogLike) -> bool:
    """Whether the log's address and topics satisfy the query."""
    if query.addresses and log.address not in query.addresses:
        return False
    topics = log.topics
    if len(query.topics) > len(topics):
        return False
    return all(want is None or have in want for want, have in zip(query.topics, topics, strict=False))


def _bloom_bits(item: bytes) -> int:
    digest = keccak(item)
    bits = 0
    for i in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[i : i + 2], "big") & 2047)
    return bits


def bloom_has(bloom: int, item: bytes) -> bool:
    """Whether the 2,048-bit bloom (as an int, big-endian) may hold an address or topic."""
    bits = _bloom_bits(item)
    return bloom & bits == bits


def bloom_may_match(query: LogQuery, bloom: int) -> bool:
    """False only where no log below this bloom can match (yellow paper 4.3.1)."""
    if query.addresses and not any(bloom_has(bloom, address) for address in query.addresses):
        return False
    return all(want is None or any(bloom_has(bloom, topic) for topic in want) for want in query.topics)


def logs_bloom(logs: Iterable[LogLike]) -> int:
    """The bloom of some logs, as an int."""
    bloom = 0
    for log in logs:
        bloom |= _bloom_bits(log.address)
        for topic in log.topics:
            bloom |= _bloom_bits(topic)
    return bloom


class FilterLimit(Exception):
    """There are already `MAX_FILTERS` live filters."""


@dataclass(slots=True)
class Filter:
    """One installed filter.

    Attributes:
        kind: What `changes` reports: block hashes, logs, or hashes of transactions new in the pool.
        next_block: First block number that was not yet reported.
        head: Hash of the block before `next_block` when last polled; another hash there means a reorganisation.
        wanted: For log filters.
        pending: Hashes waiting to be fetched; only for pending filters.
        touched_s: Monotonic time of the last use.
        first_block: Number of the first block it can have reported.
    """

    kind: FilterKind
    next_block: int
    head: bytes
    wanted: LogFilter | None = None
    pending: list[bytes] = field(default_factory=list)
    touched_s: float = 0.0
    first_block: int = 0


class FilterRegistry:
    """Live filters by id. An id is random, so that one client does not poll another's by accident."""

    def __init__(
        self,
        lifetime_s: float = FILTER_LIFETIME_S,
        limit: int = MAX_FILTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._filters: dict[int, Filter] = {}
        self._lifetime_s = lifetime_s
        self._limit = limit
        self._clock = clock

    def __len__(self) -> int:
        return len(self._filters)

    def install(self, item: Filter) -> int:
        """Store a filter under a new id.

        Raises:
            FilterLimit: Too many are alive.
        """
        self.expire()
        if len(self._filters) >= self._limit:
            raise FilterLimit(f"too many filters (limit {self._limit}): uninstall some or wait until they expire")
        item.touched_s = self._clock()
        identifier = secrets.randbits(128) | 1 << 127
        self._filters[identifier] = item
        return identifier

    def get(self, identifier: int) -> Filter | None:
        """The filter, its lifetime renewed, or None if it expired or never was."""
        item = self._filters.get(identifier)
        now = self._clock()
        if item is None:
            return None
        if now - item.touched_s > self._lifetime_s:
            del self._filters[identifier]
            return None
        item.touched_s = now
        return item

    def uninstall(self, identifier: int) -> bool:
        """Forget a filter; False if there was none."""
        self.expire()
        return self._filters.pop(identifier, None) is not None

    def expire(self) -> None:
        """Drop what was not asked for during its lifetime."""
        oldest = self._clock() - self._lifetime_s
        for identifier in [i for i, f in self._filters.items() if f.touched_s < oldest]:
            del self._filters[identifier]

    def announce_pending(self, hashes: Sequence[bytes], limit: int = 10_000) -> None:
        """Tell pending filters of transactions new in the pool; each keeps the last `limit`."""
        for item in self._filters.values():
            if item.kind == "pending":
                item.pending.extend(hashes)
                del item.pending[:-limit]
