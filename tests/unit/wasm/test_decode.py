"""Each kind of malformed module, with its reason and place; and what decoding keeps."""

from __future__ import annotations

import tracemalloc

import pytest

from ewasm.errors import MalformedModule
from ewasm.wasm import decode, encode
from ewasm.wasm.module import EMPTY_BLOCK, CustomSection
from ewasm.wasm.opcodes import BLOCK, END, I32_CONST, I64_CONST, REF_FUNC
from tests.unit.wasm.build import HEADER, binary, section, with_body

CODE = 23
"""Where the first instruction of `with_body` stands."""
TWO_MEMORIES = section(5, "0200000000")


def refusal(data: bytes) -> MalformedModule:
    with pytest.raises(MalformedModule) as caught:
        decode(data)
    return caught.value


@pytest.mark.parametrize(
    ("data", "reason", "section_name", "offset"),
    [
        (b"", "unexpected end", None, 0),
        (b"\0asx\1\0\0\0", "magic header not detected", None, 0),
        (b"\0asm\1\0", "unexpected end", None, 4),
        (b"\0asm\2\0\0\0", "unknown binary version", None, 4),
        (binary(b"\x0e\x00"), "malformed section id 14", None, 8),
        (binary(b"\x01\x05\x00"), "length out of bounds", "type", 9),
        (binary(b"\x01"), "unexpected end", "type", 9),
        (binary(section(1, "0000")), "section size mismatch", "type", 11),
        (binary(section(1, "ffffffff0f")), "length out of bounds", "type", 10),
        (binary(section(1, "015f0000")), "malformed function type 0x5f", "type", 11),
        (binary(section(1, "0160017b00")), "malformed value type v128", "type", 13),
        (binary(section(1, "0160014000")), "malformed value type 0x40", "type", 13),
        (binary(section(3, "00"), section(1, "00")), "unexpected content after last section", "type", 11),
        (binary(section(3, "00"), section(3, "00")), "unexpected content after last section", "function", 11),
        (binary(section(2, "0101ff00000000")), "malformed UTF-8 encoding", "import", 12),
        (binary(section(2, "010000050000")), "malformed import kind", "import", 13),
        (binary(section(2, "010000037f02")), "malformed mutability", "import", 15),
        (binary(section(4, "016f02")), "malformed limits flags 0x02 of a table", "table", 12),
        (binary(section(4, "017f00")), "malformed reference type", "table", 11),
        (binary(section(5, "010400")), "malformed limits flags 0x04 of a memory", "memory", 11),
        (binary(section(5, "010900")), "malformed limits flags 0x09", "memory", 11),
        (binary(section(6, "017f0241000b")), "malformed mutability", "global", 12),
        (binary(section(6, "017f004100")), "unexpected end", "global", 15),
        (binary(section(7, "01000500")), "malformed export kind", "export", 12),
        (binary(section(9, "0108")), "malformed elements segment kind", "element", 11),
        (binary(section(9, "01010100")), "malformed element kind", "element", 12),
        (binary(section(11, "0103")), "malformed data segment kind", "data", 11),
        (binary(section(3, "0100")), "function and code section have inconsistent lengths", None, 12),
        (binary(section(12, "01")), "data count and data section have inconsistent lengths", None, 11),
    ],
)
def test_malformed_module(data: bytes, reason: str, section_name: str | None, offset: int) -> None:
    error = refusal(data)
    assert (error.reason, error.section, error.offset) == (reason, section_name, offset)


@pytest.mark.parametrize(
    ("code", "reason", "offset"),
    [
        ("01", "unexpected end", 1),
        ("0b0b", "section size mismatch", 1),
        ("050b", "END opcode expected", 0),
        ("0440050505", "END opcode expected", 3),
        ("410b", "unexpected end", 2),
        ("ff0b", "illegal opcode ff", 0),
        ("fc180b", "illegal opcode fc 18", 0),
        ("3f010b", "zero byte expected", 1),
        ("4180808080700b", "integer too large", 5),
        ("28000b", "unexpected end", 3),
        ("28200000", "malformed memop flags", 1),
        ("28400000", "malformed memop flags", 1),
        ("0effffffff0f0b", "length out of bounds", 6),
        ("02ff7f0b0b", "malformed block type", 1),
        ("02450b0b", "malformed value type 0x45", 1),
        ("d0400b", "malformed reference type", 1),
        ("fc09000b", "data count section required", -2),
    ],
)
def test_malformed_body(code: str, reason: str, offset: int) -> None:
    """`offset` counts from the first instruction."""
    error = refusal(with_body(code))
    assert (error.reason, error.section, error.offset) == (reason, "code", CODE + offset)


