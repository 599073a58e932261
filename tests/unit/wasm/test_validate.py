"""Refusals by feature, the facts of `ValidFunction`, limits. (The core spec tests cover the typing rules.)"""

from __future__ import annotations

import pytest

from ewasm.errors import InvalidModule
from ewasm.wasm import ALL_FEATURES, CORE_2_0, decode, validate
from ewasm.wasm.types import I32, I64
from tests.unit.wasm.build import binary, section, with_body
from tests.wasm_tools_cli import parse

MVP = frozenset({"mvp"})
CONTRACT = ALL_FEATURES - {"float", "saturating_float", "multi_memory", "multi_table", "externref"}


def refusal(text: str, features: frozenset[str]) -> InvalidModule:
    with pytest.raises(InvalidModule) as caught:
        validate(decode(parse(text)), features)
    return caught.value


@pytest.mark.parametrize(
    ("text", "rule", "reason"),
    [
        ("(func (param f32))", "float", "f32 is a float type"),
        ("(func (result f64) unreachable)", "float", "f64 is a float type"),
        ("(func (local f32))", "float", "f32 is a float type"),
        ("(func (block (result f64) unreachable) drop)", "float", "f64 is a float type"),
        ("(func (drop (f32.add (f32.const 0) (f32.const 0))))", "float", "f32.const is a float instruction"),
        ("(func (param i32) (drop (f64.convert_i32_s (local.get 0))))", "float", "f64.convert_i32_s is a float"),
        ("(memory 1) (func (drop (f32.load (i32.const 0))))", "float", "f32.load is a float instruction"),
        ("(func unreachable i32.trunc_sat_f32_s drop)", "float", "i32.trunc_sat_f32_s is a float instruction"),
        ("(func unreachable select (result f32) drop)", "float", "f32 is a float type"),
        ('(import "a" "b" (global f32))', "float", "f32 is a float type"),
        ("(global f64 f64.const 0)", "float", "f64 is a float type"),
        ("(memory 1) (memory 1)", "multi_memory", "multiple memories"),
        ("(table 1 funcref) (table 1 funcref)", "multi_table", "multiple tables"),
        ("(table 1 externref)", "externref", "externref is not admitted"),
        ("(func (param externref))", "externref", "externref is not admitted"),
        ("(func (drop (ref.null extern)))", "externref", "externref is not admitted"),
    ],
)
def test_contract_features_refuse(text: str, rule: str, reason: str) -> None:
    error = refusal(f"(module {text})", CONTRACT)
    assert error.rule == f"feature:{rule}"
    assert reason in error.reason
    assert error.hint


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("(func (drop (i32.extend8_s (i32.const 0))))", "sign_extension"),
        ("(func (result i32 i32) unreachable)", "multi_value"),
        ("(type (func (param i32))) (func i32.const 0 block (type 0) drop end)", "multi_value"),
        ("(memory 1) (func unreachable memory.copy)", "bulk_memory"),
        ('(memory 1) (data "x")', "bulk_memory"),
        ("(table 1 funcref) (func unreachable table.grow drop)", "reference_types"),
        ("(func (param funcref))", "reference_types"),
        ("(func $f) (elem declare func $f)", "reference_types"),
        ("(func $f) (elem func $f)", "bulk_memory"),
        ("(table 1 funcref) (elem (i32.const 0) funcref (ref.null func))", "reference_types"),
        ("(func unreachable select (result i32) drop)", "reference_types"),
        ("(func $f return_call $f)", "tail_call"),
        ("(func unreachable i64.mul_wide_u drop drop)", "wide_arithmetic"),
        ("(global i32 (i32.add (i32.const 1) (i32.const 2)))", "extended_const"),
        ('(import "a" "b" (global (mut i32)))', "mutable_global"),
        ('(global (export "g") (mut i32) (i32.const 0))', "mutable_global"),
        ("(memory 1) (memory 1)", "multi_memory"),
    ],
)
def test_mvp_refuses_later_features_which_all_features_admit(text: str, rule: str) -> None:
    error = refusal(f"(module {text})", MVP)
    assert error.rule == f"feature:{rule}"
    validate(decode(parse(f"(module {text})")), ALL_FEATURES)


