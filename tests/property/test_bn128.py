"""EIP-196's and 197's precompiles against the base's own: output, gas and failure, on good and on malformed input."""

from __future__ import annotations

import math
import random
import threading
from functools import cache
from typing import Any

import pytest
from py_ecc import optimized_bn128
from wasmtime import Trap

from chain import bn128
from chain.forks import Fork
from chain.wasm_module import wasm_module
from tests.property.precompiles import outcome, same

# It exports what it does not declare.
curve: Any = optimized_bn128
P = curve.field_modulus
R = curve.curve_order
X = 4965661367192848881
ADD, MUL, PAIRING = 6, 7, 8
SOURCE = random.Random(197)


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def g1_bytes(point: Any) -> bytes:
    return bytes(64) if curve.is_inf(point) else b"".join(word(int(part)) for part in curve.normalize(point))


def g2_bytes(point: Any) -> bytes:
    if curve.is_inf(point):
        return bytes(128)
    return b"".join(word(int(part)) for half in curve.normalize(point) for part in reversed(half.coeffs))


@cache
def g1(k: int) -> bytes:
    return g1_bytes(curve.multiply(curve.G1, k % R))


@cache
def g2(k: int) -> bytes:
    return g2_bytes(curve.multiply(curve.G2, k % R))


def root(a: int, b: int) -> tuple[int, int] | None:
    """A root of a + bu, if there is one, by the roots of its norm."""
    norm = pow(a * a + b * b, (P + 1) // 4, P)
    if norm * norm % P != (a * a + b * b) % P:
        return None
    for half in ((a + norm) * pow(2, -1, P) % P, (a - norm) * pow(2, -1, P) % P):
        c0 = pow(half, (P + 1) // 4, P)
        if c0 and c0 * c0 % P == half:
            return c0, b * pow(2 * c0, -1, P) % P
    return None


@cache
def twist_point(seed: int) -> Any:
    """A point of the twist, of any order."""
    source = random.Random(seed)
    while True:
        x = curve.FQ2([source.randrange(P), source.randrange(P)])
        y = root(*(int(part) for part in (x * x * x + curve.b2).coeffs))
        if y is not None:
            return x, curve.FQ2(y), curve.FQ2.one()


def stray_points() -> list[bytes]:
    """Points of the twist outside of G2: any, some of small orders, some that differ from G2's by such."""
    # The twist has R (2 P - R) points.
    small = curve.multiply(twist_point(1), R * (2 * P - R) // 10069 // 5864401)
    found = [twist_point(1), twist_point(2), curve.multiply(twist_point(3), R), curve.multiply(twist_point(4), R)]
    found += [small, curve.multiply(small, 10069), curve.multiply(small, 5864401), curve.add(small, curve.G2)]
    found += [curve.add(curve.multiply(small, 5864401), curve.multiply(curve.G2, 5))]
    return [g2_bytes(point) for point in found]


SCALARS = (0, 1, 2, 3, 15, 16, 17, R - 1, R, R + 1, P, 2**255, 2**256 - 1, SOURCE.getrandbits(256))


@pytest.mark.parametrize("left", [0, 1, 2, 5, R - 1, R - 5, SOURCE.randrange(R)])
def test_sums_are_the_base_s(left: int) -> None:
    for right in (0, 1, 5, R - 1, left, R - left, SOURCE.randrange(R)):
        assert same(ADD, g1(left) + g1(right)) == (150, g1(left + right))


@pytest.mark.parametrize("k", SCALARS)
def test_products_are_the_base_s(k: int) -> None:
    for point in (0, 1, 2, R - 1, 77):
        assert same(MUL, g1(point) + word(k)) == (6_000, g1(point * k))


def test_random_sums_and_products() -> None:
    for _ in range(50):
        a, b, k = SOURCE.randrange(R), SOURCE.randrange(R), SOURCE.getrandbits(SOURCE.choice((8, 64, 128, 256)))
        assert same(ADD, g1(a) + g1(b)) == (150, g1(a + b))
        assert same(MUL, g1(a) + word(k)) == (6_000, g1(a * k))


@pytest.mark.parametrize("size", [*range(0, 160, 8), 127, 129, 1000])
def test_what_is_missing_is_zeros_and_what_is_too_much_is_left_out(size: int) -> None:
    for data in (g1(5) + g1(7), g1(5) + word(9) + word(3), bytes(200), b"\xff" * 200):
        padded = (data + b"\x01" * 1000)[:size]
        same(ADD, padded)
        same(MUL, padded)
    assert same(ADD, (g1(5) + g1(7) + b"\xff" * 1000)[: max(size, 128)]) == (150, g1(12))
    assert same(MUL, (g1(5) + word(3) + b"\xff" * 1000)[: max(size, 96)]) == (6_000, g1(15))


@pytest.mark.parametrize("number", [ADD, MUL])
def test_points_that_are_none_fail(number: int) -> None:
    good = g1(3) + g1(4)
    for at in (0, 32) if number == MUL else (0, 32, 64, 96):
        old = int.from_bytes(good[at : at + 32], "big")
        for new in (0, 1, P - old, P, P + 1, old + P, 2**256 - 1, 2**255 | old, old ^ 1, old + 2 * P):
            bad = good[:at] + word(new) + good[at + 32 :]
            ours = same(number, bad)
            assert ours == "failure" or (at % 64 and new == P - old), hex(new)


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(0, 0)],
        [(0, 1)],
        [(1, 0)],
        [(1, 1)],
        [(1, 1), (-1, 1)],
        [(1, 1), (1, -1)],
        [(2, 3), (-6, 1)],
        [(2, 3), (-5, 1)],
        [(0, 5), (7, 0)],
        [(3, 4), (0, 1), (-12, 1), (5, 0)],
    ],
    ids=str,
)
def test_pairings_are_the_base_s(pairs: list[tuple[int, int]]) -> None:
    is_one = sum(left * right for left, right in pairs) == 0
    data = b"".join(g1(left) + g2(right) for left, right in pairs)
    assert same(PAIRING, data) == (45_000 + 34_000 * len(pairs), word(is_one))


