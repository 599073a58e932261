"""Value types, function types and external types (core spec 2.3, binary 5.3)."""

from __future__ import annotations

from dataclasses import dataclass

I32 = 0x7F
I64 = 0x7E
F32 = 0x7D
F64 = 0x7C
V128 = 0x7B
FUNCREF = 0x70
EXTERNREF = 0x6F

VALUE_TYPE_NAMES = {
    I32: "i32",
    I64: "i64",
    F32: "f32",
    F64: "f64",
    V128: "v128",
    FUNCREF: "funcref",
    EXTERNREF: "externref",
}

# Kinds of imports and exports (binary 5.5.5).
FUNC, TABLE, MEMORY, GLOBAL = 0, 1, 2, 3
KIND_NAMES = ("func", "table", "memory", "global")

PAGE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class FuncType:
    params: tuple[int, ...]
    results: tuple[int, ...]

    def __str__(self) -> str:
        params = " ".join(VALUE_TYPE_NAMES[t] for t in self.params)
        results = " ".join(VALUE_TYPE_NAMES[t] for t in self.results)
        return f"({params}) -> ({results})"


@dataclass(frozen=True, slots=True)
class Limits:
    minimum: int
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class TableType:
    element: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class MemoryType:
    limits: Limits


@dataclass(frozen=True, slots=True)
class GlobalType:
    value_type: int
    mutable: bool
