"""Where charges go, and that they add up to the prices of what runs."""

from __future__ import annotations

import pytest
import wasmtime

from ewasm.metering.blocks import live_instructions, metered_blocks, opcode_prices
from ewasm.metering.schedule import FLAT, PARTICLES_PER_GAS, SCHEDULES, Schedule
from ewasm.wasm import decode
from ewasm.wasm import opcodes as op


def blocks_of(body: str, schedule: Schedule = FLAT) -> tuple[dict[int, int], frozenset[int]]:
    """Charges in gas and checks of one function with one i32 local."""
    module = decode(bytes(wasmtime.wat2wasm(f"(module (memory 1) (func $f (local i32) {body}))")))
    found = metered_blocks(module.functions[0], 1, opcode_prices(schedule), schedule)
    return {at: particles // PARTICLES_PER_GAS for at, particles in found.charges.items()}, found.checks


@pytest.mark.parametrize(
    ("body", "charges", "checks"),
    [
        pytest.param("", {0: 1}, set(), id="the final end is an instruction"),
        pytest.param("nop nop", {0: 3}, set(), id="straight code is one block"),
        pytest.param("block nop end nop", {0: 5}, set(), id="a block nobody branches to splits nothing"),
        pytest.param("block br 0 end nop", {0: 2, 3: 2}, set(), id="a branch skips the end of its block"),
        pytest.param("block local.get 0 br_if 0 nop end nop", {0: 3, 3: 2, 5: 2}, set(), id="br_if splits"),
        pytest.param("loop nop end", {0: 4}, set(), id="a loop nobody repeats is straight code"),
        pytest.param(
            "loop local.get 0 br_if 0 end", {1: 3, 3: 2}, {1}, id="each turn of a loop pays the loop instruction"
        ),
        pytest.param("local.get 0 if nop else nop nop end nop", {0: 2, 2: 2, 4: 3, 7: 2}, set(), id="if with else"),
        pytest.param("local.get 0 if nop end", {0: 2, 2: 2, 4: 1}, set(), id="if without else"),
        pytest.param("call $f nop", {0: 1, 1: 2}, set(), id="a block ends after a call"),
        pytest.param("i32.const 1 memory.grow drop", {0: 2, 2: 2}, set(), id="a block ends after memory.grow"),
        pytest.param("return nop nop", {0: 1}, set(), id="dead code costs nothing"),
        pytest.param("block unreachable nop end nop", {0: 2, 4: 2}, set(), id="a dead end is not charged"),
    ],
)
def test_charges(body: str, charges: dict[int, int], checks: set[int]) -> None:
    assert blocks_of(body) == (charges, frozenset(checks))


def test_nested_dead_blocks_are_skipped_whole() -> None:
    module = decode(bytes(wasmtime.wat2wasm("(module (func return block loop nop end end nop))")))
    body = module.functions[0].body
    assert [(body[i][0], reached) for i, reached in live_instructions(body)] == [(op.RETURN, True), (op.END, False)]


def test_br_table_is_charged_by_the_target() -> None:
    schedule = SCHEDULES["design"]
    one, _ = blocks_of("block local.get 0 br_table 0 end", schedule)
    module = decode(bytes(wasmtime.wat2wasm("(module (func (local i32) block local.get 0 br_table 0 0 0 0 0 end))")))
    more = metered_blocks(module.functions[0], 1, opcode_prices(schedule), schedule).charges
    assert one == {0: 0}  # below a gas
    few = decode(bytes(wasmtime.wat2wasm("(module (func (local i32) block local.get 0 br_table 0 end))")))
    base = metered_blocks(few.functions[0], 1, opcode_prices(schedule), schedule).charges
    assert more[0] - base[0] == 4 * schedule.branch_target


def test_declared_locals_are_paid_at_entry() -> None:
    schedule = SCHEDULES["EWASM_2026"]
    module = decode(bytes(wasmtime.wat2wasm("(module (func (param i32) (local i32 i64 i64)))")))
    charges = metered_blocks(module.functions[0], 3, opcode_prices(schedule), schedule).charges
    assert charges == {0: 3 * schedule.local + schedule.opcodes["end"]}
