"""The modexp precompile against Python's pow (EIP-198)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.hardening import modexp_value

numbers = st.binary(max_size=80)


def encoded(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    parts = (base, exponent, modulus)
    return b"".join(len(part).to_bytes(32, "big") for part in parts) + b"".join(parts)


def expected(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    b, e, m = (int.from_bytes(part, "big") for part in (base, exponent, modulus))
    return (pow(b, e, m) if m else 0).to_bytes(len(modulus), "big")


@given(base=numbers, exponent=numbers, modulus=numbers)
def test_any_numbers(base: bytes, exponent: bytes, modulus: bytes) -> None:
    assert modexp_value(encoded(base, exponent, modulus)) == expected(base, exponent, modulus)


@pytest.mark.parametrize("modulus", [0, 1, 2, 3, 4, 2**32, 2**64 - 1, 2**64, 2**64 + 1, 2**255, 2**521 - 1], ids=hex)
def test_moduli_at_the_borders(modulus: int) -> None:
    size = (modulus.bit_length() + 7) // 8 + 1
    for base in (0, 1, 2, modulus, modulus + 1, max(modulus - 1, 0), 2**600):
        for exponent in (0, 1, 2, 3, 2**64, 2**256 - 1, 2**1000 + 1):
            parts = base.to_bytes(80, "big"), exponent.to_bytes(130, "big"), modulus.to_bytes(size, "big")
            assert modexp_value(encoded(*parts)) == expected(*parts)


@pytest.mark.parametrize(("base", "exponent", "modulus"), [(1, 5000, 8), (1024, 64, 1024), (1000, 3, 7), (3, 3, 1000)])
def test_numbers_of_many_sizes(base: int, exponent: int, modulus: int) -> None:
    source = random.Random(198)
    for last in (0, 1):
        parts = [bytearray(source.randbytes(size)) for size in (base, exponent, modulus)]
        parts[2][-1] = parts[2][-1] & 0xFE | last
        numbers = bytes(parts[0]), bytes(parts[1]), bytes(parts[2])
        assert modexp_value(encoded(*numbers)) == expected(*numbers)


def test_what_is_missing_is_zeros() -> None:
    whole = encoded(b"\x03", b"\x05", b"\x00\x64\x00")
    assert modexp_value(whole[:-1]) == expected(b"\x03", b"\x05", b"\x00\x64\x00")
    assert modexp_value(whole[:98]) == bytes(3)
    assert modexp_value(b"") == b""
