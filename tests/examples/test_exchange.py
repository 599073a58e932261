"""A constant-product exchange in Zig between a token in WebAssembly and one in the EVM."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.world import ALICE, BOB, World, artifact
from ewasm.initcode import with_arguments
from tests.examples.results import events, reason, topics, word

SUPPLY = 10**30
ADD = "addLiquidity(uint256,uint256,uint256)"
REMOVE = "removeLiquidity(uint256,uint256,uint256)"


def wasm_token(world: World) -> bytes:
    arguments = encode(["string", "string", "uint256"], ["Gold", "GLD", SUPPLY])
    return world.deploy(with_arguments(artifact("erc20/erc20.wasm"), arguments))


def evm_token(world: World, file: str) -> bytes:
    return world.deploy(artifact(file) + encode(["string", "string", "uint256"], ["Silver", "SLV", SUPPLY]))


@dataclass(frozen=True)
class Market:
    world: World
    address: bytes
    gold: bytes
    silver: bytes

    def balances(self, owner: bytes) -> tuple[int, int]:
        gold, silver = (
            self.world.read(token, "balanceOf(address)(uint256)", owner) for token in (self.gold, self.silver)
        )
        return gold, silver


def open_market(world: World, silver_file: str) -> Market:
    gold, silver = wasm_token(world), evm_token(world, silver_file)
    code = with_arguments(artifact("exchange/exchange.wasm"), encode(["address", "address"], [gold, silver]))
    market = Market(world, world.deploy(code), gold, silver)
    for token in (gold, silver):
        world.call(token, "approve(address,uint256)", market.address, 2**256 - 1)
    return market


@pytest.fixture(params=["evm/token.bin", "erc20_solidity/erc20.bin"], ids=["vyper", "solidity"])
def market(request: pytest.FixtureRequest, world: World) -> Market:
    return open_market(world, str(request.param))


def out(amount: int, reserve_in: int, reserve_out: int) -> int:
    return amount * 997 * reserve_out // (reserve_in * 1000 + amount * 997)


def test_liquidity_comes_and_goes(market: Market) -> None:
    world, at = market.world, market.address
    done = world.call(at, ADD, 4_000, 9_000, 0)
    assert done.output == word(6_000)
    assert [address for address, _, _ in events(done)] == [market.gold, market.silver, at]
    assert world.read(at, "reserves()(uint256,uint256)") == (4_000, 9_000)
    assert world.call(at, ADD, 400, 1_000, 0).output == word(600)
    assert market.balances(at) == (4_400, 9_900)
    assert world.read(at, "sharesOf(address)(uint256)", ALICE) == 6_600
    done = world.call(at, REMOVE, 3_300, 0, 0)
    assert done.output == word(2_200) + word(4_950)
    assert market.balances(at) == (2_200, 4_950)
    assert world.read(at, "totalShares()(uint256)") == 3_300
    assert reason(world.call(at, REMOVE, 3_301, 0, 0)) == "Exchange: not so many shares"


def test_swap_both_ways(market: Market) -> None:
    world, at = market.world, market.address
    world.call(at, ADD, 10**18, 4 * 10**18, 0)
    for token in (market.gold, market.silver):
        world.call(token, "transfer(address,uint256)", BOB, 10**17)
        world.call(token, "approve(address,uint256)", at, 10**17, sender=BOB)
    expected = out(10**17, 10**18, 4 * 10**18)
    assert world.read(at, "quote(address,uint256)(uint256)", market.gold, 10**17) == expected
    swap = "swap(address,uint256,uint256)"
    refused = world.call(at, swap, market.gold, 10**17, expected + 1, sender=BOB)
    assert reason(refused) == "Exchange: too little comes out"
    done = world.call(at, swap, market.gold, 10**17, expected, sender=BOB)
    assert done.output == word(expected)
    swapped = topics("Swap(address,address,uint256,uint256)", BOB, market.gold)
    assert events(done)[-1] == (at, swapped, word(10**17) + word(expected))
    assert market.balances(BOB) == (0, 10**17 + expected)
    back = out(10**17, 4 * 10**18 - expected, 11 * 10**17)
    assert world.call(at, swap, market.silver, 10**17, 0, sender=BOB).output == word(back)
    assert market.balances(at) == tuple(world.read(at, "reserves()(uint256,uint256)"))


def test_reason_of_a_token_passes_through(market: Market) -> None:
    world, at = market.world, market.address
    world.call(at, ADD, 1_000, 1_000, 0)
    for token in (market.gold, market.silver):
        done = world.call(at, "swap(address,uint256,uint256)", token, 100, 0, sender=BOB)
        assert reason(done) == "ERC20: insufficient allowance"
    assert world.read(at, "reserves()(uint256,uint256)") == (1_000, 1_000)


def test_what_makes_no_sense_is_refused(market: Market) -> None:
    world, at = market.world, market.address
    assert reason(world.call(at, ADD, 0, 5, 0)) == "Exchange: nothing"
    assert reason(world.call(at, ADD, 2**112, 5, 0)) == "Exchange: too much"
    assert reason(world.call(at, "quote(address,uint256)", market.gold, 5)) == "Exchange: nothing"
    assert reason(world.call(at, "quote(address,uint256)", BOB, 5)) == "Exchange: not one of the tokens"
    twice = encode(["address", "address"], [market.gold, market.gold])
    nobody = encode(["address", "address"], [market.gold, BOB])
    for arguments in (twice, nobody):
        done = world.send(None, with_arguments(artifact("exchange/exchange.wasm"), arguments))
        assert reason(done) == "Exchange: two tokens are needed"


def test_nobody_gives_more_than_keeps_the_price(market: Market) -> None:
    world, at = market.world, market.address
    world.call(at, ADD, 1_000, 3_000, 0)
    before = market.balances(ALICE)
    assert reason(world.call(at, ADD, 10_000, 31, 18)) == "Exchange: too few shares"
    done = world.call(at, ADD, 10_000, 31, 17)
    # root(1,000 * 3,000) = 1,732 shares; 17 of them are worth 9.8 and 29.4, and the fraction is the giver's.
    assert done.output == word(17)
    given = (10, 30)
    assert market.balances(ALICE) == (before[0] - 10, before[1] - 30)
    event = "Liquidity(address,uint256,uint256,uint256,bool)"
    assert events(done)[-1] == (at, topics(event, ALICE), b"".join(map(word, (*given, 17, 1))))
    assert world.read(at, "reserves()(uint256,uint256)") == (1_010, 3_030) == market.balances(at)
    for least in ((10, 29), (9, 30)):
        assert reason(world.call(at, REMOVE, 17, *least)) == "Exchange: too little comes out"
    assert world.call(at, REMOVE, 17, 9, 29).output == word(9) + word(29)


amounts = st.integers(1, 10**20)


@settings(max_examples=5, deadline=None)
@given(first=st.tuples(amounts, amounts), steps=st.lists(st.tuples(st.booleans(), amounts), max_size=6))
def test_product_of_the_reserves_never_falls(first: tuple[int, int], steps: list[tuple[bool, int]]) -> None:
    world = World("native")
    market = open_market(world, "evm/token.bin")
    at = market.address
    made = world.call(at, ADD, *first, 0)
    assert made.output == word(isqrt(first[0] * first[1]))
    reserves = first
    for gold_in, amount in steps:
        x, y = reserves if gold_in else reserves[::-1]
        expected = out(amount, x, y)
        token = market.gold if gold_in else market.silver
        done = world.call(at, "swap(address,uint256,uint256)", token, amount, 0)
        assert done.reverted is (expected == 0)
        found = world.read(at, "reserves()(uint256,uint256)")
        assert found[0] * found[1] >= reserves[0] * reserves[1]
        if expected:
            assert found == ((x + amount, y - expected) if gold_in else (y - expected, x + amount))
        reserves = found
    assert market.balances(at) == reserves
