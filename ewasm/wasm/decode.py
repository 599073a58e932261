"""Modules from bytes (core spec, chapter 5).

Any bytes give a `Module` or a `MalformedModule`, whose reason is worded as in the core spec tests. Decoding knows no
features: what has a meaning in some version of the format is left to `validate`, except for types and opcodes this
project has no representation of (SIMD, threads, garbage collection, exceptions, 64-bit memories), which are refused by
name in `MalformedModule.rule`.

The length of a vector is checked against the bytes left before anything is built, so memory use stays a small multiple
of the input.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ewasm.errors import MalformedModule
from ewasm.wasm.decode_body import BodyContext, check_value_type, decode_instructions, foreign
from ewasm.wasm.leb128 import read_unsigned
from ewasm.wasm.module import CustomSection, Data, Element, Export, Expr, Function, Global, Import, Module
from ewasm.wasm.opcodes import END, REF_FUNC
from ewasm.wasm.types import (
    EXTERNREF,
    FUNC,
    FUNCREF,
    GLOBAL,
    KIND_NAMES,
    MEMORY,
    TABLE,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    TableType,
)

MAGIC = b"\0asm"
VERSION = b"\1\0\0\0"
SECTION_NAMES = (
    "custom",
    "type",
    "import",
    "function",
    "table",
    "memory",
    "global",
    "export",
    "start",
    "element",
    "code",
    "data",
    "data count",
)
SECTION_ORDER = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11)
"""Known sections in the order they must have (5.5.2)."""
_RANK = {section: rank for rank, section in enumerate(SECTION_ORDER)}
_TAG_SECTION, _TAG_KIND = 13, 4
_MAX_LOCALS = 2**32 - 1

_T = TypeVar("_T")


class _Reader:
    """A position in `data` that never passes `end`."""

    __slots__ = ("context", "data", "end", "position")

    def __init__(self, data: bytes, position: int, end: int, context: BodyContext) -> None:
        self.data = data
        self.position = position
        self.end = end
        self.context = context

    def byte(self) -> int:
        if self.position >= self.end:
            raise MalformedModule("unexpected end", offset=self.position)
        value = self.data[self.position]
        self.position += 1
        return value

    def u32(self) -> int:
        position = self.position
        if position < self.end and self.data[position] < 0x80:
            self.position = position + 1
            return self.data[position]
        value, position = read_unsigned(self.data, position, 32)
        if position > self.end:
            raise MalformedModule("unexpected end", offset=self.end)
        self.position = position
        return value

    def length(self) -> int:
        """A count of things that take at least one byte each."""
        start = self.position
        value = self.u32()
        if value > self.end - self.position:
            raise MalformedModule("length out of bounds", offset=start)
        return value

    def bytes(self) -> bytes:
        size = self.length()
        start = self.position
        self.position += size
        return self.data[start : self.position]

    def name(self) -> str:
        raw = self.bytes()
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            offset = self.position - len(raw) + error.start
            raise MalformedModule("malformed UTF-8 encoding", offset=offset) from None

    def vector(self, item: Callable[[_Reader], _T]) -> tuple[_T, ...]:
        return tuple([item(self) for _ in range(self.length())])

    def expr(self) -> Expr:
        instructions, _, self.position = decode_instructions(self.data, self.position, self.end, self.context)
        return instructions


def decode(data: bytes) -> Module:
    """Decode a binary module.

    Raises:
        MalformedModule: With the offset and, where they are known, the section and the function.
    """
    if data[:4] != MAGIC:
        raise MalformedModule("unexpected end" if len(data) < 4 else "magic header not detected", offset=0)
    if data[4:8] != VERSION:
        raise MalformedModule("unexpected end" if len(data) < 8 else "unknown binary version", offset=4)
    return _Decoder(data).run()


class _Decoder:
    """What the sections read so far gave."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.context = BodyContext(memories=0)
        self.types: tuple[FuncType, ...] = ()
        self.imports: tuple[Import, ...] = ()
        self.type_indices: tuple[int, ...] = ()
        self.functions: list[Function] = []
        self.tables: tuple[TableType, ...] = ()
        self.memories: tuple[MemoryType, ...] = ()
        self.globals: tuple[Global, ...] = ()
        self.exports: tuple[Export, ...] = ()
        self.start: int | None = None
        self.elements: tuple[Element, ...] = ()
        self.segments: tuple[Data, ...] = ()
        self.data_count: int | None = None
        self.customs: list[CustomSection] = []
        self.names: dict[int, str] = {}
        self.section_offsets: dict[str, int] = {}
        self.uses_data_count_at: int | None = None
        self.imported_functions = 0

    def run(self) -> Module:
        data = self.data
        position = 8
        last = 0
        while position < len(data):
            offset = position
            section = data[position]
            if section >= len(SECTION_NAMES):
                if section == _TAG_SECTION:
                    raise foreign("exceptions", "malformed section id 13", offset)
                raise MalformedModule(f"malformed section id {section}", offset=offset)
            name = SECTION_NAMES[section]
            try:
                size, position = read_unsigned(data, position + 1, 32)
                end = position + size
                if end > len(data):
                    raise MalformedModule("length out of bounds", offset=offset + 1)
                reader = _Reader(data, position, end, self.context)
                if section == 0:
                    self._custom(reader, last, offset)
                else:
                    if last and _RANK[section] <= _RANK[last]:
                        raise MalformedModule(
                            "unexpected content after last section",
                            offset=offset,
                            hint=f"the {name} section is repeated or comes after the {SECTION_NAMES[last]} section",
                        )
                    last = section
                    self.section_offsets[name] = offset
                    _READERS[section](self, reader)
                    if reader.position != end:
                        raise MalformedModule("section size mismatch", offset=reader.position)
            except MalformedModule as error:
                error.section = error.section or name
                raise
            position = end
        return self._finish()

    def _finish(self) -> Module:
        if len(self.type_indices) != len(self.functions):
            raise MalformedModule("function and code section have inconsistent lengths", offset=len(self.data))
        if self.data_count is None:
            if self.uses_data_count_at is not None:
                raise MalformedModule("data count section required", offset=self.uses_data_count_at, section="code")
        elif self.data_count != len(self.segments):
            raise MalformedModule("data count and data section have inconsistent lengths", offset=len(self.data))
        return Module(
            types=self.types,
            imports=self.imports,
            functions=tuple(self.functions),
            tables=self.tables,
            memories=self.memories,
            globals=self.globals,
            exports=self.exports,
            start=self.start,
            elements=self.elements,
            data=self.segments,
            data_count=self.data_count,
            customs=tuple(self.customs),
            function_names=self.names,
            section_offsets=self.section_offsets,
        )

    def _custom(self, reader: _Reader, after: int, offset: int) -> None:
        name = reader.name()
        payload = self.data[reader.position : reader.end]
        self.customs.append(CustomSection(name, payload, after, offset, reader.end))
        if name == "name":
            try:
                self.names = _function_names(reader)
            except MalformedModule:
                # 7.4: errors in custom data must not make the module malformed.
                self.names = {}

    def _type(self, reader: _Reader) -> None:
        self.types = reader.vector(_func_type)

    def _import(self, reader: _Reader) -> None:
        self.imports = reader.vector(_import)
        self.imported_functions = sum(1 for item in self.imports if item.kind == FUNC)
        self.context.memories = sum(1 for item in self.imports if item.kind == MEMORY)

    def _function(self, reader: _Reader) -> None:
        self.type_indices = reader.vector(_Reader.u32)

    def _table(self, reader: _Reader) -> None:
        self.tables = reader.vector(_table_type)

    def _memory(self, reader: _Reader) -> None:
        self.memories = reader.vector(_memory_type)
        self.context.memories += len(self.memories)

    def _global(self, reader: _Reader) -> None:
        self.globals = reader.vector(_global)

    def _export(self, reader: _Reader) -> None:
        self.exports = reader.vector(_export)

    def _start(self, reader: _Reader) -> None:
        self.start = reader.u32()

    def _element(self, reader: _Reader) -> None:
        self.elements = reader.vector(_element)

    def _data_count(self, reader: _Reader) -> None:
        self.data_count = reader.u32()

    def _data(self, reader: _Reader) -> None:
        self.segments = reader.vector(_segment)

    def _code(self, reader: _Reader) -> None:
        count = reader.length()
        if count != len(self.type_indices):
            raise MalformedModule("function and code section have inconsistent lengths", offset=reader.position)
        for type_index in self.type_indices:
            try:
                self.functions.append(_function(reader, type_index))
            except MalformedModule as error:
                index = self.imported_functions + len(self.functions)
                error.function = Module(function_names=self.names).describe_function(index)
                raise
            if self.context.uses_data_count and self.uses_data_count_at is None:
                self.uses_data_count_at = self.functions[-1].offset


