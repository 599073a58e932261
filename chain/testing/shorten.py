"""The shortest sequence of calls that still fails, and the simplest values in it.

Hypothesis leaves calls in a sequence that have nothing to do with its failure, and needs minutes where each try is
fifty transactions; leaving out halves, quarters, ... single calls (delta debugging) needs a few dozen tries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from chain.testing.strategies import Call, Inputs

__all__ = ["MAX_TRIES", "shorten", "simplify_call", "simplify_int"]

MAX_TRIES = 1000

T = TypeVar("T")


def shorten(
    steps: Sequence[T], fails: Callable[[list[T]], bool], simplify: Callable[[T, Callable[[T], bool]], T]
) -> list[T]:
    """Leave out steps, and put simpler ones in their place, as long as it fails.

    Args:
        steps: A sequence that fails.
        fails: Whether another one fails in the same way; asked at most MAX_TRIES times.
        simplify: The simplest stand-in for a step, which may ask whether the sequence fails with another one.
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
            simplify(kept[position], lambda other, at=position: attempt([*kept[:at], other, *kept[at + 1 :]]))  # type: ignore[misc]
    return kept


def simplify_call(
    call: Call,
    works: Callable[[Call], bool],
    senders: Sequence[str],
    accounts: Sequence[str],
    inputs: Inputs,
    free_value: bool = True,
) -> Call:
    """Smaller numbers, shorter texts, earlier accounts; less wei, if `free_value`.

    Arguments with a strategy of their own in `inputs` stay: what that could have made is not known here.
    """
    item = call.function
    for sender in senders[: senders.index(call.sender)] if call.sender in senders else ():
        if works(replace(call, sender=sender)):
            call = replace(call, sender=sender)
            break
    if call.value and free_value:
        call = replace(call, value=simplify_int(call.value, lambda wei: works(replace(call, value=wei))))
    for position, (kind, name) in enumerate(zip(item.inputs, item.names, strict=True)):
        keys = (name, f"{item.name}.{name}", f"{call.name}.{item.name}.{name}", kind)
        if any(key in inputs for key in keys):
            continue

        def put(value: Any, call: Call = call, position: int = position) -> Call:
            return replace(call, args=(*call.args[:position], value, *call.args[position + 1 :]))

        call = put(_simplify(kind, call.args[position], lambda value, put=put: works(put(value)), accounts))  # type: ignore[misc]
    return call


def _simplify(kind: str, value: Any, works: Callable[[Any], bool], accounts: Sequence[str]) -> Any:
    if kind == "address" and value in accounts:
        return next(filter(works, accounts[: accounts.index(value)]), value)
    if kind == "bool":
        return False if value and works(False) else value
    if isinstance(value, int):
        return simplify_int(value, works)
    if kind in ("bytes", "string"):
        return value[: simplify_int(len(value), lambda length: works(value[:length]))]
    return value


def simplify_int(value: int, works: Callable[[int], bool]) -> int:
    """The number nearest to zero, if all between it and the value work too: its length first, then its bits."""
    sign = -1 if value < 0 else 1
    low, high = 0, abs(value)
    if high == 0 or works(0):
        return 0
    # Powers of two, their exponents halved: a few tries for 256 bits.
    least, most = 0, high.bit_length()
    while least < most:
        middle = (least + most) // 2
        if 1 << middle >= high:
            most = middle
        elif works(sign << middle):
            most, high = middle, 1 << middle
        else:
            least, low = middle + 1, 1 << middle
    if high > 1 and not works(sign * (high - 1)):
        return sign * high
    while high - low > 1:
        middle = (low + high) // 2
        if works(sign * middle):
            high = middle
        else:
            low = middle
    return sign * high
