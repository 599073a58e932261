"""A wallet of three owners, two of whom are enough, in AssemblyScript."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from contracts.world import ALICE, BOB, CAROL, World, artifact
from ewasm.initcode import with_arguments, wrap_runtime
from tests.examples.results import call_data, events, reason, topics, word

DAVE = b"\xda" * 20
EXECUTE = "execute(address,uint256,bytes)(bytes)"


def code(owners: list[bytes], threshold: int) -> bytes:
    return with_arguments(artifact("multisig/multisig.wasm"), encode(["address[]", "uint256"], [owners, threshold]))


@pytest.fixture
def wallet(world: World) -> bytes:
    made = world.deploy(code([ALICE, BOB, CAROL], 2))
    assert world.send(made, b"", sender=DAVE, value=1_000).error is None
    return made


def digest(wallet: bytes, number: int, to: bytes, value: int, data: bytes) -> bytes:
    return keccak(word(wallet) + word(number) + word(to) + word(value) + keccak(data))


def confirm(world: World, wallet: bytes, which: bytes, *owners: bytes) -> None:
    for owner in owners:
        done = world.call(wallet, "confirm(bytes32)", which, sender=owner)
        assert events(done) == [(wallet, topics("Confirmed(bytes32,address)", which, owner), b"")]


def test_two_of_three_send_wei(world: World, wallet: bytes) -> None:
    which = world.read(wallet, "hashOf(address,uint256,bytes)(bytes32)", DAVE, 300, b"")
    assert which == digest(wallet, 0, DAVE, 300, b"")
    confirm(world, wallet, which, BOB)
    assert reason(world.call(wallet, EXECUTE, DAVE, 300, b"")) == "Multisig: not confirmed by enough owners"
    confirm(world, wallet, which, CAROL)
    assert world.read(wallet, "confirmations(bytes32)(uint256)", which) == 2
    done = world.call(wallet, EXECUTE, DAVE, 300, b"", sender=CAROL)
    assert events(done) == [(wallet, topics("Executed(bytes32,uint256)", which), word(0))]
    assert (world.state.get_balance(DAVE), world.state.get_balance(wallet)) == (300, 700)
    assert reason(world.call(wallet, EXECUTE, DAVE, 300, b"")) == "Multisig: not confirmed by enough owners"
    assert world.read(wallet, "number()(uint256)") == 1


def test_wallet_calls_a_contract_and_returns_its_answer(world: World, wallet: bytes) -> None:
    counter = world.deploy(wrap_runtime(artifact("counter/counter.wasm")))
    for data, answer in ((call_data("setNumber(uint256)", 5), b""), (call_data("number()"), word(5))):
        number = world.read(wallet, "number()(uint256)")
        confirm(world, wallet, digest(wallet, number, counter, 0, data), ALICE, BOB)
        done = world.call(wallet, EXECUTE, counter, 0, data, sender=DAVE)
        assert decode(["bytes"], done.output) == (answer,)


def test_failed_call_undoes_its_number(world: World, wallet: bytes) -> None:
    which = digest(wallet, 0, BOB, 1_001, b"")
    confirm(world, wallet, which, ALICE, BOB)
    assert world.call(wallet, EXECUTE, BOB, 1_001, b"").reverted
    assert world.read(wallet, "number()(uint256)") == 0
    which = digest(wallet, 0, BOB, 2**128, b"")
    confirm(world, wallet, which, ALICE, BOB)
    assert reason(world.call(wallet, EXECUTE, BOB, 2**128, b"")) == "Multisig: more wei than there is"


def test_only_owners_confirm_and_each_once(world: World, wallet: bytes) -> None:
    which = digest(wallet, 0, DAVE, 1, b"")
    confirm(world, wallet, which, ALICE)
    assert reason(world.call(wallet, "confirm(bytes32)", which)) == "Multisig: confirmed already"
    assert reason(world.call(wallet, "confirm(bytes32)", which, sender=DAVE)) == "Multisig: not an owner"
    assert [world.read(wallet, "isOwner(address)(bool)", who) for who in (ALICE, DAVE)] == [True, False]
    assert world.read(wallet, "threshold()(uint256)") == 2


def test_a_confirmation_is_taken_back(world: World, wallet: bytes) -> None:
    which = digest(wallet, 0, DAVE, 1, b"")
    confirm(world, wallet, which, ALICE, BOB)
    done = world.call(wallet, "revoke(bytes32)", which, sender=BOB)
    assert events(done) == [(wallet, topics("Revoked(bytes32,address)", which, BOB), b"")]
    assert world.read(wallet, "confirmations(bytes32)(uint256)", which) == 1
    assert reason(world.call(wallet, EXECUTE, DAVE, 1, b"")) == "Multisig: not confirmed by enough owners"
    for nobody in (BOB, CAROL, DAVE):
        assert reason(world.call(wallet, "revoke(bytes32)", which, sender=nobody)) == "Multisig: not confirmed"
    confirm(world, wallet, which, BOB)
    assert world.call(wallet, EXECUTE, DAVE, 1, b"").error is None


@pytest.mark.parametrize("threshold", [0, 3, 2**256 - 1])
def test_threshold_that_cannot_be_met_is_refused(world: World, threshold: int) -> None:
    done = world.send(None, code([ALICE, BOB], threshold))
    assert reason(done) == "Multisig: the threshold is not met by all owners"


@pytest.mark.parametrize("owners", [[ALICE, ALICE], [bytes(20), ALICE]])
def test_owners_are_people_and_different(world: World, owners: list[bytes]) -> None:
    assert reason(world.send(None, code(owners, 1))) == "Multisig: an owner is zero or there twice"


def test_broken_list_of_owners_is_refused(world: World) -> None:
    whole = encode(["address[]", "uint256"], [[ALICE, BOB], 1])
    for arguments in (whole[:-32], whole[:-1], b"\xff" * 128, b""):
        done = world.send(None, with_arguments(artifact("multisig/multisig.wasm"), arguments))
        assert (done.reverted, done.output) == (True, b"")
