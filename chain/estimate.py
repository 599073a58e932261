"""The least gas with which a transaction succeeds.

Exact: the transaction succeeds with the estimate and fails with one unit less. The search needs the outcome to be
monotonic in the gas, which holds for every contract that does not branch on the gas it has left.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["least_gas"]


def least_gas(suffices: Callable[[int], bool], used: int, cap: int) -> int:
    """Search for the least sufficient gas.

    Args:
        suffices: Whether the transaction succeeds with this much.
        used: Gas that it used before refunds when it had `cap`: with less it cannot have come to its end.
        cap: Gas known to suffice.
    """
    low, high = used - 1, cap
    # Guesses that settle most transactions: no inner call, then one that keeps a 64th back, then a stipend too.
    for guess in (used, used + used // 63 + 1, used + 2_300 + (used + 2_300) // 63 + 1):
        if not low < guess < high:
            continue
        if suffices(guess):
            high = guess
            break
        low = guess
    while low + 1 < high:
        # What is needed is far nearer to what was used than to the cap, so the first steps are short.
        middle = max(min((low + high) // 2, 2 * low), low + 1)
        if suffices(middle):
            high = middle
        else:
            low = middle
    return high
