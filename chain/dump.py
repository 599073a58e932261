"""A chain as one document, to be carried from one node to another: format "ewasm-state", version 1.

JSON, compressed with gzip. Numbers are JSON numbers, bytes are hexadecimal with 0x:

| key | what |
|---|---|
| format, version | "ewasm-state", 1 |
| chainId, genesis, rules | the chain that it fits: id, hash of block 0, name of the rule set |
| clock | offset (seconds ahead of the wall clock), nextTimestamp (or null) |
| blocks | canonical blocks from 1 on: rlp, receipts (RLP list as the database holds it), editedRoot (or null) |
| values | trie nodes and code, each once; its key is its Keccak hash |

`genesisEditedRoot` is there if block 0 was edited; a block has `senders` where impersonated accounts sent some of its
transactions, which then have no signature. All states are in it, so history can be read behind it as before.
Nothing is executed when it is loaded, so a chain outlives a change of gas prices; hashes tie nodes to state roots, and
those to the blocks.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from chain import rlp_codec as rlp
from chain.block import decode_block, encode_block
from chain.blockchain import Adopted, Blockchain
from chain.crypto import keccak
from chain.errors import InvalidBlock, StoreCorrupt
from chain.records import block_record, decode_receipts_row, encode_receipts_row
from chain.state_trie import read_node
from chain.transaction import is_unsigned
from chain.trie import EMPTY_ROOT

__all__ = ["BadDump", "Clocked", "dump_chain", "load_chain"]

FORMAT: Final = "ewasm-state"
VERSION: Final = 1
MAX_DUMP_BYTES: Final = 1 << 30
EMPTY_CODE: Final = keccak(b"")


class BadDump(Exception):
    """A document that cannot be loaded here; the text says why."""


@dataclass(frozen=True, slots=True)
class Clocked:
    """What the clock showed: seconds ahead of the wall clock, and the next block's timestamp if it was fixed."""

    offset_s: int = 0
    next_timestamp: int | None = None


def dump_chain(chain: Blockchain, clock: Clocked) -> bytes:
    """The chain in one document, compressed."""
    blocks = []
    seen: set[bytes] = set()
    values: list[str] = []
    reader = chain.store.reader
    nodes = partial(read_node, reader)
    for number in range(1, chain.head.number + 1):
        record = chain.block_by_number(number)
        if record is None:
            raise StoreCorrupt(f"the database does not hold block {number}")
        root = chain.root_behind(record)
        for state_root in (record.header.state_root, root):
            values.extend(_hex(value) for value in _reachable(reader.get, nodes, state_root, seen))
        block: dict[str, Any] = {
            "rlp": _hex(encode_block(record.block)),
            "receipts": _hex(encode_receipts_row(chain.receipts(record.hash))),
            "editedRoot": None if root == record.header.state_root else _hex(root),
        }
        if any(is_unsigned(tx) for tx in record.transactions):
            # Impersonated accounts left no signatures to know them by.
            block["senders"] = [_hex(tx.sender) for tx in record.transactions]
        blocks.append(block)
    first = chain.block_by_number(0)
    if first is None:
        raise StoreCorrupt("the database does not hold block 0")
    root = chain.root_behind(first)
    values.extend(_hex(value) for value in _reachable(reader.get, nodes, root, seen))
    document = {
        "format": FORMAT,
        "version": VERSION,
        "chainId": chain.chain_id,
        "genesis": _hex(first.hash),
        "genesisEditedRoot": None if root == first.header.state_root else _hex(root),
        "rules": chain.rules.name,
        "clock": {"offset": clock.offset_s, "nextTimestamp": clock.next_timestamp},
        "blocks": blocks,
        "values": values,
    }
    # Without a time inside, so that the same chain gives the same bytes.
    return gzip.compress(orjson.dumps(document), 6, mtime=0)


