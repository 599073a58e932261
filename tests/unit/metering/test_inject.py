"""The rewritten module: valid, exact, and bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest
import wasmtime

from ewasm.contract import check
from ewasm.engine.native import instrument_contract
from ewasm.fuzz.oracle import differences, observe
from ewasm.fuzz.world import message
from ewasm.metering.schedule import SCHEDULES
from ewasm.rules import EWASM_2026, Rules
from ewasm.wasm import decode, encode, validate
from tests.engines import ENGINES

FRAME = """(import "ethereum" "finish" (func $finish (param i32 i32)))
  (import "ethereum" "getGasLeft" (func $gas (result i64)))"""


CONFIG = wasmtime.Config()
CONFIG.wasm_tail_call = True
CONFIG.wasm_wide_arithmetic = True
WIDE = wasmtime.Engine(CONFIG)


def contract(body: str, extra: str = "") -> bytes:
    wat = f'(module {FRAME} (memory (export "memory") 1) {extra} (func (export "main") {body}))'
    return bytes(wasmtime.wat2wasm(wat))


BODIES = {
    "empty": ("", ""),
    "return from nested blocks": ("block loop return end end", ""),
    "branch to the function's label": ("block br 1 end", ""),
    "br_table to the function's label": ("block i32.const 5 br_table 0 1 0 1 end", ""),
    "value through the function's label": (
        "call $f drop",
        "(func $f (result i32) block i32.const 7 br 1 end i32.const 8)",
    ),
    "several results": (
        "call $f drop drop",
        "(func $f (result i32 i64) i32.const 1 i64.const 2 i32.const 0 br_if 0 return)",
    ),
    "recursion": (
        "i32.const 20 call $f drop",
        """(func $f (param i32) (result i32) local.get 0 i32.eqz if (result i32) i32.const 1 else
          local.get 0 i32.const 1 i32.sub call $f end)""",
    ),
    "tail recursion": (
        "i32.const 5000 call $f",
        "(func $f (param i32) local.get 0 if local.get 0 i32.const 1 i32.sub return_call $f end)",
    ),
    "indirect call": (
        "i32.const 0 call_indirect (type $t) i32.const 1 call_indirect (type $t)",
        "(type $t (func)) (table 2 funcref) (elem (i32.const 0) $a $b) (func $a) (func $b call $a)",
    ),
    "host function in a table": (
        "i32.const 0 call_indirect (type $g) drop call $gas drop",
        "(type $g (func (result i64))) (table 1 funcref) (elem (i32.const 0) $gas)",
    ),
    "tail call of a host function": ("call $f drop", "(func $f (result i64) nop return_call $gas)"),
    "tail call of a host function through a table": (
        "call $f drop",
        """(type $g (func (result i64))) (table 1 funcref) (elem (i32.const 0) $gas)
          (func $f (result i64) i32.const 0 return_call_indirect (type $g))""",
    ),
    "gas seen between blocks": ("call $gas drop block call $gas drop nop br 0 end call $gas drop", ""),
    "memory.grow": ("i32.const 3 memory.grow drop call $gas drop i32.const 1000 memory.grow drop call $gas drop", ""),
    "bulk memory": (
        """i32.const 0 i32.const 9 i32.const 100 memory.fill i32.const 200 i32.const 0 i32.const 50 memory.copy
          i32.const 0 i32.const 1 i32.const 2 memory.init 0 call $gas drop data.drop 0""",
        '(data "abcdef")',
    ),
    "tables": (
        """i32.const 0 i32.const 0 i32.const 1 table.init 0 ref.null func i32.const 2 table.grow 0 drop
          i32.const 1 ref.func $a i32.const 2 table.fill 0 i32.const 0 i32.const 1 i32.const 1 table.copy
          table.size 0 drop call $gas drop i32.const 2 call_indirect (type $t)""",
        "(type $t (func)) (table 1 funcref) (elem func $a) (func $a)",
    ),
    "loop": ("(local i32) loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 50 i32.lt_u br_if 0 end", ""),
    "finish in a callee": ("call $f nop nop nop", "(func $f i32.const 0 i32.const 4 call $finish)"),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", BODIES)
def test_engines_agree_and_the_rewritten_module_is_valid(name: str, schedule: str) -> None:
    rules = replace(EWASM_2026, schedule=SCHEDULES[schedule])
    code = contract(*BODIES[name])
    metered = instrument_contract(check(code, rules), rules)
    validate(metered.module, rules.features)
    wasmtime.Module.validate(WIDE, encode(metered.module))
    assert decode(encode(metered.module)) == metered.module
    assert differences(code, rules) == []
    assert observe(code, "native", rules).result.is_success


@pytest.mark.parametrize("name", BODIES)
def test_every_gas_limit_below_the_need_fails_on_every_engine(name: str) -> None:
    rules = replace(EWASM_2026, schedule=SCHEDULES["flat"], limits=replace(EWASM_2026.limits, stack_height=100_000))
    code = contract(*BODIES[name])
    need = observe(code, "interpreter", rules, message(gas=50_000_000)).result.gas_used
    step = max(1, need // 25)
    for gas in [*range(max(0, need - 5), need), *range(0, need, step)]:
        for engine in ENGINES:
            result = observe(code, engine, rules, message(gas=gas)).result
            assert not result.is_success, (engine, gas)
            assert result.gas_left == 0
    for engine in ENGINES:
        result = observe(code, engine, rules, message(gas=need)).result
        assert (result.is_success, result.gas_left) == (True, 0), engine


@pytest.mark.parametrize(
    "body",
    [
        "loop br 0 end",
        "(local i32) loop local.get 0 i32.const 1 i32.add local.tee 0 br_if 0 br 0 end",
        "call $f",
        "i32.const 0 call_indirect (type $t)",
        "return_call $f",
        "loop i32.const 0 i32.const 0 i32.const 65536 memory.fill br 0 end",
    ],
)
def test_endless_programs_end(body: str) -> None:
    code = contract(
        body, "(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f call $g) (func $g call $f)"
    )
    for engine in ENGINES:
        result = observe(code, engine, request=message(gas=30_000)).result
        assert not result.is_success
        assert result.gas_left == 0


@pytest.mark.parametrize(
    ("locals_", "argument"), [(0, 0), (3, 0), (100, 1), (1000, 0)], ids=["small", "some", "many", "most"]
)
def test_recursion_fails_at_the_same_depth_on_every_engine(locals_: int, argument: int) -> None:
    declared = f"(local {'i64 ' * locals_})" if locals_ else ""
    extra = f"""(global $depth (mut i32) (i32.const 0))
      (func $f (param i32) {declared} global.get $depth i32.const 1 i32.add global.set $depth
        i32.const 0 global.get $depth i32.store
        global.get $depth local.get 0 i32.lt_u if local.get 0 call $f end)"""
    deepest = EWASM_2026.limits.stack_height // (1 + locals_ + 2 + 8)
    for depth, expected in ((deepest, True), (deepest + 1, False)):
        code = contract(f"i32.const {depth} call $f", extra)
        for engine in ENGINES:
            result = observe(code, engine, request=message(gas=100_000_000)).result
            assert result.is_success is expected, (engine, depth, result)
            if not expected:
                assert result.error == "call stack exhausted"


def test_growth_stops_at_the_limits_of_the_rules() -> None:
    rules = replace(EWASM_2026, limits=replace(EWASM_2026.limits, memory_pages=4, table_entries=10))
    body = """i32.const 0 i32.const 3 memory.grow i32.store i32.const 4 i32.const 1 memory.grow i32.store
      i32.const 8 ref.null func i32.const 8 table.grow 0 i32.store i32.const 12 ref.null func i32.const 1 table.grow 0
      i32.store i32.const 0 i32.const 16 call $finish"""
    code = contract(body, "(table 2 funcref)")
    for engine in ENGINES:
        output = observe(code, engine, rules).result.output
        assert output == bytes.fromhex("01000000 ffffffff 02000000 ffffffff"), engine


def test_off_injects_no_gas() -> None:
    rules: Rules = replace(EWASM_2026, schedule=SCHEDULES["off"])
    metered = instrument_contract(check(contract("i32.const 1 drop"), rules), rules)
    assert len(metered.module.functions[0].body) == 3
