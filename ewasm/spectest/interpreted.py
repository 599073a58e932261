"""Scripts on the interpreter: gas counted by it, or by the module after injection, and never short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ewasm.engine.interpreter import Machine
from ewasm.engine.runtime import (
    MAX_PAGES,
    ExternalValue,
    GlobalInstance,
    HostFunctionInstance,
    MemoryInstance,
    TableInstance,
    instantiate,
    match_imports,
)
from ewasm.errors import ExceptionalHalt, ModuleError, OutOfGas, StackExhausted, Trap
from ewasm.metering.inject import GAS_EXPORT, STACK_EXPORT, instrument_core
from ewasm.metering.schedule import EWASM_2026, OFF
from ewasm.spectest.store import HOST_GLOBALS, TABLE_ENTRIES, EngineFault, ExternType
from ewasm.wasm.decode import decode
from ewasm.wasm.encode import encode
from ewasm.wasm.module import ValidModule
from ewasm.wasm.types import PAGE_BYTES, FuncType, GlobalType, MemoryType, TableType
from ewasm.wasm.validate import validate

__all__ = ["InterpreterStore"]

_PARTICLES = 1 << 62
_SECOND_STACK_LIMIT = 1 << 20
"""For instrumented modules, which keep to the first by themselves, but not those that call each other in circles."""


class InterpreterStore:
    def __init__(self, features: frozenset[str], *, instrumented: bool, stack_height: int) -> None:
        self.features = features
        self._instrumented = instrumented
        self._stack_height = stack_height
        self._counters: list[tuple[GlobalInstance, GlobalInstance]] = []
        self.particles: int | None = None

    def host_module(self, types: Mapping[str, ExternType]) -> Mapping[str, ExternalValue]:
        return {name: _host_value(type_) for name, type_ in types.items()}

    def instantiate(self, valid: ValidModule, imports: Sequence[Any]) -> Mapping[str, ExternalValue]:
        match_imports(valid, imports)
        exports = valid.module.exports
        if self._instrumented:
            module = instrument_core(valid, EWASM_2026, particles=_PARTICLES, stack_height=self._stack_height)
            try:
                valid = validate(decode(encode(module)), self.features)
            except ModuleError as error:
                raise EngineFault(f"not valid after injection: {error}") from None
        instance = instantiate(
            valid,
            imports,
            OFF if self._instrumented else EWASM_2026,
            memory_pages=MAX_PAGES,
            table_entries=TABLE_ENTRIES,
            stack_height=self._stack_height,
            count_all=True,
        )
        if self._instrumented:
            gas, stack = instance.export(GAS_EXPORT), instance.export(STACK_EXPORT)
            if not isinstance(gas, GlobalInstance) or not isinstance(stack, GlobalInstance):
                raise EngineFault("the counters are not exported")
            self._counters.append((gas, stack))
        if valid.module.start is not None:
            self.invoke(instance.functions[valid.module.start], FuncType((), ()), ())
        return {item.name: instance.export(item.name) for item in exports}

    def invoke(self, function: Any, type_: FuncType, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        limit = _SECOND_STACK_LIMIT if self._instrumented else self._stack_height
        machine = Machine(_PARTICLES, limit)
        before = self._left()
        self.particles = None
        try:
            results = tuple(machine.invoke(function, arguments))
        except OutOfGas:
            raise EngineFault("out of gas") from None
        except ExceptionalHalt as halt:
            raise self._halt(halt) from None
        self.particles = before - self._left() if self._instrumented else _PARTICLES - machine.particles
        if len(results) != len(type_.results):
            raise EngineFault(f"{len(results)} results for {type_}")
        return results

    def read_global(self, global_: Any, type_: GlobalType) -> Any:
        if not isinstance(global_, GlobalInstance) or global_.type != type_:
            raise EngineFault("the export is another kind of thing than its module says")
        return global_.value

    def _left(self) -> int:
        """What the counters of instrumented modules hold together."""
        return sum(gas.value for gas, _ in self._counters)

    def _halt(self, halt: ExceptionalHalt) -> ExceptionalHalt | EngineFault:
        """What a halt is; the counters of instrumented modules say why they stopped, and start anew."""
        found: ExceptionalHalt | EngineFault = halt
        for gas, stack in self._counters:
            if isinstance(halt, Trap) and halt.text == "unreachable":
                if stack.value >> 31:
                    found = StackExhausted()
                elif gas.value >> 63:
                    found = EngineFault("out of gas")
            # A contract's frame ends with a trap; here its instance goes on, so what live frames held is given back.
            stack.value = self._stack_height
        return found


def _host_value(type_: ExternType) -> ExternalValue:
    match type_:
        case FuncType():
            return HostFunctionInstance(type_, lambda _: ())
        case GlobalType():
            return GlobalInstance(type_, HOST_GLOBALS[type_.value_type])
        case MemoryType(limits):
            return MemoryInstance(bytearray(limits.minimum * PAGE_BYTES), limits.maximum or MAX_PAGES, type_)
        case TableType(_, limits):
            return TableInstance(type_, [None] * limits.minimum, limits.maximum or TABLE_ENTRIES)