_READERS: dict[int, Callable[[_Decoder, _Reader], None]] = {
    1: _Decoder._type,
    2: _Decoder._import,
    3: _Decoder._function,
    4: _Decoder._table,
    5: _Decoder._memory,
    6: _Decoder._global,
    7: _Decoder._export,
    8: _Decoder._start,
    9: _Decoder._element,
    10: _Decoder._code,
    11: _Decoder._data,
    12: _Decoder._data_count,
}


def _value_type(reader: _Reader) -> int:
    offset = reader.position
    return check_value_type(reader.byte(), offset)


def _func_type(reader: _Reader) -> FuncType:
    offset = reader.position
    form = reader.byte()
    if form != 0x60:
        if form in (0x4E, 0x4F, 0x50, 0x5E, 0x5F):
            raise foreign("gc", f"malformed function type 0x{form:02x}", offset)
        raise MalformedModule(f"malformed function type 0x{form:02x}", offset=offset)
    return FuncType(reader.vector(_value_type), reader.vector(_value_type))


def _limits(reader: _Reader, what: str) -> Limits:
    offset = reader.position
    flags = reader.byte()
    if flags > 1:
        if flags & ~7 == 0:
            feature = "memory64" if flags & 4 else "threads"
            raise foreign(feature, f"malformed limits flags 0x{flags:02x} of a {what}", offset)
        raise MalformedModule(f"malformed limits flags 0x{flags:02x}", offset=offset)
    minimum = reader.u32()
    return Limits(minimum, reader.u32() if flags else None)


