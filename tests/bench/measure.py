"""How rows are measured: the sides of a ratio take turns within one run, and each counts with its least time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypedDict

from ewasm.engine.base import Engine
from ewasm.fuzz.world import FakeHost, message
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM

__all__ = ["GAS", "Row", "Side", "least_ns", "row", "runner"]

GAS = 1 << 40

Side = Callable[[], int | None]
"""Does the work. What it returns, if anything, are the nanoseconds that count, else its whole time does."""


class Row(TypedDict):
    """One line of the table.

    Attributes:
        ours_ns: Least time of our side, for one unit of work.
        other_ns: The same of the other side.
        ratio: ours / other.
        unit: What one unit of work is.
    """

    ours_ns: float
    other_ns: float
    ratio: float
    unit: str


def least_ns(sides: list[Side], repeats: int) -> list[int]:
    """Least time of each side; they take turns, so that a slow phase of the machine meets all of them."""
    best = [sys.maxsize] * len(sides)
    for _ in range(repeats):
        for index, side in enumerate(sides):
            start = time.perf_counter_ns()
            measured = side()
            taken = time.perf_counter_ns() - start if measured is None else measured
            best[index] = min(best[index], taken)
    return best


def row(ours_ns: float, other_ns: float, unit: str) -> Row:
    return {
        "ours_ns": round(ours_ns, 1),
        "other_ns": round(other_ns, 1),
        "ratio": round(ours_ns / other_ns, 5),
        "unit": unit,
    }


def runner(code: bytes, engine: Engine | str, rules: Rules = EWASM_2026) -> Side:
    """Runs a contract on a host that has nothing, activated once before.

    Raises:
        RuntimeError: It fails.
    """
    vm = VM(rules, engine)
    request = message(gas=GAS)

    def run() -> None:
        result = vm.execute(FakeHost(), request, code)
        if not result.is_success:
            raise RuntimeError(f"{result.status}, {result.error}")

    run()
    return run
