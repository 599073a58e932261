"""Corners of the integer operations, and wide arithmetic against Python's integers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewasm.errors import Trap
from ewasm.wasm import numerics as n

u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
MIN32, MIN64 = 2**31, 2**63
ALL32, ALL64 = 2**32 - 1, 2**64 - 1


@pytest.mark.parametrize("function", [n.i32_div_s, n.i32_div_u, n.i32_rem_s, n.i32_rem_u])
def test_division_by_zero_traps(function: Callable[[int, int], int]) -> None:
    with pytest.raises(Trap, match=r"^integer divide by zero$"):
        function(1, 0)


def test_signed_overflow_traps_in_division_and_is_zero_in_remainder() -> None:
    with pytest.raises(Trap, match=r"^integer overflow$"):
        n.i32_div_s(MIN32, ALL32)
    with pytest.raises(Trap, match=r"^integer overflow$"):
        n.i64_div_s(MIN64, ALL64)
    assert n.i32_rem_s(MIN32, ALL32) == n.i64_rem_s(MIN64, ALL64) == 0


def test_corners() -> None:
    assert n.i32_div_s(-7 & ALL32, 2) == -3 & ALL32
    assert n.i32_rem_s(-7 & ALL32, 2) == -1 & ALL32
    assert n.i32_rem_s(7, -2 & ALL32) == 1
    assert n.i64_div_s(7, -2 & ALL64) == -3 & ALL64
    assert n.i32_clz(0) == 32
    assert n.i32_ctz(0) == 32
    assert n.i64_clz(1) == 63
    assert n.i64_ctz(MIN64) == 63
    assert n.i32_shl(1, 33) == 2
    assert n.i32_shr_s(MIN32, 31) == ALL32
    assert n.i32_rotl(0x80000001, 1) == 3
    assert n.i32_rotr(3, 1) == 0x80000001
    assert n.i32_rotl(5, 32) == 5
    assert n.i64_extend_i32_s(MIN32) == 0xFFFFFFFF80000000
    assert n.i64_extend32_s(0x180000000) == 0xFFFFFFFF80000000
    assert n.i32_extend8_s(0x180) == 0xFFFFFF80
    assert n.i64_extend16_s(0x7FFF) == 0x7FFF


@given(u32, u32)
def test_signed_division_is_exact(a: int, b: int) -> None:
    if b and (a, b) != (MIN32, ALL32):
        quotient, remainder = n.i32_div_s(a, b), n.i32_rem_s(a, b)
        assert (quotient * b + remainder) & ALL32 == a
        assert abs(n.signed32(remainder)) < abs(n.signed32(b))
        assert remainder == 0 or (n.signed32(remainder) < 0) == (n.signed32(a) < 0)


@given(u64, u64, u64, u64)
def test_wide_arithmetic_is_that_of_128_bits(a: int, b: int, c: int, d: int) -> None:
    def join(pair: tuple[int, int]) -> int:
        return pair[0] | pair[1] << 64

    assert join(n.i64_add128(a, b, c, d)) == (join((a, b)) + join((c, d))) % 2**128
    assert join(n.i64_sub128(a, b, c, d)) == (join((a, b)) - join((c, d))) % 2**128
    assert join(n.i64_mul_wide_u(a, b)) == a * b
    assert join(n.i64_mul_wide_s(a, b)) == n.signed64(a) * n.signed64(b) % 2**128