def _reference_type(reader: _Reader) -> int:
    offset = reader.position
    value = reader.byte()
    if value not in (FUNCREF, EXTERNREF):
        if value in (0x40, 0x63, 0x64):
            raise foreign("gc", "malformed reference type", offset)
        raise MalformedModule("malformed reference type", offset=offset)
    return value


def _table_type(reader: _Reader) -> TableType:
    return TableType(_reference_type(reader), _limits(reader, "table"))


def _memory_type(reader: _Reader) -> MemoryType:
    return MemoryType(_limits(reader, "memory"))


def _global_type(reader: _Reader) -> GlobalType:
    value_type = _value_type(reader)
    offset = reader.position
    mutable = reader.byte()
    if mutable > 1:
        raise MalformedModule("malformed mutability", offset=offset)
    return GlobalType(value_type, mutable == 1)


def _import(reader: _Reader) -> Import:
    offset = reader.position
    module = reader.name()
    name = reader.name()
    kind_offset = reader.position
    kind = reader.byte()
    if kind == FUNC:
        return Import(module, name, kind, reader.u32(), offset)
    if kind == TABLE:
        return Import(module, name, kind, _table_type(reader), offset)
    if kind == MEMORY:
        return Import(module, name, kind, _memory_type(reader), offset)
    if kind == GLOBAL:
        return Import(module, name, kind, _global_type(reader), offset)
    if kind == _TAG_KIND:
        raise foreign("exceptions", "malformed import kind 4", kind_offset)
    raise MalformedModule("malformed import kind", offset=kind_offset)


def _global(reader: _Reader) -> Global:
    offset = reader.position
    return Global(_global_type(reader), reader.expr(), offset)


def _export(reader: _Reader) -> Export:
    offset = reader.position
    name = reader.name()
    kind_offset = reader.position
    kind = reader.byte()
    if kind >= len(KIND_NAMES):
        if kind == _TAG_KIND:
            raise foreign("exceptions", "malformed export kind 4", kind_offset)
        raise MalformedModule("malformed export kind", offset=kind_offset)
    return Export(name, kind, reader.u32(), offset)


def _element(reader: _Reader) -> Element:
    """5.5.12. Bit 0: not active; bit 1: explicit table, or declarative; bit 2: expressions instead of indices."""
    offset = reader.position
    flags = reader.u32()
    if flags > 7:
        raise MalformedModule("malformed elements segment kind", offset=offset)
    mode = "active" if not flags & 1 else "declarative" if flags & 2 else "passive"
    table = reader.u32() if flags & 3 == 2 else 0
    offset_expr = reader.expr() if mode == "active" else ()
    element_type = FUNCREF
    if flags & 3:
        if flags & 4:
            element_type = _reference_type(reader)
        elif reader.byte() != 0:
            raise MalformedModule("malformed element kind", offset=reader.position - 1)
    init = reader.vector(_Reader.expr if flags & 4 else _function_entry)
    return Element(mode, element_type, table, offset_expr, init, offset)


def _function_entry(reader: _Reader) -> Expr:
    return (REF_FUNC, reader.u32()), (END,)


def _segment(reader: _Reader) -> Data:
    offset = reader.position
    flags = reader.u32()
    if flags > 2:
        raise MalformedModule("malformed data segment kind", offset=offset)
    memory = reader.u32() if flags == 2 else 0
    offset_expr = () if flags == 1 else reader.expr()
    return Data("passive" if flags == 1 else "active", memory, offset_expr, reader.bytes(), offset)


def _function(reader: _Reader, type_index: int) -> Function:
    offset = reader.position
    size = reader.length()
    start = reader.position
    end = start + size
    body_reader = _Reader(reader.data, start, end, reader.context)
    runs = []
    total = 0
    for _ in range(body_reader.length()):
        run_offset = body_reader.position
        count = body_reader.u32()
        total += count
        if total > _MAX_LOCALS:
            raise MalformedModule("too many locals", offset=run_offset)
        runs.append((count, _value_type(body_reader)))
    body, offsets, position = decode_instructions(reader.data, body_reader.position, end, reader.context)
    if position != end:
        raise MalformedModule("section size mismatch", offset=position, hint="END opcode expected as the body's last")
    reader.position = end
    return Function(type_index, tuple(runs), body, offsets, offset, size)


def _function_names(reader: _Reader) -> dict[int, str]:
    """Subsection 1 of a name section (7.4.1)."""
    names: dict[int, str] = {}
    while reader.position < reader.end:
        subsection = reader.byte()
        end = reader.length() + reader.position
        if subsection == 1:
            inner = _Reader(reader.data, reader.position, end, reader.context)
            for _ in range(inner.length()):
                index = inner.u32()
                names[index] = inner.name()
            if inner.position != end:
                raise MalformedModule("section size mismatch", offset=inner.position)
        reader.position = end
    return names
