"""A limit of time for work that somebody asks for and nobody pays for: calls, estimates, traces.

Gas bounds what a call does, but a Python EVM takes ten seconds for the gas of a block. So code that runs for a reader
looks at the clock where it cannot go on for long without passing: at each JUMPDEST, since there is no loop without one,
and at the start of each frame. Blocks have no deadline: what is mined depends on gas alone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from chain.refusals import Refused
from chain.stack import logical_thread

__all__ = ["CALL_SECONDS", "DeadlineExceeded", "check_deadline", "deadline"]

CALL_SECONDS = 10.0
"""How long a call, an estimate or a batch of them may take."""

_until: dict[int, tuple[float, float]] = {}


class DeadlineExceeded(Refused):
    """The work took too long."""


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let work on this thread (and on those it starts for nested frames) take at most so long."""
    ident = logical_thread()
    _until[ident] = (time.monotonic() + seconds, seconds)
    try:
        yield
    finally:
        _until.pop(ident, None)


def check_deadline() -> None:
    """Give up if there is a deadline and it has passed.

    Raises:
        DeadlineExceeded: It has.
    """
    if not _until:
        return
    limit = _until.get(logical_thread())
    if limit is not None and time.monotonic() > limit[0]:
        raise DeadlineExceeded(f"execution aborted (timeout = {limit[1]:g}s)")
