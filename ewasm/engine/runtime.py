"""Runtime structure of the interpreter (core spec 4.2): instances, and how a module becomes one (4.5.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ewasm.engine.predecode import Step, default_value, predecode
from ewasm.engine.predecode import traced as traced_steps
from ewasm.errors import LinkError, MemoryAccess, MemoryExhausted, Trap
from ewasm.metering.blocks import opcode_prices
from ewasm.metering.schedule import Schedule
from ewasm.metering.stack_height import counted_heights, frame_height
from ewasm.wasm import opcodes as op
from ewasm.wasm.module import Expr, ValidModule
from ewasm.wasm.types import FUNC, GLOBAL, MEMORY, PAGE_BYTES, FuncType, GlobalType, Limits, MemoryType, TableType

MAX_PAGES = 65_536
MAX_TABLE_ENTRIES = (1 << 32) - 1


@dataclass(slots=True, eq=False)
class WasmFunction:
    """A function of a module instance (4.2.6); its steps are made when it is first called."""

    type: FuncType
    index: int
    instance: ModuleInstance
    local_defaults: tuple[Any, ...]
    height: int
    """What it adds to the stack height while it is live; 0 if it is not counted."""
    entry_price: int
    """For its declared locals."""
    steps: tuple[Step, ...] = ()
    """Empty until `decoded`."""
    traced_steps: tuple[Step, ...] = ()

    def decoded(self, *, traced: bool = False) -> tuple[Step, ...]:
        """The steps; with `traced` those that also tell of each."""
        if not self.steps:
            valid = self.instance.valid
            own = self.index - valid.imported_functions
            self.steps = predecode(
                valid, valid.module.functions[own], valid.functions[own], self.instance.prices, self.instance.schedule
            )
        if traced and not self.traced_steps:
            self.traced_steps = traced_steps(self.steps)
        return self.traced_steps if traced else self.steps


@dataclass(slots=True, eq=False)
class HostFunctionInstance:
    """A host function: `call` takes the arguments and gives the results."""

    type: FuncType
    call: Callable[[tuple[Any, ...]], Sequence[Any]]


FunctionInstance = WasmFunction | HostFunctionInstance


@dataclass(slots=True, eq=False)
class TableInstance:
    type: TableType
    elements: list[Any]
    maximum: int

    def check(self, offset: int, length: int) -> None:
        """
        Raises:
            Trap: The range leaves the table.
        """
        if offset + length > len(self.elements):
            raise Trap("out of bounds table access")


@dataclass(slots=True, eq=False)
class MemoryInstance:
    """Linear memory; it is also the `Memory` that host functions get."""

    data: bytearray
    maximum: int
    """Pages."""
    type: MemoryType = field(default=MemoryType(Limits(0)))
    """As declared; only import matching looks at it."""
    ceiling: int = MAX_PAGES
    """Pages beyond which growing fails the frame."""

    def check(self, offset: int, length: int) -> None:
        """
        Raises:
            Trap: The range leaves the memory.
        """
        if offset + length > len(self.data):
            raise Trap("out of bounds memory access")

    def grow(self, pages: int) -> int:
        """Old size in pages, or -1 (as an unsigned i32) if the maximum forbids it.

        Raises:
            MemoryExhausted: The maximum allows it, and the ceiling does not.
        """
        old = len(self.data) // PAGE_BYTES
        if old + pages > self.maximum:
            return 0xFFFF_FFFF
        if old + pages > self.ceiling:
            raise MemoryExhausted
        self.data.extend(bytes(pages * PAGE_BYTES))
        return old

    def read(self, offset: int, length: int) -> bytes:
        end = offset + length
        if end > len(self.data):
            raise MemoryAccess(f"bytes {offset}..{end} of a memory of {len(self.data)}")
        return bytes(self.data[offset:end])

    def write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        if end > len(self.data):
            raise MemoryAccess(f"bytes {offset}..{end} of a memory of {len(self.data)}")
        self.data[offset:end] = data

    def snapshot(self) -> bytes:
        return bytes(self.data)

    def size_bytes(self) -> int:
        return len(self.data)


@dataclass(slots=True, eq=False)
class GlobalInstance:
    type: GlobalType
    value: Any


ExternalValue = FunctionInstance | TableInstance | MemoryInstance | GlobalInstance


@dataclass(slots=True, eq=False)
class ModuleInstance:
    """A module with its index spaces filled (4.2.5)."""

    valid: ValidModule
    schedule: Schedule
    prices: dict[int, int]
    functions: list[FunctionInstance] = field(default_factory=list)
    tables: list[TableInstance] = field(default_factory=list)
    memories: list[MemoryInstance] = field(default_factory=list)
    globals: list[GlobalInstance] = field(default_factory=list)
    elements: list[list[Any]] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)

    def export(self, name: str) -> ExternalValue:
        """
        Raises:
            LinkError: There is no such export.
        """
        for item in self.valid.module.exports:
            if item.name == name:
                spaces: dict[int, Sequence[ExternalValue]] = {
                    FUNC: self.functions,
                    MEMORY: self.memories,
                    GLOBAL: self.globals,
                }
                return spaces.get(item.kind, self.tables)[item.index]
        raise LinkError(f"no export {name!r}")


def match_imports(valid: ValidModule, values: Sequence[ExternalValue]) -> None:
    """Hold values against what a module imports (4.5.4, with the subtyping of limits of 3.3.2).

    Raises:
        LinkError: A value is another kind of thing, or has another type.
    """
    for item, value in zip(valid.module.imports, values, strict=True):
        fits = False
        match value:
            case WasmFunction() | HostFunctionInstance():
                fits = isinstance(item.type, int) and valid.module.types[item.type] == value.type
            case GlobalInstance():
                fits = item.type == value.type
            case TableInstance():
                fits = (
                    isinstance(item.type, TableType)
                    and item.type.element == value.type.element
                    and _limits_fit(item.type.limits, len(value.elements), value.type.limits.maximum)
                )
            case MemoryInstance():
                pages = len(value.data) // PAGE_BYTES
                fits = isinstance(item.type, MemoryType) and _limits_fit(
                    item.type.limits, pages, value.type.limits.maximum
                )
        if not fits:
            raise LinkError("incompatible import type", offset=item.offset or None, hint=f"{item.module}.{item.name}")


def _limits_fit(wanted: Limits, size: int, maximum: int | None) -> bool:
    """Whether a thing of `size` now that may grow to `maximum` can stand where `wanted` is declared."""
    if size < wanted.minimum:
        return False
    return wanted.maximum is None or (maximum is not None and maximum <= wanted.maximum)


def instantiate(
    valid: ValidModule,
    imports: Sequence[ExternalValue],
    schedule: Schedule,
    *,
    memory_pages: int = MAX_PAGES,
    table_entries: int = MAX_TABLE_ENTRIES,
    stack_height: int,
    count_all: bool = False,
) -> ModuleInstance:
    """Make an instance: allocate, evaluate constant expressions, run the active segments in order.

    The start function is not called; a contract has none, and a test runner calls it itself.

    Args:
        valid: The module.
        imports: One value for each import, already matched to its type.
        schedule: Prices.
        memory_pages: Growth limit of each memory.
        table_entries: Growth limit of each table.
        stack_height: Limit that decides which functions are counted.
        count_all: Count every function instead. Modules that call each other can recurse through functions that no
            single module would count; a contract has no other module to call.

    Raises:
        Trap: An active segment does not fit.
    """
    module = valid.module
    instance = ModuleInstance(valid, schedule, opcode_prices(schedule))
    for value in imports:
        if isinstance(value, WasmFunction | HostFunctionInstance):
            instance.functions.append(value)
        elif isinstance(value, TableInstance):
            instance.tables.append(value)
        elif isinstance(value, MemoryInstance):
            instance.memories.append(value)
        else:
            instance.globals.append(value)
    heights = [frame_height(f) for f in valid.functions] if count_all else counted_heights(valid, stack_height)
    for own, known in enumerate(valid.functions):
        instance.functions.append(
            WasmFunction(
                type=known.type,
                index=valid.imported_functions + own,
                instance=instance,
                local_defaults=tuple(default_value(t) for t in known.local_types[len(known.type.params) :]),
                height=heights[own],
                entry_price=schedule.local * (len(known.local_types) - len(known.type.params)),
            )
        )
    for table in module.tables:
        maximum = table_entries if table.limits.maximum is None else min(table.limits.maximum, table_entries)
        instance.tables.append(TableInstance(table, [None] * table.limits.minimum, maximum))
    for memory in module.memories:
        instance.memories.append(_allocate(memory, memory_pages))
    for item in module.globals:
        instance.globals.append(GlobalInstance(item.type, evaluate(item.init, instance)))
    instance.elements = [[evaluate(expr, instance) for expr in e.init] for e in module.elements]
    instance.data = [d.data for d in module.data]
    _run_active_segments(instance)
    return instance


def _allocate(memory: MemoryType, memory_pages: int) -> MemoryInstance:
    maximum = memory_pages if memory.limits.maximum is None else min(memory.limits.maximum, memory_pages)
    return MemoryInstance(bytearray(memory.limits.minimum * PAGE_BYTES), maximum, memory)


def _run_active_segments(instance: ModuleInstance) -> None:
    module = instance.valid.module
    for index, element in enumerate(module.elements):
        if element.mode == "active":
            table, offset = instance.tables[element.table], evaluate(element.offset_expr, instance)
            entries = instance.elements[index]
            table.check(offset, len(entries))
            table.elements[offset : offset + len(entries)] = entries
        if element.mode != "passive":
            instance.elements[index] = []
    for index, segment in enumerate(module.data):
        if segment.mode == "active":
            memory, offset = instance.memories[segment.memory], evaluate(segment.offset_expr, instance)
            memory.check(offset, len(segment.data))
            memory.data[offset : offset + len(segment.data)] = segment.data
            instance.data[index] = b""


def evaluate(expr: Expr, instance: ModuleInstance) -> Any:
    """Value of a constant expression (3.3.10), extended constants included."""
    stack: list[Any] = []
    for instruction in expr[:-1]:
        code = instruction[0]
        if code in (op.I32_CONST, op.I64_CONST):
            stack.append(instruction[1])
        elif code == op.GLOBAL_GET:
            stack.append(instance.globals[instruction[1]].value)
        elif code == op.REF_FUNC:
            stack.append(instance.functions[instruction[1]])
        elif code == op.REF_NULL:
            stack.append(None)
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(_CONSTANT_ARITHMETIC[code](left, right))
    return stack.pop()


_MASK32, _MASK64 = (1 << 32) - 1, (1 << 64) - 1
_CONSTANT_ARITHMETIC: dict[int, Callable[[int, int], int]] = {
    op.I32_ADD: lambda a, b: (a + b) & _MASK32,
    op.I32_SUB: lambda a, b: (a - b) & _MASK32,
    op.I32_MUL: lambda a, b: (a * b) & _MASK32,
    op.I64_ADD: lambda a, b: (a + b) & _MASK64,
    op.I64_SUB: lambda a, b: (a - b) & _MASK64,
    op.I64_MUL: lambda a, b: (a * b) & _MASK64,
}
