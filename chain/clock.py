"""The node's clock: the wall clock, moved as a development chain wants it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chain.refusals import BadArgument, Refused

__all__ = ["MAX_TIMESTAMP", "Clock"]

# Seconds; far enough below 64 bits that a chain can still grow behind it.
MAX_TIMESTAMP: Final = 1 << 53


@dataclass(slots=True)
class Clock:
    """Time for blocks to come.

    Attributes:
        wall: Unix time in seconds.
        offset_s: Seconds ahead of the wall clock; negative behind it.
        next_timestamp: Of the next block, if it was fixed.
        interval_s: Seconds between each block and the next, whatever time it is; None for as the clock shows.
    """

    wall: Callable[[], float] = time.time
    offset_s: int = 0
    next_timestamp: int | None = None
    interval_s: int | None = None

    def now(self) -> int:
        """Seconds."""
        return int(self.wall()) + self.offset_s

    def choose(self, head_timestamp: int) -> int:
        """The timestamp of the block to come, always after the head's."""
        if self.next_timestamp is not None:
            wanted = self.next_timestamp
        else:
            wanted = self.now() if self.interval_s is None else head_timestamp + self.interval_s
        return max(wanted, head_timestamp + 1)

    def mined(self, timestamp: int) -> None:
        """Go on from a block's timestamp, if it was fixed or has run ahead.

        Blocks that came faster than one a second moved the clock, or "increase by N" would add less than N.
        """
        ahead = timestamp - int(self.wall())
        fixed = self.next_timestamp is not None or self.interval_s is not None
        self.offset_s = ahead if fixed else max(ahead, self.offset_s)
        self.next_timestamp = None

    def increase(self, seconds: int) -> int:
        """Move forward; returns by how much it is ahead in all."""
        if self.now() + seconds >= MAX_TIMESTAMP:
            raise BadArgument(f"the clock cannot be moved beyond {MAX_TIMESTAMP}")
        self.offset_s += seconds
        return self.offset_s

    def set(self, timestamp: int, head_timestamp: int) -> int:
        """Show this time from now on; returns by how many seconds that moved it.

        Raises:
            Refused: It is before the head's.
        """
        if timestamp < head_timestamp:
            raise Refused(f"time {timestamp} is before the latest block's timestamp {head_timestamp}")
        if timestamp >= MAX_TIMESTAMP:
            raise BadArgument(f"the clock cannot be moved beyond {MAX_TIMESTAMP}")
        moved = timestamp - self.now()
        self.offset_s += moved
        return moved

    def fix_next(self, timestamp: int, head_timestamp: int) -> None:
        """Give the next block a timestamp; the clock goes on from there."""
        if timestamp <= head_timestamp:
            raise Refused(f"timestamp {timestamp} is not after the previous block's timestamp {head_timestamp}")
        if timestamp >= MAX_TIMESTAMP:
            raise BadArgument(f"timestamps end at {MAX_TIMESTAMP}")
        self.next_timestamp = timestamp
