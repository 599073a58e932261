"""Modules as text (core spec, chapter 6): flat instructions, indices in comments, the function names of the module.

What it writes can be parsed to an equal module, but for what the format has no words for: runs of locals are merged,
and a data count section that no instruction needs is lost.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ewasm.wasm import opcodes
from ewasm.wasm.module import EMPTY_BLOCK, Data, Element, Expr, Function, Global, Import, Instr, Module
from ewasm.wasm.types import (
    FUNC,
    FUNCREF,
    KIND_NAMES,
    VALUE_TYPE_NAMES,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    TableType,
)
from ewasm.wasm.validate_body import MAX_LOCALS, natural_alignment

# Deeper blocks are not indented further: nesting has no limit, and the text must not grow with its square.
_MAX_INDENT = 24
_IDENTIFIER = re.compile(r"[0-9A-Za-z!#$%&'*+\-./:<=>?@\\^_`|~]+")
_PLACES = (
    "before first",
    "after type",
    "after import",
    "after func",
    "after table",
    "after memory",
    "after global",
    "after export",
    "after start",
    "after elem",
    "after code",
    "after data",
    "before code",
)
"""Where a custom section stands, by `CustomSection.after`; 12 is the data count section, which the text can't name."""


@dataclass(frozen=True, slots=True)
class _Names:
    functions: dict[int, str]
    """Identifiers, only for functions whose name is unique and can be written as one."""

    def function(self, index: int) -> str:
        return self.functions.get(index, str(index))

    def declare(self, index: int) -> str:
        name = self.functions.get(index)
        return f"{name} (;{index};)" if name else f"(;{index};)"


def disassemble(module: Module, *, offsets: bool = False) -> str:
    """Write a module as text.

    Args:
        offsets: Begin each instruction with its byte offset in a comment, `(;@0x1f;)`.
    """
    return "\n".join(_module(module, offsets)) + "\n"


def instruction_text(module: Module, instruction: Instr) -> str:
    """One instruction of a module, as `disassemble` writes it."""
    return _instruction(instruction, _names(module)).strip()


def _module(module: Module, offsets: bool) -> Iterator[str]:
    names = _names(module)
    yield "(module"
    for custom in module.customs:
        if custom.name != "name":
            yield f"  (@custom {_string(custom.name)} ({_PLACES[custom.after]}) {_string(custom.data)})"
    for index, type_ in enumerate(module.types):
        yield f"  (type (;{index};) (func{_signature(type_)}))"
    counts = [0, 0, 0, 0]
    for item in module.imports:
        yield _import(item, counts[item.kind], names)
        counts[item.kind] += 1
    functions, tables, memories, globals_ = counts
    for index, table in enumerate(module.tables, tables):
        yield f"  (table (;{index};) {_table_type(table)})"
    for index, memory in enumerate(module.memories, memories):
        yield f"  (memory (;{index};) {_limits(memory.limits)})"
    for index, global_ in enumerate(module.globals, globals_):
        yield _global(global_, index, names)
    for export in module.exports:
        index_text = names.function(export.index) if export.kind == FUNC else str(export.index)
        yield f"  (export {_string(export.name)} ({KIND_NAMES[export.kind]} {index_text}))"
    if module.start is not None:
        yield f"  (start {names.function(module.start)})"
    for index, segment in enumerate(module.elements):
        yield _element(segment, index, names)
    for index, function in enumerate(module.functions, functions):
        yield from _function(function, index, names, offsets)
    for index, data in enumerate(module.data):
        yield _data(data, index, names)
    yield ")"


def _names(module: Module) -> _Names:
    total = len(module.functions) + sum(1 for item in module.imports if item.kind == FUNC)
    uses: dict[str, int] = {}
    for name in module.function_names.values():
        uses[name] = uses.get(name, 0) + 1
    return _Names(
        {
            index: f"${name}"
            for index, name in module.function_names.items()
            if index < total and uses[name] == 1 and _IDENTIFIER.fullmatch(name)
        }
    )