def test_data_count_section_is_refused_by_the_mvp() -> None:
    with pytest.raises(InvalidModule) as caught:
        validate(decode(binary(section(12, "00"))), MVP)
    assert (caught.value.rule, caught.value.section) == ("feature:bulk_memory", "data count")


def test_error_names_function_section_and_offset() -> None:
    text = '(module (import "a" "b" (func)) (func $good) (func $bad i32.const 1 i64.eqz drop))'
    error = refusal(text, CORE_2_0)
    assert error.reason == "type mismatch: expected i64, found i32"
    assert error.function == "2 ($bad)"
    assert error.section == "code"
    assert error.offset is not None
    assert parse(text)[error.offset] == 0x50


def test_heights_types_and_locals() -> None:
    text = """(module (func (param i64) (result i32) (local i32 i32)
        i32.const 1  ;; 0
        i32.const 2  ;; 1
        i32.add      ;; 2
        block        ;; 1
          br 0       ;; 1
          i64.const 1
          block
            nop
          end
          drop
        end
        if           ;; 1
          nop        ;; 0
        else
        end
        i32.const 5  ;; 0
        return       ;; 1
        drop))"""
    (function,) = validate(decode(parse(text)), MVP).functions
    assert function.heights == (0, 1, 2, 1, 1, -1, -1, -1, -1, -1, -1, 1, 0, 0, 0, 0, 1, -1, -1)
    assert function.max_height == 2
    assert function.local_types == (I64, I32, I32)
    assert str(function.type) == "(i64) -> (i32)"


def test_index_spaces_put_imports_first() -> None:
    text = """(module (import "a" "f" (func (param i32))) (import "a" "g" (global i64)) (import "a" "m" (memory 1))
        (import "a" "t" (table 1 funcref)) (func (result i64) global.get 0) (global (mut i32) (i32.const 0)))"""
    valid = validate(decode(parse(text)), CORE_2_0)
    assert [type_.params for type_ in valid.function_types] == [(I32,), ()]
    assert [type_.value_type for type_ in valid.global_types] == [I64, I32]
    assert (valid.imported_functions, valid.imported_globals, valid.imported_memories, valid.imported_tables) == (
        1,
        1,
        1,
        1,
    )
    assert valid.features == CORE_2_0


def test_deep_nesting_is_no_recursion() -> None:
    depth = 100_000
    valid = validate(decode(with_body(b"\x03\x40" * depth + b"\x0b" * (depth + 1))), MVP)
    assert valid.functions[0].max_height == 0


def test_locals_have_a_limit() -> None:
    with pytest.raises(InvalidModule) as caught:
        validate(decode(with_body("0b", locals_="01feffffff0f7f")), MVP)
    assert caught.value.rule == "limit:locals"


def test_operands_have_a_limit() -> None:
    results = section(1, "02600000" + "60" + "00" + "e807" + "7f" * 1000)
    body = bytes.fromhex("00") + bytes.fromhex("1001") * 1100 + b"\x00\x0b"
    size = len(body)
    code = b"\x02" + bytes((size & 0x7F | 0x80, size >> 7)) + body + bytes.fromhex("0300000b")
    with pytest.raises(InvalidModule) as caught:
        validate(decode(binary(results, section(3, "020001"), section(10, code))), CORE_2_0)
    assert caught.value.rule == "limit:operands"


@pytest.mark.parametrize("code", ["0b0b", "01", "02400b"])
def test_instructions_built_by_hand_must_be_balanced(code: str) -> None:
    from dataclasses import replace

    module = decode(with_body("0b"))
    body = tuple((byte, -64) if byte == 2 else (byte,) for byte in bytes.fromhex(code) if byte != 0x40)
    broken = replace(module, functions=(replace(module.functions[0], body=body, offsets=()),))
    with pytest.raises(InvalidModule, match="END opcode expected"):
        validate(broken, MVP)
