"""Which functions are counted, and with what."""

from __future__ import annotations

import wasmtime

from ewasm.metering.stack_height import FRAME_VALUES, counted_heights
from ewasm.rules import EWASM_2026
from ewasm.wasm import decode, validate

LIMIT = EWASM_2026.limits.stack_height


def heights(wat: str, limit: int = LIMIT) -> tuple[int, ...]:
    return counted_heights(validate(decode(bytes(wasmtime.wat2wasm(wat))), EWASM_2026.features), limit)


def test_functions_outside_cycles_are_not_counted() -> None:
    assert heights("(module (func $a call $b) (func $b call $c) (func $c))") == (0, 0, 0)


def test_direct_recursion_counts_parameters_locals_operands_and_a_constant() -> None:
    wat = "(module (func $f (param i32) (local i64 i64) i32.const 1 i32.const 2 i32.add call $f))"
    assert heights(wat) == (1 + 2 + 2 + FRAME_VALUES,)


def test_mutual_recursion_counts_the_cycle_only() -> None:
    found = heights("(module (func $in call $a) (func $a call $b) (func $b call $a call $leaf) (func $leaf))")
    assert found == (0, FRAME_VALUES, FRAME_VALUES, 0)


def test_an_indirect_call_reaches_every_function_of_its_type_in_the_table() -> None:
    wat = """(module (type $t (func)) (type $u (func (param i32))) (table 3 funcref)
      (elem (i32.const 0) $f $g $h)
      (func $f i32.const 0 call_indirect (type $t)) (func $g)
      (func $h (param i32) i32.const 1 call_indirect (type $t)))"""
    found = heights(wat)
    assert found[0] > 0
    assert found[1:] == (0, 0)


def test_a_tail_call_is_an_edge_too() -> None:
    assert heights("(module (func $f return_call $f))") == (FRAME_VALUES,)


def test_a_chain_that_alone_passes_the_limit_is_counted_whole() -> None:
    count = 40
    wat = "(module " + "".join(f"(func $f{i} {f'call $f{i + 1}' if i < count - 1 else ''})" for i in range(count)) + ")"
    assert heights(wat, limit=count * FRAME_VALUES) == (0,) * count
    assert heights(wat, limit=count * FRAME_VALUES - 1) == (FRAME_VALUES,) * count


def test_a_deep_call_graph_needs_no_python_stack() -> None:
    count = 4_000
    wat = "(module " + "".join(f"(func $f{i} call $f{(i + 1) % count})" for i in range(count)) + ")"
    assert heights(wat) == (FRAME_VALUES,) * count
