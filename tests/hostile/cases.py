"""The hostile set: programs that try to take more than they pay for, from fixtures/hostile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chain.blockchain import Blockchain, ChainConfig
from chain.forks import Fork
from chain.genesis import GenesisAccount, dev_genesis
from chain.stack import run_with_stack
from chain.store import MemoryStore
from ewasm.engine.cache import ArtifactCache
from ewasm.vm import VM
from tests.templates import module
from tests.unit.chain.support import ALICE, CHAIN_ID, ETHER, tx

__all__ = ["CASES", "FOLDER", "Case", "Outcome", "block", "callee_address", "source"]

FOLDER = Path(__file__).parents[2] / "fixtures" / "hostile"
CONTRACT = bytes.fromhex("c0de" * 10)
CALLEE = bytes.fromhex("ca" * 20)


@dataclass(frozen=True, slots=True)
class Case:
    """One program.

    Attributes:
        what: What it tries.
        gas: Of the transaction that calls it, in tests: little enough for the interpreter.
        block_gas: The same where it is measured.
        outcome: "success" or "failure" of the transaction.
        wall_s: Bound on the time of a whole block, activation included, on the native engine.
        memory_mib: Bound on what the process's memory grows by meanwhile, its compiler included.
        bomb: Whether it is the compiler that it aims at.
        callee: Another source, which it calls.
        callees: How many contracts of that source there are, no two alike. The i-th is at `callee_address(i)`. What is
            compiled of them does not all fit into the cache in memory, which is made that small.
    """

    name: str
    what: str
    gas: int
    block_gas: int
    outcome: str
    wall_s: float
    memory_mib: int
    bomb: bool = False
    callee: str | None = None
    callees: int = 1

    @property
    def code(self) -> bytes:
        return source(self.name)


@cache
def source(name: str) -> bytes:
    """The binary module of a source of the set."""
    return module((FOLDER / f"{name}.wat").read_text())


def _cases() -> Mapping[str, Case]:
    facts = json.loads((FOLDER / "cases.json").read_text())
    return {name: Case(name, **fields) for name, fields in facts.items()}


CASES = _cases()


def callee_address(index: int) -> bytes:
    """Of the i-th callee: that of the first, with the index in its last four bytes, the lowest first, from 1 on."""
    return CALLEE[:16] + index.to_bytes(4, "little") if index else CALLEE


def _marked(code: bytes, index: int) -> bytes:
    """The same module with a custom section, so that it is another contract."""
    return code + b"\0\x06\x01#" + index.to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What consensus sees of a block with one call of the program."""

    status: str
    gas_used: int
    logs: int
    state_root: bytes


def block(case: Case, machine: VM, gas: int) -> Outcome:
    """Mine a block whose one transaction calls the program with this much gas."""
    accounts = {CONTRACT: GenesisAccount(nonce=1, code=case.code)}
    if case.callee is not None:
        accounts[CALLEE] = GenesisAccount(nonce=1, code=source(case.callee))
    for index in range(1, case.callees):
        accounts[callee_address(index)] = GenesisAccount(nonce=1, code=_marked(source(case.callee or ""), index))
    if case.callees > 1:
        machine.cache = ArtifactCache(max_entries=case.callees // 2)
    sent = tx(0, to=CONTRACT, gas=gas, max_fee_per_gas=0, max_priority_fee_per_gas=0)

    def run(chain: Blockchain) -> Outcome:
        built = chain.build_block([sent], timestamp=1_000, gas_limit=gas, base_fee=0)
        (outcome,) = built.outcomes
        return Outcome(
            outcome.status, built.receipts[0].gas_used, len(built.receipts[0].logs), built.block.header.state_root
        )

    genesis = dev_genesis(CHAIN_ID, Fork.PRAGUE, {ALICE: ETHER}, accounts)
    chain = Blockchain.open(ChainConfig(), genesis, MemoryStore(), machine)
    return run_with_stack(lambda: run(chain))
