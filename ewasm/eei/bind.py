"""Join the table of host functions with their implementations, for one rule set."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, ModuleType

from ewasm.eei import bignum, calls, context, crypto, data, debug, gas, legacy, state
from ewasm.eei.frame import Frame
from ewasm.eei.table import TABLE, HostFunction
from ewasm.errors import OutOfGas, StaticViolation
from ewasm.rules import Rules

__all__ = ["HostEntry", "bind", "invoke"]

_TOPICS: dict[str, ModuleType] = {
    "calls": calls,
    "context": context,
    "crypto": crypto,
    "data": data,
    "debug": debug,
    "gas": gas,
    "state": state,
}
_LEGACY_TOPICS = frozenset({"calls", "state"})


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A row of the table with the function that does it under one rule set."""

    row: HostFunction
    function: Callable[..., int | None]

    @property
    def name(self) -> str:
        return f"{self.row.module}.{self.row.name}"


def bind(rules: Rules) -> Mapping[tuple[str, str], HostEntry]:
    """Host functions that modules may import under `rules`, by (module, name)."""
    return _bind(rules.interface, rules.namespaces)


@cache
def _bind(interface: int, namespaces: frozenset[str]) -> Mapping[tuple[str, str], HostEntry]:
    rows = [row for row in TABLE if row.since <= interface and row.module in namespaces]
    return MappingProxyType({row.key: HostEntry(row, _implementation(row, interface)) for row in rows})


def _implementation(row: HostFunction, interface: int) -> Callable[..., int | None]:
    if row.topic == "bignum":
        return bignum.FUNCTIONS[row.name]
    module = legacy if interface == 2018 and row.topic in _LEGACY_TOPICS else _TOPICS[row.topic]
    function: Callable[..., int | None] = getattr(module, _snake_case(row.name))
    return function


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def invoke(frame: Frame, entry: HostEntry, arguments: tuple[int, ...]) -> int | None:
    """Call a host function: the one way in, for every engine.

    Raises:
        OutOfGas: The frame arrives overdrawn (an instrumented module may notice only here).
        StaticViolation: The row mutates and the frame is static.
        ExceptionalHalt, FrameEnd: From the function itself.
    """
    before = frame.particles
    if before < 0:
        raise OutOfGas
    if entry.row.mutates and frame.message.is_static:
        raise StaticViolation(f"{entry.name} in a static frame")
    if frame.tracer is None:
        return entry.function(frame, *arguments)
    result = None
    try:
        result = entry.function(frame, *arguments)
    finally:
        frame.tracer.host_call(entry.name, arguments, result, before, frame.particles)
    return result
