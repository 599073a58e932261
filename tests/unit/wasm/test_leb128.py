"""LEB128: lengths and unused bits (core spec, binary 5.2.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewasm.errors import MalformedModule
from ewasm.wasm.leb128 import read_signed, read_unsigned, write_signed, write_unsigned


@given(st.integers(0, 2**64 - 1))
def test_unsigned_survives(value: int) -> None:
    data = write_unsigned(value)
    assert read_unsigned(data, 0, 64) == (value, len(data))
    assert len(data) == max(1, -(-value.bit_length() // 7))


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_survives(value: int) -> None:
    data = write_signed(value)
    assert read_signed(b"\x00" + data, 1, 64) == (value, 1 + len(data))


@pytest.mark.parametrize(
    ("data", "value"),
    [("00", 0), ("8000", 0), ("ffffffff0f", 2**32 - 1), ("8080808000", 0), ("e58e26", 624485)],
)
def test_unsigned_forms_that_are_read(data: str, value: int) -> None:
    assert read_unsigned(bytes.fromhex(data), 0, 32) == (value, len(data) // 2)


@pytest.mark.parametrize(
    ("data", "value"),
    [("7f", -1), ("ff7f", -1), ("ffffffff7f", -1), ("8080808078", -(2**31)), ("ffffffff07", 2**31 - 1), ("40", -64)],
)
def test_signed_forms_that_are_read(data: str, value: int) -> None:
    assert read_signed(bytes.fromhex(data), 0, 32) == (value, len(data) // 2)


@pytest.mark.parametrize(
    ("data", "bits", "reason", "offset"),
    [
        ("", 32, "unexpected end", 0),
        ("80", 32, "unexpected end", 1),
        ("808080808000", 32, "integer representation too long", 4),
        ("8080808010", 32, "integer too large", 4),
        ("8080808040", 32, "integer too large", 4),
        ("80808080808080808002", 64, "integer too large", 9),
        ("8080808080808080808000", 64, "integer representation too long", 9),
    ],
)
def test_unsigned_forms_that_are_refused(data: str, bits: int, reason: str, offset: int) -> None:
    with pytest.raises(MalformedModule) as refusal:
        read_unsigned(bytes.fromhex(data), 0, bits)
    assert (refusal.value.reason, refusal.value.offset) == (reason, offset)


@pytest.mark.parametrize(
    ("data", "bits", "reason"),
    [
        ("ff", 32, "unexpected end"),
        ("ffffffff4f", 32, "integer too large"),
        ("ffffffff0f", 32, "integer too large"),
        ("8080808070", 32, "integer too large"),
        ("ffffffffff7f", 32, "integer representation too long"),
        ("ffffffffffffffffff01", 64, "integer too large"),
        ("8080808040", 33, "integer too large"),
        ("80808080807f", 33, "integer representation too long"),
    ],
)
def test_signed_forms_that_are_refused(data: str, bits: int, reason: str) -> None:
    with pytest.raises(MalformedModule) as refusal:
        read_signed(bytes.fromhex(data), 0, bits)
    assert refusal.value.reason == reason


def test_unused_bits_of_a_33_bit_integer_repeat_the_sign() -> None:
    assert read_signed(bytes.fromhex("8080808070"), 0, 33) == (-(2**32), 5)
