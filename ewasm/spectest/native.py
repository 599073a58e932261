"""Scripts on Wasmtime, with Cranelift or Winch: modules as they are, or after injection.

This is no hot path, so it goes through wasmtime-py's ordinary API.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import wasmtime

from ewasm.engine.native import native_config
from ewasm.errors import ExceptionalHalt, LinkError, StackExhausted, Trap
from ewasm.metering.inject import GAS_EXPORT, STACK_EXPORT, instrument_core
from ewasm.metering.schedule import EWASM_2026
from ewasm.spectest.store import HOST_GLOBALS, EngineFault, ExternType
from ewasm.wasm.encode import encode
from ewasm.wasm.module import ValidModule
from ewasm.wasm.types import EXTERNREF, F32, F64, FUNCREF, I32, I64, FuncType, GlobalType, MemoryType, TableType

__all__ = ["NativeStore", "wasmtime_engine", "winch_features"]

_PARTICLES = 1 << 62

_VALUE_TYPES = {
    I32: wasmtime.ValType.i32,
    I64: wasmtime.ValType.i64,
    F32: wasmtime.ValType.f32,
    F64: wasmtime.ValType.f64,
    FUNCREF: wasmtime.ValType.funcref,
    EXTERNREF: wasmtime.ValType.externref,
}
_MASKS = {I32: (1 << 32) - 1, I64: (1 << 64) - 1}

# A code that stands for several traps of the specification has the texts of all of them, since the library's own
# words are no finer.
_TRAPS = {
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: "out of bounds memory access",
    wasmtime.TrapCode.TABLE_OUT_OF_BOUNDS: "undefined element: out of bounds table access",
    wasmtime.TrapCode.INDIRECT_CALL_TO_NULL: "uninitialized element",
    wasmtime.TrapCode.BAD_SIGNATURE: "indirect call type mismatch",
    wasmtime.TrapCode.INTEGER_OVERFLOW: "integer overflow",
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: "integer divide by zero",
    wasmtime.TrapCode.UNREACHABLE: "unreachable",
}

_PROBES = {
    "mvp": '(module (memory 1) (table 2 funcref) (func (export "f") (param i64) (result i64) local.get 0))',
    "externref": "(module (table 2 externref) (func (param externref) (result externref) local.get 0))",
    "tail_call": "(module (func $f (param i32) (result i32) local.get 0 return_call $f))",
    "wide_arithmetic": "(module (func (param i64 i64) (result i64 i64) local.get 0 local.get 1 i64.mul_wide_u))",
}


@functools.cache
def wasmtime_engine(name: str) -> wasmtime.Engine:
    """Wasmtime with the compiler "cranelift" or "winch", configured as for contracts.

    A library that lacks Winch, or cannot use it here, ends the process: see `winch_features`.
    """
    return wasmtime.Engine(native_config(name))


def winch_features() -> frozenset[str]:
    """Which of the features that Winch may lack it has on this platform; "mvp" if it works at all.

    Run this in a child process first: the library ends the process if the configuration does not suit it.
    """
    found = set()
    for feature, text in _PROBES.items():
        try:
            wasmtime.Module(wasmtime_engine("winch"), bytes(wasmtime.wat2wasm(text)))
        except wasmtime.WasmtimeError:
            continue
        found.add(feature)
    return frozenset(found)


class NativeStore:
    def __init__(
        self, engine: wasmtime.Engine, features: frozenset[str], *, instrumented: bool, stack_height: int
    ) -> None:
        self.features = features
        self._engine = engine
        self._store = wasmtime.Store(engine)
        self._instrumented = instrumented
        self._stack_height = stack_height
        self._counters: list[tuple[wasmtime.Global, wasmtime.Global]] = []
        self.particles: int | None = None

    def host_module(self, types: Mapping[str, ExternType]) -> Mapping[str, Any]:
        return {name: self._host_value(type_) for name, type_ in types.items()}

    def instantiate(self, valid: ValidModule, imports: Sequence[Any]) -> Mapping[str, Any]:
        module = valid.module
        if self._instrumented:
            module = instrument_core(valid, EWASM_2026, particles=_PARTICLES, stack_height=self._stack_height)
        try:
            compiled = wasmtime.Module(self._engine, encode(module))
        except wasmtime.WasmtimeError as error:
            raise EngineFault(f"not compiled: {_one_line(error)}") from None
        try:
            instance = wasmtime.Instance(self._store, compiled, imports)
        except wasmtime.WasmtimeError as error:
            text = _one_line(error)
            if "incompatible import type" in text:
                raise LinkError(text[text.index("incompatible import type") :]) from None
            raise EngineFault(f"not instantiated: {text}") from None
        except wasmtime.Trap as trap:
            raise self._halt(trap) from None
        exports = instance.exports(self._store)
        found = {item.name: exports[item.name] for item in valid.module.exports}
        if self._instrumented:
            gas, stack = exports[GAS_EXPORT], exports[STACK_EXPORT]
            if not isinstance(gas, wasmtime.Global) or not isinstance(stack, wasmtime.Global):
                raise EngineFault("the counters are not exported")
            self._counters.append((gas, stack))
        return found

    def invoke(self, function: Any, type_: FuncType, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        values = [_value(t, v) for t, v in zip(type_.params, arguments, strict=True)]
        before = self._left()
        self.particles = None
        try:
            got = function(self._store, *values)
        except wasmtime.Trap as trap:
            raise self._halt(trap) from None
        except wasmtime.WasmtimeError as error:
            raise EngineFault(_one_line(error)) from None
        if self._instrumented:
            self.particles = before - self._left()
        # One result comes bare, none as None.
        results = got if len(type_.results) > 1 else [got][: len(type_.results)]
        return tuple(_unsigned(t, v) for t, v in zip(type_.results, results, strict=True))

    def read_global(self, global_: Any, type_: GlobalType) -> Any:
        return _unsigned(type_.value_type, global_.value(self._store))

    def _left(self) -> int:
        """What the counters of instrumented modules hold together."""
        return sum(gas.value(self._store) for gas, _ in self._counters)

    def _halt(self, trap: wasmtime.Trap) -> ExceptionalHalt | EngineFault:
        """What a trap is; the counters of instrumented modules say why they stopped, and start anew."""
        code = trap.trap_code
        error: ExceptionalHalt | EngineFault
        if code is wasmtime.TrapCode.STACK_OVERFLOW:
            error = StackExhausted()
        elif code in _TRAPS:
            error = Trap(_TRAPS[code])
        else:
            error = EngineFault(trap.message)
        if code is wasmtime.TrapCode.UNREACHABLE:
            for gas, stack in self._counters:
                if stack.value(self._store) < 0:
                    error = StackExhausted()
                elif gas.value(self._store) < 0:
                    error = EngineFault("out of gas")
        # A contract's frame ends with a trap; here its instance goes on, so what live frames held is given back.
        for _, stack in self._counters:
            stack.set_value(self._store, self._stack_height)
        return error

    def _host_value(self, type_: ExternType) -> Any:
        store = self._store
        match type_:
            case FuncType(params, results):
                signature = wasmtime.FuncType([_VALUE_TYPES[t]() for t in params], [_VALUE_TYPES[t]() for t in results])
                return wasmtime.Func(store, signature, _print)
            case GlobalType(value_type, mutable):
                value: Any = HOST_GLOBALS[value_type]
                value = float(value) if value_type in (F32, F64) else value
                return wasmtime.Global(store, wasmtime.GlobalType(_VALUE_TYPES[value_type](), mutable), value)
            case MemoryType(limits):
                return wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(limits.minimum, limits.maximum)))
            case TableType(element, limits):
                bounds = wasmtime.Limits(limits.minimum, limits.maximum)
                return wasmtime.Table(store, wasmtime.TableType(_VALUE_TYPES[element](), bounds), None)


def _print(*_arguments: Any) -> None:
    """The functions of the host module take what they are given and do nothing."""


def _value(value_type: int, value: Any) -> Any:
    if value_type == EXTERNREF:
        return wasmtime.Val.externref(value)
    return value


def _unsigned(value_type: int, value: Any) -> Any:
    return value & _MASKS[value_type] if value_type in _MASKS else value


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