@pytest.mark.parametrize("count", [15, 16, 17, 32, 33, 100])
def test_many_pairs(count: int) -> None:
    """Known by their logarithms; more than the module takes at a time."""
    pairs = [(SOURCE.randrange(12), SOURCE.randrange(12)) for _ in range(count - 1)]
    total = sum(left * right for left, right in pairs)
    for rest in (0, 1):
        data = b"".join(g1(left) + g2(right) for left, right in [*pairs, (rest - total, 1)])
        assert outcome(PAIRING, data) == (45_000 + 34_000 * count, word(not rest))


def test_random_pairings_are_bilinear() -> None:
    for _ in range(10):
        a, b, c = (SOURCE.randrange(1, R) for _ in range(3))
        data = g1(a) + g2(b) + g1(-a * b * pow(c, -1, R)) + g2(c)
        assert outcome(PAIRING, data) == (113_000, word(1))
        assert outcome(PAIRING, data[:384] + g1(a) + g2(0)) == (147_000, word(1))
        assert outcome(PAIRING, data[:192] + g1(1 - a * b * pow(c, -1, R)) + g2(c)) == (113_000, word(0))


def test_a_malformed_pair_fails_wherever_it_is() -> None:
    good = g1(2) + g2(3)
    for bad in (g1(1) + stray_points()[0], word(1) + word(1) + g2(1), g1(0) + word(P) + bytes(96)):
        for at in (0, 1, 14, 15, 16, 17, 31, 32, 39):
            assert outcome(PAIRING, good * at + bad + good * (39 - at)) == "failure"
    # What came before leaves nothing behind.
    assert outcome(PAIRING, g1(1) + g2(1) + g1(-1) + g2(1)) == (113_000, word(1))


@pytest.mark.parametrize("size", [1, 64, 128, 191, 193, 383, 385])
def test_other_lengths_of_pairs_fail(size: int) -> None:
    assert same(PAIRING, ((g1(1) + g2(1)) * 3)[:size]) == "failure"
    assert same(PAIRING, bytes(size)) == "failure"


def test_points_outside_of_the_subgroup_fail() -> None:
    strays = stray_points()
    assert len(set(strays)) == len(strays)
    for stray in strays:
        assert same(PAIRING, g1(1) + stray) == "failure"
        assert same(PAIRING, g1(0) + stray) == "failure"


