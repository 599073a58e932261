"""The tries that hold accounts and storage (yellow paper, appendix D): read by key, changed in batches.

Keys are hashed, so all paths are 64 nibbles long and no branch holds a value. A reference is a hash, b"" for nothing,
or, for a node whose encoding is shorter than a hash, that node itself. Beside a hash stands the node's place in the
log (`chain.node_log`), or 0 where it is found by hash, as in databases of version 1. A new node is given its place as
soon as it is made; it is written there later, or the place is given to another.

A node is one of three:

| what | how |
|---|---|
| packed: a branch of hashes alone | its record: children as bits (2 bytes), encoding, 8 bytes a place, checksum |
| open: any branch | a list of 16 references, then 16 places |
| short: a leaf or an extension | a tuple: is a leaf, path, value or reference, place |

Nearly all branches are packed: a child is found and replaced at its offset, without decoding and encoding the others.
Nodes are never changed once they are in the log, and a hash names one node for ever: so they are shared by everybody
through one bounded cache of each store.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, TypeAlias

from sha3 import keccak_256

from chain import rlp_codec as rlp
from chain.crypto import keccak
from chain.errors import StoreCorrupt
from chain.node_log import CHECK_BYTES, NodeCache, checked
from chain.store import KeyValue
from chain.trie import EMPTY_ROOT

__all__ = ["EMPTY_ROOT", "NodeCache", "StateTrie", "read_node"]

Packed: TypeAlias = bytes
Open: TypeAlias = "list[Any]"
Short: TypeAlias = "tuple[bool, bytes, Any, int]"
Node: TypeAlias = "Packed | Open | Short"
Change: TypeAlias = "tuple[bytes, bytes]"

# A record that is no packed branch begins with these, a row that holds a root's place with the first of them.
_PLAIN = b"\0\0"
_PLACE_MARK = 0

_TO_NIBBLES = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_TO_HEX = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")


def nibbles_of(data: bytes) -> bytes:
    """Two nibbles a byte, one byte each."""
    return data.hex().encode().translate(_TO_NIBBLES)


def _branch_header(children: int) -> bytes:
    size = 32 * children + 17
    return bytes((0xF8, size)) if size < 256 else b"\xf9" + size.to_bytes(2, "big")


_HEADERS = tuple(map(_branch_header, range(17)))
# By number of children: where a packed branch's first child would be if it stood first, and where the places begin.
_FIRST = tuple(2 + len(header) + 1 for header in _HEADERS)
_PLACES = tuple(2 + len(header) + 32 * children + 17 for children, header in enumerate(_HEADERS))
# Bits below each nibble.
_BELOW = tuple((1 << nibble) - 1 for nibble in range(17))


class StateTrie:
    """Tries over one database; new nodes gather in `nodes` until `write`.

    Args:
        db: Where nodes and the places of roots stand.
    """

    __slots__ = (
        "_begin",
        "_cache",
        "_db",
        "_end",
        "_log",
        "_paths",
        "_places",
        "_records",
        "_replaced",
        "_roots",
        "_settled",
        "nodes",
    )

    def __init__(self, db: KeyValue) -> None:
        self._db = db
        self._cache = db.cache
        self._log = db.log
        self._settled = db.settled
        # Nibbles by key, as a key that was read is often changed.
        self._paths: dict[bytes, bytes] = {}
        self._forget()

    def _forget(self) -> None:
        # New nodes by hash, their places, and how they will stand there.
        self.nodes: dict[bytes, Node] = {}
        self._places: dict[bytes, int] = {}
        self._records: list[bytes] = []
        self._begin = self._end = 0
        self._roots: set[bytes] = set()
        # Nodes that stand where new ones will.
        self._replaced: list[bytes] = []

    def get(self, root: bytes, key: bytes) -> bytes:
        """The value under a key (not yet hashed), empty where there is none.

        Raises:
            StoreCorrupt: A node is missing.
        """
        if root == EMPTY_ROOT:
            return b""
        path = self._paths.get(key)
        if path is None:
            path = self._paths[key] = nibbles_of(keccak(key))
        at = 0
        cached = self._cache.get
        node = cached(root) or self._load(root, 0)
        while True:
            if isinstance(node, bytes):
                nibble = path[at]
                at += 1
                bits = node[0] | node[1] << 8
                if not bits >> nibble & 1:
                    return b""
                before, children = (bits & _BELOW[nibble]).bit_count(), bits.bit_count()
                start = _FIRST[children] + nibble + 32 * before
                reference = node[start : start + 32]
                found = cached(reference)
                if found is None:
                    start = _PLACES[children] + 8 * before
                    found = self._fetch(reference, int.from_bytes(node[start : start + 8], "big"))
                node = found
                continue
            if isinstance(node, list):
                reference, place = node[path[at]], node[16 + path[at]]
                at += 1
            else:
                is_leaf, part, reference, place = node
                if is_leaf:
                    return bytes(reference) if path[at:] == part else b""
                if not path.startswith(part, at):
                    return b""
                at += len(part)
            if not reference:
                return b""
            node = self._load(reference, place) if type(reference) is bytes else reference

    def update(self, root: bytes, changes: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The root after setting keys (not yet hashed, each once) to values; an empty value deletes.

        Raises:
            StoreCorrupt: A node is missing.
        """
        known = self._paths.get
        items = sorted((known(key) or nibbles_of(keccak(key)), value) for key, value in changes)
        if not items:
            return root
        old = None if root == EMPTY_ROOT else self._load(root, 0)
        node = self._put(old, items, 0)
        if node is old:
            return root
        self._replaced.append(root)
        if node is None:
            return EMPTY_ROOT
        reference, _ = self._store_packed(node) if isinstance(node, bytes) else self._store(node, _encode(node))
        self._roots.add(reference)
        return reference

    def write(self) -> None:
        """Put the new nodes into the database, and forget them; they are in the cache once they are committed.

        Raises:
            StoreError: Something else was written since the first of them was made.
        """
        db, cache, nodes, replaced = self._db, self._cache, self.nodes, self._replaced
        if self._records:
            db.append(self._begin, self._records)
        for root in self._roots:
            db[root] = bytes((_PLACE_MARK,)) + self._places[root].to_bytes(8, "big")
        self._forget()

        def enter() -> None:
            for key in replaced:
                cache.pop(key, None)
            cache.update(nodes)
            cache.shrink()

        db.after_commit(enter)

    def _load(self, reference: bytes, place: int) -> Node:
        return self._cache.get(reference) or self._fetch(reference, place)

    def _fetch(self, reference: bytes, place: int) -> Node:
        """A node that is not in the cache."""
        node = self.nodes.get(reference)
        if node is not None:
            return node
        if 0 < place < self._settled:
            record = self._log.read(place, reference)
            node = record if record[0] or record[1] else _plain(record)
        else:
            node, place = _read(self._db, reference, place)
            if place >= self._db.settled:
                return node
        cache = self._cache
        cache[reference] = node
        if len(cache) > cache.limit:
            cache.shrink()
        return node

    def _store_packed(self, node: Packed) -> tuple[bytes, int]:
        """Enter a new packed branch, whose checksum is not set yet; its hash and place."""
        key: bytes = keccak_256(node[2 : _PLACES[(node[0] | node[1] << 8).bit_count()]]).digest()
        place = self._places.get(key)
        if place is None:
            record = checked(node[:-CHECK_BYTES], key)
            place = self._enter(key, record, record)
        return key, place

    def _store(self, node: Open | Short, encoded: bytes) -> tuple[bytes, int]:
        """Enter another new node; its hash and place."""
        key = keccak(encoded)
        place = self._places.get(key)
        if place is None:
            place = self._enter(key, node, checked(_plain_body(node, encoded), key))
        return key, place

    def _enter(self, key: bytes, node: Node, record: bytes) -> int:
        size = len(record)
        if not self._end:
            self._begin = self._end = self._db.next_place
        place = self._end + size
        self._end += size << 16
        self._records.append(record)
        self._places[key] = place
        self.nodes[key] = node
        return place

    def _reference(self, node: Node) -> tuple[Any, int]:
        """How a node is referred to, and its place."""
        if isinstance(node, bytes):
            return self._store_packed(node)
        encoded = _encode(node)
        return (node, 0) if len(encoded) < 32 else self._store(node, encoded)

    def _child(self, reference: Any, place: int) -> Node | None:
        if not reference:
            return None
        return self._load(reference, place) if type(reference) is bytes else reference

    def _put(self, node: Node | None, items: list[Change], depth: int) -> Node | None:
        """The node that stands in place of `node` after the changes, whose paths agree below `depth`.

        It is `node` itself where nothing changes.
        """
        if node is None:
            return self._build([item for item in items if item[1]], depth)
        if isinstance(node, list):
            return self._put_open(node, items, depth)
        if isinstance(node, bytes):
            return self._put_packed(node, items, depth)
        is_leaf, part, payload, _ = node
        if not is_leaf:
            return self._put_extension(node, items, depth)
        path = items[0][0][:depth] + part
        kept = [item for item in items if item[1]]
        if all(item[0] != path for item in items):
            if not kept:
                return node
            kept.append((path, payload))
            kept.sort()
        elif len(kept) == 1 and kept[0] == (path, payload):
            return node
        return self._build(kept, depth)

    def _put_packed(self, node: Packed, items: list[Change], depth: int) -> Node | None:
        bits = node[0] | node[1] << 8
        children = bits.bit_count()
        first, places = _FIRST[children], _PLACES[children]
        changed: bytearray | None = None
        cached = self._cache.get
        start, count = 0, len(items)
        while start < count:
            path, value = items[start]
            nibble = path[depth]
            end = start + 1
            while end < count and items[end][0][depth] == nibble:
                end += 1
            if not bits >> nibble & 1:
                return self._reopen(node, changed, items[start:], depth)
            before = (bits & _BELOW[nibble]).bit_count()
            at, place_at = first + nibble + 32 * before, places + 8 * before
            old = node[at : at + 32]
            child = cached(old) or self._load(old, int.from_bytes(node[place_at : place_at + 8], "big"))
            if isinstance(child, tuple) and child[0] and value and end == start + 1 and path[depth + 1 :] == child[1]:
                # A leaf with another value: what most changes are.
                below: Node | None = child if child[2] == value else (True, child[1], value, 0)
            else:
                below = self._put(child, items[start:end], depth + 1)
            if below is not child:
                if below is None:
                    return self._reopen(node, changed, items[start:], depth)
                reference, place = self._reference(below)
                if type(reference) is not bytes:
                    return self._reopen(node, changed, items[start:], depth)
                if changed is None:
                    changed = bytearray(node)
                self._replaced.append(old)
                changed[at : at + 32] = reference
                changed[place_at : place_at + 8] = place.to_bytes(8, "big")
            start = end
        return node if changed is None else bytes(changed)

    def _reopen(self, node: Packed, changed: bytearray | None, items: list[Change], depth: int) -> Node | None:
        """Go on with an open branch, since a child comes or goes."""
        branch = _unpack(node if changed is None else bytes(changed))
        made = self._put_open(branch, items, depth, changed=changed is not None)
        return node if made is branch else made

    def _put_open(self, node: Open, items: list[Change], depth: int, *, changed: bool = False) -> Node | None:
        branch = node.copy()
        removed = False
        start, count = 0, len(items)
        while start < count:
            nibble = items[start][0][depth]
            end = start + 1
            while end < count and items[end][0][depth] == nibble:
                end += 1
            child = self._child(branch[nibble], branch[16 + nibble])
            below = self._put(child, items[start:end], depth + 1)
            start = end
            if below is child:
                continue
            changed = True
            if below is None:
                branch[nibble], branch[16 + nibble] = b"", 0
                removed = True
            else:
                branch[nibble], branch[16 + nibble] = self._reference(below)
        if not changed:
            return node
        if removed:
            left = [nibble for nibble in range(16) if branch[nibble]]
            if not left:
                return None
            if len(left) == 1:
                return self._prefixed(bytes(left), self._child(branch[left[0]], branch[16 + left[0]]))
        return _pack(branch)

    def _put_extension(self, node: Short, items: list[Change], depth: int) -> Node | None:
        _, part, reference, place = node
        end = depth + len(part)
        # What is to be deleted beside the extension is not there.
        items = [item for item in items if item[1] or item[0][depth:end] == part]
        if not items:
            return node
        shared = min(_shared_length(part, item[0], depth) for item in items)
        if shared == len(part):
            child = self._child(reference, place)
            below = self._put(child, items, end)
            return node if below is child else self._prefixed(part, below)
        branch: Open = [b""] * 16 + [0] * 16
        rest = part[shared + 1 :]
        if rest:
            reference, place = self._reference((False, rest, reference, place))
        branch[part[shared]], branch[16 + part[shared]] = reference, place
        return self._prefixed(part[:shared], self._put_open(branch, items, depth + shared, changed=True))

    def _prefixed(self, prefix: bytes, node: Node | None) -> Node | None:
        """`node` behind a few more nibbles."""
        if node is None or not prefix:
            return node
        if isinstance(node, tuple):
            is_leaf, part, payload, place = node
            return is_leaf, prefix + part, payload, place
        reference, place = self._reference(node)
        return False, prefix, reference, place

    def _build(self, items: list[Change], depth: int) -> Node | None:
        """A node over nothing but these items, which are sorted and have values."""
        if not items:
            return None
        if len(items) == 1:
            path, value = items[0]
            return True, path[depth:], value, 0
        first, last = items[0][0], items[-1][0]
        shared = depth
        while first[shared] == last[shared]:
            shared += 1
        node = self._put_open([b""] * 16 + [0] * 16, items, shared)
        return self._prefixed(first[depth:shared], node)


