"""What the disassembler writes; that it parses to an equal module is tested on the core spec's modules."""

from __future__ import annotations

import pytest

from ewasm.wasm import decode, disassemble
from tests.unit.wasm.build import binary, section, with_body
from tests.wasm_tools_cli import parse


def test_a_module_reads_like_this() -> None:
    text = """(module
  (type (;0;) (func (param i32) (result i32)))
  (import "env" "f\\22" (func (;0;) (type 0)))
  (table (;0;) 1 2 funcref)
  (memory (;0;) 1)
  (global (;0;) (mut i64) i64.const -1)
  (export "memory" (memory 0))
  (elem (;0;) (table 0) (offset i32.const 0) func $main)
  (func $main (;1;) (type 0)
    (local i64 i64)
    block (result i32)
      local.get 0
      if
        br 1
      else
        nop
      end
      i32.const 4
      i32.load offset=16 align=1
    end
    call_indirect (type 0)
  )
  (data (;0;) (offset i32.const 8) "a\\00\\ff")
)
"""
    invalid_but_well_formed = parse(text)
    assert disassemble(decode(invalid_but_well_formed)) == text


def test_offsets_can_be_shown() -> None:
    assert "(;@0x17;) i32.const 0" in disassemble(decode(with_body("41001a0b")), offsets=True)


@pytest.mark.parametrize("names", [(b"f", b"f"), (b"a b", b""), ("ü".encode(), b"x)")])
def test_names_that_are_not_unique_identifiers_are_left_out(names: tuple[bytes, bytes]) -> None:
    entries = b"".join(bytes((index, len(name))) + name for index, name in enumerate(names))
    subsection = b"\x02" + entries
    name_section = section(0, b"\x04name\x01" + bytes((len(subsection),)) + subsection)
    data = binary(section(1, "01600000"), section(3, "020000"), section(10, "0202000b02000b"), name_section)
    text = disassemble(decode(data))
    assert "$" not in text
    parse(text)


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (0x00000000, "0x0.0p+0"),
        (0x80000000, "-0x0.0p+0"),
        (0x3FC00000, "0x1.8000000000000p+0"),
        (0x00000001, "0x1.0000000000000p-149"),
        (0x7F800000, "inf"),
        (0xFFA00001, "-nan:0x200001"),
    ],
)
def test_floats_are_exact(bits: int, text: str) -> None:
    data = with_body(b"\x43" + bits.to_bytes(4, "little") + b"\x1a\x0b")
    written = disassemble(decode(data))
    assert f"f32.const {text}\n" in written
    assert parse(written) == data


def test_deep_nesting_gives_text_of_linear_size() -> None:
    depth = 20_000
    text = disassemble(decode(with_body(b"\x02\x40" * depth + b"\x0b" * (depth + 1))))
    assert len(text) < 140 * depth


def test_locals_by_the_billion_are_not_written_out() -> None:
    text = disassemble(decode(with_body("0b", locals_="01feffffff0f7f")))
    assert "4294967294 of i32" in text
