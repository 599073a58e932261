"""Abstract syntax of a module (core spec 2.5), flat: a body is one tuple of instructions.

An instruction is a plain tuple `(opcode, *immediates)`: tuples cost 5 ns to make and index where an object costs 600.
Two-byte opcodes are `prefix << 8 | number` (0xFC0A is memory.copy). Immediates:

| kind in the table | immediates |
|---|---|
| block | block type as a signed number: -64 empty, other negatives a value type (-1 is i32), else a type index |
| label | label depth |
| labels | (tuple of depths, default depth) |
| func, local, global, table, data, elem, memory | index |
| type_table | (type index, table index) |
| types | a tuple of value types (`select t`) |
| heap | FUNCREF or EXTERNREF (`ref.null`) |
| memarg | (align exponent, offset, memory index) |
| i32, i64 | the value as an *unsigned* int |
| f32, f64 | the bits as an unsigned int |
| data_memory, elem_table | (segment index, memory or table index) |
| memory_memory, table_table | (destination, source) |

Offsets are bytes from the start of the module; they take no part in equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ewasm.wasm.types import FuncType, GlobalType, MemoryType, TableType

# The operands of an instruction are ints but for br_table and select, whose one operand is a tuple.
Instr = tuple[Any, ...]
Expr = tuple[Instr, ...]

EMPTY_BLOCK = -64


@dataclass(frozen=True, slots=True)
class Import:
    module: str
    name: str
    kind: int
    type: int | TableType | MemoryType | GlobalType
    """For functions the type index."""
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Export:
    name: str
    kind: int
    index: int
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Global:
    type: GlobalType
    init: Expr
    """With its final `end`."""
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Element:
    mode: str
    """"active", "passive" or "declarative"."""
    type: int
    table: int
    offset_expr: Expr
    """Empty unless active."""
    init: tuple[Expr, ...]
    """One constant expression an entry (`ref.func`, `ref.null`), each with its `end`."""
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Data:
    mode: str
    """"active" or "passive"."""
    memory: int
    offset_expr: Expr
    data: bytes
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the module's own (imports are not here)."""

    type_index: int
    locals: tuple[tuple[int, int], ...]
    """Runs (count, value type) as in the binary, without the parameters."""
    body: Expr
    """With its final `end`."""
    offsets: tuple[int, ...] = field(default=(), compare=False)
    """Byte offset of each instruction of the body."""
    offset: int = field(default=0, compare=False)
    """Byte offset of the body's size field."""
    size_bytes: int = field(default=0, compare=False)
    """Size of the body in the binary, locals included, size field not."""


@dataclass(frozen=True, slots=True)
class CustomSection:
    name: str
    data: bytes
    after: int
    """Id of the known section it follows, 0 if it comes first."""
    offset: int = field(default=0, compare=False)
    """Where the section begins (its id byte)."""
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Module:
    types: tuple[FuncType, ...] = ()
    imports: tuple[Import, ...] = ()
    functions: tuple[Function, ...] = ()
    tables: tuple[TableType, ...] = ()
    memories: tuple[MemoryType, ...] = ()
    globals: tuple[Global, ...] = ()
    exports: tuple[Export, ...] = ()
    start: int | None = None
    elements: tuple[Element, ...] = ()
    data: tuple[Data, ...] = ()
    data_count: int | None = None
    customs: tuple[CustomSection, ...] = ()
    function_names: dict[int, str] = field(default_factory=dict, compare=False)
    """From the name section, by function index (imports first); a broken name section gives an empty dict."""
    section_offsets: dict[str, int] = field(default_factory=dict, compare=False)
    """Where each known section begins, by name ("type", "import", ...)."""

    def describe_function(self, index: int) -> str:
        """`index` with its name if there is one, for messages: `3 ($transfer)`."""
        name = self.function_names.get(index)
        return f"{index} (${name})" if name else str(index)


@dataclass(frozen=True, slots=True)
class ValidFunction:
    """What validation learned of one function."""

    type: FuncType
    local_types: tuple[int, ...]
    """Parameters first, then locals, expanded."""
    max_height: int
    """Highest operand stack, in values."""
    heights: tuple[int, ...]
    """Operands on the function's stack before each instruction; -1 where the instruction can't be reached."""


@dataclass(frozen=True, slots=True)
class ValidModule:
    """A module that passed validation; only `validate` makes one."""

    module: Module
    functions: tuple[ValidFunction, ...]
    """One for each of `module.functions`."""
    function_types: tuple[FuncType, ...]
    """Index space of functions: imports first."""
    table_types: tuple[TableType, ...]
    memory_types: tuple[MemoryType, ...]
    global_types: tuple[GlobalType, ...]
    imported_functions: int
    imported_tables: int
    imported_memories: int
    imported_globals: int
    features: frozenset[str] = frozenset()