def read_node(db: KeyValue, reference: bytes, place: int = 0) -> tuple[bytes, dict[bytes, int]]:
    """A node that stands by hash: its encoding, and the places of those of its children that do, by hash.

    Args:
        place: 0 for a root, or where no place is known.

    Raises:
        StoreCorrupt: It is missing.
    """
    if not place:
        row = db.get(reference)
        if row is not None and row[0] != _PLACE_MARK:
            return row, {}
    node, _ = _read(db, reference, place)
    if isinstance(node, tuple):
        places = {} if node[0] or type(node[2]) is not bytes else {node[2]: node[3]}
    else:
        branch = node if isinstance(node, list) else _unpack(node)
        places = {
            branch[nibble]: branch[16 + nibble]
            for nibble in range(16)
            if type(branch[nibble]) is bytes and branch[nibble]
        }
    return _encode(node), places


def _read(db: KeyValue, reference: bytes, place: int) -> tuple[Node, int]:
    """A node and its place."""
    if not place:
        row = db.get(reference)
        if row is None:
            raise StoreCorrupt(f"trie node 0x{reference.hex()} is missing")
        if row[0] != _PLACE_MARK:
            return _decode(row), 0
        place = int.from_bytes(row[1:], "big")
    record = db.record(place, reference)
    return (record if record[0] or record[1] else _plain(record)), place


