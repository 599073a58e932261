"""The Protocol of what runs a script's modules, and what all of them share: features, values, the host module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ewasm.wasm.module import ValidModule
from ewasm.wasm.opcodes import FLOAT_FEATURES
from ewasm.wasm.types import EXTERNREF, F32, F64, FUNCREF, I32, I64, FuncType, GlobalType, Limits, MemoryType, TableType
from ewasm.wasm.validate import CORE_2_0

__all__ = [
    "ENGINE_NAMES",
    "FEATURES",
    "HOST_GLOBALS",
    "RUNNABLE",
    "SPECTEST",
    "STACK_HEIGHT",
    "TABLE_ENTRIES",
    "EngineFault",
    "ExternType",
    "HostReference",
    "Store",
    "open_store",
]

ENGINE_NAMES = ("interpreter", "cranelift", "winch", "v8")

FEATURES = CORE_2_0 | {"tail_call", "wide_arithmetic"}
"""What modules are validated under: the core specification 2.0 and the two later proposals of EWASM_2026."""

RUNNABLE = FEATURES - FLOAT_FEATURES
"""What a module may use and still be run."""

STACK_HEIGHT = 16_384
"""Limit of `ewasm.metering.stack_height`, as in the rules."""

TABLE_ENTRIES = 10_000_000
"""Most entries that `table.grow` gives; the specification lets it fail at any size."""


class EngineFault(Exception):
    """An engine did what it must not: refused a valid module, or stopped for a reason that is no trap."""


@dataclass(frozen=True, slots=True)
class HostReference:
    """An externref that the script made: `(ref.extern 7)`."""

    number: int


ExternType = FuncType | GlobalType | MemoryType | TableType


class Store(Protocol):
    """Module instances that may import from each other, for one script.

    Values are unsigned ints, None for a null reference, `HostReference` for other externrefs, and whatever the engine
    has for functions. Exports are whatever the engine has for them; they go back in as imports.
    """

    @property
    def features(self) -> frozenset[str]:
        """What modules may use."""
        ...

    @property
    def particles(self) -> int | None:
        """Gas that the last call of `invoke` took, in all modules together.

        None if nothing counted it, and after a trap: there all gas of a frame is gone, so engines need not agree.
        """
        ...

    def host_module(self, types: Mapping[str, ExternType]) -> Mapping[str, Any]:
        """Exports of these types, made by the host: functions do nothing, the rest is as small as its type lets it."""
        ...

    def instantiate(self, valid: ValidModule, imports: Sequence[Any]) -> Mapping[str, Any]:
        """Make an instance, run its start function, give its exports.

        Args:
            imports: One export for each import, its type not yet looked at.

        Raises:
            LinkError: An import has another type.
            ExceptionalHalt: A trap, or the stack is exhausted.
            EngineFault: Something else.
        """
        ...

    def invoke(self, function: Any, type_: FuncType, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Call an exported function.

        Raises:
            ExceptionalHalt: A trap, or the stack is exhausted.
            EngineFault: Something else.
        """
        ...

    def read_global(self, global_: Any, type_: GlobalType) -> Any:
        """Value of an exported global."""
        ...


SPECTEST: Mapping[str, ExternType] = {
    "print": FuncType((), ()),
    "print_i32": FuncType((I32,), ()),
    "print_i64": FuncType((I64,), ()),
    "print_f32": FuncType((F32,), ()),
    "print_f64": FuncType((F64,), ()),
    "print_i32_f32": FuncType((I32, F32), ()),
    "print_f64_f64": FuncType((F64, F64), ()),
    "global_i32": GlobalType(I32, mutable=False),
    "global_i64": GlobalType(I64, mutable=False),
    "global_f32": GlobalType(F32, mutable=False),
    "global_f64": GlobalType(F64, mutable=False),
    "table": TableType(FUNCREF, Limits(10, 20)),
    "memory": MemoryType(Limits(1, 2)),
}
"""The host module that scripts import from. What has a float stands here to be linked against, never to be run."""

HOST_GLOBALS = {I32: 666, I64: 666, F32: 0, F64: 0, FUNCREF: None, EXTERNREF: None}
"""Value of a global that the host makes, by type; the numbers of `spectest`."""


def open_store(
    engine: str, *, instrumented: bool = False, without: frozenset[str] = frozenset(), stack_height: int = STACK_HEIGHT
) -> Store:
    """An empty store.

    Args:
        engine: One of `ENGINE_NAMES`.
        instrumented: Inject metering and the stack limiter first. The interpreter counts by itself if this is not set.
        without: Features that the engine lacks on this platform (see `ewasm.spectest.native.winch_features` and
            `ewasm.spectest.v8.v8_lacks`).
        stack_height: Limit of `ewasm.metering.stack_height`.

    Raises:
        ValueError: No such engine.
    """
    if engine not in ENGINE_NAMES:
        raise ValueError(f"no engine {engine!r}; there are {', '.join(ENGINE_NAMES)}")
    if engine == "interpreter":
        from ewasm.spectest.interpreted import InterpreterStore

        return InterpreterStore(RUNNABLE - without, instrumented=instrumented, stack_height=stack_height)
    if engine == "v8":
        from ewasm.spectest.v8 import V8Store

        return V8Store(RUNNABLE - without, instrumented=instrumented, stack_height=stack_height)
    from ewasm.spectest.native import NativeStore, wasmtime_engine

    return NativeStore(
        wasmtime_engine(engine), RUNNABLE - without, instrumented=instrumented, stack_height=stack_height
    )
