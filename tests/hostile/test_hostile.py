"""Hostile programs: each ends, with the same verdict, status, gas, logs and state on each engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ewasm.contract import check
from ewasm.fuzz.oracle import shared
from ewasm.fuzz.world import FakeHost, message
from ewasm.metering.schedule import SCHEDULES
from ewasm.rules import EWASM_2026
from ewasm.vm import VM
from tests.engines import ENGINES
from tests.hostile.cases import CASES, FOLDER, block, source


def test_every_source_is_a_case_and_every_case_has_its_bounds() -> None:
    used = set(CASES) | {case.callee for case in CASES.values() if case.callee} | {"gas_boundaries"}
    assert {path.stem for path in FOLDER.glob("*.wat")} == used
    assert len(CASES) >= 40
    for case in CASES.values():
        assert case.wall_s > 0
        assert case.memory_mib > 0
        assert case.outcome in {"success", "failure"}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", CASES)
def test_it_ends_the_same_on_each_engine(name: str) -> None:
    case = CASES[name]
    assert check(case.code, EWASM_2026).code == case.code
    outcomes = {engine: block(case, VM(EWASM_2026, shared(engine)), case.gas) for engine in ENGINES}
    reference = outcomes["interpreter"]
    assert reference.status == case.outcome
    assert all(outcome == reference for outcome in outcomes.values()), outcomes


@pytest.mark.parametrize("schedule", ["EWASM_2026", "flat"])
def test_every_amount_of_gas_up_to_what_it_takes_ends_the_same_on_each_engine(schedule: str) -> None:
    """Under `flat` each instruction is a boundary, under EWASM_2026 each whole gas."""
    rules = replace(EWASM_2026, schedule=SCHEDULES[schedule])
    code = source("gas_boundaries")
    machines = [VM(rules, shared(engine)) for engine in ENGINES]
    enough = machines[0].execute(FakeHost(), message(gas=1_000_000), code)
    assert enough.is_success
    # Initial memory alone is most of it under EWASM_2026, and a run that cannot pay for it never begins.
    for gas in range(max(0, enough.gas_used - 1_500), enough.gas_used + 3):
        seen = []
        for machine in machines:
            host = FakeHost()
            result = machine.execute(host, message(gas=gas), code)
            seen.append((result.is_success, result.gas_left, result.output, host.logs, host.events))
        assert seen[0][0] == (gas >= enough.gas_used)
        assert all(other == seen[0] for other in seen), gas
