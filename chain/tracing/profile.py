"""profileTracer: where a transaction's Wasm instructions and their gas went.

A step costs what the gas of its frame is down by at the frame's next step; a `call` that reaches a host function so has
the host function's price, with what contracts called by it used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chain.tracing.events import Entered, Exited, Observer
from chain.tracing.steps import wasm_op_names
from chain.transition import Executed
from ewasm.metering.schedule import PARTICLES_PER_GAS

__all__ = ["ProfileTracer"]


@dataclass(slots=True)
class _Frame:
    address: bytes
    last: tuple[int, int] | None = None
    particles: int = 0


class ProfileTracer(Observer):
    """Counts and particles by opcode, and by contract and function."""

    wants_wasm_steps = True

    def __init__(self) -> None:
        self._frames: list[_Frame] = []
        self._opcodes: dict[int, list[int]] = {}
        self._functions: dict[tuple[bytes, int], list[int]] = {}

    def enter(self, event: Entered) -> None:
        self._frames.append(_Frame(event.to))

    def exit(self, event: Exited) -> None:
        self._frames.pop()

    def wasm_step(self, function: int, offset: int, opcode: int, stack: list[Any], particles: int) -> None:
        here = self._frames[-1]
        self._settle(here, particles)
        here.last, here.particles = (function, opcode), particles

    def wasm_end(self, gas_left: int, failed: bool) -> None:
        here = self._frames[-1]
        # A frame that failed loses all its gas: that is no instruction's price.
        self._settle(here, here.particles if failed else gas_left * PARTICLES_PER_GAS)
        here.last = None

    def _settle(self, here: _Frame, particles: int) -> None:
        if here.last is None:
            return
        function, opcode = here.last
        cost = max(here.particles - particles, 0)
        for counts in (
            self._opcodes.setdefault(opcode, [0, 0]),
            self._functions.setdefault((here.address, function), [0, 0]),
        ):
            counts[0] += 1
            counts[1] += cost

    def result(self, executed: Executed) -> dict[str, Any]:
        names = wasm_op_names()
        return {
            "gas": executed.gas_used,
            "failed": not executed.success,
            "instructions": sum(count for count, _ in self._opcodes.values()),
            "opcodes": [
                {"op": names.get(opcode, hex(opcode)), "count": count, "particles": particles}
                for opcode, (count, particles) in _dearest(self._opcodes)
            ],
            "functions": [
                {"address": "0x" + address.hex(), "function": function, "count": count, "particles": particles}
                for (address, function), (count, particles) in _dearest(self._functions)
            ],
        }


def _dearest(counted: dict[Any, list[int]]) -> list[tuple[Any, list[int]]]:
    return sorted(counted.items(), key=lambda item: (-item[1][1], -item[1][0], item[0]))