@pytest.mark.parametrize(
    ("code", "feature"),
    [
        ("fd0c", "simd"),
        ("fe00", "threads"),
        ("fb00", "gc"),
        ("1400", "gc"),
        ("06", "exceptions"),
        ("0800", "exceptions"),
        ("1f", "exceptions"),
        ("027b", "simd"),
    ],
)
def test_opcodes_of_other_features_are_refused_by_name(code: str, feature: str) -> None:
    error = refusal(with_body(code + "0b"))
    assert error.rule == f"feature:{feature}"
    assert error.hint
    assert error.function == "0"


def test_error_in_a_body_names_the_function_when_names_come_first() -> None:
    names = section(0, b"\x04name\x01\x07\x01\x00\x04main")
    assert refusal(with_body("ff0b", before=names)).function == "0 ($main)"


def test_too_many_locals() -> None:
    assert refusal(with_body("0b", locals_="02ffffffff0f7f017e")).reason == "too many locals"
    assert decode(with_body("0b", locals_="02feffffff0f7f017e")).functions[0].locals[0] == (2**32 - 2, 0x7F)


def test_long_vectors_fail_before_they_are_built() -> None:
    claims = [binary(section(id_, "ffffffff0f")) for id_ in (1, 2, 3, 4, 5, 6, 7, 9, 11)]
    claims += [with_body("0effffffff0f"), with_body("1cffffffff0f"), with_body("0b", locals_="ffffffff0f")]
    tracemalloc.start()
    for claim in claims:
        assert refusal(claim).reason == "length out of bounds"
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 200_000


def test_nesting_of_100_000_blocks() -> None:
    depth = 100_000
    module = decode(with_body(b"\x02\x40" * depth + b"\x0b" * (depth + 1)))
    assert len(module.functions[0].body) == 2 * depth + 1
    assert encode(module) == encode(decode(encode(module)))
    assert refusal(with_body(b"\x02\x40" * depth)).reason == "unexpected end"


def test_constants_are_unsigned_and_block_types_signed() -> None:
    module = decode(with_body("417f427f0240027f02000b0b0b0b"))
    codes = module.functions[0].body
    assert codes[:5] == (
        (I32_CONST, 2**32 - 1),
        (I64_CONST, 2**64 - 1),
        (BLOCK, EMPTY_BLOCK),
        (BLOCK, -1),
        (BLOCK, 0),
    )


def test_offsets_are_those_of_the_module() -> None:
    data = with_body("41e4001a0b")
    function = decode(data).functions[0]
    assert [data[offset] for offset in function.offsets] == [0x41, 0x1A, END]
    assert (function.offset, function.size_bytes) == (CODE - 2, 6)


def test_memory_index_is_read_where_there_are_two_memories() -> None:
    code = "410028420110" + "1a" + "3f010b"
    module = decode(with_body(code, before=TWO_MEMORIES))
    assert (0x28, 2, 16, 1) in module.functions[0].body
    assert (0x3F, 1) in module.functions[0].body
    assert decode(encode(module)) == module


@pytest.mark.parametrize(
    ("segment", "mode", "table"),
    [
        ("0041000b0100", "active", 0),
        ("01000100", "passive", 0),
        ("020141000b000100", "active", 1),
        ("03000100", "declarative", 0),
        ("0441000b01d2000b", "active", 0),
        ("057001d2000b", "passive", 0),
        ("060141000b7001d2000b", "active", 1),
        ("077001d2000b", "declarative", 0),
    ],
)
def test_element_segments_of_all_forms(segment: str, mode: str, table: int) -> None:
    module = decode(binary(section(9, "01" + segment)))
    (element,) = module.elements
    assert (element.mode, element.table, element.init) == (mode, table, (((REF_FUNC, 0), (END,)),))
    assert len(encode(module)) <= len(binary(section(9, "01" + segment)))
    assert decode(encode(module)) == module


def test_custom_sections_keep_their_place_and_range() -> None:
    custom = section(0, b"\x01xdata")
    data = binary(custom, section(1, "00"), custom, section(3, "00"))
    module = decode(data)
    assert module.customs == (CustomSection("x", b"data", 0), CustomSection("x", b"data", 1))
    assert [data[c.offset : c.end] for c in module.customs] == [custom, custom]
    assert decode(encode(module)) == module


@pytest.mark.parametrize(
    "names", [b"\x01\x07\x01\x00\x04mai", b"\x01\xff", b"\x01\x03\x01\x00\x01", b"\x01\x03\x01\x00\x01\xff"]
)
def test_broken_name_section_is_ignored(names: bytes) -> None:
    assert decode(binary(section(0, b"\x04name" + names))).function_names == {}


def test_header_alone_is_a_module() -> None:
    assert encode(decode(HEADER)) == HEADER
