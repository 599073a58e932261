"""Modules to bytes (core spec, chapter 5), canonical: shortest integers, shortest segment forms, no empty sections.

`decode(encode(module)) == module` for every module that `decode` can return.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ewasm.wasm.decode import MAGIC, SECTION_ORDER, VERSION
from ewasm.wasm.leb128 import write_signed, write_unsigned
from ewasm.wasm.module import EMPTY_BLOCK, Data, Element, Export, Expr, Function, Global, Import, Instr, Module
from ewasm.wasm.opcodes import END, OPCODES, REF_FUNC
from ewasm.wasm.types import FUNCREF, FuncType, GlobalType, Limits, MemoryType, TableType

_U7 = tuple(bytes((n,)) for n in range(0x80))


def _u(value: int) -> bytes:
    return _U7[value] if value < 0x80 else write_unsigned(value)


def _indices(instr: Instr) -> bytes:
    return b"".join(map(_u, instr[1:]))


def _index(instr: Instr) -> bytes:
    value = instr[1]
    return _U7[value] if value < 0x80 else write_unsigned(value)


def _signed(bits: int) -> Callable[[Instr], bytes]:
    half, whole = 1 << (bits - 1), 1 << bits
    return lambda instr: write_signed(instr[1] - whole if instr[1] >= half else instr[1])


def _labels(instr: Instr) -> bytes:
    _, targets, default = instr
    return _u(len(targets)) + b"".join(map(_u, targets)) + _u(default)


def _memarg(instr: Instr) -> bytes:
    _, align, offset, memory = instr
    if memory:
        return _u(align | 0x40) + _u(memory) + _u(offset)
    return _u(align) + _u(offset)


_EMPTY = write_signed(EMPTY_BLOCK)
_IMMEDIATES: dict[str, Callable[[Instr], bytes]] = {
    "block": lambda instr: _EMPTY if instr[1] == EMPTY_BLOCK else write_signed(instr[1]),
    **dict.fromkeys(("label", "func", "local", "global", "table", "data", "elem", "memory"), _index),
    "labels": _labels,
    "types": lambda instr: _u(len(instr[1])) + bytes(instr[1]),
    "heap": lambda instr: bytes((instr[1],)),
    "memarg": _memarg,
    "i32": _signed(32),
    "i64": _signed(64),
    "f32": lambda instr: instr[1].to_bytes(4, "little"),
    "f64": lambda instr: instr[1].to_bytes(8, "little"),
}
_ENCODERS = {
    row.code: (
        bytes((row.code,)) if row.code < 0x100 else bytes((row.code >> 8,)) + write_unsigned(row.code & 0xFF),
        None if row.immediates == "none" else _IMMEDIATES.get(row.immediates, _indices),
    )
    for row in OPCODES.values()
}


def encode_instr(instr: Instr) -> bytes:
    opcode, immediates = _ENCODERS[instr[0]]
    return opcode + immediates(instr) if immediates else opcode


def encode_expr(expr: Iterable[Instr]) -> bytes:
    """Instructions one after the other; the final `end` is expected among them."""
    out = bytearray()
    encoders = _ENCODERS
    for instr in expr:
        opcode, immediates = encoders[instr[0]]
        out += opcode
        if immediates:
            out += immediates(instr)
    return bytes(out)


def encode(module: Module) -> bytes:
    """Encode a module. Custom sections keep their place behind the known section they followed."""
    contents = {
        1: _vector(map(_func_type, module.types)),
        2: _vector(map(_import, module.imports)),
        3: _vector(_u(function.type_index) for function in module.functions),
        4: _vector(map(_table_type, module.tables)),
        5: _vector(map(_memory_type, module.memories)),
        6: _vector(map(_global, module.globals)),
        7: _vector(map(_export, module.exports)),
        8: b"" if module.start is None else _u(module.start),
        9: _vector(map(_element, module.elements)),
        10: _vector(map(_function, module.functions)),
        11: _vector(map(_data, module.data)),
        12: b"" if module.data_count is None else _u(module.data_count),
    }
    # A section that is otherwise empty is written where a custom section says that it follows it.
    anchors = {custom.after for custom in module.customs}
    out = [MAGIC, VERSION, *_customs(module, 0)]
    for section in SECTION_ORDER:
        content = contents[section]
        if content or (section in anchors and section not in (8, 12)):
            out.append(_section(section, content or b"\0"))
        out += _customs(module, section)
    return b"".join(out)


def _section(section: int, content: bytes) -> bytes:
    return bytes((section,)) + _u(len(content)) + content


def _customs(module: Module, after: int) -> list[bytes]:
    return [_section(0, _name(custom.name) + custom.data) for custom in module.customs if custom.after == after]


def _vector(items: Iterable[bytes]) -> bytes:
    """The content of a section that is a vector; empty if there are no items."""
    encoded = list(items)
    return _u(len(encoded)) + b"".join(encoded) if encoded else b""


def _bytes(data: bytes) -> bytes:
    return _u(len(data)) + data


def _name(name: str) -> bytes:
    return _bytes(name.encode("utf-8"))


def _func_type(type_: FuncType) -> bytes:
    return b"\x60" + _bytes(bytes(type_.params)) + _bytes(bytes(type_.results))


def _limits(limits: Limits) -> bytes:
    if limits.maximum is None:
        return b"\0" + _u(limits.minimum)
    return b"\1" + _u(limits.minimum) + _u(limits.maximum)


def _table_type(type_: TableType) -> bytes:
    return bytes((type_.element,)) + _limits(type_.limits)


def _memory_type(type_: MemoryType) -> bytes:
    return _limits(type_.limits)


def _global_type(type_: GlobalType) -> bytes:
    return bytes((type_.value_type, type_.mutable))


def _import(item: Import) -> bytes:
    return _name(item.module) + _name(item.name) + bytes((item.kind,)) + _extern_type(item.type)


def _extern_type(type_: int | TableType | MemoryType | GlobalType) -> bytes:
    match type_:
        case TableType():
            return _table_type(type_)
        case MemoryType():
            return _memory_type(type_)
        case GlobalType():
            return _global_type(type_)
        case _:
            return _u(type_)


def _global(item: Global) -> bytes:
    return _global_type(item.type) + encode_expr(item.init)


def _export(item: Export) -> bytes:
    return _name(item.name) + bytes((item.kind,)) + _u(item.index)


def _is_function_entry(expr: Expr) -> bool:
    return len(expr) == 2 and expr[0][0] == REF_FUNC and expr[1][0] == END


def _element(segment: Element) -> bytes:
    """5.5.12; see `ewasm.wasm.decode` for the bits of the flags."""
    # An empty segment of another type than funcref has no short form: the short forms imply the type.
    short = segment.type == FUNCREF and all(map(_is_function_entry, segment.init))
    flags = 0 if short else 4
    head = b""
    if segment.mode == "active":
        # Only the forms with an explicit table name the type.
        if segment.table or segment.type != FUNCREF:
            flags |= 2
            head = _u(segment.table)
        head += encode_expr(segment.offset_expr)
    else:
        flags |= 1 if segment.mode == "passive" else 3
    if flags & 3:
        head += b"\0" if short else bytes((segment.type,))
    entries = [_u(expr[0][1]) if short else encode_expr(expr) for expr in segment.init]
    return _u(flags) + head + _u(len(entries)) + b"".join(entries)


def _data(segment: Data) -> bytes:
    if segment.mode == "passive":
        return b"\1" + _bytes(segment.data)
    head = b"\2" + _u(segment.memory) if segment.memory else b"\0"
    return head + encode_expr(segment.offset_expr) + _bytes(segment.data)


def _function(function: Function) -> bytes:
    runs = b"".join(_u(count) + bytes((value_type,)) for count, value_type in function.locals)
    return _bytes(_u(len(function.locals)) + runs + encode_expr(function.body))
