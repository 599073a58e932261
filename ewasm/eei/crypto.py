"""Hashes, priced as the EVM's: KECCAK256 30 + 6 a word, the SHA-256 precompile 60 + 12 a word."""

from __future__ import annotations

import hashlib

from eth_hash.backends.pysha3 import backend
from eth_hash.main import Keccak256

from ewasm.eei.frame import Frame

# Named, not `eth_hash.auto`: what that picks depends on the environment and on who asks first.
keccak = Keccak256(backend)


def keccak256(frame: Frame, data: int, length: int, out: int) -> None:
    """The original Keccak-256 of Ethereum, not SHA3-256."""
    frame.charge(frame.prices["keccak256"], length)
    frame.memory.write(out, keccak(frame.memory.read(data, length)))


def sha256(frame: Frame, data: int, length: int, out: int) -> None:
    """FIPS 180-4."""
    frame.charge(frame.prices["sha256"], length)
    frame.memory.write(out, hashlib.sha256(frame.memory.read(data, length)).digest())
