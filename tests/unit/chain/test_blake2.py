"""BLAKE2b's F in WebAssembly: the standard library's hash by it, the vectors of EIP-152, the base's own function."""

from __future__ import annotations

import hashlib
import random
import threading
from typing import Any

import pytest
from eth._utils.blake2.compression import blake2b_compress

from chain.blake2 import compress

IV = bytes.fromhex(
    "08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
    "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
)


def blake2b(data: bytes) -> bytes:
    """The hash, unkeyed and of 64 bytes, block by block."""
    state = (int.from_bytes(IV[:8], "little") ^ 0x01010040).to_bytes(8, "little") + IV[8:]
    blocks = [data[at : at + 128] for at in range(0, len(data), 128)] or [b""]
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        done = len(data) if last else 128 * (number + 1)
        state = compress(12, state, block.ljust(128, b"\0"), (done, 0), last)
    return state


@pytest.mark.parametrize("size", [0, 1, 3, 127, 128, 129, 256, 1000])
def test_hash_of_twelve_rounds_is_the_standard_library_s(size: int) -> None:
    data = bytes(n * 7 % 256 for n in range(size))
    assert blake2b(data) == hashlib.blake2b(data).digest()


def words(data: bytes) -> Any:
    return tuple(int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8))


@pytest.mark.parametrize("rounds", [0, 1, 2, 9, 10, 11, 12, 13, 20, 25, 137])
@pytest.mark.parametrize("final", [False, True])
def test_any_number_of_rounds_is_the_base_s(rounds: int, final: bool) -> None:
    source = random.Random(rounds)
    h, m = source.randbytes(64), source.randbytes(128)
    counters = source.getrandbits(64), source.getrandbits(64)
    assert compress(rounds, h, m, counters, final) == blake2b_compress(rounds, words(h), words(m), counters, final)


def test_threads_do_not_share_an_instance() -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(blake2b(b"abc" * 500))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {hashlib.blake2b(b"abc" * 500).digest()}
    assert len(found) == 4
