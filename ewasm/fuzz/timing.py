"""What a gas buys: nanoseconds and gas of a program, metered on the native engine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from ewasm.engine.base import Engine
from ewasm.errors import ModuleError
from ewasm.fuzz.workloads import Program
from ewasm.fuzz.world import FakeHost, message
from ewasm.metering.schedule import PARTICLES_PER_GAS
from ewasm.rules import Rules
from ewasm.vm import VM

__all__ = ["GAS", "Measured", "Side", "Stopwatch", "least_ns"]

GAS = 1 << 40

Side = Callable[[], int | None]
"""Does the work. What it returns, if anything, are the nanoseconds that count, else its whole time does."""


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


@dataclass(frozen=True, slots=True)
class Measured:
    """What one body of a program took, without its loop.

    Attributes:
        ns: Its time.
        particles: Its gas.
    """

    ns: float
    particles: float

    @property
    def ns_per_gas(self) -> float:
        return self.ns / self.particles * PARTICLES_PER_GAS


class Stopwatch:
    """Times programs under one rule set on one engine."""

    def __init__(self, rules: Rules, engine: Engine) -> None:
        self._vm = VM(rules, engine)

    def body(self, program: Program, repeats: int) -> Measured:
        """One body of a program: the whole, less the same with an empty loop.

        Raises:
            RuntimeError: The program fails.
        """
        used: list[int] = []

        def side(code: bytes) -> Side:
            request = message(gas=GAS)

            def run() -> None:
                try:
                    result = self._vm.execute(FakeHost(), request, code)
                except ModuleError as error:
                    raise RuntimeError(f"{program}: {error}") from error
                if not result.is_success:
                    raise RuntimeError(f"{program}: {result.status}, {result.error}")
                used.append(result.gas_used)

            run()
            return run

        whole, empty = side(program.module()), side(program.module(empty=True))
        gas = used[0] - used[1]
        ns, ns_empty = least_ns([whole, empty], repeats)
        bodies = program.turns * program.copies
        return Measured((ns - ns_empty) / bodies, gas * PARTICLES_PER_GAS / bodies)
