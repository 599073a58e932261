"""LEB128 integers (core spec, binary 5.2.2)."""

from __future__ import annotations

from ewasm.errors import MalformedModule


def read_unsigned(data: bytes, position: int, bits: int) -> tuple[int, int]:
    """Read an unsigned integer of at most `bits` bits.

    Returns:
        The value and the position after it.

    Raises:
        MalformedModule: It is cut off, takes more than ceil(bits / 7) bytes, or sets a bit above `bits`.
    """
    value = shift = 0
    try:
        while True:
            byte = data[position]
            left = bits - shift
            if left < 8:
                if byte & 0x80:
                    raise MalformedModule("integer representation too long", offset=position)
                if left < 7 and byte >> left:
                    raise MalformedModule("integer too large", offset=position)
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
            shift += 7
    except IndexError:
        raise MalformedModule("unexpected end", offset=len(data)) from None


def read_signed(data: bytes, position: int, bits: int) -> tuple[int, int]:
    """Read a two's complement integer of at most `bits` bits; see `read_unsigned`.

    The unused bits of the longest form must repeat the sign.
    """
    value = shift = 0
    try:
        while True:
            byte = data[position]
            left = bits - shift
            if left < 8:
                if byte & 0x80:
                    raise MalformedModule("integer representation too long", offset=position)
                sign_and_unused = byte >> (left - 1)
                if sign_and_unused not in (0, 0x7F >> (left - 1)):
                    raise MalformedModule("integer too large", offset=position)
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (value - (1 << shift) if byte & 0x40 else value), position
    except IndexError:
        raise MalformedModule("unexpected end", offset=len(data)) from None


def write_unsigned(value: int) -> bytes:
    """The shortest form of `value`, which must not be negative."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_signed(value: int) -> bytes:
    """The shortest form of `value`, a signed Python int."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)
