"""Machines out of an ABI: tokens with a bug are caught, and by a sequence no longer than it has to be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import initialize, invariant, rule

from chain.testing import Contract, LocalChain, Reverted
from chain.testing.abi import AbiError
from chain.testing.contract import RequestFailed
from chain.testing.machine import ContractMachine, Outcome
from chain.testing.shorten import MAX_TRIES, shorten, simplify_int
from chain.testing.strategies import ZERO
from ewasm.cli.files import assemble_text

# Amounts of 64 bits; a balance lies at its owner's word, an allowance at the hash of two. Memory: 0 a word stored or
# returned, 32 the caller, 64 the allowance's slot, 128 the arguments.
TOKEN = """
(module
  (import "ethereum" "getCaller" (func $getCaller (param i32)))
  (import "ethereum" "getCallDataSize" (func $getCallDataSize (result i32)))
  (import "ethereum" "callDataCopy" (func $callDataCopy (param i32 i32 i32)))
  (import "ethereum" "storageLoad" (func $storageLoad (param i32 i32)))
  (import "ethereum" "storageStore" (func $storageStore (param i32 i32)))
  (import "ethereum" "finish" (func $finish (param i32 i32)))
  (import "ethereum" "revert" (func $revert (param i32 i32)))
  (import "crypto" "keccak256" (func $keccak256 (param i32 i32 i32)))
  (memory (export "memory") 1 1)

  (func $swap (param $n i64) (result i64) (local $r i64) (local $i i32)
    (loop $next
      (local.set $r (i64.or (i64.shl (local.get $r) (i64.const 8)) (i64.and (local.get $n) (i64.const 255))))
      (local.set $n (i64.shr_u (local.get $n) (i64.const 8)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))
    (local.get $r))

  (func $get (param $slot i32) (result i64)
    (call $storageLoad (local.get $slot) (i32.const 0))
    (call $swap (i64.load (i32.const 24))))

  (func $put (param $slot i32) (param $n i64)
    (i64.store (i32.const 24) (call $swap (local.get $n)))
    (call $storageStore (local.get $slot) (i32.const 0)))

  (func $refuse (call $revert (i32.const 0) (i32.const 0)))

  (func $amount (param $at i32) (result i64)
    (if (i64.ne (i64.const 0) (i64.or (i64.load (local.get $at))
          (i64.or (i64.load offset=8 (local.get $at)) (i64.load offset=16 (local.get $at)))))
      (then (call $refuse)))
    (call $swap (i64.load offset=24 (local.get $at))))

  (func $move (param $from i32) (param $to i32) (param $n i64) (local $theirs i64)
    (if (i64.lt_u (call $get (local.get $from)) (local.get $n)) (then (call $refuse)))
    MOVE)

  (func $allowance_slot (param $owner i32) (param $spender i32)
    (memory.copy (i32.const 300) (local.get $owner) (i32.const 32))
    (memory.copy (i32.const 332) (local.get $spender) (i32.const 32))
    (call $keccak256 (i32.const 300) (i32.const 64) (i32.const 64)))

  (func $return (param $n i64)
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 32))
    (i64.store (i32.const 24) (call $swap (local.get $n)))
    (call $finish (i32.const 0) (i32.const 32)))

  (func (export "deploy")
    (call $getCaller (i32.const 44))
    (call $put (i32.const 32) (i64.const 1000)))

  (func (export "main") (local $selector i32) (local $n i64)
    (call $getCaller (i32.const 44))
    (call $callDataCopy (i32.const 124) (i32.const 0) (call $getCallDataSize))
    (local.set $selector (i32.load (i32.const 124)))
    (if (i32.eq (local.get $selector) (i32.const 0x3182a070)) ;; balanceOf
      (then (call $return (call $get (i32.const 128)))))
    (if (i32.eq (local.get $selector) (i32.const 0x3eed62dd)) ;; allowance
      (then
        (call $allowance_slot (i32.const 128) (i32.const 160))
        (call $return (call $get (i32.const 64)))))
    (if (i32.eq (local.get $selector) (i32.const 0xbb9c05a9)) ;; transfer
      (then
        (call $move (i32.const 32) (i32.const 128) (call $amount (i32.const 160)))
        (call $return (i64.const 1))))
    (if (i32.eq (local.get $selector) (i32.const 0xb3a75e09)) ;; approve
      (then
        (call $allowance_slot (i32.const 32) (i32.const 128))
        (call $put (i32.const 64) (call $amount (i32.const 160)))
        (call $return (i64.const 1))))
    (if (i32.eq (local.get $selector) (i32.const 0xdd72b823)) ;; transferFrom
      (then
        (local.set $n (call $amount (i32.const 192)))
        (call $allowance_slot (i32.const 128) (i32.const 32))
        (if (i64.lt_u (call $get (i32.const 64)) (local.get $n)) (then (call $refuse)))
        SPEND
        (call $move (i32.const 128) (i32.const 160) (local.get $n))
        (call $return (i64.const 1))))
    TRAP
    (call $refuse)))