def test_pairs_of_numbers_that_are_no_points_fail() -> None:
    good = g1(3) + g2(4)
    for at in range(0, 192, 32):
        old = int.from_bytes(good[at : at + 32], "big")
        for new in (0, 1, P, P + 1, old + P, 2**256 - 1, 2**255 | old, old ^ 1):
            assert same(PAIRING, good[:at] + word(new) + good[at + 32 :]) == "failure", hex(new)
    # In the place of zeros, P is not another way to write the point at infinity.
    for at in range(0, 192, 32):
        assert same(PAIRING, bytes(at) + word(P) + bytes(160 - at)) == "failure"


@pytest.mark.parametrize("number", [ADD, MUL, PAIRING])
def test_random_bytes_end_as_in_the_base(number: int) -> None:
    good = {ADD: g1(1) + g1(2), MUL: g1(1) + word(5), PAIRING: g1(1) + g2(2)}[number]
    for _ in range(12):
        same(number, SOURCE.randbytes(len(good)))
        spoilt = bytearray(good)
        spoilt[SOURCE.randrange(len(spoilt))] ^= 1 << SOURCE.randrange(8)
        same(number, bytes(spoilt))


def test_prices_before_istanbul() -> None:
    assert same(ADD, g1(1) + g1(2), Fork.BYZANTIUM) == (500, g1(3))
    assert same(MUL, g1(1) + word(3), Fork.BYZANTIUM) == (40_000, g1(3))
    assert same(PAIRING, g1(1) + g2(0), Fork.BYZANTIUM) == (180_000, word(1))
    assert same(PAIRING, b"", Fork.BYZANTIUM) == (100_000, word(1))


def test_the_test_of_the_subgroup_is_one() -> None:
    """The claim of is_in_subgroup in bn128.c: its sum, a + bF by F^2 = tF - P, has a norm that only R divides."""
    t = 6 * X * X + 1
    assert P == 36 * X**4 + 36 * X**3 + 24 * X**2 + 6 * X + 1
    assert P + 1 - t == R
    terms = [X + 1, X, X, -2 * X]
    while len(terms) > 2:
        top = terms.pop()
        terms[-1] += t * top
        terms[-2] -= P * top
    a, b = terms
    assert math.gcd(a * a + a * b * t + b * b * P, R * (2 * P - R)) == R
    assert (2 * P - R) % R != 0
    assert (X + 1 + X * P + X * P**2 - 2 * X * P**3) % R == 0


def test_the_last_power_decides_what_the_whole_one_does() -> None:
    """The claim of is_one_after_all in bn128.c."""
    l2 = 12 * X**3 + 6 * X**2 + 6 * X
    l1 = l2 - 2 * X
    power = (l2 + 6 * X**2 + 1) + l1 * P + l2 * P**2 + (l1 - 1) * P**3
    whole = (P**4 - P**2 + 1) // R
    assert power == whole * 2 * X * (6 * X**2 + 3 * X + 1)
    assert math.gcd(power // whole, R) == 1


def test_threads_do_not_share_an_instance() -> None:
    found: list[bytes] = []
    data = (g1(3) + g2(4)) * 20 + g1(-12) + g2(20)
    threads = [
        threading.Thread(target=lambda: found.extend(bn128.pairing_check(data) for _ in range(3))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [word(1)] * 12


def test_threads_that_follow_each_other_take_the_same_instance() -> None:
    used = []

    def take() -> None:
        with wasm_module("bn128") as module:
            used.append(module)

    for _ in range(3):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    with wasm_module("bn128") as first, wasm_module("bn128") as second:
        assert first is not second
    assert used == [first] * 3


def test_an_instance_is_not_used_again_after_an_error() -> None:
    with pytest.raises(Trap), wasm_module("bn128") as broken:
        # More pairs than there is room for: the module refuses.
        broken.call("pairs", 17)
    with wasm_module("bn128") as module:
        assert module is not broken
    assert outcome(PAIRING, g1(1) + g2(1) + g1(-1) + g2(1)) == (113_000, word(1))