def _string(text: str | bytes) -> str:
    data = text.encode("utf-8") if isinstance(text, str) else text
    return '"' + "".join(chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\{b:02x}" for b in data) + '"'


def _type_names(types: tuple[int, ...]) -> str:
    return " ".join(VALUE_TYPE_NAMES[t] for t in types)


def _signature(type_: FuncType) -> str:
    params = f" (param {_type_names(type_.params)})" if type_.params else ""
    return params + (f" (result {_type_names(type_.results)})" if type_.results else "")


def _limits(limits: Limits) -> str:
    return str(limits.minimum) if limits.maximum is None else f"{limits.minimum} {limits.maximum}"


def _table_type(type_: TableType) -> str:
    return f"{_limits(type_.limits)} {VALUE_TYPE_NAMES[type_.element]}"


def _global_type(type_: GlobalType) -> str:
    name = VALUE_TYPE_NAMES[type_.value_type]
    return f"(mut {name})" if type_.mutable else name


def _import(item: Import, index: int, names: _Names) -> str:
    declared = f"(;{index};)"
    match item.type:
        case TableType() as table:
            description = _table_type(table)
        case MemoryType() as memory:
            description = _limits(memory.limits)
        case GlobalType() as global_:
            description = _global_type(global_)
        case type_index:
            declared = names.declare(index)
            description = f"(type {type_index})"
    kind = KIND_NAMES[item.kind]
    return f"  (import {_string(item.module)} {_string(item.name)} ({kind} {declared} {description}))"


def _expr(expr: Expr, names: _Names) -> str:
    """A constant expression on one line, without its final `end`."""
    return " ".join(_instruction(instr, names) for instr in expr[:-1])


def _global(item: Global, index: int, names: _Names) -> str:
    return f"  (global (;{index};) {_global_type(item.type)} {_expr(item.init, names)})"


def _element(segment: Element, index: int, names: _Names) -> str:
    parts = [f"(;{index};)"]
    if segment.mode == "active":
        parts.append(f"(table {segment.table}) (offset {_expr(segment.offset_expr, names)})")
    elif segment.mode == "declarative":
        parts.append("declare")
    if segment.type == FUNCREF and all(len(e) == 2 and e[0][0] == opcodes.REF_FUNC for e in segment.init):
        parts.append("func")
        parts += [names.function(expr[0][1]) for expr in segment.init]
    else:
        parts.append(VALUE_TYPE_NAMES[segment.type])
        parts += [f"(item {_expr(expr, names)})" for expr in segment.init]
    return f"  (elem {' '.join(parts)})"


def _data(segment: Data, index: int, names: _Names) -> str:
    place = ""
    if segment.mode == "active":
        memory = f"(memory {segment.memory}) " if segment.memory else ""
        place = f"{memory}(offset {_expr(segment.offset_expr, names)}) "
    return f"  (data (;{index};) {place}{_string(segment.data)})"


def _function(function: Function, index: int, names: _Names, offsets: bool) -> Iterator[str]:
    yield f"  (func {names.declare(index)} (type {function.type_index})"
    if function.locals:
        if sum(count for count, _ in function.locals) <= MAX_LOCALS:
            runs = (" ".join([VALUE_TYPE_NAMES[value_type]] * count) for count, value_type in function.locals)
            yield f"    (local {' '.join(run for run in runs if run)})"
        else:
            runs = (f"{count} of {VALUE_TYPE_NAMES[value_type]}" for count, value_type in function.locals)
            yield f"    (; too many locals to write: {', '.join(runs)} ;)"
    depth = 0
    marks: Iterator[int] = iter(function.offsets if offsets else ())
    for instr in function.body[:-1]:
        op = instr[0]
        if op in (opcodes.END, opcodes.ELSE):
            depth -= 1
        line = "    " + "  " * min(depth, _MAX_INDENT)
        offset = next(marks, None)
        if offset is not None:
            line += f"(;@0x{offset:x};) "
        yield line + _instruction(instr, names)
        if op in (opcodes.BLOCK, opcodes.LOOP, opcodes.IF, opcodes.ELSE):
            depth += 1
    yield "  )"


def _instruction(instr: Instr, names: _Names) -> str:
    text, operands = _WRITERS[instr[0]]
    return f"{text} {written}" if operands and (written := operands(instr, names)) else text


def _block(instr: Instr, _: _Names) -> str:
    block = instr[1]
    if block == EMPTY_BLOCK:
        return ""
    return f"(result {VALUE_TYPE_NAMES[block + 0x80]})" if block < 0 else f"(type {block})"


def _labels(instr: Instr, _: _Names) -> str:
    return " ".join(map(str, (*instr[1], instr[2])))


def _function_index(instr: Instr, names: _Names) -> str:
    return names.function(instr[1])


def _type_table(instr: Instr, _: _Names) -> str:
    table = f"{instr[2]} " if instr[2] else ""
    return f"{table}(type {instr[1]})"


def _memarg(instr: Instr, _: _Names) -> str:
    op, align, offset, memory = instr
    parts = [str(memory)] if memory else []
    if offset:
        parts.append(f"offset={offset}")
    if align != _NATURAL[op]:
        parts.append(f"align={1 << align}")
    return " ".join(parts)


def _indices(instr: Instr, _: _Names) -> str:
    return " ".join(map(str, instr[1:]))


def _optional_indices(instr: Instr, names: _Names) -> str:
    return _indices(instr, names) if any(instr[1:]) else ""


def _segment_first(instr: Instr, _: _Names) -> str:
    """The text names the memory or table before the segment."""
    return f"{instr[2]} {instr[1]}" if instr[2] else str(instr[1])


def _signed(bits: int) -> Callable[[Instr, _Names], str]:
    half, whole = 1 << (bits - 1), 1 << bits
    return lambda instr, _: str(instr[1] - whole if instr[1] >= half else instr[1])


def _float(bits: int, mantissa_bits: int, form: str) -> Callable[[Instr, _Names], str]:
    """Hexadecimal notation is exact; a NaN never passes through a Python float, which could alter it."""
    exponent_mask = (1 << (bits - 1 - mantissa_bits)) - 1

    def write(instr: Instr, _: _Names) -> str:
        value = instr[1]
        sign = "-" if value >> (bits - 1) else ""
        mantissa = value & ((1 << mantissa_bits) - 1)
        if value >> mantissa_bits & exponent_mask == exponent_mask:
            return f"{sign}nan:0x{mantissa:x}" if mantissa else f"{sign}inf"
        number: float = struct.unpack(f"<{form}", value.to_bytes(bits // 8, "little"))[0]
        return number.hex()

    return write


_OPERANDS: dict[str, Callable[[Instr, _Names], str]] = {
    "block": _block,
    "label": _indices,
    "labels": _labels,
    "func": _function_index,
    "type_table": _type_table,
    "types": lambda instr, _: f"(result {_type_names(instr[1])})",
    "local": _indices,
    "global": _indices,
    "table": _indices,
    "memarg": _memarg,
    "memory": _optional_indices,
    "i32": _signed(32),
    "i64": _signed(64),
    "f32": _float(32, 23, "f"),
    "f64": _float(64, 52, "d"),
    "heap": lambda instr, _: VALUE_TYPE_NAMES[instr[1]].removesuffix("ref"),
    "data": _indices,
    "elem": _indices,
    "data_memory": _segment_first,
    "elem_table": _segment_first,
    "memory_memory": _optional_indices,
    "table_table": _indices,
}
_NATURAL = {row.code: natural_alignment(row.text) for row in opcodes.OPCODES.values() if row.immediates == "memarg"}
_WRITERS = {
    row.code: ("select" if row.code == opcodes.SELECT_T else row.text, _OPERANDS.get(row.immediates))
    for row in opcodes.OPCODES.values()
}
