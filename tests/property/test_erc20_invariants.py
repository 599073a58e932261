"""One token in five languages under random sequences of calls: a model in Python says what each call does.

`make fuzz-contracts` runs many more and longer sequences.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant

from chain.app import NodeOptions
from chain.crypto import keccak
from chain.testing import Contract, LocalChain
from chain.testing.abi import Abi
from chain.testing.machine import ContractMachine, Outcome
from chain.testing.strategies import ZERO, Call, Inputs, calls, of_type
from contracts.build import FOLDER
from contracts.measure import TOKENS
from tests.property.sequences import effort

SUPPLY = 2**128
ENDLESS = 2**256 - 1
GIVEN, ALLOWED = 1000, 2**64
# Mostly little to move and much to allow.
EDGES = [2**64, 2**127, SUPPLY - 1, SUPPLY, SUPPLY + 1, ENDLESS - 1, ENDLESS]
AMOUNTS: Inputs = {
    "amount": st.one_of(st.integers(0, 100), st.integers(0, 100), st.sampled_from(EDGES), of_type("uint256")),
    "approve.amount": st.one_of(st.integers(0, 100), st.sampled_from(EDGES), of_type("uint256")),
}
TRANSFER, APPROVAL = (
    keccak(text.encode()) for text in ("Transfer(address,address,uint256)", "Approval(address,address,uint256)")
)

# Sequences and their length, by engine.
EFFORT = {"native": (6, 25), "interpreter": (2, 12)}


@pytest.fixture(scope="module", params=EFFORT)
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[LocalChain, settings]]:
    """A chain on the engine, and how much is to be done there."""
    with LocalChain(NodeOptions(engine=request.param)) as running:
        yield running, effort(*EFFORT[request.param])


def deploy(chain: LocalChain, file: str) -> Contract:
    """A token in use, so that calls go well often enough."""
    token = chain.deploy(FOLDER / file, "Gold", "GLD", SUPPLY)
    people = chain.accounts[:3]
    token.transfer(people[1], GIVEN)
    for owner in people[:2]:
        for spender in people:
            token.approve(spender, ALLOWED, sender=owner)
    return token


class Ledger:
    """What a token should do."""

    def __init__(self, people: Sequence[str]) -> None:
        """As `deploy` leaves it."""
        self.balances: Counter[str] = Counter({people[0]: SUPPLY - GIVEN, people[1]: GIVEN})
        allowed = {(owner, spender): ALLOWED for owner in people[:2] for spender in people}
        self.allowances: defaultdict[tuple[str, str], int] = defaultdict(int, allowed)

    def apply(self, call: Call) -> tuple[str | None, list[tuple[bytes, str, str, int]]]:
        """Why it reverts, or the events."""
        sender = str(call.sender)
        if call.function.name == "approve":
            spender, amount = call.args
            if spender == ZERO:
                return "ERC20: approve to the zero address", []
            self.allowances[sender, spender] = amount
            return None, [(APPROVAL, sender, spender, amount)]
        owner, to, amount = call.args if call.function.name == "transferFrom" else (sender, *call.args)
        allowed = self.allowances[owner, sender]
        if call.function.name == "transferFrom" and allowed < amount:
            return "ERC20: insufficient allowance", []
        if to == ZERO:
            return "ERC20: transfer to the zero address", []
        if self.balances[owner] < amount:
            return "ERC20: insufficient balance", []
        if call.function.name == "transferFrom" and allowed != ENDLESS:
            self.allowances[owner, sender] = allowed - amount
        self.balances[owner] -= amount
        self.balances[to] += amount
        return None, [(TRANSFER, owner, to, amount)]


class Erc20(ContractMachine):
    """The token does what the ledger does, and its events alone tell the same balances."""

    token: ClassVar[Contract]
    inputs = AMOUNTS

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(self.chain.accounts[:3])
        self.told = Counter(self.ledger.balances)
        self.pairs = [(owner, spender) for owner in self.senders for spender in self.accounts]

    def after(self, outcome: Outcome) -> None:
        call = outcome.call
        reason, events = self.ledger.apply(call)
        assert (outcome.reverted.reason if outcome.reverted else None) == reason
        assert outcome.ok is (reason is None)
        if outcome.receipt is not None:
            assert outcome.output == bytes(31) + b"\x01"
            assert [log[1:] for log in outcome.receipt.logs] == [
                ((topic, word(one), word(other)), amount.to_bytes(32, "big")) for topic, one, other, amount in events
            ]
            assert {log[0] for log in outcome.receipt.logs} == {bytes.fromhex(self.token.address[2:])}
        for event in outcome.events:
            if event.name == "Transfer":
                self.told[event["from"]] -= event["value"]
                self.told[event["to"]] += event["value"]
        owner = call.args[0] if call.function.name == "transferFrom" else str(call.sender)
        spender = call.args[0] if call.function.name == "approve" else str(call.sender)
        # The one at hand, and in turn all others.
        for pair in ((owner, spender), self.pairs[len(self.steps) % len(self.pairs)]):
            assert self.token.allowance(*pair) == self.ledger.allowances[pair]

    @invariant()
    def balances_are_the_models_and_the_events(self) -> None:
        balances = {account: self.token.balanceOf(account) for account in self.accounts}
        assert balances == {account: self.ledger.balances[account] for account in self.accounts}
        assert balances == {account: self.told[account] for account in self.accounts}
        assert sum(balances.values()) == SUPPLY

    @invariant()
    def supply_stays(self) -> None:
        assert self.token.totalSupply() == SUPPLY


def word(address: str) -> bytes:
    return bytes.fromhex(address[2:]).rjust(32, b"\0")


@pytest.mark.parametrize("language", TOKENS)
def test_token_is_its_model(engine: tuple[LocalChain, settings], language: str) -> None:
    chain, much = engine
    deployed = deploy(chain, TOKENS[language])

    class Token(Erc20):
        contracts: ClassVar = {"token": deployed}
        token = deployed

    Token.run(much)


# -- all of them at once -----------------------------------------------------------------------------------------


def damaged(data: bytes, cut: int, more: bytes, at: int, byte: int) -> bytes:
    """Call data that is too short, too long, or has a byte changed (mostly among an address's zeros)."""
    changed = bytearray(data[: len(data) - cut] + more)
    if at < len(changed):
        changed[at] = byte
    return bytes(changed)


def damaged_calls(abi: Abi, accounts: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    return st.builds(
        damaged,
        calls(abi, functions=[item.name for item in abi.functions], accounts=accounts).map(lambda call: call.data),
        st.sampled_from([0, 0, 0, 1, 32]),
        st.sampled_from([b"", b"", b"\x00", bytes(32), b"\xff" * 33]),
        st.integers(0, 40),
        st.sampled_from([0, 1, 0x80, 0xFF]),
    )


def said(outcome: Outcome) -> Any:
    logs = outcome.receipt.logs if outcome.receipt is not None else ()
    return outcome.ok, outcome.trap, outcome.output, [log[1:] for log in logs]


def test_five_languages_answer_alike() -> None:
    """The same calls, call data that is no call and wei among them: the same status, output and logs."""
    with LocalChain() as chain:
        raw = deploy(chain, TOKENS["C"]).abi.raw
        # The fallback takes any call data: here it is where damaged calls go.
        abi = Abi.parse([*raw, {"type": "fallback", "stateMutability": "payable"}])
        tokens = {name.lower(): Contract(chain, deploy(chain, file).address, abi) for name, file in TOKENS.items()}
        people = (*chain.accounts[:2], ZERO)

        class Five(ContractMachine):
            contracts: ClassVar = tokens
            functions = ("c.transfer", "c.approve", "c.transferFrom", "c.fallback")
            senders = people[:2]
            accounts = people
            inputs: ClassVar[Inputs] = {**AMOUNTS, "fallback.data": damaged_calls(Abi.parse(raw), people)}
            values = st.sampled_from([0, 0, 0, 1])

            def after(self, outcome: Outcome) -> None:
                if outcome.call.name == "c":
                    expected = said(outcome)
                    for name, contract in tokens.items():
                        if name != "c":
                            other = self.act(replace(outcome.call, contract=contract, name=name))
                            assert said(other) == expected, name

        Five.run(effort(6, 30))


def test_balances_of_the_model_are_those_of_a_plain_sequence() -> None:
    """The model itself, on a sequence worked out by hand."""
    one, two, three = (f"0x{n:040x}" for n in (1, 2, 3))
    abi = Abi.parse(_erc20_abi())
    ledger = Ledger([one, two, three])
    assert ledger.allowances[two, three] == ALLOWED

    def act(name: str, *args: Any, sender: str) -> str | None:
        return ledger.apply(Call(abi.function(name), args, sender))[0]

    assert act("approve", two, 10, sender=one) is None
    assert act("transferFrom", one, three, 11, sender=two) == "ERC20: insufficient allowance"
    assert act("transferFrom", one, three, 4, sender=two) is None
    assert act("transfer", one, 5, sender=three) == "ERC20: insufficient balance"
    assert ledger.balances == {one: SUPPLY - GIVEN - 4, two: GIVEN, three: 4}
    assert ledger.allowances[one, two] == 6


def _erc20_abi() -> Any:
    import json

    return json.loads((FOLDER / "erc20/erc20.json").read_text(encoding="utf-8"))
