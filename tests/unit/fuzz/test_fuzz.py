"""The fuzzer makes contracts, finds differences that are there, and makes them small."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from ewasm.contract import check, verdict
from ewasm.fuzz import generate, shrink
from ewasm.metering import blocks
from ewasm.rules import EWASM_2026
from ewasm.wasm import decode
from ewasm.wasm import opcodes as op
from tests.unit.cli.command import ewasm


@pytest.mark.parametrize("seed", range(60))
def test_generated_modules_are_contracts(seed: int) -> None:
    assert verdict(generate(Random(seed), EWASM_2026), EWASM_2026) is None


def test_a_seed_gives_one_contract_and_seeds_differ() -> None:
    made = [generate(Random(seed), EWASM_2026) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_generated_modules_use_what_there_is_to_disagree_about() -> None:
    used = {
        instruction[0]
        for seed in range(150)
        for function in check(generate(Random(seed), EWASM_2026), EWASM_2026).valid.module.functions
        for instruction in function.body
    }
    wanted = {code for code, row in op.OPCODES.items() if row.feature not in ("float", "saturating_float")}
    never = wanted - used
    assert {op.OPCODES[code].text for code in never} <= {
        "nop",
        "return_call_indirect",
        "select_t",
        "table.get",
        "table.set",
        "table.size",
        "table.fill",
        "table.init",
        "elem.drop",
        "data.drop",
        "ref.null",
        "ref.is_null",
    }


def test_a_short_campaign_finds_nothing() -> None:
    code, output, _ = ewasm("fuzz", "--cases", "150", "--seed", "1000")
    assert output.splitlines()[-1] == "150 cases, 0 differences"
    assert code == 0


def test_a_wrong_price_is_found_made_small_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The injector is given a wrong price of `i64.mul`; nothing else knows."""
    prices = blocks.opcode_prices

    def wrong(schedule: object) -> dict[int, int]:
        return {**prices(schedule), op.I64_MUL: 1}  # type: ignore[arg-type]

    monkeypatch.setattr("ewasm.metering.inject.opcode_prices", wrong)
    seed = next(s for s in range(0, 60, 3) if _multiplies(s))
    code, output, _ = ewasm("fuzz", "--cases", "1", "--seed", str(seed), "--out", str(tmp_path), "--json")
    facts = json.loads(output)
    assert (code, len(facts["differences"])) == (1, 1)
    assert "not proven" in facts["differences"][0]["reasons"][0]
    (written,) = tmp_path.glob("*.wat")
    text = written.read_text()
    assert "i64.mul" in text
    assert text.count("\n") < 120


def _multiplies(seed: int) -> bool:
    rng = Random(seed)
    rules = replace(EWASM_2026, namespaces=EWASM_2026.namespaces | {"debug"})
    module = decode(generate(rng, rules, rng.choice((10, 40, 120))))
    return any(i[0] == op.I64_MUL for f in module.functions for i in f.body)


def test_shrinking_keeps_the_property() -> None:
    def keeps(code: bytes) -> bool:
        if verdict(code, EWASM_2026) is not None:
            return False
        return any(i[0] == op.MEMORY_GROW for f in decode(code).functions for i in f.body)

    code = next(c for s in range(100) if keeps(c := generate(Random(s), EWASM_2026)))
    small = shrink(code, keeps, max_tries=400)
    assert keeps(small)
    assert len(small) < len(code)


def test_engines_must_exist() -> None:
    code, _, errors = ewasm("fuzz", "--engines", "interpreter,v9")
    assert code == 2
    assert "name two or more of" in errors
