"""P256VERIFY against ECDSA by PyCryptodome's points (EIP-7951)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from Crypto.PublicKey.ECC import EccPoint

from chain.osaka import P256_B, P256_N, P256_P, verify_p256

GENERATOR = EccPoint(
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    "P-256",
)
SOURCE = random.Random(7951)


def number() -> int:
    return SOURCE.randrange(1, P256_N)


def sign(key: int, digest: int, nonce: int) -> tuple[int, int]:
    r = int((GENERATOR * nonce).x) % P256_N
    return r, (digest + r * key) * pow(nonce, -1, P256_N) % P256_N


def expected(digest: int, r: int, s: int, x: int, y: int) -> bool:
    """FIPS 186-5, for r, s and a point that are in range."""
    inverse = pow(s, -1, P256_N)
    total: Any = GENERATOR * (digest * inverse % P256_N) + EccPoint(x, y, "P-256") * (r * inverse % P256_N)
    return not total.is_point_at_infinity() and int(total.x) % P256_N == r


def point_of(x: int) -> EccPoint | None:
    square = (x**3 - 3 * x + P256_B) % P256_P
    y = pow(square, (P256_P + 1) // 4, P256_P)
    return EccPoint(x, y, "P-256") if y * y % P256_P == square else None


# Keys whose points are the generator, its double and such, where sums and doubles of tables meet.
@pytest.mark.parametrize("key", [1, 2, 3, 16, 17, P256_N - 1, P256_N - 2, P256_N - 16, *(number() for _ in range(6))])
def test_signatures_of_a_key(key: int) -> None:
    public = GENERATOR * key
    x, y = int(public.x), int(public.y)
    for digest in (0, 1, P256_N, P256_N - 1, 2**256 - 1, SOURCE.getrandbits(256)):
        for nonce in (1, 2, P256_N - 1, number()):
            r, s = sign(key, digest, nonce)
            if s == 0:
                continue
            assert expected(digest, r, s, x, y)
            assert verify_p256(digest, r, s, x, y)
            assert verify_p256(digest, r, P256_N - s, x, y)
            for wrong in ((digest ^ 1, r, s), (digest, r % (P256_N - 1) + 1, s), (digest, r, s % (P256_N - 1) + 1)):
                assert verify_p256(*wrong, x, y) == expected(*wrong, x, y)


def test_any_numbers() -> None:
    for _ in range(60):
        public = GENERATOR * number()
        case = SOURCE.getrandbits(256), number(), number(), int(public.x), int(public.y)
        assert verify_p256(*case) == expected(*case)


def test_the_point_at_infinity_is_no_signature() -> None:
    """digest + r key = 0, so both products cancel out."""
    for key in (1, 2, number()):
        public = GENERATOR * key
        for r in (1, 7, number()):
            case = -r * key % P256_N, r, number(), int(public.x), int(public.y)
            assert not expected(*case)
            assert not verify_p256(*case)


def test_equal_products_are_doubled() -> None:
    for key in (1, 2, number()):
        public = GENERATOR * key
        nonce = number()
        # u1 = nonce / 2 = u2 key
        r = int((GENERATOR * nonce).x) % P256_N
        digest = r * key % P256_N
        s = 2 * digest * pow(nonce, -1, P256_N) % P256_N
        assert expected(digest, r, s, int(public.x), int(public.y))
        assert verify_p256(digest, r, s, int(public.x), int(public.y))


@pytest.mark.parametrize("start", [P256_N + 1, P256_N + 2**100, P256_P - 1000, 1, P256_P - P256_N - 50])
def test_coordinates_are_compared_modulo_the_order(start: int) -> None:
    """Those from the order up to P, which nobody meets by chance, and those whose r could be such a one's."""
    x = start
    while (total := point_of(x)) is None:
        x += 1
    r = x % P256_N
    for _ in range(3):
        u1, u2 = number(), number()
        public = (total + -(GENERATOR * u1)) * pow(u2, -1, P256_N)
        s = r * pow(u2, -1, P256_N) % P256_N
        case = u1 * s % P256_N, r, s, int(public.x), int(public.y)
        assert expected(*case)
        assert verify_p256(*case)


def test_points_that_are_none_are_refused() -> None:
    public = GENERATOR * 77
    x, y = int(public.x), int(public.y)
    r, s = sign(77, 5, 9)
    assert verify_p256(5, r, s, x, y)
    assert verify_p256(5, r, s, x, P256_P - y) == expected(5, r, s, x, P256_P - y)
    for point in ((x, y ^ 1), (y, x), (0, 0), (0, 1), (x, P256_P), (P256_P, y), (x + P256_P, y), (x, y + P256_P)):
        assert not verify_p256(5, r, s, *point)
    for wrong in ((0, s), (r, 0), (P256_N, s), (r, P256_N), (r + P256_N, s), (r, s + P256_N), (2**256 - 1, s)):
        assert not verify_p256(5, *wrong, x, y)
