"""Hashing and secp256k1, the few functions that the node needs."""

from __future__ import annotations

import coincurve
from sha3 import keccak_256

__all__ = ["EMPTY_HASH", "SECP256K1_N", "address_of_key", "keccak", "recover", "sign"]

SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def keccak(data: bytes) -> bytes:
    """32 bytes: keccak256."""
    digest: bytes = keccak_256(data).digest()
    return digest


EMPTY_HASH = keccak(b"")


def recover(digest: bytes, y_parity: int, r: int, s: int) -> bytes | None:
    """20 bytes: the address whose key signed `digest` (32 bytes), or None where there is none."""
    if y_parity not in (0, 1) or not 0 < r < SECP256K1_N or not 0 < s < SECP256K1_N:
        return None
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([y_parity])
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception:  # noqa: BLE001 - coincurve raises a bare Exception where no point fits
        return None
    return keccak(key.format(compressed=False)[1:])[12:]


def sign(digest: bytes, private_key: bytes) -> tuple[int, int, int]:
    """(y_parity, r, s) over a 32-byte digest; s is in the lower half of the order (EIP-2)."""
    signature = coincurve.PrivateKey(private_key).sign_recoverable(digest, hasher=None)
    return signature[64], int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")


def address_of_key(private_key: bytes) -> bytes:
    """20 bytes: the address of a 32-byte private key."""
    return keccak(coincurve.PrivateKey(private_key).public_key.format(compressed=False)[1:])[12:]
