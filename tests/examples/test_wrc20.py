"""A contract of the original interface under the rules of 2018 on Byzantium, and of 2026."""

from __future__ import annotations

import pytest

from chain.forks import Fork
from contracts.world import ALICE, BOB, World, artifact
from ewasm.contract import check
from ewasm.initcode import wrap_runtime
from ewasm.rules import EWASM_2018, EWASM_2018_FLAT, EWASM_2026, Rules

BALANCE, TRANSFER, MINT = (bytes.fromhex(text) for text in ("9993021a", "5d359fbd", "2095ac1c"))


def eight(number: int) -> bytes:
    return number.to_bytes(8, "big")


@pytest.fixture(
    params=[
        (rules, engine) for rules in (EWASM_2018, EWASM_2018_FLAT, EWASM_2026) for engine in ("native", "interpreter")
    ],
    ids=lambda param: f"{param[0].name}-{param[1]}",
)
def old_world(request: pytest.FixtureRequest) -> World:
    rules: Rules
    rules, engine = request.param
    return World(engine, rules, Fork.PRAGUE if rules is EWASM_2026 else Fork.BYZANTIUM)


def test_it_is_a_contract_of_the_original_interface() -> None:
    contract = check(artifact("wrc20/wrc20.wasm"), EWASM_2018)
    assert {export.name for export in contract.valid.module.exports} == {"main", "memory"}


def test_tokens_are_minted_moved_and_counted(old_world: World) -> None:
    world = old_world
    token = world.deploy(wrap_runtime(artifact("wrc20/wrc20.wasm")))
    assert world.send(token, MINT + eight(1_000)).error is None
    assert world.send(token, TRANSFER + BOB + eight(250)).error is None
    assert world.send(token, BALANCE + ALICE).output == eight(750)
    assert world.send(token, BALANCE + BOB).output == eight(250)
    assert world.storage(token, int.from_bytes(BOB, "big")) == 250
    for data in (
        TRANSFER + BOB + eight(751),
        TRANSFER + BOB,
        BALANCE + BOB[1:],
        b"",
        b"none",
        BALANCE + bytes(30),
        MINT + eight(2**64 - 750),
    ):
        assert world.send(token, data).reverted, data.hex()
    assert world.send(token, BALANCE + ALICE).output == eight(750)


def test_metering_of_2018_is_off_or_one_gas_an_instruction() -> None:
    spent = []
    for rules in (EWASM_2018, EWASM_2018_FLAT):
        world = World("native", rules, Fork.BYZANTIUM)
        token = world.deploy(wrap_runtime(artifact("wrc20/wrc20.wasm")))
        done = world.send(token, BALANCE + ALICE)
        spent.append(done.split.instructions)
    assert spent[0] == 0
    assert spent[1] > 100
