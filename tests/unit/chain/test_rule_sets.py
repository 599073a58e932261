"""Rule sets on forks: the original interface anywhere, operations a fork does not have, and faults of our own."""

from __future__ import annotations

import pytest
from wasmtime import wat2wasm

from chain.blockchain import Blockchain, CallRequest
from chain.forks import Fork
from chain.genesis import GenesisAccount
from chain.node import Node
from chain.requests import TxRequest
from chain.trial import MAX_CALL_GAS, call
from tests.unit.chain.support import ALICE, BOB, legacy_tx, new_chain, tx

CONTRACT = b"\xc0" * 20
STOP_EVM = b"\x00"


def wasm(body: str, imports: str = "") -> bytes:
    return bytes(wat2wasm(f'(module {imports} (memory (export "memory") 1) (func (export "main") {body}))'))


LOOP = wasm("(loop $again (br $again))")


def chain_with(code: bytes, fork: Fork, rules: str) -> Blockchain:
    return new_chain(fork, accounts={CONTRACT: GenesisAccount(code=code)}, rules=rules)


@pytest.mark.parametrize("fork", [Fork.BYZANTIUM, Fork.LONDON, Fork.CANCUN, Fork.PRAGUE])
def test_blocks_are_made_under_the_rules_of_2018_on_every_fork(fork: Fork) -> None:
    chain = chain_with(STOP_EVM, fork, "EWASM_2018_FLAT")
    built = chain.build_block([legacy_tx(0, to=BOB, value=5), legacy_tx(1, to=CONTRACT, gas=50_000)])
    assert [o.status for o in built.outcomes] == ["success", "failure"]
    assert built.outcomes[1].gas_used == 50_000


def test_an_endless_loop_ends_under_the_metered_rules_of_2018() -> None:
    chain = chain_with(LOOP, Fork.BYZANTIUM, "EWASM_2018_FLAT")
    (outcome,) = chain.build_block([legacy_tx(0, to=CONTRACT, gas=500_000)]).outcomes
    assert (outcome.status, outcome.gas_used) == ("failure", 500_000)


@pytest.mark.parametrize(
    ("name", "signature", "body"),
    [
        ("create2", "(param i32 i32 i32 i32 i32) (result i32)", "(drop (call $f {0} {0} {0} {0} {0}))"),
        ("transientLoad", "(param i32 i32)", "(call $f {0} {0})"),
        ("getExternalCodeHash", "(param i32 i32)", "(call $f {0} {0})"),
        ("getSelfBalance", "(param i32)", "(call $f {0})"),
    ],
)
def test_an_operation_that_the_fork_does_not_have_fails_the_frame(name: str, signature: str, body: str) -> None:
    code = wasm(body.replace("{0}", "(i32.const 0)"), f'(import "ethereum" "{name}" (func $f {signature}))')
    old = chain_with(code, Fork.BYZANTIUM, "EWASM_2026")
    (outcome,) = old.build_block([legacy_tx(0, to=CONTRACT, gas=100_000)]).outcomes
    assert (outcome.status, outcome.gas_used) == ("failure", 100_000)
    assert chain_with(code, Fork.PRAGUE, "EWASM_2026").call(CallRequest(sender=ALICE, to=CONTRACT)).is_success


def test_a_call_has_no_more_gas_than_the_cap() -> None:
    """A contract that gives its gas back as output, asked with all the gas there is."""
    code = wasm(
        "(i64.store (i32.const 0) (call $left)) (call $finish (i32.const 0) (i32.const 8))",
        '(import "ethereum" "getGasLeft" (func $left (result i64)))'
        '(import "ethereum" "finish" (func $finish (param i32 i32)))',
    )
    chain = chain_with(code, Fork.PRAGUE, "EWASM_2026")
    request = TxRequest(sender=ALICE, to=CONTRACT, gas=(1 << 64) - 1)
    left = int.from_bytes(call(chain, request, chain.head), "little")
    assert MAX_CALL_GAS - 50_000 < left < MAX_CALL_GAS


def test_a_fault_of_ours_does_not_come_back_with_the_next_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(chain_with(STOP_EVM, Fork.PRAGUE, "EWASM_2026"))
    build = node.chain.build_block

    def fault(*_args: object, **_keywords: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(node.chain, "build_block", fault)
    with pytest.raises(RuntimeError, match="broken"):
        node.accept(tx(0))
    monkeypatch.setattr(node.chain, "build_block", build)
    node.accept(tx(0, value=1))
    assert node.head.number == 1
    assert len(node.head.transactions) == 1
