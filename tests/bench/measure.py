"""How rows are measured: the sides of a ratio take turns within one run, and each counts with its least time."""

from __future__ import annotations

from typing import TypedDict

from ewasm.engine.base import Engine
from ewasm.fuzz.timing import GAS, Side, least_ns
from ewasm.fuzz.world import FakeHost, message
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM

__all__ = ["GAS", "Row", "Side", "least_ns", "row", "runner"]


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