def _plain_body(node: Open | Short, encoded: bytes) -> bytes:
    """The record of a node that is no packed branch, without the checksum."""
    if isinstance(node, tuple):
        is_leaf, _, payload, place = node
        places = [] if is_leaf or type(payload) is not bytes else [place]
    else:
        places = [node[16 + nibble] for nibble in range(16) if type(node[nibble]) is bytes and node[nibble]]
    return _PLAIN + encoded + struct.pack(f">{len(places)}q", *places)


def _plain(record: bytes) -> Node:
    """A node from a record that is no packed branch."""
    # A leaf of an account, or one like it: nearly all there are.
    first = 3 if record[2] < 0xF8 else 4
    size = record[first] - 0x80
    second = first + 1 + size
    if record[2] <= 0xF8 and 1 < size <= 33 and record[first + 1] & 0x20:
        mark = record[second]
        begin = second + 1 if 0x80 <= mark <= 0xB7 else second + 2 if mark == 0xB8 else 0
        length = mark - 0x80 if mark < 0xB8 else record[second + 1]
        # Nothing may follow: a branch can begin with a hash that looks like a leaf's path.
        if begin and begin + length == len(record) - CHECK_BYTES:
            path = nibbles_of(record[first + 1 : second])
            return True, path[1 if path[0] & 1 else 2 :], record[begin:-CHECK_BYTES], 0
    try:
        item, end = rlp.decode_prefix(record, 2)
        node = _node(rlp.as_list(item, 2, 17))
        places = struct.unpack_from(f">{(len(record) - end - CHECK_BYTES) // 8}q", record, end)
    except (rlp.RlpError, struct.error) as error:
        raise StoreCorrupt(f"a trie node cannot be read: {error}") from error
    if isinstance(node, tuple):
        return (*node[:3], places[0]) if places else node
    if not isinstance(node, list):
        raise StoreCorrupt("a trie node stands in the log in another form than it should")
    rest = iter(places)
    for nibble in range(16):
        if type(node[nibble]) is bytes and node[nibble]:
            node[16 + nibble] = next(rest, 0)
    return node


