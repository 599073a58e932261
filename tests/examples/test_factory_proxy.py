"""Contracts that make contracts, and contracts that stand for others."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from contracts.world import ALICE, BOB, World, artifact
from ewasm.initcode import with_arguments, wrap_runtime
from tests.examples.results import call_data, events, reason, topics, word

IMPLEMENTATION = int.from_bytes(keccak(text="eip1967.proxy.implementation"), "big") - 1
ADMIN = int.from_bytes(keccak(text="eip1967.proxy.admin"), "big") - 1


def token_code(file: str = "erc20/erc20.wasm") -> bytes:
    return with_arguments(artifact(file), encode(["string", "string", "uint256"], ["Gold", "GLD", 9]))


@pytest.fixture
def factory(world: World) -> bytes:
    return world.deploy(wrap_runtime(artifact("factory/factory.wasm")))


def test_factory_makes_a_wasm_token_and_an_evm_token(world: World, factory: bytes) -> None:
    arguments = encode(["string", "string", "uint256"], ["Silver", "SLV", 5])
    for number, code in enumerate((token_code(), artifact("evm/token.bin") + arguments), 1):
        done = world.call(factory, "make(bytes)", code)
        assert done.error is None
        made = done.output[12:]
        assert events(done)[-1] == (factory, topics("Made(address,address,uint256)", made, ALICE), word(number))
        assert world.read(made, "totalSupply()(uint256)") in (9, 5)
        assert world.read(made, "balanceOf(address)(uint256)", factory) in (9, 5)
    assert world.read(factory, "made()(uint256)") == 2


def test_factory_knows_where_make2_puts_a_contract(world: World, factory: bytes) -> None:
    code, salt = token_code(), b"salt".ljust(32, b"\0")
    expected = keccak(b"\xff" + factory + salt + keccak(code))[12:]
    assert world.read(factory, "addressOf(bytes,bytes32)(address)", code, salt) == "0x" + expected.hex()
    assert world.call(factory, "make2(bytes,bytes32)", code, salt).output == word(expected)
    assert world.read(expected, "symbol()(string)") == "GLD"
    again = world.call(factory, "make2(bytes,bytes32)", code, salt)
    assert (again.reverted, again.output) == (True, b"")
    assert world.read(factory, "made()(uint256)") == 1


def test_factory_sends_value_along(world: World, factory: bytes) -> None:
    # Init code that returns nothing: an account without code, that can be paid.
    done = world.call(factory, "make(bytes)", bytes.fromhex("5f5ff3"), value=77)
    assert world.state.get_balance(done.output[12:]) == 77


def test_factory_passes_a_constructors_reason_on(world: World, factory: bytes) -> None:
    arguments = encode(["string", "string", "uint256"], ["n" * 1_025, "s", 1])
    code = with_arguments(artifact("erc20/erc20.wasm"), arguments)
    assert reason(world.call(factory, "make(bytes)", code)) == "ERC20: name or symbol too long"
    assert world.read(factory, "made()(uint256)") == 0


def proxy(world: World, implementation: bytes, call: bytes = b"") -> bytes:
    arguments = encode(["address", "bytes"], [implementation, call])
    return world.deploy(with_arguments(artifact("proxy/proxy.wasm"), arguments))


def counters(world: World) -> tuple[bytes, bytes]:
    first = world.deploy(wrap_runtime(artifact("counter/counter.wasm")))
    return first, world.deploy(wrap_runtime(artifact("proxy/counter_by.wasm")))


def test_proxy_keeps_its_storage_when_upgraded(world: World) -> None:
    first, second = counters(world)
    counter = proxy(world, first, call_data("setNumber(uint256)", 41))
    world.call(counter, "increment()")
    assert world.read(counter, "number()(uint256)") == 42
    assert world.read(first, "number()(uint256)") == 0
    assert world.call(counter, "version()").reverted
    done = world.call(counter, "upgradeTo(address)", second)
    assert events(done) == [(counter, topics("Upgraded(address)", second), b"")]
    assert world.read(counter, "version()(uint8)") == 2
    world.call(counter, "incrementBy(uint256)", 58)
    assert world.read(counter, "number()(uint256)") == 100
    assert world.storage(counter, IMPLEMENTATION) == int.from_bytes(second, "big")
    assert world.storage(counter, ADMIN) == int.from_bytes(ALICE, "big")


def test_only_the_admin_upgrades_and_only_to_a_contract(world: World) -> None:
    first, second = counters(world)
    counter = proxy(world, first)
    assert reason(world.call(counter, "upgradeTo(address)", second, sender=BOB)) == "Proxy: not the admin"
    assert reason(world.call(counter, "upgradeTo(address)", BOB)) == "Proxy: no contract there"
    refused = with_arguments(artifact("proxy/proxy.wasm"), encode(["address", "bytes"], [BOB, b""]))
    assert reason(world.send(None, refused)) == "Proxy: no contract there"


def test_proxy_passes_reverts_and_value_on(world: World) -> None:
    first, second = counters(world)
    counter = proxy(world, second)
    world.call(counter, "incrementBy(uint256)", 2**256 - 1)
    assert reason(world.call(counter, "increment()")) == "the counter is full"
    refused = world.call(counter, "increment()", value=1)
    assert (refused.reverted, refused.output) == (True, b"")
    assert world.state.get_balance(counter) == 0
    assert world.read(first, "number()(uint256)") == 0


def test_wasm_proxy_of_an_evm_token(world: World) -> None:
    """The token's storage lies in the proxy; its constructor never ran there, so supply and names are empty."""
    arguments = encode(["string", "string", "uint256"], ["Gold", "GLD", 9])
    implementation = world.deploy(artifact("erc20_solidity/erc20.bin") + arguments)
    token = proxy(world, implementation)
    assert world.read(implementation, "totalSupply()(uint256)") == 9
    assert world.read(token, "totalSupply()(uint256)") == 0
    done = world.call(token, "approve(address,uint256)", BOB, 5)
    assert [address for address, _, _ in events(done)] == [token]
    assert world.read(token, "allowance(address,address)(uint256)", ALICE, BOB) == 5
    assert world.read(implementation, "allowance(address,address)(uint256)", ALICE, BOB) == 0


