"""EIP-2537's precompiles against the base's own: output, gas and failure, on good and on malformed input."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest
from eth.precompiles.bls12_381 import constants
from py_ecc import optimized_bls12_381

from chain.curves import G1_DISCOUNTS, G2_DISCOUNTS
from tests.property.precompiles import outcome, same

# It exports what it does not declare.
curve: Any = optimized_bls12_381
P = curve.field_modulus
R = curve.curve_order
G1_BYTES, G2_BYTES = 128, 256


def fp(number: int) -> bytes:
    return number.to_bytes(64, "big")


def g1_bytes(point: Any) -> bytes:
    x, y = curve.normalize(point)
    return bytes(G1_BYTES) if curve.is_inf(point) else fp(int(x)) + fp(int(y))


def g2_bytes(point: Any) -> bytes:
    x, y = curve.normalize(point)
    return (
        bytes(G2_BYTES) if curve.is_inf(point) else b"".join(fp(int(part)) for half in (x, y) for part in half.coeffs)
    )


@cache
def g1(k: int) -> bytes:
    return g1_bytes(curve.multiply(curve.G1, k % R))


@cache
def g2(k: int) -> bytes:
    return g2_bytes(curve.multiply(curve.G2, k % R))


@cache
def stray_g1(seed: int) -> bytes:
    """A point of the curve that is not in the subgroup."""
    x = seed
    while True:
        x += 1
        y = pow(x**3 + 4, (P + 1) // 4, P)
        if y * y % P == (x**3 + 4) % P:
            return fp(x) + fp(y)


@cache
def stray_g2(seed: int) -> bytes:
    """A point of the twist that is not in the subgroup: x in the field, and x^3 + 4 + 4u a square."""
    x = seed
    while True:
        x += 1
        # The root of a + bu, by the roots of its norm.
        a, b = (x**3 + 4) % P, 4
        norm = pow(a * a + b * b, (P + 1) // 4, P)
        if norm * norm % P != (a * a + b * b) % P:
            continue
        for half in ((a + norm) * pow(2, -1, P) % P, (a - norm) * pow(2, -1, P) % P):
            c0 = pow(half, (P + 1) // 4, P)
            if c0 and c0 * c0 % P == half:
                return fp(x) + fp(0) + fp(c0) + fp(b * pow(2 * c0, -1, P) % P)


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "big")


SOURCE = random.Random(2537)
SCALARS = (0, 1, 2, R - 1, R, R + 1, 2**256 - 1, SOURCE.getrandbits(256))


def test_points_outside_of_the_subgroups_are_on_their_curves() -> None:
    assert same(0x0B, stray_g1(1) + g1(1)) != "failure"
    assert same(0x0D, stray_g2(1) + g2(1)) != "failure"
    assert same(0x0C, stray_g1(1) + scalar(1)) == "failure"
    assert same(0x0E, stray_g2(1) + scalar(1)) == "failure"


@pytest.mark.parametrize("left", [0, 1, 2, 5, R - 1, R - 5])
def test_sums_are_the_base_s(left: int) -> None:
    for right in (0, 1, 5, R - 1, SOURCE.randrange(R)):
        assert same(0x0B, g1(left) + g1(right)) == (375, g1(left + right))
        assert same(0x0D, g2(left) + g2(right)) == (600, g2(left + right))
    for seed in (1, 100):
        assert same(0x0B, stray_g1(seed) + g1(left)) != "failure"
        assert same(0x0D, stray_g2(seed) + g2(left)) != "failure"


def test_sums_of_points_outside_of_the_subgroups_are_the_base_s() -> None:
    def negative(point: bytes, half: int) -> bytes:
        numbers = [int.from_bytes(point[at : at + 64], "big") for at in range(0, len(point), 64)]
        return b"".join(fp(-n % P if at >= half else n) for at, n in enumerate(numbers))

    for seed in (1, 50):
        assert same(0x0B, stray_g1(seed) + stray_g1(seed)) != "failure"
        assert same(0x0B, stray_g1(seed) + stray_g1(9)) != "failure"
        assert same(0x0B, stray_g1(seed) + negative(stray_g1(seed), 1)) == (375, bytes(128))
        assert same(0x0D, stray_g2(seed) + stray_g2(seed)) != "failure"
        assert same(0x0D, stray_g2(seed) + stray_g2(9)) != "failure"
        assert same(0x0D, stray_g2(seed) + negative(stray_g2(seed), 2)) == (600, bytes(256))


# x = 0: y is a root of 4, and the point has order 3.
@pytest.mark.parametrize("y", [2, P - 2])
def test_points_of_order_three(y: int) -> None:
    point = fp(0) + fp(y)
    assert same(0x0B, point + point) == (375, fp(0) + fp(P - y))
    assert same(0x0C, point + scalar(1)) == "failure"
    assert same(0x0F, point + g2(1)) == "failure"


@pytest.mark.parametrize("k", SCALARS)
def test_products_are_the_base_s(k: int) -> None:
    for point in (0, 77):
        assert same(0x0C, g1(point) + scalar(k)) == (12_000, g1(point * k))
        assert same(0x0E, g2(point) + scalar(k)) == (22_500, g2(point * k))


@pytest.mark.parametrize("count", [2, 5])
def test_sums_of_products_are_the_base_s(count: int) -> None:
    terms = [(SOURCE.randrange(4), SOURCE.choice(SCALARS)) for _ in range(count)]
    total = sum(point * k for point, k in terms)
    ours = same(0x0C, b"".join(g1(point) + scalar(k) for point, k in terms))
    assert ours == (12_000 * count * G1_DISCOUNTS[count - 1] // 1000, g1(total))
    ours = same(0x0E, b"".join(g2(point) + scalar(k) for point, k in terms))
    assert ours == (22_500 * count * G2_DISCOUNTS[count - 1] // 1000, g2(total))


@pytest.mark.parametrize("count", [32, 128, 129, 300])
def test_long_sums_of_products(count: int) -> None:
    """Known by their logarithms."""
    terms = [(n % 7, SOURCE.getrandbits(256)) for n in range(count)]
    total = sum(point * k for point, k in terms)
    discount = min(count, 128) - 1
    ours = outcome(0x0C, b"".join(g1(point) + scalar(k) for point, k in terms))
    assert ours == (12_000 * count * G1_DISCOUNTS[discount] // 1000, g1(total))
    ours = outcome(0x0E, b"".join(g2(point) + scalar(k) for point, k in terms))
    assert ours == (22_500 * count * G2_DISCOUNTS[discount] // 1000, g2(total))


def test_discounts_are_the_base_s() -> None:
    assert list(G1_DISCOUNTS) == constants.G1_MSM_DISCOUNTS
    assert list(G2_DISCOUNTS) == constants.G2_MSM_DISCOUNTS
    assert (G1_DISCOUNTS[-1], G2_DISCOUNTS[-1]) == (constants.G1_MSM_MAX_DISCOUNT, constants.G2_MSM_MAX_DISCOUNT)


@pytest.mark.parametrize(
    "pairs",
    [[(0, 0)], [(0, 1)], [(1, 0)], [(1, 1)], [(1, 1), (-1, 1)], [(2, 3), (-6, 1)], [(2, 3), (-5, 1)], [(0, 5), (7, 0)]],
    ids=str,
)
def test_pairings_are_the_base_s(pairs: list[tuple[int, int]]) -> None:
    is_one = sum(left * right for left, right in pairs) == 0
    data = b"".join(g1(left) + g2(right) for left, right in pairs)
    assert same(0x0F, data) == (37_700 + 32_600 * len(pairs), scalar(is_one))


def test_long_products_of_pairings() -> None:
    pairs = [(SOURCE.randrange(10), SOURCE.randrange(10)) for _ in range(40)]
    data = b"".join(g1(left) + g2(right) for left, right in pairs)
    total = sum(left * right for left, right in pairs)
    assert outcome(0x0F, data + g1(-total) + g2(1)) == (37_700 + 32_600 * 41, scalar(1))
    assert outcome(0x0F, data + g1(1 - total) + g2(1)) == (37_700 + 32_600 * 41, scalar(0))


@pytest.mark.parametrize("number", [0, 1, 2, P - 1, P - 2, SOURCE.randrange(P)])
def test_maps_are_the_base_s(number: int) -> None:
    assert same(0x10, fp(number)) != "failure"
    for other in (0, P - 1):
        assert same(0x11, fp(number) + fp(other)) != "failure"


GOOD = {
    0x0B: g1(1) + g1(2),
    0x0C: g1(1) + scalar(2) + g1(2) + scalar(3),
    0x0D: g2(1) + g2(2),
    0x0E: g2(1) + scalar(2) + g2(2) + scalar(3),
    0x0F: g1(1) + g2(2),
    0x10: fp(5),
    0x11: fp(5) + fp(6),
}
# Where numbers of the field are, by how many follow each other from a start.
FIELDS = {
    0x0B: [0, 64, 128, 192],
    0x0C: [0, 64, 160, 224],
    0x0D: [64 * n for n in range(8)],
    0x0E: [64 * n for n in range(4)] + [288 + 64 * n for n in range(4)],
    0x0F: [64 * n for n in range(6)],
    0x10: [0],
    0x11: [0, 64],
}


@pytest.mark.parametrize("number", GOOD)
def test_other_lengths_fail(number: int) -> None:
    good = GOOD[number]
    assert outcome(number, good) != "failure"
    for data in (b"", good[:-1], good + b"\0", good[:1], good + good[:31], good[1:], good + bytes(64), bytes(1)):
        assert same(number, data) == "failure"


@pytest.mark.parametrize("number", GOOD)
def test_numbers_beyond_the_modulus_fail(number: int) -> None:
    good = GOOD[number]
    for at in FIELDS[number]:
        old = int.from_bytes(good[at : at + 64], "big")
        for new in (P, P + 1, old + P, (1 << 381) | old, (1 << 382) | old, (1 << 383) | old, (1 << 384) - 1):
            assert same(number, good[:at] + fp(new) + good[at + 64 :]) == "failure", hex(new)


@pytest.mark.parametrize("number", GOOD)
def test_padding_that_is_not_zero_fails(number: int) -> None:
    good = GOOD[number]
    for at in FIELDS[number]:
        for byte in (0, 7, 15):
            bad = bytearray(good)
            bad[at + byte] = 1
            assert same(number, bytes(bad)) == "failure"


@pytest.mark.parametrize("number", [0x0B, 0x0C, 0x0D, 0x0E, 0x0F])
def test_points_off_the_curve_fail(number: int) -> None:
    """One number changed at a time, zeros among what it becomes: half of the infinite point is no point."""
    good = GOOD[number]
    for at in FIELDS[number]:
        for new in (fp(0), fp(1), fp(int.from_bytes(good[at : at + 64], "big") ^ 1)):
            assert same(number, good[:at] + new + good[at + 64 :]) == "failure"


@pytest.mark.parametrize("seed", [1, 30])
def test_points_outside_of_the_subgroups_fail(seed: int) -> None:
    for data in (stray_g1(seed) + g2(1), g1(1) + stray_g2(seed), stray_g1(seed) + g2(0), g1(0) + stray_g2(seed)):
        assert same(0x0F, data) == "failure"
    assert same(0x0F, g1(1) + g2(1) + stray_g1(seed) + g2(1)) == "failure"
    for k in (0, R, 5):
        assert same(0x0C, g1(1) + scalar(1) + stray_g1(seed) + scalar(k)) == "failure"
        assert same(0x0E, g2(1) + scalar(1) + stray_g2(seed) + scalar(k)) == "failure"


@pytest.mark.parametrize("number", GOOD)
def test_random_bytes_fail_as_in_the_base(number: int) -> None:
    for _ in range(8):
        same(number, SOURCE.randbytes(len(GOOD[number])))
        spoilt = bytearray(GOOD[number])
        spoilt[SOURCE.randrange(len(spoilt))] ^= 1 << SOURCE.randrange(8)
        same(number, bytes(spoilt))
