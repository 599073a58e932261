"""Solidity and Vyper contracts on the same state: a token, a library, calls between them and WebAssembly."""

from __future__ import annotations

from math import isqrt

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from contracts.build import FOLDER
from contracts.world import ALICE, BOB, CAROL, World, artifact
from ewasm.initcode import wrap_runtime
from tests.examples.results import call_data, events, reason, topics, word


def test_library_is_linked_and_run_by_delegate_call(world: World) -> None:
    library = world.deploy(artifact("evm/root.bin"))
    place = "__$" + keccak(text="roots.sol:Root").hex()[:34] + "$__"
    text = (FOLDER / "evm/roots.bin").read_text()
    assert place in text
    roots = world.deploy(bytes.fromhex(text.replace(place, library.hex())))
    for n in (0, 1, 15, 16, 10**40, 2**254 - 1):
        assert world.read(roots, "rootOf(uint256)(uint256)", n) == isqrt(n)
        assert world.read(roots, "last()(uint256)") == isqrt(n)


@pytest.fixture(params=["evm/token.bin", "erc20_solidity/erc20.bin"], ids=["vyper", "solidity"])
def token(request: pytest.FixtureRequest, world: World) -> bytes:
    arguments = encode(["string", "string", "uint256"], ["Silver", "SLV", 1_000])
    return world.deploy(artifact(str(request.param)) + arguments)


def test_evm_token(world: World, token: bytes) -> None:
    assert world.read(token, "name()(string)") == "Silver"
    assert world.read(token, "decimals()(uint8)") == 18
    done = world.call(token, "transfer(address,uint256)(bool)", BOB, 250)
    assert events(done) == [(token, topics("Transfer(address,address,uint256)", ALICE, BOB), word(250))]
    assert reason(world.call(token, "transfer(address,uint256)", BOB, 751)) == "ERC20: insufficient balance"
    world.call(token, "approve(address,uint256)", CAROL, 100, sender=BOB)
    move = "transferFrom(address,address,uint256)"
    assert world.call(token, move, BOB, ALICE, 60, sender=CAROL).error is None
    assert reason(world.call(token, move, BOB, ALICE, 41, sender=CAROL)) == "ERC20: insufficient allowance"
    assert [world.read(token, "balanceOf(address)(uint256)", who) for who in (ALICE, BOB)] == [810, 190]


def test_wasm_contract_calls_and_undoes_an_evm_token(world: World, token: bytes) -> None:
    forwarder = world.deploy(wrap_runtime(artifact("crossvm/forwarder.wasm")))
    world.call(token, "transfer(address,uint256)", forwarder, 90)
    pay = call_data("transfer(address,uint256)", BOB, 60)
    done = world.call(forwarder, "forward(address,bytes)", token, pay)
    assert events(done) == [(token, topics("Transfer(address,address,uint256)", forwarder, BOB), word(60))]
    assert reason(world.call(forwarder, "forwardThenRevert(address,bytes)", token, pay)) != ""
    assert reason(world.call(forwarder, "forward(address,bytes)", token, pay)) == "ERC20: insufficient balance"
    assert world.read(token, "balanceOf(address)(uint256)", BOB) == 60
