"""Roots of the tries over a block's transactions, receipts and withdrawals (yellow paper, appendix D).

Nothing but the root is wanted of them, so it is computed straight from the sorted keys, without a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from chain.crypto import keccak
from chain.rlp_codec import encode

__all__ = ["EMPTY_ROOT", "ordered_root", "root_of"]

EMPTY_ROOT = keccak(b"\x80")

Node: TypeAlias = "bytes | list[Node]"


def _compact(nibbles: bytes, *, leaf: bool) -> bytes:
    """Hex-prefix encoding of a path (yellow paper, appendix C)."""
    flag = 2 if leaf else 0
    if len(nibbles) % 2:
        nibbles = bytes((flag + 1,)) + nibbles
    else:
        nibbles = bytes((flag, 0)) + nibbles
    return bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


def _reference(node: Node) -> Node:
    """A node as it stands inside its parent: itself if its encoding is shorter than a hash."""
    encoded = encode(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _node(pairs: Sequence[tuple[bytes, bytes]], depth: int) -> Node:
    """The node above `pairs` (nibble path, value), sorted, whose paths agree below `depth`."""
    if len(pairs) == 1:
        path, value = pairs[0]
        return [_compact(path[depth:], leaf=True), value]
    first, last = pairs[0][0], pairs[-1][0]
    shared = depth
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        return [_compact(first[depth:shared], leaf=False), _reference(_node(pairs, shared))]
    value = b""
    if len(first) == depth:
        value, pairs = pairs[0][1], pairs[1:]
    children: list[Node] = []
    for nibble in range(16):
        below = [pair for pair in pairs if pair[0][depth] == nibble]
        children.append(_reference(_node(below, depth + 1)) if below else b"")
    return [*children, value]


def root_of(items: Sequence[tuple[bytes, bytes]]) -> bytes:
    """32 bytes: root of the trie that maps the given keys to the given non-empty values."""
    if not items:
        return EMPTY_ROOT
    pairs = sorted((bytes(n for b in key for n in (b >> 4, b & 15)), value) for key, value in items)
    return keccak(encode(_node(pairs, 0)))


def ordered_root(values: Sequence[bytes]) -> bytes:
    """32 bytes: root of the trie that maps rlp(index) to each value."""
    return root_of([(encode(index), value) for index, value in enumerate(values)])
