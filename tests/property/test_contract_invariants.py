"""Example contracts under random sequences of calls: what an exchange and a wallet promise holds after each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant

from chain.crypto import keccak
from chain.testing import LocalChain
from chain.testing.machine import ContractMachine, Outcome
from chain.testing.strategies import Inputs, addresses
from contracts.build import FOLDER
from tests.property.sequences import effort

ENDLESS = 2**256 - 1


@pytest.fixture(scope="module")
def chain() -> Iterator[LocalChain]:
    with LocalChain() as running:
        yield running


def test_a_share_of_the_exchange_never_loses_worth(chain: LocalChain) -> None:
    """reserve * reserve / shares ** 2 never falls, and the exchange holds what it says."""
    traders = chain.accounts[:2]
    gold_token = chain.deploy(FOLDER / "erc20_rust/erc20.wasm", "Gold", "GLD", 10**30)
    silver_token = chain.deploy(FOLDER / "evm/token.bin", "Silver", "SLV", 10**30)
    market = chain.deploy(FOLDER / "exchange/exchange.wasm", gold_token.address, silver_token.address)
    for token in (gold_token, silver_token):
        token.transfer(traders[1], 10**29)
        for trader in traders:
            token.approve(market.address, ENDLESS, sender=trader)
    amounts = st.one_of(st.integers(1, 1000), st.integers(1, 10**20), st.sampled_from([0, 2**112, ENDLESS]))

    class Exchange(ContractMachine):
        contracts: ClassVar = {"exchange": market, "gold": gold_token, "silver": silver_token}
        senders = traders
        functions = ("exchange.addLiquidity", "exchange.removeLiquidity", "exchange.swap", "gold.transfer")
        inputs: ClassVar[Inputs] = {
            "tokenIn": addresses([gold_token, silver_token, traders[0]]),
            "leastOut": st.sampled_from([0, 0, 1, ENDLESS]),
            **dict.fromkeys(("leastShares", "leastA", "leastB"), st.sampled_from([0, 0, 0, 1, ENDLESS])),
            "uint256": amounts,
            # A gift, which changes no reserve.
            "gold.transfer.to": st.just(market.address),
            "gold.transfer.amount": st.integers(1, 100),
        }

        def __init__(self) -> None:
            super().__init__()
            self.before = self.worth()

        def worth(self) -> tuple[int, int]:
            a, b = market.reserves()
            return a * b, market.totalShares()

        def after(self, outcome: Outcome) -> None:
            (product, shares), (old_product, old_shares) = self.worth(), self.before
            if not outcome.ok:
                assert (product, shares) == (old_product, old_shares)
            if shares and old_shares:
                assert product * old_shares**2 >= old_product * shares**2
            if outcome.call.function.name == "swap":
                assert product >= old_product
                assert shares == old_shares
            self.before = product, shares

        @invariant()
        def it_holds_what_it_says(self) -> None:
            reserves = market.reserves()
            assert all(
                token.balanceOf(market.address) >= reserve
                for token, reserve in zip((gold_token, silver_token), reserves, strict=True)
            )
            assert sum(map(market.sharesOf, traders)) == market.totalShares()

    Exchange.run(effort(10, 25))


def word(value: int | str) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else bytes.fromhex(value[2:]).rjust(32, b"\0")


def test_the_wallet_acts_once_for_each_quorum(chain: LocalChain) -> None:
    """A call is made if two of three owners confirmed it, and once."""
    owners, stranger, receiver = chain.accounts[:3], chain.accounts[3], "0x" + "da" * 20
    made = chain.deploy(FOLDER / "multisig/multisig.wasm", list(owners), 2)
    chain.send(made, value=1000)
    sums = (0, 300, 700, 1001)
    hashes = {
        (number, value): keccak(word(made.address) + word(number) + word(receiver) + word(value) + keccak(b""))
        for number in range(3)
        for value in sums
    }

    class Wallet(ContractMachine):
        contracts: ClassVar = {"wallet": made}
        senders = (*owners, stranger)
        inputs: ClassVar[Inputs] = {
            "hash": st.sampled_from(list(hashes.values())),
            "to": st.just(receiver),
            "execute.value": st.sampled_from(sums),
            "data": st.just(b""),
        }
        values = st.sampled_from([0, 1, 300])

        def __init__(self) -> None:
            super().__init__()
            self.confirmed: defaultdict[bytes, set[str]] = defaultdict(set)
            self.executed: list[bytes] = []
            self.wei, self.paid = 1000, 0

        def after(self, outcome: Outcome) -> None:
            call, sender = outcome.call, str(outcome.call.sender)
            if call.function.name == "receive":
                assert outcome.ok
                self.wei += call.value
            elif call.function.name == "confirm":
                [which] = call.args
                assert outcome.ok is (sender in owners and sender not in self.confirmed[which])
                if outcome.ok:
                    self.confirmed[which].add(sender)
            elif call.function.name == "revoke":
                [which] = call.args
                assert outcome.ok is (sender in self.confirmed[which])
                self.confirmed[which].discard(sender)
            else:
                value = call.args[1]
                which = hashes.get((len(self.executed), value))
                quorum = which is not None and len(self.confirmed[which]) >= 2
                assert outcome.ok is (quorum and value <= self.wei)
                if outcome.ok and which is not None:
                    assert which not in self.executed
                    self.executed.append(which)
                    self.wei -= value
                    self.paid += value

        @invariant()
        def books_agree(self) -> None:
            assert made.number() == len(self.executed)
            assert self.chain.balance(made) == self.wei
            assert self.chain.balance(receiver) == self.paid

    Wallet.run(effort(10, 40))
