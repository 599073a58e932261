"""Schedules price everything, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wasmtime import wat2wasm

from ewasm.contract import Contract, check
from ewasm.eei import TABLE
from ewasm.metering.schedule import COST_CLASSES, SCHEDULES, Schedule
from ewasm.rules import EWASM_2026
from ewasm.wasm.opcodes import OPCODES


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_every_opcode_and_host_function_has_a_price(schedule: Schedule) -> None:
    assert {row.cost_class for row in OPCODES.values()} == set(schedule.opcodes) == set(COST_CLASSES)
    assert {row.price for row in TABLE} - {"fork"} <= set(schedule.host)
    assert all(price >= 0 for price in schedule.opcodes.values())


@pytest.mark.parametrize("name", ["flat", "design", "EWASM_2026"])
def test_an_endless_loop_costs_something(name: str) -> None:
    assert SCHEDULES[name].opcodes["br"] > 0
    assert SCHEDULES[name].opcodes["call"] > 0


def test_linear_prices_cannot_overflow_the_counter() -> None:
    with pytest.raises(ValueError, match="linear price"):
        replace(SCHEDULES["flat"], byte_moved=1 << 30)


def test_every_number_is_in_the_digest() -> None:
    base = SCHEDULES["EWASM_2026"]
    names = (
        "page_grown",
        "byte_moved",
        "entry_moved",
        "branch_target",
        "local",
        "initial_page",
        "initial_byte",
        "initial_entry",
        "code_base",
        "code_byte",
    )
    digests = {base.digest}
    for name in names:
        digests.add(replace(base, **{name: getattr(base, name) + 1}).digest)
    digests.add(base.with_opcodes(base.name, nop=base.opcodes["nop"] + 1).digest)
    assert len(digests) == len(names) + 2


def test_repricing_an_unknown_class_is_an_error() -> None:
    with pytest.raises(ValueError, match="fly"):
        SCHEDULES["flat"].with_opcodes("mine", fly=1)


def test_rules_digest_depends_on_schedule_and_limits() -> None:
    others = (
        replace(EWASM_2026, schedule=SCHEDULES["flat"]),
        replace(EWASM_2026, limits=replace(EWASM_2026.limits, stack_height=1)),
        replace(EWASM_2026, features=EWASM_2026.features - {"tail_call"}),
        replace(EWASM_2026, evm_allowed=False),
    )
    assert len({EWASM_2026.digest, *(rules.digest for rules in others)}) == 5


def test_only_what_reads_memory_is_dearer_where_there_may_be_much_of_it() -> None:
    base = replace(SCHEDULES["EWASM_2026"], far_memory=((4, 7), (9, 11)))
    for pages, more in ((0, 0), (4, 0), (5, 7), (9, 7), (10, 11), (65_536, 11)):
        found = base.reaching(pages)
        dearer = {name: price - base.opcodes[name] for name, price in found.opcodes.items()}
        readers = {"load32", "load64", "memory_copy"}
        assert dearer == {name: more if name in readers else 0 for name in base.opcodes}
        hosts = {name for name, price in found.host.items() if price != base.host[name]}
        assert hosts == (
            {name for name in base.host if name.startswith("bignum_")} | {"keccak256", "sha256"} if more else set()
        )
        assert all(found.host[name].base - base.host[name].base == more for name in hosts)
        assert replace(found, opcodes=base.opcodes, host=base.host, far_memory=base.far_memory) == base
        assert found is base or found.reaching(65_536) is found
    assert base.digest != SCHEDULES["EWASM_2026"].digest


@pytest.mark.parametrize(
    ("memory", "grows", "pages"),
    [("3", False, 3), ("3 9", False, 3), ("3 9", True, 9), ("3", True, 256), ("0 0", True, 0)],
)
def test_a_contract_pays_for_the_memory_it_may_have(memory: str, grows: bool, pages: int) -> None:
    growth = "(func (drop (memory.grow (i32.const 0))))" if grows else ""
    code = bytes(wat2wasm(f'(module (memory (export "memory") {memory}) {growth} (func (export "main")))'))
    contract = check(code, EWASM_2026)
    assert contract.most_pages == pages
    assert contract.schedule == EWASM_2026.schedule.reaching(pages)
    assert Contract.recalled(code, EWASM_2026, contract.facts).schedule == contract.schedule
