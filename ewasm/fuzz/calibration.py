"""All programs that time prices, and what they say together."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable

from ewasm.fuzz.host_workloads import HOST_PROGRAMS
from ewasm.fuzz.timing import Measured, Stopwatch
from ewasm.fuzz.workloads import PROGRAMS, Program

__all__ = ["ALL_PROGRAMS", "FACTOR", "measure_all", "median_ns_per_gas"]

ALL_PROGRAMS: dict[str, Program] = {**PROGRAMS, **HOST_PROGRAMS}

FACTOR = 3.0
"""A program may take so many times the median for its gas (PROTOCOL section 3)."""


def measure_all(
    stopwatch: Stopwatch, repeats: int, names: Collection[str] = tuple(ALL_PROGRAMS)
) -> dict[str, Measured]:
    """Every program, or those named."""
    return {name: stopwatch.body(ALL_PROGRAMS[name], repeats) for name in names}


def median_ns_per_gas(measured: Iterable[Measured]) -> float:
    return statistics.median(one.ns_per_gas for one in measured)
