"""Scripts on V8, in a node process: modules as they are, or after injection."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ewasm.engine.v8_process import NodeProcess, trap_text
from ewasm.errors import ExceptionalHalt, LinkError, StackExhausted, Trap
from ewasm.metering.inject import GAS_EXPORT, STACK_EXPORT, instrument_core
from ewasm.metering.schedule import EWASM_2026
from ewasm.spectest.store import HOST_GLOBALS, EngineFault, ExternType, HostReference
from ewasm.wasm import opcodes as op
from ewasm.wasm.encode import encode
from ewasm.wasm.module import Export, Expr, Function, Module, ValidModule
from ewasm.wasm.types import (
    EXTERNREF,
    F32,
    F64,
    FUNC,
    FUNCREF,
    I32,
    I64,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    TableType,
)

__all__ = ["V8Store", "v8_lacks"]

_PARTICLES = 1 << 62
_STACK_MIB = 64
_TYPES = {I32: "i32", I64: "i64", F32: "f32", F64: "f64", FUNCREF: "anyfunc", EXTERNREF: "externref"}
_PROBES: dict[str, tuple[FuncType, Expr]] = {
    "tail_call": (FuncType((), ()), ((op.RETURN_CALL, 0), (op.END,))),
    "wide_arithmetic": (
        FuncType((I64, I64), (I64, I64)),
        ((op.LOCAL_GET, 0), (op.LOCAL_GET, 1), (op.I64_MUL_WIDE_U,), (op.END,)),
    ),
}


@dataclass(frozen=True, slots=True)
class Thing:
    """What the process holds under a number: a function, a memory, a table, a global."""

    number: int


@cache
def _process() -> NodeProcess:
    return NodeProcess(Path(__file__).with_name("v8.js"), str(_STACK_MIB))


def _ask(action: str, **facts: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_process().ask(json.dumps({"do": action, **facts}).encode()))
    return answer


@cache
def v8_lacks() -> frozenset[str]:
    """Which of the features that not every V8 has this one lacks.

    Raises:
        RuntimeError: There is no node 22 or newer.
    """
    modules = [_base64(Module(types=(type_,), functions=(Function(0, (), body),))) for type_, body in _PROBES.values()]
    takes = _ask("takes", modules=modules)["takes"]
    return frozenset(feature for feature, taken in zip(_PROBES, takes, strict=True) if not taken)


class V8Store:
    """One process serves all stores, one after the other: a new store forgets what the one before held."""

    def __init__(self, features: frozenset[str], *, instrumented: bool, stack_height: int) -> None:
        self.features = features
        self._instrumented = instrumented
        self._stack_height = stack_height
        self.particles: int | None = None
        _ask("forget")

    def host_module(self, types: Mapping[str, ExternType]) -> Mapping[str, Any]:
        return {name: self._host_value(type_) for name, type_ in types.items()}

    def instantiate(self, valid: ValidModule, imports: Sequence[Any]) -> Mapping[str, Any]:
        module = valid.module
        if self._instrumented:
            module = instrument_core(valid, EWASM_2026, particles=_PARTICLES, stack_height=self._stack_height)
        counted = [GAS_EXPORT, STACK_EXPORT] if self._instrumented else None
        exports = self._instance(module, imports, counted)
        return {item.name: exports[item.name] for item in valid.module.exports}

    def _instance(self, module: Module, imports: Sequence[Any], counted: list[str] | None) -> dict[str, Thing]:
        numbers = [thing.number for thing in imports]
        height = self._stack_height
        answer = _ask("instantiate", module=_base64(module), imports=numbers, counted=counted, height=height)
        if "error" in answer:
            raise _error(answer)
        return {name: Thing(number) for name, number in answer["exports"]}

    def invoke(self, function: Any, type_: FuncType, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        self.particles = None
        answer = _ask(
            "invoke",
            thing=function.number,
            params=[_TYPES[t] for t in type_.params],
            args=[_sent(value) for value in arguments],
            results=[_TYPES[t] for t in type_.results],
            height=self._stack_height,
        )
        if "error" in answer:
            raise _error(answer)
        if self._instrumented:
            self.particles = int(answer["used"])
        return tuple(map(_received, answer["results"]))

    def read_global(self, global_: Any, type_: GlobalType) -> Any:
        (value,) = _ask("read", thing=global_.number, type=_TYPES[type_.value_type])["results"]
        return _received(value)

    def _host_value(self, type_: ExternType) -> Thing:
        match type_:
            case FuncType():
                # Made by a module, since functions of JavaScript have no type to be linked by.
                return self._instance(_host_function(type_), (), None)["f"]
            case GlobalType(value_type, mutable):
                facts = {"type": _TYPES[value_type], "mutable": mutable, "value": HOST_GLOBALS[value_type]}
                return Thing(_ask("host", kind="global", **facts)["thing"])
            case MemoryType(limits):
                return Thing(_ask("host", kind="memory", **_limits(limits))["thing"])
            case TableType(element, limits):
                return Thing(_ask("host", kind="table", type=_TYPES[element], **_limits(limits))["thing"])


def _limits(limits: Limits) -> dict[str, int | None]:
    return {"initial": limits.minimum, "maximum": limits.maximum}


def _host_function(type_: FuncType) -> Module:
    """A module whose `f` does nothing; one with results is there to be linked against, never to be run."""
    body: Expr = ((op.UNREACHABLE,), (op.END,)) if type_.results else ((op.END,),)
    return Module(types=(type_,), functions=(Function(0, (), body),), exports=(Export("f", FUNC, 0),))


def _base64(module: Module) -> str:
    return base64.b64encode(encode(module)).decode()


def _sent(value: Any) -> Any:
    match value:
        case None:
            return None
        case HostReference(number):
            return {"extern": number}
        case Thing(number):
            return {"thing": number}
    return str(value)


def _received(value: Any) -> Any:
    if isinstance(value, dict):
        return HostReference(value["extern"]) if "extern" in value else Thing(value["thing"])
    return None if value is None else int(value)


def _error(answer: Mapping[str, str]) -> LinkError | ExceptionalHalt | EngineFault:
    """What an error of V8's is; the counters of instrumented modules say why they stopped."""
    text = answer["error"]
    if answer["why"] == "stack" or text.startswith("RangeError: Maximum call stack size exceeded"):
        return StackExhausted()
    if answer["why"] == "gas":
        return EngineFault("out of gas")
    if text.startswith("LinkError"):
        return LinkError("incompatible import type", hint=text)
    if text.startswith("RuntimeError"):
        try:
            return Trap(trap_text(text))
        except RuntimeError as error:
            return EngineFault(str(error))
    return EngineFault(text)
