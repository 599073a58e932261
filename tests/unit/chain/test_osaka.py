"""Osaka: CLZ, P256VERIFY, modexp's price and limits, and the caps on transactions and blocks."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from chain.builder import MAX_BLOCK_BYTES
from chain.errors import InvalidBlock
from chain.forks import Fork
from chain.genesis import GenesisAccount
from chain.osaka import P256_N, modexp_price, verify_p256
from chain.records import CallRequest
from chain.transaction import Tx, intrinsic_gas
from tests.unit.chain.support import ALICE, BOB, asm, new_chain, tx

CONTRACT = b"\xcc" * 20
# RFC 6979, A.2.5: the key, and its signature of "sample" with SHA-256.
KEY_X = 0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
KEY_Y = 0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299
R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8
DIGEST = int.from_bytes(hashlib.sha256(b"sample").digest(), "big")


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


# CALLDATALOAD(0), CLZ, return it
CLZ_CODE = asm(b"\x00", 0x35, 0x1E, b"\x00", 0x52, b"\x20", b"\x00", 0xF3)


@pytest.mark.parametrize(
    ("value", "zeros"), [(0, 256), (1, 255), (1 << 255, 0), (2**256 - 1, 0), (1 << 254, 1), (2**255 - 1, 1)]
)
def test_clz_counts_leading_zeros(value: int, zeros: int) -> None:
    chain = new_chain(Fork.OSAKA, accounts={CONTRACT: GenesisAccount(code=CLZ_CODE)})
    outcome = chain.call(CallRequest(to=CONTRACT, data=words(value)))
    assert outcome.is_success
    assert int.from_bytes(outcome.output, "big") == zeros


def test_clz_is_no_opcode_before_osaka() -> None:
    chain = new_chain(Fork.PRAGUE, accounts={CONTRACT: GenesisAccount(code=CLZ_CODE)})
    assert chain.call(CallRequest(to=CONTRACT, data=words(1))).error == "invalid opcode: CLZ"


def test_p256verify_knows_a_good_signature() -> None:
    assert verify_p256(DIGEST, R, S, KEY_X, KEY_Y)
    assert verify_p256(DIGEST, R, P256_N - S, KEY_X, KEY_Y)


@pytest.mark.parametrize(
    "values",
    [
        (DIGEST + 1, R, S, KEY_X, KEY_Y),
        (DIGEST, R + 1, S, KEY_X, KEY_Y),
        (DIGEST, R, S + 1, KEY_X, KEY_Y),
        (DIGEST, 0, S, KEY_X, KEY_Y),
        (DIGEST, R, 0, KEY_X, KEY_Y),
        (DIGEST, P256_N, S, KEY_X, KEY_Y),
        (DIGEST, R, S + P256_N if S + P256_N < 2**256 else P256_N, KEY_X, KEY_Y),
        (DIGEST, R, S, 0, 0),
        (DIGEST, R, S, KEY_X, KEY_Y + 1),
        (DIGEST, R, S, 2**256 - 1, KEY_Y),
        (0, R, S, KEY_Y, KEY_X),
    ],
)
def test_p256verify_refuses(values: tuple[int, int, int, int, int]) -> None:
    assert not verify_p256(*values)


def test_p256verify_is_a_precompile() -> None:
    chain = new_chain(Fork.OSAKA)
    at = (0x100).to_bytes(20, "big")
    good = words(DIGEST, R, S, KEY_X, KEY_Y)
    outcome = chain.call(CallRequest(to=at, data=good))
    assert outcome.output == words(1)
    for bad in (words(DIGEST + 1, R, S, KEY_X, KEY_Y), good[:-1], good + b"\0", b""):
        failed = chain.call(CallRequest(to=at, data=bad))
        assert (failed.status, failed.output) == ("success", b"")
    assert new_chain(Fork.PRAGUE).call(CallRequest(to=at, data=good)).output == b""
    assert outcome.gas_used == intrinsic_gas(tx(0, to=at, data=good), Fork.OSAKA) + 6_900


def modexp(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    return words(len(base), len(exponent), len(modulus)) + base + exponent + modulus


@pytest.mark.parametrize(
    ("data", "gas"),
    [
        (modexp(b"\x03" * 32, b"\x02", b"\x05" * 32), 500),
        (modexp(b"\x03" * 64, b"\x02", b"\x05" * 64), 500),
        (modexp(b"\x03" * 64, b"\x01\x00\x01", b"\x05" * 64), 2 * 8**2 * 16),
        (modexp(b"\x03" * 128, b"\x02", b"\x05" * 128), 2 * 16**2),
        (modexp(b"\x03" * 1024, b"\xff" * 40, b"\x05"), 2 * 128**2 * (16 * 8 + 255)),
        (b"", 500),
    ],
)
def test_modexp_costs_what_eip_7883_says(data: bytes, gas: int) -> None:
    assert modexp_price(data) == gas


def test_modexp_refuses_long_numbers() -> None:
    chain = new_chain(Fork.OSAKA)
    at = (5).to_bytes(20, "big")
    assert chain.call(CallRequest(to=at, data=modexp(b"\x03" * 1024, b"\x02", b"\x05"), gas=10**6)).is_success
    failed = chain.call(CallRequest(to=at, data=modexp(b"\x03" * 1025, b"\x02", b"\x05"), gas=10**6))
    assert (failed.status, failed.gas_used) == ("failure", 10**6)


def test_transactions_have_at_most_2_to_the_24_gas() -> None:
    chain = new_chain(Fork.OSAKA)
    built = chain.build_block([tx(0, gas=(1 << 24) + 1), tx(0, gas=1 << 24)])
    assert [sent.gas for sent in built.block.transactions] == [1 << 24]
    assert [error.rule for _, error in built.rejected] == ["gas-cap"]
    # A trial may have more.
    assert chain.call(CallRequest(sender=ALICE, to=BOB, gas=20_000_000)).is_success


def test_blocks_keep_to_their_size() -> None:
    chain = new_chain(Fork.OSAKA, accounts={})
    data = bytes(1_600_000)

    def big(nonce: int) -> Tx:
        return tx(nonce, gas=1 << 24, data=data)

    built = chain.build_block([big(n) for n in range(6)], gas_limit=200_000_000, store=False)
    assert len(built.block.transactions) == 5
    assert {error.rule for _, error in built.rejected} == {"block-full"}
    assert built.block.size <= MAX_BLOCK_BYTES
    prague = new_chain(Fork.PRAGUE)
    assert len(prague.build_block([big(n) for n in range(6)], gas_limit=200_000_000).block.transactions) == 6


def test_a_block_over_the_limit_is_refused() -> None:
    chain = new_chain(Fork.OSAKA)
    built = chain.build_block([tx(0)], store=False).block.block
    fat = replace(built.transactions[0], data=bytes(MAX_BLOCK_BYTES))
    with pytest.raises(InvalidBlock, match="EIP-7934"):
        chain.import_block(replace(built, transactions=(fat,)))
