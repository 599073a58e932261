"""Between the VM and an `Observer`: what Wasm frames tell."""

from __future__ import annotations

from typing import Any

from chain.tracing.events import Limits, Observer
from ewasm.message import Message, Result
from ewasm.vm import VM

__all__ = ["WasmEvents", "traced_machine"]


class WasmEvents:
    """An `ewasm.trace.Tracer` that passes on what an observer wants."""

    def __init__(self, limits: Limits) -> None:
        self.observer = Observer()
        self._limits = limits

    @property
    def wants_steps(self) -> bool:
        return self.observer.wants_wasm_steps

    def frame_start(self, message: Message, code: bytes) -> None:
        """`enter` has told of it."""

    def frame_end(self, message: Message, result: Result) -> None:
        self.observer.wasm_end(result.gas_left, not result.is_success and not result.is_revert)

    def step(self, function: int, offset: int, opcode: int, stack: list[Any], particles: int) -> None:
        self._limits.tick()
        self.observer.wasm_step(function, offset, opcode, stack, particles)

    def host_call(
        self, name: str, arguments: tuple[int, ...], result: int | None, particles_before: int, particles_after: int
    ) -> None:
        self._limits.tick()
        self.observer.host_call(name, arguments, result, particles_before, particles_after)


def traced_machine(machine: Any, observer: Observer, events: WasmEvents) -> Any:
    """A VM that runs as `machine` does and reports to `events`: on the interpreter where single steps are wanted.

    Both engines count the same gas, so the trace is that of the transaction as it was mined.
    """
    if not isinstance(machine, VM):
        return machine
    wanted = observer.wants_wasm_steps or observer.wants_host_calls
    if not wanted:
        return machine
    debug = None if machine.debug is None else _silent
    if observer.wants_wasm_steps:
        return VM(machine.rules, "interpreter", debug=debug, tracer=events)
    traced = VM(machine.rules, machine.engine, debug=debug, tracer=events)
    traced.cache = machine.traced_cache
    return traced


def _silent(_line: str) -> None:
    """Debug lines were written when the transaction was mined."""
