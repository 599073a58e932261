"""The curve alt_bn128 for the precompiles of EIP-196 and EIP-197, bytes to bytes, as WebAssembly.

bn128.c beside this file does it. Each function raises ValueError for an input that its precompile fails on.
"""

from __future__ import annotations

from chain.wasm_module import wasm_module

__all__ = ["PAIR_BYTES", "add", "mul", "pairing_check"]

PAIR_BYTES = 192
MOST_PAIRS = 16
"""As many as the module takes at a time."""
MALFORMED = "a number is not below the modulus, or a point not on its curve or not in its subgroup"


def add(data: bytes) -> bytes:
    """The sum of two points. What is missing of 128 bytes is zeros, what is too much is left out."""
    return _point("add", data[:128].ljust(128, b"\0"))


def mul(data: bytes) -> bytes:
    """A point times a number. What is missing of 96 bytes is zeros, what is too much is left out."""
    return _point("mul", data[:96].ljust(96, b"\0"))


def pairing_check(data: bytes) -> bytes:
    """Whether the product of pairings is 1, in pairs of 192 bytes, as many as there are."""
    if len(data) % PAIR_BYTES:
        raise ValueError(f"{len(data)} bytes are not a multiple of {PAIR_BYTES}")
    with wasm_module("bn128") as module:
        module.call("start")
        for at in range(0, len(data), PAIR_BYTES * MOST_PAIRS):
            part = data[at : at + PAIR_BYTES * MOST_PAIRS]
            module.write(part)
            if not module.call("pairs", len(part) // PAIR_BYTES):
                break
        else:
            return module.call("finish").to_bytes(32, "big")
    raise ValueError(MALFORMED)


def _point(name: str, data: bytes) -> bytes:
    with wasm_module("bn128") as module:
        module.write(data)
        if module.call(name):
            return module.read(64)
    raise ValueError(MALFORMED)