def load_chain(chain: Blockchain, raw: bytes) -> Clocked:
    """Put a dumped chain in the place of this one, in one commit; returns the clock.

    Raises:
        BadDump: It is no such document, of another version, of another chain, or incomplete. Nothing has changed.
    """
    document = _open(raw)
    first = chain.block_by_number(0)
    have = {
        "format": FORMAT,
        "version": VERSION,
        "chainId": chain.chain_id,
        "genesis": None if first is None else _hex(first.hash),
        "rules": chain.rules.name,
    }
    for name, value in have.items():
        if document.get(name) != value:
            raise BadDump(f"{name} of the dump is {document.get(name)!r}, here it is {value!r}")
    try:
        values = {keccak(value): value for value in map(_bytes, document["values"])}
        adopted = list(_blocks(document["blocks"]))
        edited = document.get("genesisEditedRoot")
        clock = document["clock"]
        loaded = Clocked(int(clock["offset"]), clock["nextTimestamp"])
        genesis_root = None if edited is None else _bytes(edited)
    except (LookupError, TypeError, ValueError, InvalidBlock, StoreCorrupt) as error:
        raise BadDump(f"the dump is damaged: {error}") from None
    parent = have["genesis"]
    roots = [genesis_root or EMPTY_ROOT]
    for item in adopted:
        if _hex(item.record.parent_hash) != parent:
            raise BadDump(f"block {item.record.number} of the dump does not follow the one before it")
        parent = _hex(item.record.hash)
        roots += [item.record.header.state_root, item.edited_root or EMPTY_ROOT]
    reader, seen = chain.store.reader, set[bytes]()

    def node(key: bytes, _: int) -> tuple[bytes, dict[bytes, int]]:
        if key not in values:
            raise StoreCorrupt(f"there is no trie node 0x{key.hex()}")
        return values[key], {}

    try:
        for root in roots:
            for _ in _reachable(lambda key: values.get(key) or reader.get(key), node, root, seen):
                pass
    except (StoreCorrupt, ValueError) as error:
        raise BadDump(f"a state is not in the dump: {error}") from None
    chain.adopt(adopted, values, genesis_root)
    return loaded


def _blocks(items: Iterable[dict[str, Any]]) -> Iterator[Adopted]:
    for item in items:
        senders = item.get("senders")
        known = None if senders is None else [_bytes(sender) for sender in senders]
        record = block_record(decode_block(_bytes(item["rlp"]), known))
        edited = item["editedRoot"]
        receipts = decode_receipts_row(_bytes(item["receipts"]), record)
        yield Adopted(record, receipts, None if edited is None else _bytes(edited))


def _open(raw: bytes) -> dict[str, Any]:
    try:
        unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        text = unpacker.decompress(raw, MAX_DUMP_BYTES)
        if unpacker.unconsumed_tail:
            raise BadDump(f"the dump is larger than {MAX_DUMP_BYTES >> 20} MiB")
        if not unpacker.eof:
            raise BadDump("not a dump of a chain: it is cut short")
        document = orjson.loads(text)
    except (zlib.error, orjson.JSONDecodeError) as error:
        raise BadDump(f"not a dump of a chain: {error}") from None
    if not isinstance(document, dict):
        raise BadDump("not a dump of a chain: not an object")
    return document


def _reachable(
    get: Callable[[bytes], bytes | None],
    node_at: Callable[[bytes, int], tuple[bytes, dict[bytes, int]]],
    root: bytes,
    seen: set[bytes],
) -> Iterator[bytes]:
    """Trie nodes and code below a state root that were not seen before.

    Args:
        get: Code by hash.
        node_at: A node by hash and place, with the places of its children.

    Raises:
        StoreCorrupt: One is missing.
    """
    waiting = [(root, 0, True)]
    while waiting:
        key, place, of_state = waiting.pop()
        if key in seen or key in (EMPTY_ROOT, EMPTY_CODE):
            continue
        seen.add(key)
        node, places = node_at(key, place)
        yield node
        for value, is_leaf in _children(rlp.decode(node)):
            if not is_leaf:
                waiting.append((value, places.get(value, 0), of_state))
            elif of_state:
                _, _, storage_root, code_hash = rlp.as_list(rlp.decode(value), 4)
                waiting.append((rlp.as_bytes(storage_root), 0, False))
                key = rlp.as_bytes(code_hash)
                if key != EMPTY_CODE and key not in seen:
                    seen.add(key)
                    code = get(key)
                    if code is None:
                        raise StoreCorrupt(f"the database does not hold the code 0x{key.hex()}")
                    yield code


def _children(node: rlp.Item) -> Iterator[tuple[bytes, bool]]:
    """(hash, False) of the nodes below a node and (value, True) of the leaves in it (yellow paper D)."""
    items = rlp.as_list(node)
    if len(items) == 17:
        for child in items[:16]:
            yield from _child(child)
        if rlp.as_bytes(items[16]):
            yield rlp.as_bytes(items[16]), True
    else:
        path = rlp.as_bytes(items[0])
        if path[0] & 0x20:
            yield rlp.as_bytes(items[1]), True
        else:
            yield from _child(items[1])


def _child(item: rlp.Item) -> Iterator[tuple[bytes, bool]]:
    """A child by hash, or one so small that it stands in its parent."""
    if isinstance(item, bytes):
        if item:
            yield item, False
    else:
        yield from _children(item)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError(f"not hexadecimal: {str(text)[:40]!r}")
    return bytes.fromhex(text[2:])
