"""Recursive length prefix (yellow paper, appendix B): byte strings and lists, canonical form only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["Item", "RlpError", "as_bytes", "as_int", "as_list", "decode", "decode_prefix", "encode", "int_bytes"]

Item: TypeAlias = "bytes | list[Item]"
Encodable: TypeAlias = "bytes | int | Sequence[Encodable]"

MAX_DEPTH = 64

# First bytes of strings and lists of up to 55 bytes.
_STRING = tuple(bytes((0x80 + size,)) for size in range(56))
_LIST = tuple(bytes((0xC0 + size,)) for size in range(56))


class RlpError(ValueError):
    """The bytes are not canonical RLP, or an item has another shape than asked for."""


def int_bytes(value: int) -> bytes:
    """Big-endian without leading zeros; 0 is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def encode(item: Encodable) -> bytes:
    """Encode bytes, non-negative ints and sequences of them."""
    if isinstance(item, int):
        item = int_bytes(item)
    if isinstance(item, bytes):
        size = len(item)
        if size == 1 and item[0] < 0x80:
            return item
        if size < 56:
            return _STRING[size] + item
        length = int_bytes(size)
        return bytes((0xB7 + len(length),)) + length + item
    parts: list[bytes] = []
    for part in item:
        # Most parts are short strings, numbers among them: those go without a call of their own.
        raw = part.to_bytes((part.bit_length() + 7) // 8, "big") if type(part) is int else part
        if type(raw) is bytes:
            size = len(raw)
            if size == 1 and raw[0] < 0x80:
                parts.append(raw)
                continue
            if size < 56:
                parts.append(_STRING[size])
                parts.append(raw)
                continue
        parts.append(encode(raw))
    payload = b"".join(parts)
    size = len(payload)
    if size < 56:
        return _LIST[size] + payload
    length = int_bytes(size)
    return bytes((0xF7 + len(length),)) + length + payload


def _header(data: bytes, at: int, end: int) -> tuple[bool, int, int]:
    """(is a list, start of the payload, end of the payload) of the item at `at`."""
    if at >= end:
        raise RlpError("item is cut short")
    first = data[at]
    if first < 0x80:
        return False, at, at + 1
    is_list = first >= 0xC0
    size = first - (0xC0 if is_list else 0x80)
    start = at + 1
    if size > 55:
        width = size - 55
        if start + width > end:
            raise RlpError("length is cut short")
        size = int.from_bytes(data[start : start + width], "big")
        if size < 56 or data[start] == 0:
            raise RlpError("length is not in its shortest form")
        start += width
    if start + size > end:
        raise RlpError("item is cut short")
    if size == 1 and not is_list and data[start] < 0x80:
        raise RlpError("single byte is not in its shortest form")
    return is_list, start, start + size


def _decode(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    is_list, start, stop = _header(data, at, end)
    if not is_list:
        return data[start:stop], stop
    if depth >= MAX_DEPTH:
        raise RlpError("lists are nested too deeply")
    items: list[Item] = []
    while start < stop:
        first = data[start]
        after = start + first - 0x7F
        if first < 0x80:
            items.append(data[start : start + 1])
            start += 1
        elif first < 0xB8 and after <= stop and (first != 0x81 or data[start + 1] >= 0x80):
            # A string of up to 55 bytes; whatever is wrong with one is found by the longer way below.
            items.append(data[start + 1 : after])
            start = after
        else:
            item, start = _decode(data, start, stop, depth + 1)
            items.append(item)
    return items, stop


def decode(data: bytes) -> Item:
    """Decode one item that takes up all of `data`."""
    item, end = _decode(data, 0, len(data), 0)
    if end != len(data):
        raise RlpError("bytes are left over")
    return item


def decode_prefix(data: bytes, offset: int) -> tuple[Item, int]:
    """Decode the item that starts at `offset`; returns it and the offset behind it."""
    return _decode(data, offset, len(data), 0)


def as_int(item: Item, *, bits: int = 256) -> int:
    """An integer in its shortest form, below 2**bits."""
    if not isinstance(item, bytes):
        raise RlpError("a list where an integer belongs")
    if item[:1] == b"\x00":
        raise RlpError("integer has leading zeros")
    if len(item) * 8 > bits:
        raise RlpError(f"integer has more than {bits} bits")
    return int.from_bytes(item, "big")


def as_bytes(item: Item, *sizes: int) -> bytes:
    """A byte string, of one of `sizes` if any are given."""
    if not isinstance(item, bytes):
        raise RlpError("a list where bytes belong")
    if sizes and len(item) not in sizes:
        raise RlpError(f"{len(item)} bytes where {' or '.join(map(str, sizes))} belong")
    return item


def as_list(item: Item, *sizes: int) -> list[Item]:
    """A list, of one of `sizes` if any are given."""
    if isinstance(item, bytes):
        raise RlpError("bytes where a list belongs")
    if sizes and len(item) not in sizes:
        raise RlpError(f"{len(item)} items where {' or '.join(map(str, sizes))} belong")
    return item
