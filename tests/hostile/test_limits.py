"""Every limit of the rules, with the rules' own numbers: what is at it passes on every engine, one more is refused.

The sources are in fixtures/limits, by the names of `ewasm.rules.Limits`; a refusal gives that name.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from chain.genesis import GenesisAccount
from ewasm.contract import check, verdict
from ewasm.errors import ModuleError
from ewasm.fuzz.oracle import shared
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Kind, Message, Status
from ewasm.metering.stack_height import counted_heights
from ewasm.rules import EWASM_2026, RULES, Limits
from ewasm.vm import VM
from ewasm.wasm.leb128 import write_unsigned
from tests.engines import ENGINES
from tests.templates import module
from tests.unit.chain.support import new_chain, tx

FIXTURES = Path(__file__).parents[2] / "fixtures" / "limits"
OF_SIZES = {"code_bytes", "init_code_bytes"}
OF_RUNS = {"stack_height", "live_pages"}
OF_MODULES = sorted({f.name for f in fields(Limits)} - OF_SIZES - OF_RUNS)
GAS = 30_000_000


def source(limit: str) -> str:
    return (FIXTURES / f"{limit}.wat").read_text()


def test_no_limit_is_left_out() -> None:
    assert {path.stem for path in FIXTURES.glob("*.wat")} == {f.name for f in fields(Limits)} - OF_SIZES


# -- modules -----------------------------------------------------------------------------------------------------


# One result is all that a function of 2018 can have, and a body of the limit's size does not fit into its code.
OUT_OF_REACH_2018 = {"results", "body_bytes"}
CASES = [("2026", limit) for limit in OF_MODULES]
CASES += [("2018", limit) for limit in OF_MODULES if limit not in OUT_OF_REACH_2018]


@pytest.mark.parametrize(("name", "limit"), CASES)
def test_a_module_at_the_limit_passes_and_one_above_is_refused_by_name(name: str, limit: str) -> None:
    rules = RULES[f"EWASM_{name}"]
    number = getattr(rules.limits, limit)
    at, above = module(source(limit), number), module(source(limit), number + 1)
    assert verdict(at, rules) is None
    error = verdict(above, rules)
    assert error is not None
    assert error.rule == f"limit:{limit}"
    assert f"{number + 1} " in error.reason
    assert f"limit {number}" in error.reason


@pytest.mark.parametrize("limit", OF_MODULES)
def test_every_engine_takes_a_module_at_the_limit(limit: str) -> None:
    code = module(source(limit), getattr(EWASM_2026.limits, limit))
    results = [VM(EWASM_2026, shared(engine)).execute(FakeHost(), message(gas=GAS), code) for engine in ENGINES]
    assert results[0].is_success
    assert all(result == results[0] for result in results)


# -- sizes -------------------------------------------------------------------------------------------------------

LEAST = '(memory (export "memory") 1) (func (export "main"))'


def padded(size_bytes: int) -> bytes:
    """The least contract with a custom section that makes it this large."""
    code = module(LEAST)
    payload = size_bytes - len(code) - 1 - 3
    section = b"\0" + write_unsigned(payload) + b"\0" + bytes(payload - 1)
    assert len(code + section) == size_bytes
    return code + section


def creation(gas: int = 2 * GAS) -> Message:
    return message(gas=gas, kind=Kind.CREATE)


def test_code_is_held_to_its_limit() -> None:
    limit = EWASM_2026.limits.code_bytes
    vm = VM(EWASM_2026, shared("interpreter"))
    assert vm.check(padded(limit)).code == padded(limit)
    with pytest.raises(ModuleError) as caught:
        vm.check(padded(limit + 1))
    assert caught.value.rule == "limit:code_bytes"


@pytest.mark.parametrize("engine", ENGINES)
def test_init_code_is_held_to_its_limit(engine: str) -> None:
    limit = EWASM_2026.limits.init_code_bytes
    vm = VM(EWASM_2026, shared(engine))
    assert vm.create(FakeHost(), creation(), padded(limit)).is_success
    result = vm.create(FakeHost(), creation(), padded(limit + 1))
    assert result.status is Status.CONTRACT_VALIDATION_FAILURE
    assert "limit:init_code_bytes" in str(result.error)
    assert result.gas_left == 0


def test_what_cannot_pay_for_the_gate_does_not_reach_it() -> None:
    code = padded(EWASM_2026.limits.init_code_bytes)
    broken = code[:4] + b"\2" + code[5:]
    price = EWASM_2026.activation_gas(code)
    vm = VM(EWASM_2026, shared("interpreter"))
    assert vm.create(FakeHost(), creation(price - 1), broken).status is Status.OUT_OF_GAS
    assert vm.create(FakeHost(), creation(price), broken).status is Status.CONTRACT_VALIDATION_FAILURE


# -- runs --------------------------------------------------------------------------------------------------------


def test_live_functions_are_held_to_the_stack_height() -> None:
    limit = EWASM_2026.limits.stack_height
    code = module(source("stack_height"))
    assert counted_heights(check(code, EWASM_2026).valid, limit) == (0, 16)
    assert limit % 16 == 0
    for depth, status in ((limit // 16, Status.SUCCESS), (limit // 16 + 1, Status.CALL_DEPTH_EXCEEDED)):
        request = message(gas=GAS, input_data=depth.to_bytes(4, "little"))
        results = [VM(EWASM_2026, shared(engine)).execute(FakeHost(), request, code) for engine in ENGINES]
        assert [result.status for result in results] == [status] * len(ENGINES)
        assert len({result.gas_left for result in results}) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("call_data", "frames"), [(b"", 16), (b"\0", 15)])
def test_live_frames_are_held_to_the_pages_of_a_transaction(engine: str, call_data: bytes, frames: int) -> None:
    assert EWASM_2026.limits.live_pages == 16 * EWASM_2026.limits.memory_pages
    contract = bytes.fromhex("c0de" * 10)
    chain = new_chain(accounts={contract: GenesisAccount(code=module(source("live_pages")))}, engine=engine)
    built = chain.build_block([tx(0, to=contract, data=call_data, gas=GAS - 1)])
    assert [receipt.status for receipt in built.receipts] == [1]
    assert int.from_bytes(chain.state_at().storage(contract, 0), "big") == frames
