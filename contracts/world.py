"""A state without blocks, and transactions one after the other: what examples are measured and tested in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eth_abi.abi import decode, encode

from chain.forks import Fork
from chain.store import MemoryStore
from chain.transaction import Tx
from chain.transition import BlockEnv, Executed, apply_tx, open_state
from chain.trie import EMPTY_ROOT
from contracts.build import FOLDER
from ewasm.cli.abi import parse_signature
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM

__all__ = ["ALICE", "BOB", "CAROL", "ENV", "GAS", "World", "artifact"]

GAS = 10_000_000
ALICE, BOB, CAROL = (bytes([n]) * 20 for n in (0xA1, 0xB0, 0xCA))
ENV = BlockEnv(
    fork=Fork.PRAGUE,
    chain_id=1,
    number=1,
    timestamp=1,
    coinbase=bytes(20),
    gas_limit=GAS,
    base_fee=0,
    excess_blob_gas=0,
    blob_base_fee_override=1,
)


def artifact(name: str) -> bytes:
    """What is built, by its name below contracts/: a module, or EVM init code."""
    data = (FOLDER / name).read_bytes()
    return bytes.fromhex(data.decode()) if name.endswith(".bin") else data


class World:
    """Block 1 of a fork. Gas is free of charge, so accounts need no more than the value that they send."""

    def __init__(self, engine: str, rules: Rules = EWASM_2026, fork: Fork = Fork.PRAGUE) -> None:
        self.engine = engine
        self.env = replace(ENV, fork=fork)
        self.state = open_state(self.env, VM(rules, engine), MemoryStore().writer, EMPTY_ROOT, (bytes(32),))
        self.nonces: dict[bytes, int] = {}

    def send(self, to: bytes | None, data: bytes, sender: bytes = ALICE, value: int = 0) -> Executed:
        """A transaction, whatever comes of it."""
        nonce = self.nonces.get(sender, 0)
        self.nonces[sender] = nonce + 1
        self.state.set_balance(sender, value)
        self.state.set_nonce(sender, nonce)
        self.state.lock_changes()
        return apply_tx(self.state, Tx(0, 1, nonce, GAS, to, value, data, sender, gas_price=0), self.env)

    def deploy(self, code: bytes, sender: bytes = ALICE, value: int = 0) -> bytes:
        """The address of a new contract; an error if it is refused."""
        done = self.send(None, code, sender, value)
        if done.error is not None or done.created is None:
            raise ValueError(f"not deployed: {done.error}, {done.output!r}")
        return done.created

    def call(self, to: bytes, signature: str, *values: Any, sender: bytes = ALICE, value: int = 0) -> Executed:
        parsed = parse_signature(signature)
        return self.send(to, parsed.selector + encode(parsed.inputs, values), sender, value)

    def read(self, to: bytes, signature: str, *values: Any, sender: bytes = ALICE) -> Any:
        """What a call returns: one value, or a tuple of them; an error if it fails."""
        done = self.call(to, signature, *values, sender=sender)
        if done.error is not None:
            raise ValueError(f"{signature} failed: {done.error}, {done.output!r}")
        found = decode(parse_signature(signature).outputs, done.output)
        return found[0] if len(found) == 1 else found

    def storage(self, of: bytes, slot: int) -> int:
        return int(self.state.get_storage(of, slot))
