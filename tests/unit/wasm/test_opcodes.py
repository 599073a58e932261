"""The opcode table is sorted, unique and complete, and what derives from it covers it."""

from __future__ import annotations

import pytest

from ewasm.wasm import ALL_FEATURES, numerics, opcodes
from ewasm.wasm.opcodes import BY_TEXT, OPCODES, Opcode
from ewasm.wasm.types import F32, F64, I64

ROWS = list(OPCODES.values())
COST_CLASSES = """
    const nop unreachable block loop if else end br br_if br_table return call call_indirect return_call
    return_call_indirect drop select local_get local_set local_tee global_get global_set load32 load64 store32 store64
    memory_size memory_grow memory_copy memory_fill memory_init data_drop table_get table_set table_size table_grow
    table_fill table_copy table_init elem_drop ref ref_func add32 add64 compare32 compare64 mul32 mul64 div32 div64
    shift32 shift64 rotate32 rotate64 count32 count64 convert add128 mul_wide float
"""


def test_rows_are_sorted_and_unique() -> None:
    codes = [row.code for row in opcodes._TABLE]
    assert codes == sorted(set(codes))
    assert len(BY_TEXT) == len(OPCODES) == len(codes)


def test_table_is_complete() -> None:
    # Core spec 2.0, index of instructions: 0x00..0xD2 without its gaps, then 0xFC 0..17.
    one_byte = {*range(0x06), *range(0x0B, 0x12), 0x1A, 0x1B, 0x1C, *range(0x20, 0x27), *range(0x28, 0xC5)}
    one_byte |= {0xD0, 0xD1, 0xD2}
    later = {0x12, 0x13, 0xFC13, 0xFC14, 0xFC15, 0xFC16}
    assert set(OPCODES) == one_byte | {*range(0xFC00, 0xFC12)} | later


def test_every_cost_class_and_feature_is_known_and_used() -> None:
    assert {row.cost_class for row in ROWS} == set(COST_CLASSES.split())
    assert {row.feature for row in ROWS} <= ALL_FEATURES


def test_a_row_is_float_in_all_columns_or_in_none() -> None:
    for row in ROWS:
        types = {*(row.params or ()), *(row.results or ())}
        is_float = bool(types & {F32, F64})
        assert is_float == (row.cost_class == "float") == (row.feature in opcodes.FLOAT_FEATURES), row


def test_each_named_constant_is_its_row_and_no_float_is_named() -> None:
    named = {name: value for name, value in vars(opcodes).items() if name.isupper() and isinstance(value, int)}
    for row in ROWS:
        name = row.text.upper().replace(".", "_")
        if row.cost_class != "float":
            assert named.pop(name) == row.code
    assert {name for name in named if not name.startswith("_")} <= {"I32", "I64", "F32", "F64", "FUNCREF"}


def numeric_rows() -> list[Opcode]:
    return [row for row in ROWS if row.immediates == "none" and row.params and row.cost_class != "float"]


@pytest.mark.parametrize("row", numeric_rows(), ids=lambda row: row.text)
def test_every_integer_operation_has_a_function_of_that_name_and_arity(row: Opcode) -> None:
    assert row.params is not None
    table = (
        numerics.WIDE if row.feature == "wide_arithmetic" else (numerics.UNARY, numerics.BINARY)[len(row.params) - 1]
    )
    function = table[row.code]
    assert function.__name__ == row.text.replace(".", "_")
    assert function.__code__.co_argcount == len(row.params)


def test_width_in_the_cost_class_is_that_of_the_operands() -> None:
    for row in ROWS:
        if row.cost_class[-2:] in ("32", "64") and row.params and row.results:
            wide = I64 in (row.params[-1], row.results[0])
            assert row.cost_class.endswith("64") == wide, row