def test_evm_proxy_of_a_wasm_contract(world: World) -> None:
    _, second = counters(world)
    relay = world.deploy(artifact("evm/relay.bin") + word(second))
    world.call(relay, "incrementBy(uint256)", 3)
    assert world.read(relay, "number()(uint256)") == 3
    assert world.read(second, "number()(uint256)") == 0
    world.call(relay, "incrementBy(uint256)", 2**256 - 4)
    assert reason(world.call(relay, "increment()")) == "the counter is full"


def test_minimal_proxies_of_wasm_contracts(world: World) -> None:
    """EIP-1167, made by Vyper's own function; under a Wasm proxy that is three machines deep."""
    _, second = counters(world)
    clones = world.deploy(artifact("evm/clones.bin"))
    done = world.call(clones, "clone(address)", second)
    clone = done.output[12:]
    assert events(done) == [(clones, topics("Cloned(address,address)", second, clone), b"")]
    assert second in bytes(world.state.get_code(clone))
    world.call(clone, "incrementBy(uint256)", 3)
    outer = proxy(world, clone)
    world.call(outer, "increment()")
    assert [world.read(at, "number()(uint256)") for at in (second, clone, outer)] == [0, 3, 1]
    world.call(clone, "incrementBy(uint256)", 2**256 - 4)
    assert reason(world.call(clone, "increment()")) == "the counter is full"
    salted = world.call(clones, "clone2(address,bytes32)", second, b"s" * 32).output[12:]
    assert world.read(salted, "version()(uint8)") == 2
