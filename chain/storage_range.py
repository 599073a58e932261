"""A contract's storage slot by slot, as debug_storageRangeAt shows it (yellow paper, appendix D).

The trie knows slots by their hashes alone. A slot's own number is told where it can be found out: small numbers, and
what the block's transactions up to the one in question touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final

from chain import rlp_codec as rlp
from chain.blockchain import Blockchain
from chain.builder import open_block, run_tx
from chain.crypto import keccak
from chain.errors import InvalidBlock, InvalidTransaction
from chain.overlay import Overlay
from chain.proof import prove
from chain.records import BlockRecord
from chain.refusals import Refused
from chain.state_trie import read_node
from chain.store import KeyValue
from chain.trie import EMPTY_ROOT

__all__ = ["StorageEntry", "StorageRange", "storage_range"]

SMALL_SLOTS: Final = 256
"""Slots from 0 on whose hashes are known beforehand: where Solidity and our SDKs put plain variables."""

Nibbles = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StorageEntry:
    """A slot that is not zero; `slot` is None where only its hash (32 bytes) is known."""

    hashed: bytes
    slot: int | None
    value: int


@dataclass(frozen=True, slots=True)
class StorageRange:
    """Some slots in order of their hashes, and the hash that the next page begins with, if there is one."""

    entries: tuple[StorageEntry, ...]
    next_hash: bytes | None


def storage_range(
    chain: Blockchain, record: BlockRecord, index: int, address: bytes, start: bytes, limit: int
) -> StorageRange:
    """The slots of an account before a transaction of a block.

    Args:
        chain: The chain.
        record: The block.
        index: Of the transaction; as many as the block has mean the state behind the block.
        address: 20 bytes.
        start: 32 bytes: the first hash to show.
        limit: How many slots at most.

    Raises:
        Refused: The block has no such transaction, or it cannot be run again.
    """
    if index > len(record.transactions):
        raise Refused(f"transaction index {index} out of range for block 0x{record.hash.hex()}")
    db = Overlay(chain.store.reader)
    root, touched = _root_before(chain, record, index, address, db)
    _, account = prove(db, root, keccak(address))
    storage_root = rlp.as_bytes(rlp.as_list(rlp.decode(account), 4)[2], 32) if account else EMPTY_ROOT
    known = dict(_small())
    known.update((keccak(slot.to_bytes(32, "big")), slot) for slot in touched)
    found = list(islice(_leaves(db, storage_root, start), limit + 1))
    entries = tuple(
        StorageEntry(hashed, known.get(hashed), rlp.as_int(rlp.decode(value))) for hashed, value in found[:limit]
    )
    return StorageRange(entries, found[limit][0] if len(found) > limit else None)


@cache
def _small() -> tuple[tuple[bytes, int], ...]:
    return tuple((keccak(slot.to_bytes(32, "big")), slot) for slot in range(SMALL_SLOTS))


def _root_before(
    chain: Blockchain, record: BlockRecord, index: int, address: bytes, db: Overlay
) -> tuple[bytes, frozenset[int]]:
    """(state root, slots of the account that the block touched so far); new nodes of the tries go into `db`."""
    behind = index == len(record.transactions)
    parent = chain.block_by_hash(record.parent_hash) if record.transactions else None
    if parent is None:
        return chain.root_behind(record), frozenset()
    block = open_block(
        chain.env_of(record),
        chain.schedule,
        chain.machine,
        db,
        chain.root_behind(parent),
        chain.ancestors(parent),
        parent_hash=parent.hash,
        parent_beacon_block_root=record.header.parent_beacon_block_root,
    )
    accounts: Any = block.state._account_db
    try:
        for tx in record.transactions[:index]:
            run_tx(block, tx)
        block.state.persist()
        root = chain.root_behind(record) if behind else bytes(block.state.state_root)
        for tx in record.transactions[index : index + 1]:
            run_tx(block, tx)
    except (InvalidBlock, InvalidTransaction) as error:
        raise Refused(f"the block cannot be run again: {error.reason}") from None
    return root, accounts.accessed_slots(address)


def _leaves(db: KeyValue, root: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(hashed key, value) of a trie from a key on, in order."""
    if root != EMPTY_ROOT:
        yield from _walk(db, root, {}, (), tuple(nibble for byte in start for nibble in (byte >> 4, byte & 15)))


def _walk(
    db: KeyValue, reference: rlp.Item, places: Mapping[bytes, int], path: Nibbles, start: Nibbles
) -> Iterator[tuple[bytes, bytes]]:
    """Leaves below a node; `places` are those that the node above it knows."""
    if not reference or path < start[: len(path)]:
        return
    if isinstance(reference, bytes):
        encoded, places = read_node(db, reference, places.get(reference, 0))
        reference = rlp.decode(encoded)
    node = rlp.as_list(reference, 2, 17)
    if len(node) == 17:
        for nibble in range(16):
            yield from _walk(db, node[nibble], places, (*path, nibble), start)
        return
    compact = rlp.as_bytes(node[0])
    digits = tuple(int(digit, 16) for digit in compact.hex())
    path += digits[1 if digits[0] & 1 else 2 :]
    if not digits[0] & 2:
        yield from _walk(db, node[1], places, path, start)
    elif path >= start:
        yield bytes.fromhex("".join(f"{nibble:x}" for nibble in path)), rlp.as_bytes(node[1])
