"""The least gas with which a transaction succeeds.

Exact: it succeeds with the estimate and fails with one unit less, both of which were tried.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["least_gas"]

MAX_GAS_TRIED = 150_000_000
"""Gas that all trials of one search may be given together; behind that the least known to suffice is the answer."""


def least_gas(suffices: Callable[[int], bool], guesses: tuple[int, ...], floor: int, cap: int) -> int:
    """Search for a sufficient amount of gas next to one that is not.

    Where contracts branch on the gas they have left there may be several; then it is one of them.

    Args:
        suffices: Whether the transaction succeeds with this much.
        guesses: What may well be the answer, likely ones first.
        floor: Gas known not to suffice, for lack of intrinsic gas.
        cap: Gas known to suffice.
    """
    low, high = floor, cap
    left = MAX_GAS_TRIED

    def tried(gas: int) -> bool:
        nonlocal low, high, left
        left -= gas
        good = suffices(gas)
        if good:
            high = gas
        else:
            low = gas
        return good

    for guess in guesses:
        if low < guess < high and tried(guess):
            # The answer, if one less is not enough.
            if low < guess - 1:
                tried(guess - 1)
            break
    while low + 1 < high and left > 0:
        # What is needed is far nearer to what is known to fail than to the cap, so the first steps are short.
        tried(max(min((low + high) // 2, 2 * low), low + 1))
    return high
