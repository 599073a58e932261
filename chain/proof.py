"""Merkle proofs of accounts and storage slots (EIP-1186; yellow paper, appendix D).

A proof is the encoded nodes from the root down, as far as they are stored by hash: the last one holds the value, or
shows that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chain import rlp_codec as rlp
from chain.blockchain import Blockchain
from chain.crypto import keccak
from chain.records import BlockRecord
from chain.state_trie import read_node
from chain.store import KeyValue
from chain.trie import EMPTY_ROOT

__all__ = ["AccountProof", "SlotProof", "prove", "prove_account"]

EMPTY_CODE_HASH = keccak(b"")


@dataclass(frozen=True, slots=True)
class SlotProof:
    """A slot's value, 0 where it is not stored, and the nodes of the account's storage trie that show it."""

    slot: int
    value: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """An account as it stands in the state trie; all empty where it is absent, which `nodes` then show."""

    nodes: tuple[bytes, ...]
    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes
    slots: tuple[SlotProof, ...]


def prove_account(chain: Blockchain, record: BlockRecord, address: bytes, slots: Sequence[int]) -> AccountProof:
    """Prove an account and some of its slots against the state root behind a block."""
    db = chain.store.reader
    nodes, encoded = prove(db, chain.root_behind(record), keccak(address))
    nonce, balance, storage_root, code_hash = 0, 0, EMPTY_ROOT, EMPTY_CODE_HASH
    if encoded:
        fields = rlp.as_list(rlp.decode(encoded), 4)
        nonce, balance = rlp.as_int(fields[0]), rlp.as_int(fields[1])
        storage_root, code_hash = rlp.as_bytes(fields[2], 32), rlp.as_bytes(fields[3], 32)
    proofs = []
    for slot in slots:
        path, value = prove(db, storage_root, keccak(slot.to_bytes(32, "big")))
        proofs.append(SlotProof(slot, rlp.as_int(rlp.decode(value)) if value else 0, path))
    return AccountProof(nodes, nonce, balance, storage_root, code_hash, tuple(proofs))


def prove(db: KeyValue, root: bytes, key: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """Walk a trie from its root to a key.

    Returns:
        The encoded nodes on the way, and the value, empty where there is none.

    Raises:
        StoreCorrupt: A node is missing or is none.
    """
    if root == EMPTY_ROOT:
        return (), b""
    nodes: list[bytes] = []
    path = tuple(nibble for byte in key for nibble in (byte >> 4, byte & 15))
    reference: rlp.Item = root
    places: dict[bytes, int] = {}
    while True:
        if isinstance(reference, bytes):
            if not reference:
                return tuple(nodes), b""
            encoded, places = read_node(db, reference, places.get(reference, 0))
            nodes.append(encoded)
            reference = rlp.decode(encoded)
        # A node shorter than 32 bytes stands inside its parent.
        node = rlp.as_list(reference, 2, 17)
        if len(node) == 17:
            if not path:
                return tuple(nodes), rlp.as_bytes(node[16])
            reference, path = node[path[0]], path[1:]
            continue
        prefix, is_leaf = _path(rlp.as_bytes(node[0]))
        if path[: len(prefix)] != prefix or (is_leaf and len(path) != len(prefix)):
            return tuple(nodes), b""
        path = path[len(prefix) :]
        if is_leaf:
            return tuple(nodes), rlp.as_bytes(node[1])
        reference = node[1]


def _path(compact: bytes) -> tuple[tuple[int, ...], bool]:
    """(nibbles, whether it ends at a leaf) of a hex-prefix encoding."""
    nibbles = tuple(_nibbles(compact))
    skipped = 1 if nibbles[0] & 1 else 2
    return nibbles[skipped:], bool(nibbles[0] & 2)


def _nibbles(data: bytes) -> Iterator[int]:
    for byte in data:
        yield byte >> 4
        yield byte & 15
