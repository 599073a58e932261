"""The shortest sequence of calls that still fails, and the simplest values in it.

Hypothesis leaves calls in a sequence that have nothing to do with its failure, and needs minutes where each try is
fifty transactions; leaving out halves, quarters, ... single calls (delta debugging) needs a few dozen tries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from chain.testing.strategies import Call, Inputs

__all__ = ["MAX_TRIES", "shorten", "simpler_calls", "simpler_ints"]

MAX_TRIES = 1000

T = TypeVar("T")


def shorten(steps: Sequence[T], fails: Callable[[list[T]], bool], simpler: Callable[[T], Iterable[T]]) -> list[T]:
    """Leave out steps, and put simpler ones in their place, as long as it fails.

    Args:
        steps: A sequence that fails.
        fails: Whether another one fails in the same way; asked at most MAX_TRIES times.
        simpler: What may stand in for a step, the simplest first.
    """
    kept, tries = list(steps), 0

    def attempt(candidate: list[T]) -> bool:
        nonlocal kept, tries
        tries += 1
        if tries > MAX_TRIES or not fails(candidate):
            return False
        kept = candidate
        return True

    before: list[T] = []
    while before != kept and tries <= MAX_TRIES:
        before = kept
        size = max(1, len(kept) // 2)
        while True:
            # From the end: what comes after the failing step is of no use, and earlier steps make ready for later ones.
            start = len(kept) - size
            while start > -size:
                attempt(kept[: max(start, 0)] + kept[start + size :])
                start -= size
            if size == 1:
                break
            size //= 2
        for position in range(len(kept)):
            while any(attempt([*kept[:position], other, *kept[position + 1 :]]) for other in simpler(kept[position])):
                pass
    return kept


def simpler_calls(call: Call, senders: Sequence[str], accounts: Sequence[str], inputs: Inputs) -> Iterator[Call]:
    """Calls like this one with a smaller number, a shorter text, an earlier account in one place.

    Arguments with a strategy of their own in `inputs` stay: what that could have made is not known here.
    """
    for sender in senders[: senders.index(call.sender)] if call.sender in senders else ():
        yield replace(call, sender=sender)
    item = call.function
    for position, (kind, name) in enumerate(zip(item.inputs, item.names, strict=True)):
        keys = (name, f"{item.name}.{name}", f"{call.name}.{item.name}.{name}", kind)
        if not any(key in inputs for key in keys):
            for other in _simpler(kind, call.args[position], accounts):
                yield replace(call, args=(*call.args[:position], other, *call.args[position + 1 :]))


def _simpler(kind: str, value: object, accounts: Sequence[str]) -> Iterator[object]:
    if kind == "address":
        yield from accounts[: accounts.index(str(value))] if value in accounts else ()
    elif isinstance(value, bool):
        yield from [False] if value else []
    elif isinstance(value, int):
        yield from simpler_ints(value)
    elif kind in ("bytes", "string") and isinstance(value, (bytes, str)) and value:
        yield value[:0]
        yield value[: len(value) // 2]
        yield value[:-1]


def simpler_ints(value: int) -> Iterator[int]:
    """Zero, then closer and closer."""
    if value == 0:
        return
    yield 0
    size, sign = abs(value), -1 if value < 0 else 1
    for shift in range(size.bit_length() - 1, 0, -1 - size.bit_length() // 32):
        yield sign * (size >> shift)
    yield from (sign * (size - step) for step in (100, 10, 1) if size > step)
