"""Instructions from bytes (core spec, binary 5.4): one flat loop, whatever the nesting.

This is the hot half of the decoder. Integers of one byte, by far the most common, are read in place.
"""

from __future__ import annotations

from dataclasses import dataclass

from ewasm.errors import MalformedModule
from ewasm.wasm import opcodes
from ewasm.wasm.leb128 import read_signed, read_unsigned
from ewasm.wasm.module import EMPTY_BLOCK, Instr
from ewasm.wasm.types import EXTERNREF, F32, F64, FUNCREF, I32, I64, V128

VALUE_TYPES = frozenset({I32, I64, F32, F64, FUNCREF, EXTERNREF})
_GC_TYPES = frozenset({0x63, 0x64, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x71, 0x72, 0x73})
_EXCEPTION_TYPES = frozenset({0x68, 0x69, 0x74})

# First bytes of opcodes that belong to features this project never admits, so that the refusal can name them.
_FOREIGN_OPCODES = {
    **dict.fromkeys((0x06, 0x07, 0x08, 0x09, 0x0A, 0x18, 0x19, 0x1F), "exceptions"),
    **dict.fromkeys((0x14, 0x15, 0xD3, 0xD4, 0xD5, 0xD6, 0xFB), "gc"),
    0xFD: "simd",
    0xFE: "threads",
}
_FEATURE_WORDS = {
    "exceptions": "exception handling",
    "gc": "garbage collection or typed function references",
    "memory64": "64-bit memories",
    "simd": "SIMD",
    "threads": "threads",
}

_PLAIN, _INDEX, _I32, _MEMARG, _END, _BLOCK, _I64, _LABELS, _ELSE, _INDEX_PAIR, _MEMORY, _F32, _F64 = range(13)
_MEMORY_PAIR, _DATA, _DATA_MEMORY, _TYPES, _HEAP, _PREFIX, _ILLEGAL = range(13, 20)
_KIND_OF_IMMEDIATES = {
    "none": _PLAIN,
    "block": _BLOCK,
    "label": _INDEX,
    "labels": _LABELS,
    "func": _INDEX,
    "type_table": _INDEX_PAIR,
    "types": _TYPES,
    "local": _INDEX,
    "global": _INDEX,
    "table": _INDEX,
    "memarg": _MEMARG,
    "memory": _MEMORY,
    "i32": _I32,
    "i64": _I64,
    "f32": _F32,
    "f64": _F64,
    "heap": _HEAP,
    "data": _DATA,
    "elem": _INDEX,
    "data_memory": _DATA_MEMORY,
    "memory_memory": _MEMORY_PAIR,
    "elem_table": _INDEX_PAIR,
    "table_table": _INDEX_PAIR,
}
_KINDS = {row.code: _KIND_OF_IMMEDIATES[row.immediates] for row in opcodes.OPCODES.values()}
_KINDS[opcodes.END] = _END
_KINDS[opcodes.ELSE] = _ELSE
_BYTE_KINDS = tuple(_PREFIX if code == 0xFC else _KINDS.get(code, _ILLEGAL) for code in range(256))
# One shared tuple for each instruction without immediates.
_PLAIN_INSTRUCTIONS: tuple[Instr, ...] = tuple((code,) for code in range(256))


@dataclass(slots=True)
class BodyContext:
    """What instructions may depend on, and what they showed."""

    memories: int
    """How many the module has. With fewer than two, memory indices are the reserved zero bytes of the core spec 2.0."""
    uses_data_count: bool = False
    """A `memory.init` or `data.drop` was seen: the module needs a data count section."""


def foreign(feature: str, what: str, offset: int) -> MalformedModule:
    """The refusal of something whose feature is known by name but not supported."""
    return MalformedModule(
        what, offset=offset, rule=f"feature:{feature}", hint=f"compile without {_FEATURE_WORDS[feature]}"
    )


def check_value_type(byte: int, offset: int) -> int:
    """`byte` if it is a value type of this project; v128 and the types of garbage collection are refused by name."""
    if byte in VALUE_TYPES:
        return byte
    if byte == V128:
        raise foreign("simd", "malformed value type v128", offset)
    if byte in _GC_TYPES:
        raise foreign("gc", f"malformed value type 0x{byte:02x}", offset)
    if byte in _EXCEPTION_TYPES:
        raise foreign("exceptions", f"malformed value type 0x{byte:02x}", offset)
    raise MalformedModule(f"malformed value type 0x{byte:02x}", offset=offset)


