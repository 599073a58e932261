"""Scripts on the interpreter: the modules as they are, gas counted and never short."""

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
from ewasm.errors import OutOfGas
from ewasm.metering.schedule import EWASM_2026
from ewasm.spectest.store import HOST_GLOBALS, TABLE_ENTRIES, EngineFault, ExternType
from ewasm.wasm.module import ValidModule
from ewasm.wasm.types import PAGE_BYTES, FuncType, GlobalType, MemoryType, TableType

__all__ = ["InterpreterStore"]

_PARTICLES = 1 << 62


class InterpreterStore:
    def __init__(self, features: frozenset[str], stack_height: int) -> None:
        self.features = features
        self._stack_height = stack_height

    def host_module(self, types: Mapping[str, ExternType]) -> Mapping[str, ExternalValue]:
        return {name: _host_value(type_) for name, type_ in types.items()}

    def instantiate(self, valid: ValidModule, imports: Sequence[Any]) -> Mapping[str, ExternalValue]:
        match_imports(valid, imports)
        instance = instantiate(
            valid,
            imports,
            EWASM_2026,
            memory_pages=MAX_PAGES,
            table_entries=TABLE_ENTRIES,
            stack_height=self._stack_height,
            count_all=True,
        )
        if valid.module.start is not None:
            self.invoke(instance.functions[valid.module.start], FuncType((), ()), ())
        return {item.name: instance.export(item.name) for item in valid.module.exports}

    def invoke(self, function: Any, type_: FuncType, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        try:
            results = tuple(Machine(_PARTICLES, self._stack_height).invoke(function, arguments))
        except OutOfGas:
            raise EngineFault("out of gas") from None
        if len(results) != len(type_.results):
            raise EngineFault(f"{len(results)} results for {type_}")
        return results

    def read_global(self, global_: Any, type_: GlobalType) -> Any:
        if not isinstance(global_, GlobalInstance) or global_.type != type_:
            raise EngineFault("the export is another kind of thing than its module says")
        return global_.value


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
