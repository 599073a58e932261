"""The tries that hold accounts and storage (yellow paper, appendix D): read by key, changed in batches.

Keys are hashed, so all paths are 64 nibbles long and no branch holds a value. A node is kept as it was decoded: a
branch as a list of 16 references, anything else as a tuple (is a leaf, path, payload). A reference is a hash, b"" for
nothing, or, for a node whose encoding is shorter than a hash, that node itself. Nodes are never changed once made, and
a hash names one node for ever: so decoded nodes are shared by everybody through one bounded cache.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any, TypeAlias

from chain import rlp_codec as rlp
from chain.crypto import keccak
from chain.errors import StoreCorrupt
from chain.store import KeyValue
from chain.trie import EMPTY_ROOT

__all__ = ["EMPTY_ROOT", "NodeCache", "StateTrie"]

Branch: TypeAlias = "list[Any]"
Short: TypeAlias = "tuple[bool, bytes, Any]"
Node: TypeAlias = "Branch | Short"
Change: TypeAlias = "tuple[bytes, bytes]"

CACHED_NODES = 12_000
"""Of each of two generations; a full branch takes about 1.5 KB."""

# Sixteen hashes with fifteen marks between them.
_FULL_BYTES = 16 * 32 + 15
_HASH_MARKS = b"\xa0" * 16

_TO_NIBBLES = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_TO_HEX = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")


def nibbles_of(data: bytes) -> bytes:
    """Two nibbles a byte, one byte each."""
    return data.hex().encode().translate(_TO_NIBBLES)


class NodeCache:
    """Decoded nodes by hash, in two generations: what was not asked for while one filled up is forgotten."""

    def __init__(self, limit: int = CACHED_NODES) -> None:
        self._limit = limit
        self._young: dict[bytes, Node] = {}
        self._old: dict[bytes, Node] = {}

    def get(self, key: bytes) -> Node | None:
        """The node, or None if it is not here."""
        node = self._young.get(key)
        if node is None:
            node = self._old.get(key)
            if node is not None:
                self.put(key, node)
        return node

    def put(self, key: bytes, node: Node) -> None:
        """Keep a node for a while."""
        if len(self._young) >= self._limit:
            self._old, self._young = self._young, {}
        self._young[key] = node


_shared = NodeCache()


class StateTrie:
    """Tries over one database; new nodes gather in `nodes` until somebody writes them there.

    Args:
        db: Where nodes stand under their hashes.
        cache: Shared by all tries of the process unless given.
    """

    __slots__ = ("_cache", "_db", "nodes")

    def __init__(self, db: KeyValue, cache: NodeCache = _shared) -> None:
        self._db = db
        self._cache = cache
        self.nodes: dict[bytes, bytes] = {}

    def get(self, root: bytes, key: bytes) -> bytes:
        """The value under a key (not yet hashed), empty where there is none.

        Raises:
            StoreCorrupt: A node is missing.
        """
        if root == EMPTY_ROOT:
            return b""
        path = nibbles_of(keccak(key))
        at = 0
        node = self._load(root)
        while True:
            if type(node) is list:
                reference = node[path[at]]
                at += 1
            else:
                is_leaf, part, reference = node
                if is_leaf:
                    return bytes(reference) if path[at:] == part else b""
                if not path.startswith(part, at):
                    return b""
                at += len(part)
            if not reference:
                return b""
            node = self._load(reference) if type(reference) is bytes else reference

    def update(self, root: bytes, changes: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The root after setting keys (not yet hashed, each once) to values; an empty value deletes.

        Raises:
            StoreCorrupt: A node is missing.
        """
        items = sorted((nibbles_of(keccak(key)), value) for key, value in changes)
        if not items:
            return root
        node = self._put(None if root == EMPTY_ROOT else self._load(root), items, 0)
        return EMPTY_ROOT if node is None else self._store(node, _encode(node))

    def _load(self, reference: bytes) -> Node:
        node = self._cache.get(reference)
        if node is not None:
            return node
        encoded = self.nodes.get(reference)
        if encoded is None:
            encoded = self._db.get(reference)
        if encoded is None:
            raise StoreCorrupt(f"trie node 0x{reference.hex()} is missing")
        node = _decode(encoded)
        self._cache.put(reference, node)
        return node

    def _resolve(self, reference: Any) -> Node | None:
        if not reference:
            return None
        return self._load(reference) if type(reference) is bytes else reference

    def _store(self, node: Node, encoded: bytes) -> bytes:
        key = keccak(encoded)
        self.nodes[key] = encoded
        self._cache.put(key, node)
        return key

    def _reference(self, node: Node) -> Any:
        encoded = _encode(node)
        return node if len(encoded) < 32 else self._store(node, encoded)

    def _put(self, node: Node | None, items: list[Change], depth: int) -> Node | None:
        """The node that stands in place of `node` after the changes, whose paths agree below `depth`."""
        if node is None:
            return self._build([item for item in items if item[1]], depth)
        if type(node) is list:
            return self._put_branch(node, items, depth)
        is_leaf, part, payload = node
        if is_leaf:
            path = items[0][0][:depth] + part
            kept = [item for item in items if item[1]]
            if all(item[0] != path for item in items):
                if not kept:
                    return node
                kept.append((path, payload))
                kept.sort()
            return self._build(kept, depth)
        return self._put_extension(part, payload, items, depth)

    def _put_branch(self, node: Branch, items: list[Change], depth: int) -> Node | None:
        children = node.copy()
        removed = False
        start, count = 0, len(items)
        while start < count:
            nibble = items[start][0][depth]
            end = start + 1
            while end < count and items[end][0][depth] == nibble:
                end += 1
            below = self._put(self._resolve(children[nibble]), items[start:end], depth + 1)
            if below is None:
                children[nibble] = b""
                removed = True
            else:
                children[nibble] = self._reference(below)
            start = end
        if not removed:
            return children
        left = [nibble for nibble in range(16) if children[nibble]]
        if len(left) > 1:
            return children
        if not left:
            return None
        return self._prefixed(bytes(left), self._resolve(children[left[0]]))

    def _put_extension(self, part: bytes, reference: Any, items: list[Change], depth: int) -> Node | None:
        end = depth + len(part)
        # What is to be deleted beside the extension is not there.
        items = [item for item in items if item[1] or item[0][depth:end] == part]
        if not items:
            return False, part, reference
        shared = min(_shared_length(part, item[0], depth) for item in items)
        if shared == len(part):
            return self._prefixed(part, self._put(self._resolve(reference), items, end))
        children: Branch = [b""] * 16
        rest = part[shared + 1 :]
        children[part[shared]] = self._reference((False, rest, reference)) if rest else reference
        return self._prefixed(part[:shared], self._put_branch(children, items, depth + shared))

    def _prefixed(self, prefix: bytes, node: Node | None) -> Node | None:
        """`node` behind a few more nibbles."""
        if node is None or not prefix:
            return node
        if type(node) is list:
            return False, prefix, self._reference(node)
        is_leaf, part, payload = node
        return is_leaf, prefix + part, payload

    def _build(self, items: list[Change], depth: int) -> Node | None:
        """A node over nothing but these items, which are sorted and have values."""
        if not items:
            return None
        if len(items) == 1:
            path, value = items[0]
            return True, path[depth:], value
        first, last = items[0][0], items[-1][0]
        shared = depth
        while first[shared] == last[shared]:
            shared += 1
        node = self._put_branch([b""] * 16, items, shared)
        return self._prefixed(first[depth:shared], node)


