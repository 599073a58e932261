"""Proofs hold before a verifier that is not ours, for what is there and for what is not."""

from __future__ import annotations

from typing import Any

import rlp as rlp_library
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from chain.blockchain import Blockchain
from chain.crypto import keccak
from chain.genesis import GenesisAccount
from chain.proof import EMPTY_CODE_HASH, AccountProof, SlotProof, prove, prove_account
from chain.trie import EMPTY_ROOT
from tests.unit.chain.support import ALICE, BOB, ETHER, asm, new_chain, tx

CONTRACT = b"\xcc" * 20
STORAGE = {0: 1, 1: 2**255, 7: 0x80, 2**256 - 1: 3}
VERIFIER: Any = HexaryTrie
NOBODY = b"\x99" * 20


def value_behind(root: bytes, key: bytes, nodes: tuple[bytes, ...]) -> bytes:
    """What the independent verifier finds; it fails where a node is missing."""
    decoded = [rlp_library.decode(node) for node in nodes]
    return bytes(VERIFIER.get_from_proof(root, keccak(key), decoded)) if nodes else b""


def check(root: bytes, address: bytes, proof: AccountProof) -> None:
    found = value_behind(root, address, proof.nodes)
    fields = [proof.nonce, proof.balance, proof.storage_root, proof.code_hash]
    assert found == (
        rlp_library.encode(fields) if proof.balance or proof.nonce or proof.storage_root != EMPTY_ROOT else b""
    )
    for slot in proof.slots:
        stored = value_behind(proof.storage_root, slot.slot.to_bytes(32, "big"), slot.nodes)
        assert stored == (rlp_library.encode(slot.value) if slot.value else b"")


def chain_with_contract() -> Blockchain:
    code = asm(b"\x05", b"\x02", 0x55)
    return new_chain(accounts={CONTRACT: GenesisAccount(code=code, balance=5, nonce=1, storage=STORAGE)})


def test_accounts_and_slots_at_every_block() -> None:
    chain = chain_with_contract()
    for number in range(3):
        chain.build_block([tx(number, to=CONTRACT, value=number)], timestamp=10 + number)
    for number in range(4):
        record = chain.block_by_number(number)
        assert record is not None
        for address in (CONTRACT, ALICE, BOB, NOBODY, record.header.coinbase):
            proof = prove_account(chain, record, address, [*STORAGE, 2, 99])
            check(record.header.state_root, address, proof)
        proof = prove_account(chain, record, CONTRACT, [2])
        assert proof.balance == 5 + sum(range(number))
        assert proof.slots[0].value == (5 if number else 0)


def test_what_is_absent_is_empty() -> None:
    chain = chain_with_contract()
    nobody = prove_account(chain, chain.head, NOBODY, [1])
    assert nobody.nodes
    assert (nobody.nonce, nobody.balance) == (0, 0)
    assert (nobody.storage_root, nobody.code_hash) == (EMPTY_ROOT, EMPTY_CODE_HASH)
    assert nobody.slots == (SlotProof(1, 0, ()),)
    plain = prove_account(chain, chain.head, ALICE, [1])
    assert plain.balance == 1000 * ETHER
    assert plain.slots == (SlotProof(1, 0, ()),)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.binary(min_size=1, max_size=3), st.binary(min_size=1, max_size=40), min_size=1, max_size=30),
    st.lists(st.binary(min_size=1, max_size=3), max_size=5),
)
def test_any_trie(items: dict[bytes, bytes], others: list[bytes]) -> None:
    """Short keys make branches with values, short values make nodes that stand inside their parents."""
    rows: dict[bytes, bytes] = {}
    trie = HexaryTrie(rows)
    for key, value in items.items():
        trie[key] = value
    for key in (*items, *others):
        nodes, value = prove(rows, trie.root_hash, key)  # type: ignore[arg-type]  # of a database it only reads
        assert value == items.get(key, b"")
        decoded = [rlp_library.decode(node) for node in nodes]
        assert VERIFIER.get_from_proof(trie.root_hash, key, decoded) == value
