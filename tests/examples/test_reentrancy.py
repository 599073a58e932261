"""A bank that pays before it writes down, and a thief: each built for both machines from one Solidity source."""

from __future__ import annotations

import pytest

from contracts.world import ALICE, BOB, World, artifact
from ewasm.initcode import with_arguments
from tests.examples.results import reason, word

MACHINES = ("wasm", "evm")


def deploy(world: World, name: str, machine: str, argument: bytes, sender: bytes = ALICE) -> bytes:
    if machine == "wasm":
        return world.deploy(with_arguments(artifact(f"reentrancy/{name}.wasm"), argument), sender)
    return world.deploy(artifact(f"reentrancy/{name}.bin") + argument, sender)


@pytest.fixture(params=MACHINES)
def bank_machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_bank_pays_what_was_put_in(world: World, bank_machine: str) -> None:
    bank = deploy(world, "bank", bank_machine, word(1))
    assert world.read(bank, "guarded()(bool)") is True
    assert world.call(bank, "deposit()", value=500).error is None
    assert world.call(bank, "deposit()", sender=BOB, value=70).error is None
    assert world.read(bank, "balanceOf(address)(uint256)", ALICE) == 500
    assert world.call(bank, "withdraw()").error is None
    assert (world.state.get_balance(ALICE), world.state.get_balance(bank)) == (500, 70)
    assert reason(world.call(bank, "withdraw()")) == "Bank: nothing there"
    refused = world.call(bank, "withdraw()", sender=BOB, value=1)
    assert (refused.reverted, refused.output) == (True, b"")


def test_what_comes_in_during_a_withdrawal_is_not_lost(world: World, bank_machine: str) -> None:
    # Storage as it is while a withdrawal pays: guarded and locked share slot 1.
    bank = deploy(world, "bank", bank_machine, word(1))
    world.state.set_storage(bank, 1, 0x0101)
    assert reason(world.call(bank, "deposit()", value=5)) == "Bank: reentered"
    assert world.state.get_balance(bank) == 0


@pytest.mark.parametrize("thief_machine", MACHINES)
def test_thief_empties_an_unguarded_bank(world: World, bank_machine: str, thief_machine: str) -> None:
    bank = deploy(world, "bank", bank_machine, word(0))
    world.call(bank, "deposit()", value=500)
    thief = deploy(world, "attacker", thief_machine, word(bank), BOB)
    assert world.call(thief, "attack()", sender=BOB, value=100).error is None
    assert (world.state.get_balance(bank), world.state.get_balance(thief)) == (0, 600)
    assert reason(world.call(thief, "collect()")) == "Attacker: not yours"
    assert world.call(thief, "collect()", sender=BOB).error is None
    assert world.state.get_balance(BOB) == 600


@pytest.mark.parametrize("thief_machine", MACHINES)
def test_guard_holds_across_machines(world: World, bank_machine: str, thief_machine: str) -> None:
    bank = deploy(world, "bank", bank_machine, word(1))
    world.call(bank, "deposit()", value=500)
    thief = deploy(world, "attacker", thief_machine, word(bank), BOB)
    # The second withdrawal is refused, so the thief's receive fails, so the first payment does, and all is undone.
    assert reason(world.call(thief, "attack()", sender=BOB, value=100)) == "Bank: not paid"
    assert (world.state.get_balance(bank), world.state.get_balance(thief)) == (500, 0)
    assert world.read(bank, "balanceOf(address)(uint256)", thief) == 0
    assert world.call(bank, "withdraw()").error is None