def _shared_length(part: bytes, path: bytes, depth: int) -> int:
    for index, nibble in enumerate(part):
        if path[depth + index] != nibble:
            return index
    return len(part)


def _compact(path: bytes, *, leaf: bool) -> bytes:
    """Hex-prefix encoding (yellow paper, appendix C)."""
    text = path.translate(_TO_HEX).decode()
    if len(path) % 2:
        return bytes.fromhex(("3" if leaf else "1") + text)
    return bytes.fromhex(("20" if leaf else "00") + text)


def _encode(node: Node) -> bytes:
    if type(node) is list:
        with contextlib.suppress(TypeError):
            # Near the root every child is a hash; a node among them cannot be joined.
            joined = b"\xa0".join(node)
            if len(joined) == _FULL_BYTES:
                return b"\xf9\x02\x11\xa0" + joined + b"\x80"
        payload = b"".join(
            [(b"\xa0" + child if child else b"\x80") if type(child) is bytes else _encode(child) for child in node]
        )
        size = len(payload) + 1
        if size > 255:
            return b"\xf9" + size.to_bytes(2, "big") + payload + b"\x80"
        if size > 55:
            return b"\xf8" + bytes((size,)) + payload + b"\x80"
        return bytes((0xC0 + size,)) + payload + b"\x80"
    is_leaf, path, payload = node
    head = rlp.encode(_compact(path, leaf=is_leaf))
    tail = rlp.encode(payload) if type(payload) is bytes else _encode(payload)
    size = len(head) + len(tail)
    if size > 255:
        return b"\xf9" + size.to_bytes(2, "big") + head + tail
    if size > 55:
        return b"\xf8" + bytes((size,)) + head + tail
    return bytes((0xC0 + size,)) + head + tail


def _decode(encoded: bytes) -> Node:
    if len(encoded) == _FULL_BYTES + 5 and encoded[3:531:33] == _HASH_MARKS and encoded[:3] == b"\xf9\x02\x11":
        return [encoded[at : at + 32] for at in range(4, 532, 33)]
    try:
        return _node(rlp.as_list(rlp.decode(encoded), 2, 17))
    except rlp.RlpError as error:
        raise StoreCorrupt(f"a trie node cannot be read: {error}") from error


def _node(items: list[rlp.Item]) -> Node:
    if len(items) == 17:
        return [item if type(item) is bytes else _node(rlp.as_list(item, 2, 17)) for item in items[:16]]
    path = nibbles_of(rlp.as_bytes(items[0]))
    is_leaf = path[0] & 2 != 0
    part = path[1 if path[0] & 1 else 2 :]
    payload = items[1]
    return is_leaf, part, payload if isinstance(payload, bytes) else _node(rlp.as_list(payload, 2, 17))
