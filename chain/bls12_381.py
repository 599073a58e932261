"""BLS12-381 for the precompiles of EIP-2537, bytes to bytes, by the library of arkworks.

A number of the field is 64 bytes with 16 zeros on top, one of its square two of them; a point is its x and y, zeros the
point at infinity. Each function raises ValueError for an input that its precompile fails on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from py_arkworks_bls12381 import G1Point, G2Point

__all__ = ["g1_add", "g1_msm", "g2_add", "g2_msm", "map_fp2_to_g2", "map_fp_to_g1", "pairing_check"]

FIELD_BYTES = 64
_PADDING = bytes(16)
G1_BYTES = 2 * FIELD_BYTES
G2_BYTES = 4 * FIELD_BYTES
SCALAR_BYTES = 32


@cache
def _library() -> Any:
    """Imported when a contract first asks for it."""
    import py_arkworks_bls12381

    return py_arkworks_bls12381


def g1_add(data: bytes) -> bytes:
    """Two points, on the curve and not necessarily in the subgroup."""
    _expect(data, 2 * G1_BYTES)
    point = _library().G1Point.from_xy_bytes_unchecked_be
    return _wide((point(_narrow(data[:G1_BYTES])) + point(_narrow(data[G1_BYTES:]))).to_xy_bytes_be())


def g2_add(data: bytes) -> bytes:
    """Two points, on the curve and not necessarily in the subgroup."""
    _expect(data, 2 * G2_BYTES)
    point = _library().G2Point.from_xy_bytes_unchecked_be
    return _wide((point(_narrow(data[:G2_BYTES])) + point(_narrow(data[G2_BYTES:]))).to_xy_bytes_be())


def g1_msm(data: bytes) -> bytes:
    """The sum of points times numbers, in pairs of 160 bytes, at least one; all points in the subgroup."""
    return _msm(_library().G1Point, data, G1_BYTES)


def g2_msm(data: bytes) -> bytes:
    """The sum of points times numbers, in pairs of 288 bytes, at least one; all points in the subgroup."""
    return _msm(_library().G2Point, data, G2_BYTES)


def pairing_check(data: bytes) -> bytes:
    """Whether the product of pairings is 1, in pairs of 384 bytes, at least one; all points in their subgroups."""
    library = _library()
    g1s: list[G1Point] = []
    g2s: list[G2Point] = []
    for part in _parts(data, G1_BYTES + G2_BYTES):
        g1s.append(library.G1Point.from_xy_bytes_be(_narrow(part[:G1_BYTES])))
        g2s.append(library.G2Point.from_xy_bytes_be(_narrow(part[G1_BYTES:])))
    return int(library.GT.pairing_check(g1s, g2s)).to_bytes(32, "big")


def map_fp_to_g1(data: bytes) -> bytes:
    """A point of the subgroup for a number of the field."""
    _expect(data, FIELD_BYTES)
    return _wide(_library().G1Point.map_from_fp_be(_narrow(data)).to_xy_bytes_be())


def map_fp2_to_g2(data: bytes) -> bytes:
    """A point of the subgroup for a number of the field's square."""
    _expect(data, 2 * FIELD_BYTES)
    return _wide(_library().G2Point.map_from_fp2_be(_narrow(data)).to_xy_bytes_be())


def _msm(curve: Any, data: bytes, point_bytes: int) -> bytes:
    scalar = _library().Scalar.from_be_bytes_mod_order
    points = []
    scalars = []
    for part in _parts(data, point_bytes + SCALAR_BYTES):
        points.append(curve.from_xy_bytes_be(_narrow(part[:point_bytes])))
        # The order of the subgroup, in which the point is, divides what is left out.
        scalars.append(scalar(part[point_bytes:]))
    if len(points) == 1:
        return _wide((points[0] * scalars[0]).to_xy_bytes_be())
    return _wide(curve.multiexp_unchecked(points, scalars).to_xy_bytes_be())


def _expect(data: bytes, size: int) -> None:
    if len(data) != size:
        raise ValueError(f"{len(data)} bytes where there should be {size}")


def _parts(data: bytes, size: int) -> Iterator[bytes]:
    if not data or len(data) % size:
        raise ValueError(f"{len(data)} bytes are not one or more times {size}")
    return (data[at : at + size] for at in range(0, len(data), size))


def _narrow(data: bytes) -> bytes:
    """Numbers without their padding; the library looks whether they are below the modulus."""
    for at in range(0, len(data), FIELD_BYTES):
        if data[at : at + 16] != _PADDING:
            raise ValueError("a number of the field is padded with something else than zeros")
    return b"".join([data[at + 16 : at + FIELD_BYTES] for at in range(0, len(data), FIELD_BYTES)])


def _wide(data: bytes) -> bytes:
    """Numbers with padding."""
    return b"".join([_PADDING + data[at : at + 48] for at in range(0, len(data), 48)])