def _pack(branch: Open) -> Node:
    """The branch, packed if it holds hashes alone; the checksum is not set yet."""
    bits = 0
    parts = []
    places = []
    for nibble in range(16):
        child = branch[nibble]
        if type(child) is not bytes:
            return branch
        if child:
            bits |= 1 << nibble
            parts.append(b"\xa0" + child)
            places.append(branch[16 + nibble])
        else:
            parts.append(b"\x80")
    return b"".join(
        (
            bits.to_bytes(2, "little"),
            _HEADERS[len(places)],
            *parts,
            b"\x80",
            struct.pack(f">{len(places)}q", *places),
            bytes(CHECK_BYTES),
        )
    )


def _unpack(packed: Packed) -> Open:
    bits = packed[0] | packed[1] << 8
    children = bits.bit_count()
    at = _FIRST[children]
    places = iter(struct.unpack_from(f">{children}q", packed, _PLACES[children]))
    branch: Open = [b""] * 16 + [0] * 16
    for nibble in range(16):
        if bits >> nibble & 1:
            branch[nibble] = packed[at : at + 32]
            branch[16 + nibble] = next(places)
            at += 32
        at += 1
    return branch


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
    if isinstance(node, list):
        payload = b"".join(
            [(b"\xa0" + child if child else b"\x80") if type(child) is bytes else _encode(child) for child in node[:16]]
        )
        size = len(payload) + 1
        if size > 255:
            return b"\xf9" + size.to_bytes(2, "big") + payload + b"\x80"
        if size > 55:
            return b"\xf8" + bytes((size,)) + payload + b"\x80"
        return bytes((0xC0 + size,)) + payload + b"\x80"
    if isinstance(node, bytes):
        return node[2 : _PLACES[(node[0] | node[1] << 8).bit_count()]]
    is_leaf, path, reference, _ = node
    head = rlp.encode(_compact(path, leaf=is_leaf))
    tail = rlp.encode(reference) if type(reference) is bytes else _encode(reference)
    size = len(head) + len(tail)
    if size > 255:
        return b"\xf9" + size.to_bytes(2, "big") + head + tail
    if size > 55:
        return b"\xf8" + bytes((size,)) + head + tail
    return bytes((0xC0 + size,)) + head + tail


def _decode(encoded: bytes) -> Node:
    try:
        return _node(rlp.as_list(rlp.decode(encoded), 2, 17))
    except rlp.RlpError as error:
        raise StoreCorrupt(f"a trie node cannot be read: {error}") from error


def _node(items: list[rlp.Item]) -> Node:
    if len(items) == 17:
        branch = [item if type(item) is bytes else _node(rlp.as_list(item, 2, 17)) for item in items[:16]]
        return _pack([*branch, *([0] * 16)])
    path = nibbles_of(rlp.as_bytes(items[0]))
    is_leaf = path[0] & 2 != 0
    part = path[1 if path[0] & 1 else 2 :]
    payload = items[1]
    return is_leaf, part, payload if isinstance(payload, bytes) else _node(rlp.as_list(payload, 2, 17)), 0
