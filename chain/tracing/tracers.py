"""Tracers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chain.refusals import BadArgument
from chain.tracing.calls import CallTracer, FlatCallTracer, Place, SelectorTracer
from chain.tracing.events import Entered, Exited, Limits, Observer
from chain.tracing.host_calls import HostTracer
from chain.tracing.options import TraceOptions
from chain.tracing.prestate import PrestateTracer
from chain.tracing.profile import ProfileTracer
from chain.tracing.steps import StepLogger
from chain.transaction import Tx
from chain.transition import BlockEnv, Executed

__all__ = ["TRACERS", "make_tracer"]

TRACERS: Final = {
    "": "Every EVM opcode and Wasm instruction, as struct logs.",
    "callTracer": "The tree of calls. onlyTopCall, withLog.",
    "flatCallTracer": "The tree of calls as parity's flat list. includePrecompiles, convertParityErrors.",
    "prestateTracer": "Accounts and slots before the transaction. diffMode, disableCode, disableStorage, includeEmpty.",
    "4byteTracer": "How often each selector was called, with how many bytes of arguments.",
    "noopTracer": "Nothing.",
    "muxTracer": "Several of these at once: their options by name.",
    "wasmTracer": "Every Wasm instruction: function, offset, opcode, stack, gas.",
    "profileTracer": "Wasm instructions and their gas by opcode and by function.",
    "hostTracer": "Every host function that a Wasm contract called: arguments, result, gas before and after.",
}


def make_tracer(options: TraceOptions, limits: Limits, place: Place) -> Observer:
    """A tracer for one transaction.

    Raises:
        BadArgument: There is none of that name.
    """
    config = options.config
    match options.tracer:
        case "":
            return StepLogger(options, limits)
        case "callTracer":
            return CallTracer(config)
        case "flatCallTracer":
            return FlatCallTracer(config, place)
        case "prestateTracer":
            return PrestateTracer(config)
        case "4byteTracer":
            return SelectorTracer()
        case "noopTracer":
            return Observer()
        case "wasmTracer":
            return StepLogger(_step_options(options), limits, evm=False)
        case "profileTracer":
            return ProfileTracer()
        case "hostTracer" | "stylusTracer":
            return HostTracer(limits)
        case "muxTracer":
            return MuxTracer(options, limits, place)
    names = ", ".join(name for name in TRACERS if name)
    raise BadArgument(f"unknown tracer {options.tracer[:50]!r}: there are {names}; JavaScript tracers are not run")


def _step_options(options: TraceOptions) -> TraceOptions:
    """The step logger's options, which a named tracer takes from its own configuration."""
    limit = options.config.get("limit", options.limit)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise BadArgument("tracerConfig.limit must be a number that is not negative")
    return TraceOptions(disable_stack=bool(options.config.get("disableStack", options.disable_stack)), limit=limit)


class MuxTracer(Observer):
    """Passes every event on to several tracers; the answer is theirs by name."""

    def __init__(self, options: TraceOptions, limits: Limits, place: Place) -> None:
        self._parts: dict[str, Observer] = {}
        for name, config in options.config.items():
            if name in ("", "muxTracer"):
                raise BadArgument("muxTracer takes the names of other tracers")
            inner = TraceOptions(tracer=name, config=config if isinstance(config, Mapping) else {})
            self._parts[name] = make_tracer(inner, limits, place)
        parts = self._parts.values()
        known = [part.opcodes for part in parts if part.opcodes is not None]
        self.opcodes = None if len(known) < len(self._parts) else frozenset().union(*known)
        self.wants_wasm_steps = any(part.wants_wasm_steps for part in parts)
        self.wants_host_calls = any(part.wants_host_calls for part in parts)
        self._stepped: list[Observer] = []

    def tx_start(self, state: Any, tx: Tx, env: BlockEnv) -> None:
        for part in self._parts.values():
            part.tx_start(state, tx, env)

    def tx_end(self, state: Any, executed: Executed) -> None:
        for part in self._parts.values():
            part.tx_end(state, executed)

    def enter(self, event: Entered) -> None:
        for part in self._parts.values():
            part.enter(event)

    def exit(self, event: Exited) -> None:
        for part in self._parts.values():
            part.exit(event)

    def step(self, frame: Any, pc: int, op: int, gas: int, refund: int) -> None:
        for part in self._parts.values():
            if part.opcodes is None or op in part.opcodes:
                part.step(frame, pc, op, gas, refund)

    def step_cost(self, cost: int, error: str | None) -> None:
        for part in self._parts.values():
            if part.opcodes is None:
                part.step_cost(cost, error)

    def log(self, address: bytes, topics: tuple[int, ...], data: bytes) -> None:
        for part in self._parts.values():
            part.log(address, topics, data)

    def wasm_step(self, function: int, offset: int, opcode: int, stack: list[Any], particles: int) -> None:
        for part in self._parts.values():
            if part.wants_wasm_steps:
                part.wasm_step(function, offset, opcode, stack, particles)

    def wasm_end(self, gas_left: int, failed: bool) -> None:
        for part in self._parts.values():
            part.wasm_end(gas_left, failed)

    def host_call(
        self, name: str, arguments: tuple[int, ...], result: int | None, particles_before: int, particles_after: int
    ) -> None:
        for part in self._parts.values():
            part.host_call(name, arguments, result, particles_before, particles_after)

    def result(self, executed: Executed) -> Any:
        return {name: part.result(executed) for name, part in self._parts.items()}
