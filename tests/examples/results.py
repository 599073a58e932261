"""What a transaction says, in the words of tests."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from chain.transition import Executed
from ewasm.cli.abi import parse_signature


def reason(done: Executed) -> str:
    """The text of `Error(string)` that a transaction was reverted with."""
    assert done.reverted
    assert done.output[:4].hex() == "08c379a0"
    return str(decode(["string"], done.output[4:])[0])


def word(value: int | bytes) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


def call_data(signature: str, *values: Any) -> bytes:
    parsed = parse_signature(signature)
    return parsed.selector + encode(parsed.inputs, values)


def events(done: Executed) -> list[tuple[bytes, tuple[bytes, ...], bytes]]:
    """(address, topics, data) of each."""
    return [(log.address, tuple(log.topics), bytes(log.data)) for log in done.logs]


def topics(signature: str, *indexed: int | bytes) -> tuple[bytes, ...]:
    return (keccak(text=signature), *map(word, indexed))