"""
RIGHT = {
    "MOVE": """(call $put (local.get $from) (i64.sub (call $get (local.get $from)) (local.get $n)))
    (call $put (local.get $to) (i64.add (call $get (local.get $to)) (local.get $n)))""",
    "SPEND": "(call $put (i32.const 64) (i64.sub (call $get (i32.const 64)) (local.get $n)))",
    "TRAP": "",
}
# Reads both balances before it writes one: who pays himself gets richer.
MINTING = {
    "MOVE": """(local.set $theirs (call $get (local.get $to)))
    (call $put (local.get $from) (i64.sub (call $get (local.get $from)) (local.get $n)))
    (call $put (local.get $to) (i64.add (local.get $theirs) (local.get $n)))"""
}
FORGETFUL = {"SPEND": ""}
ABI: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": name,
        "inputs": [{"name": parameter, "type": kind} for parameter, kind in inputs],
        "outputs": [{"name": "", "type": "uint256"}],
        "stateMutability": mutability,
    }
    for name, inputs, mutability in (
        ("balanceOf", [("owner", "address")], "view"),
        ("allowance", [("owner", "address"), ("spender", "address")], "view"),
        ("transfer", [("to", "address"), ("amount", "uint256")], "nonpayable"),
        ("approve", [("spender", "address"), ("amount", "uint256")], "nonpayable"),
        ("transferFrom", [("from", "address"), ("to", "address"), ("amount", "uint256")], "nonpayable"),
    )
]
BRIEF = settings(max_examples=60, stateful_step_count=20, deadline=None, database=None, derandomize=True)


@pytest.fixture(scope="module")
def chain() -> Iterator[LocalChain]:
    with LocalChain() as running:
        yield running


def make(chain: LocalChain, changes: dict[str, str] | None = None) -> Contract:
    text = TOKEN
    for word, code in (RIGHT | (changes or {})).items():
        text = text.replace(word, code)
    return chain.deploy(assemble_text(Path("token.wat"), text.encode()), abi=ABI)


class Honest(ContractMachine):
    """Nothing is minted, and allowances are used up."""

    def __init__(self) -> None:
        super().__init__()
        self.token = self.contracts["token"]
        self.allowed: Counter[tuple[str, str]] = Counter()

    def after(self, outcome: Outcome) -> None:
        sender, args = str(outcome.call.sender), outcome.call.args
        if outcome.ok and outcome.call.function.name == "approve":
            self.allowed[sender, args[0]] = args[1]
        elif outcome.ok and outcome.call.function.name == "transferFrom":
            self.allowed[args[0], sender] -= args[2]

    @invariant()
    def balances_are_the_supply(self) -> None:
        assert sum(map(self.token.balanceOf, self.accounts)) == 1000

    @invariant()
    def allowances_are_used_up(self) -> None:
        pairs = [(owner, spender) for owner in self.senders[:2] for spender in self.senders[:2]]
        assert [self.token.allowance(*pair) for pair in pairs] == [self.allowed[pair] for pair in pairs]


def machine(token: Contract, **attributes: Any) -> type[Honest]:
    """Two people, so that they meet."""
    people = token.chain.accounts[:2]
    return type("Token", (Honest,), {"contracts": {"token": token}, "senders": people, "accounts": people} | attributes)


def failure(kind: type[ContractMachine], much: settings = BRIEF) -> tuple[BaseException, list[str]]:
    """What a run raises, and the calls it prints."""
    with pytest.raises(BaseException) as caught:
        kind.run(much)
    [note] = [note for note in caught.value.__notes__ if note.startswith("As calls:")]
    return caught.value, note.splitlines()[1:]


def test_a_right_token_passes_and_is_left_as_it_was(chain: LocalChain) -> None:
    token = make(chain)
    before = (chain.block_number, chain.timestamp, chain.node.head.hash)
    machine(token).run(settings(BRIEF, max_examples=10))
    assert (chain.block_number, chain.timestamp, chain.node.head.hash) == before
    assert token.balanceOf(chain.accounts[0]) == 1000


def test_a_token_that_mints_is_caught_by_one_call(chain: LocalChain) -> None:
    token, accounts = make(chain, MINTING), chain.accounts
    error, lines = failure(machine(token))
    assert isinstance(error, AssertionError)
    assert lines == ["token.transfer(accounts[0], 1, sender=accounts[0])"]
    with chain.undone():
        eval(lines[0], {"token": token, "accounts": accounts})
        assert token.balanceOf(accounts[0]) == 1001


def test_a_token_that_forgets_its_allowances_is_caught_by_two_calls(chain: LocalChain) -> None:
    token, accounts = make(chain, FORGETFUL), chain.accounts
    _, lines = failure(machine(token))
    assert len(lines) == 2
    assert re.fullmatch(r"token\.approve\(accounts\[.\], 1, sender=accounts\[0\]\)", lines[0])
    assert re.fullmatch(r"token\.transferFrom\(accounts\[0\], accounts\[0\], 1, sender=accounts\[.\]\)", lines[1])
    with chain.undone():
        for line in lines:
            eval(line, {"token": token, "accounts": accounts})
        assert 1 in [token.allowance(accounts[0], account) for account in accounts[:2]]


def test_found_again_from_the_database(chain: LocalChain) -> None:
    kind = machine(make(chain, MINTING), allowances_are_used_up=None)
    much = settings(BRIEF, derandomize=False, database=InMemoryExampleDatabase())
    first = failure(kind, much)[1]
    # Nothing is made up any more: it comes from the database alone.
    assert failure(kind, settings(much, phases=[Phase.reuse]))[1] == first


def test_arguments_keep_to_their_bounds(chain: LocalChain) -> None:
    seen: list[Outcome] = []
    bounded = machine(
        make(chain, MINTING),
        after=lambda _self, outcome: seen.append(outcome),
        allowances_are_used_up=None,
        functions=["token.transfer"],
        inputs={"amount": st.integers(5, 20), "transfer.to": st.just(chain.accounts[4])},
        accounts=[*chain.accounts[:5], ZERO],
        senders=chain.accounts[1:2],
    )
    bounded.run(settings(BRIEF, max_examples=8))
    assert {outcome.call.function.name for outcome in seen} == {"transfer"}
    assert {outcome.call.args[0] for outcome in seen} == {chain.accounts[4]}
    assert {outcome.call.args[1] for outcome in seen} <= set(range(5, 21))
    assert {outcome.call.sender for outcome in seen} == {chain.accounts[1]}
    # The sender has nothing.
    assert not any(outcome.ok for outcome in seen)
    assert all(outcome.reverted is not None and outcome.output == b"" for outcome in seen)


def test_reverts_and_traps_are_failures_where_one_says_so(chain: LocalChain) -> None:
    boom = {"type": "function", "name": "boom", "inputs": [], "outputs": [], "stateMutability": "nonpayable"}
    token = make(chain, {"TRAP": "(unreachable)"})
    bomb = chain.at(token.address, [*ABI, boom])
    error, lines = failure(machine(token, fail_on_revert=True))
    assert isinstance(error, Reverted)
    assert len(lines) == 1
    error, lines = failure(machine(bomb))
    assert isinstance(error, RequestFailed)
    assert lines == ["token.boom(sender=accounts[0])"]
    seen: list[Outcome] = []
    machine(bomb, fail_on_trap=False, functions=["boom"], after=lambda _self, outcome: seen.append(outcome)).run(
        settings(BRIEF, max_examples=2)
    )
    assert seen
    assert not any(outcome.ok for outcome in seen)
    assert all(outcome.trap is not None and "unreachable" in outcome.trap for outcome in seen)


def test_wei_is_made_less(chain: LocalChain) -> None:
    there = chain.at("0x" + "dd" * 20, [{"type": "receive", "stateMutability": "payable"}])

    def poor(self: ContractMachine) -> None:
        assert self.chain.balance(there) < 123

    kind = type("Purse", (ContractMachine,), {"contracts": {"purse": there}, "poor": invariant()(poor)})
    with pytest.raises(AssertionError) as caught:
        kind.run(BRIEF)  # type: ignore[attr-defined]
    assert "As calls:\nchain.send(purse, b'', value=123, sender=accounts[0])" in caught.value.__notes__


def test_time_passes_between_calls(chain: LocalChain) -> None:
    start, seen = chain.timestamp, set()

    def not_later(self: ContractMachine) -> None:
        seen.add(self.chain.timestamp - start)
        assert self.chain.timestamp < start + 100

    kind = machine(make(chain), functions=["approve"], max_delay=1000, not_later=invariant()(not_later))
    _, lines = failure(kind)
    assert max(seen) > 100
    assert len(lines) == 1
    assert lines[0].startswith("chain.travel(")


def test_rules_of_ones_own_stand_beside_and_in_place(chain: LocalChain) -> None:
    seen: list[str] = []

    class Own(Honest):
        contracts: ClassVar = {"token": make(chain)}

        @initialize(amount=st.integers(1, 9))
        def give(self, amount: int) -> None:
            assert self.send("token.transfer", self.senders[1], amount).value == 1

        @rule()
        def token_transfer(self) -> None:
            outcome = self.send("token.transfer", self.senders[2], 2**64, sender=self.senders[1])
            assert outcome.reverted is not None
            seen.append(self.steps[-1])

    Own.run(settings(BRIEF, max_examples=5))
    assert set(seen) == {f"with reverts(): token.transfer(accounts[2], {2**64}, sender=accounts[1])"}
    made = Own()
    with pytest.raises(AbiError, match=r"say CONTRACT\.FUNCTION, where the contract is one of token"):
        made.send("transfer", 1)
    made.teardown()


def test_a_class_made_from_another_has_its_own_functions(chain: LocalChain) -> None:
    whole = machine(make(chain))
    part = type("Part", (whole,), {"exclude": ["transferFrom", "approve"]})
    rules = {name for name in dir(part) if name.startswith("token_") and getattr(part, name) is not None}
    assert rules == {"token_transfer"}
    assert whole.token_approve is not None  # type: ignore[attr-defined]


def test_what_cannot_be_a_machine_is_refused(chain: LocalChain) -> None:
    token = make(chain)
    with pytest.raises(AbiError, match="no function burn"):
        machine(token, functions=["burn"])
    with pytest.raises(AbiError, match="inputs: sum is no parameter"):
        machine(token, inputs={"sum": st.just(1)})
    with pytest.raises(AbiError, match="Token: contracts is empty"):
        type("Token", (ContractMachine,), {})()
    with LocalChain() as other, pytest.raises(AbiError, match="on 2 chains"):
        type("Two", (ContractMachine,), {"contracts": {"one": token, "two": make(other)}})
    invariants = chain.at(token.address, [{"type": "function", "name": "invariants", "inputs": []}])
    with pytest.raises(AbiError, match="a rule cannot have the name check_invariants"):
        type("Check", (ContractMachine,), {"contracts": {"check": invariants}})


@pytest.mark.parametrize("bound", [0, 1, 2, 7, 1000, 2**64, 10**18 + 1, 2**255 + 12345, 2**256 - 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_shrinks_to_its_bound(bound: int, sign: int) -> None:
    for start in (bound, bound + 1, 2**256 - 1):
        asked: list[int] = []

        def works(value: int, asked: list[int] = asked) -> bool:
            asked.append(value)
            return value * sign >= bound

        assert simplify_int(sign * start, works) == sign * bound
        assert len(asked) < 280
        assert all(0 <= value * sign < start for value in asked)


def test_shortening_leaves_what_it_needs_and_ends() -> None:
    def fails(steps: list[int]) -> bool:
        return 7 in steps and sum(steps) >= 20

    short = shorten(list(range(30)), fails, simplify_int)
    assert (7 in short, sum(short)) == (True, 20)
    tries = 0

    def always(_steps: list[int]) -> bool:
        nonlocal tries
        tries += 1
        return True

    assert shorten([5] * 40, always, lambda step, _works: step) == []
    tries = 0
    growing = shorten([1, 2], lambda steps: always(steps) and len(steps) == 2, _grow)
    assert (len(growing), tries) == (2, MAX_TRIES)


def _grow(step: int, works: Callable[[int], bool]) -> int:
    while works(step + 1):
        step += 1
    return step
