"""The proof holds for what the injector writes, and for nothing that is one instruction away from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ewasm.contract import Contract, check
from ewasm.engine.native import instrument_contract
from ewasm.metering import MeteredModule
from ewasm.metering.prove import Unproven, prove
from ewasm.metering.schedule import SCHEDULES
from ewasm.rules import EWASM_2026, Rules
from ewasm.wasm import opcodes as op
from ewasm.wasm.module import Expr
from tests.observations import Case, cases
from tests.unit.metering.test_inject import BODIES, contract

CASES = list(cases())


def shown(subject: Contract, metered: MeteredModule, rules: Rules) -> int:
    return prove(subject.valid, metered, rules.schedule, stack_height=rules.limits.stack_height)


@pytest.mark.parametrize("case", CASES, ids=[case.path for case in CASES])
def test_every_recorded_module_is_proven(case: Case) -> None:
    subject = check(case.code, case.rules, size_limit=case.rules.limits.init_code_bytes)
    count = shown(subject, instrument_contract(subject, case.rules), case.rules)
    assert count == (0 if case.rules.schedule.is_free else len(subject.valid.functions))


def with_body(metered: MeteredModule, index: int, body: Expr) -> MeteredModule:
    functions = list(metered.module.functions)
    functions[index] = replace(functions[index], body=body)
    return replace(metered, module=replace(metered.module, functions=tuple(functions)))


# Behind a block that nothing leaves by its end stands code that validation takes for live and control never reaches;
# what it charges is nobody's.
NEVER_REACHED = {
    "return from nested blocks",
    "branch to the function's label",
    "value through the function's label",
}


@pytest.mark.parametrize("name", sorted(set(BODIES) - NEVER_REACHED))
def test_no_instruction_can_be_left_out_or_doubled_and_no_charge_changed(name: str) -> None:
    rules = replace(EWASM_2026, schedule=SCHEDULES["flat"])
    subject = check(contract(*BODIES[name]), rules)
    metered = instrument_contract(subject, rules)
    tried = 0
    for index in range(len(subject.valid.functions)):
        body = metered.module.functions[index].body
        for at, instruction in enumerate(body):
            before, after = body[:at], body[at + 1 :]
            mutants = [(*before, *after), (*before, instruction, instruction, *after)]
            if instruction[0] == op.I64_CONST and instruction[1]:
                mutants += [(*before, (op.I64_CONST, instruction[1] + delta), *after) for delta in (-1, 1, 10_000)]
            for mutant in mutants:
                with pytest.raises(Unproven):
                    shown(subject, with_body(metered, index, mutant), rules)
                tried += 1
    assert tried > 20


def test_a_module_metered_for_another_schedule_is_not_proven() -> None:
    subject = check(contract(*BODIES["loop"]), EWASM_2026)
    with pytest.raises(Unproven, match="particles"):
        shown(subject, instrument_contract(subject, replace(EWASM_2026, schedule=SCHEDULES["design"])), EWASM_2026)


def test_a_loop_that_does_not_look_is_not_proven() -> None:
    rules = replace(EWASM_2026, schedule=SCHEDULES["flat"])
    subject = check(contract(*BODIES["loop"]), rules)
    metered = instrument_contract(subject, rules)
    body = metered.module.functions[0].body
    at = next(i for i, instruction in enumerate(body) if instruction[0] == op.LOOP)
    gas = body[at + 1][1]
    charge = body[at + 1 : at + 4]
    looks = body[at + 4 : at + 8]
    assert [i[0] for i in looks] == [op.LOCAL_TEE, op.I64_CONST, op.I64_LT_S, op.BR_IF]
    blind = body[: at + 1] + charge + ((op.LOCAL_SET, gas),) + body[at + 8 :]
    with pytest.raises(Unproven, match="does not compare"):
        shown(subject, with_body(metered, 0, blind), rules)


def test_tables_must_hold_what_they_held() -> None:
    rules = replace(EWASM_2026, schedule=SCHEDULES["flat"])
    subject = check(contract(*BODIES["indirect call"]), rules)
    metered = instrument_contract(subject, rules)
    segment = metered.module.elements[0]
    swapped = replace(segment, init=(segment.init[1], segment.init[0]))
    other = replace(metered, module=replace(metered.module, elements=(swapped,)))
    with pytest.raises(Unproven, match="another function"):
        shown(subject, other, rules)