def decode_instructions(
    data: bytes, position: int, end: int, context: BodyContext
) -> tuple[tuple[Instr, ...], tuple[int, ...], int]:
    """Decode up to and including the `end` that closes the expression at `position`.

    Args:
        end: Where the section or the body ends; nothing from there on belongs to the expression.

    Returns:
        The instructions, the offset of each, and the position after the last.
    """
    instructions: list[Instr] = []
    offsets: list[int] = []
    emit = instructions.append
    mark = offsets.append
    kinds = _BYTE_KINDS
    plain = _PLAIN_INSTRUCTIONS
    # The opcodes of the open blocks; an `if` becomes `else` when its alternative begins.
    blocks: list[int] = []
    try:
        while position < end:
            op = data[position]
            mark(position)
            position += 1
            kind = kinds[op]
            if kind == _PREFIX:
                number, position = read_unsigned(data, position, 32)
                op = 0xFC00 | number
                kind = _KINDS.get(op, _ILLEGAL) if number < 0x100 else _ILLEGAL
                if kind == _PLAIN:
                    emit((op,))
                    continue
            if kind == _INDEX:
                value = data[position]
                if value < 0x80:
                    position += 1
                else:
                    value, position = read_unsigned(data, position, 32)
                emit((op, value))
            elif kind == _PLAIN:
                emit(plain[op])
            elif kind == _I32:
                value = data[position]
                if value < 0x40:
                    position += 1
                else:
                    value, position = read_signed(data, position, 32)
                emit((op, value & 0xFFFF_FFFF))
            elif kind == _MEMARG:
                align = data[position]
                value = data[position + 1]
                if align < 32 and value < 0x80:
                    position += 2
                    emit((op, align, value, 0))
                else:
                    instruction, position = _read_memarg(data, position, op, context)
                    emit(instruction)
            elif kind == _END:
                emit(plain[op])
                if not blocks:
                    break
                blocks.pop()
            elif kind == _BLOCK:
                value = data[position]
                if value < 0x40:
                    position += 1
                elif value == 0x40:
                    position += 1
                    value = EMPTY_BLOCK
                elif value < 0x80:
                    value = check_value_type(value, position) - 0x80
                    position += 1
                else:
                    start = position
                    value, position = read_signed(data, position, 33)
                    if value < 0:
                        raise MalformedModule("malformed block type", offset=start)
                blocks.append(op)
                emit((op, value))
            elif kind == _I64:
                value, position = read_signed(data, position, 64)
                emit((op, value & 0xFFFF_FFFF_FFFF_FFFF))
            elif kind == _LABELS:
                count, position = read_unsigned(data, position, 32)
                if count >= end - position:
                    raise MalformedModule("length out of bounds", offset=position)
                targets = []
                for _ in range(count + 1):
                    value = data[position]
                    if value < 0x80:
                        position += 1
                    else:
                        value, position = read_unsigned(data, position, 32)
                    targets.append(value)
                emit((op, tuple(targets[:-1]), targets[-1]))
            elif kind == _ELSE:
                if not blocks or blocks[-1] != opcodes.IF:
                    raise MalformedModule("END opcode expected", offset=position - 1)
                blocks[-1] = op
                emit(plain[op])
            elif kind == _INDEX_PAIR:
                value, position = read_unsigned(data, position, 32)
                second, position = read_unsigned(data, position, 32)
                emit((op, value, second))
            elif kind == _MEMORY:
                value, position = _read_memory_index(data, position, context)
                emit((op, value))
            elif kind == _F32:
                emit((op, int.from_bytes(data[position : position + 4], "little")))
                position += 4
            elif kind == _F64:
                emit((op, int.from_bytes(data[position : position + 8], "little")))
                position += 8
            elif kind == _MEMORY_PAIR:
                value, position = _read_memory_index(data, position, context)
                second, position = _read_memory_index(data, position, context)
                emit((op, value, second))
            elif kind == _DATA_MEMORY:
                context.uses_data_count = True
                value, position = read_unsigned(data, position, 32)
                second, position = _read_memory_index(data, position, context)
                emit((op, value, second))
            elif kind == _DATA:
                context.uses_data_count = True
                value, position = read_unsigned(data, position, 32)
                emit((op, value))
            elif kind == _TYPES:
                count, position = read_unsigned(data, position, 32)
                if count > end - position:
                    raise MalformedModule("length out of bounds", offset=position)
                types = tuple(check_value_type(data[at], at) for at in range(position, position + count))
                position += count
                emit((op, types))
            elif kind == _HEAP:
                value = data[position]
                if value not in (FUNCREF, EXTERNREF):
                    if value in _GC_TYPES or value < 0x40 or value >= 0x80:
                        raise foreign("gc", "malformed reference type", position)
                    raise MalformedModule("malformed reference type", offset=position)
                position += 1
                emit((op, value))
            else:
                raise _illegal(data, offsets[-1])
        else:
            raise MalformedModule("unexpected end", offset=end, hint="END opcode expected")
    except IndexError:
        raise MalformedModule("unexpected end", offset=len(data)) from None
    if position > end:
        raise MalformedModule("unexpected end", offset=end)
    return tuple(instructions), tuple(offsets), position


def _read_memarg(data: bytes, position: int, op: int, context: BodyContext) -> tuple[Instr, int]:
    """The long form: bit 6 of the first field announces a memory index (multi-memory)."""
    start = position
    flags, position = read_unsigned(data, position, 32)
    memory = 0
    if flags & 0x40 and context.memories > 1:
        memory, position = read_unsigned(data, position, 32)
        flags ^= 0x40
    if flags >= 32:
        raise MalformedModule("malformed memop flags", offset=start)
    offset, position = read_unsigned(data, position, 32)
    return (op, flags, offset, memory), position


def _read_memory_index(data: bytes, position: int, context: BodyContext) -> tuple[int, int]:
    byte = data[position]
    if byte == 0:
        return 0, position + 1
    if context.memories < 2:
        raise MalformedModule("zero byte expected", offset=position)
    return read_unsigned(data, position, 32)


def _illegal(data: bytes, offset: int) -> MalformedModule:
    first = data[offset]
    if first in (0xFB, 0xFC, 0xFD, 0xFE):
        number, _ = read_unsigned(data, offset + 1, 32)
        what = f"illegal opcode {first:02x} {number:02x}"
    else:
        what = f"illegal opcode {first:02x}"
    feature = _FOREIGN_OPCODES.get(first)
    return foreign(feature, what, offset) if feature else MalformedModule(what, offset=offset)
