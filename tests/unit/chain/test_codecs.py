"""RLP, tries, transactions and blocks as bytes."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
import rlp as reference_rlp
from hypothesis import given
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from chain import rlp_codec as rlp
from chain.block import Block, decode_block, encode_block
from chain.errors import InvalidBlock, InvalidTransaction
from chain.transaction import Authorization, Tx, decode_tx, sign_tx
from chain.trie import EMPTY_ROOT, ordered_root
from tests.unit.chain.support import ALICE, BOB, KEY, legacy_tx, new_chain, tx

items = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=5), max_leaves=20)


@given(items)
def test_rlp_round_trips_and_agrees_with_the_reference(item: rlp.Item) -> None:
    encoded = rlp.encode(item)
    assert encoded == reference_rlp.encode(item)
    assert rlp.decode(encoded) == item


@given(st.binary(max_size=60))
def test_any_bytes_are_rlp_in_canonical_form_or_refused(raw: bytes) -> None:
    try:
        item = rlp.decode(raw)
    except rlp.RlpError:
        return
    assert rlp.encode(item) == raw


@pytest.mark.parametrize("raw", [b"", b"\x81\x01", b"\xb8\x01a", b"\xb9\x00\x38" + b"a" * 56, b"\xc1", b"\x00\x00"])
def test_rlp_that_is_not_canonical_is_refused(raw: bytes) -> None:
    with pytest.raises(rlp.RlpError):
        rlp.decode(raw)


def test_rlp_nested_without_end_is_refused() -> None:
    deep = b"\xc0"
    for _ in range(200):
        deep = rlp.int_bytes(0xC0 + len(deep)) + deep if len(deep) < 56 else b"\xf8" + bytes((len(deep),)) + deep
        if len(deep) > 250:
            break
    with pytest.raises(rlp.RlpError, match="deep"):
        rlp.decode(deep)


@pytest.mark.parametrize("count", [0, 1, 2, 16, 17, 128, 129, 300])
def test_ordered_root_agrees_with_a_real_trie(count: int) -> None:
    values = [os.urandom(random.randrange(1, 70)) for _ in range(count)]
    trie = HexaryTrie({})
    for index, value in enumerate(values):
        trie[rlp.encode(index)] = value
    assert ordered_root(values) == trie.root_hash
    assert count or ordered_root(values) == EMPTY_ROOT


def every_type() -> list[Tx]:
    access = ((BOB, (0, 2**256 - 1)),)
    signed = Authorization(0, BOB, 7, 1, 5, 6)
    return [
        legacy_tx(0),
        legacy_tx(1, chain_id=None),
        legacy_tx(2, type=1, access_list=access),
        tx(3, to=None, data=b"\x01\x02"),
        tx(4, type=3, blob_hashes=(b"\x01" + bytes(31),), max_fee_per_blob_gas=9),
        tx(5, type=4, authorizations=(signed,)),
    ]


@pytest.mark.parametrize("sent", every_type(), ids=lambda sent: f"type {sent.type}, nonce {sent.nonce}")
def test_transaction_round_trips_with_its_sender(sent: Tx) -> None:
    decoded = decode_tx(sent.encode())
    assert decoded == sent
    assert decoded.sender == ALICE


def test_blob_transaction_in_network_form_loses_its_sidecar() -> None:
    sent = every_type()[4]
    wrapped = b"\x03" + rlp.encode([rlp.decode(sent.encode()[1:]), [b"blob"], [b"commitment"], [b"proof"]])
    assert decode_tx(wrapped) == sent


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "malformed"),
        (b"\x05\xc0", "type"),
        (b"\x02\xc0", "malformed"),
        (b"\xc0", "malformed"),
        (b"\x02", "malformed"),
        (tx(0).encode()[:-1], "malformed"),
        (tx(0).encode() + b"\x00", "malformed"),
        (replace(tx(0), r=0).encode(), "signature"),
        (replace(tx(0), v=2).encode(), "signature"),
    ],
)
def test_bytes_that_are_no_transaction_are_refused(raw: bytes, rule: str) -> None:
    with pytest.raises(InvalidTransaction) as refusal:
        decode_tx(raw)
    assert refusal.value.rule == rule


@given(st.binary(max_size=120))
def test_any_bytes_are_a_transaction_or_refused(raw: bytes) -> None:
    try:
        decoded = decode_tx(raw)
    except InvalidTransaction:
        return
    assert decoded.encode() == raw


def test_signature_is_eip155s() -> None:
    # The example of EIP-155.
    example = Tx(0, 1, 9, 21000, b"\x35" * 20, 10**18, b"", b"", 20 * 10**9, 20 * 10**9, 20 * 10**9)
    signed = sign_tx(example, b"\x46" * 32)
    assert signed.v == 37
    assert signed.r == 0x28EF61340BD939BC2195FE537567866003E1A15D3C71FF63E1590620AA636276
    assert signed.s == 0x67CBE9D8997F761AECB703304B3800CCF555C9F3DC64214B297FB1966A3B6D83


def test_block_round_trips() -> None:
    chain = new_chain()
    built = chain.build_block([tx(0), legacy_tx(1), tx(0, type=2)], timestamp=100)
    block = built.block.block
    assert decode_block(encode_block(block)) == block
    assert len(encode_block(block)) == built.block.size


@pytest.mark.parametrize("raw", [b"", b"\xc0", b"\xc3\xc0\xc0\xc0", b"\x80"])
def test_bytes_that_are_no_block_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidBlock):
        decode_block(raw)


def test_a_cut_block_is_refused() -> None:
    raw = encode_block(Block(new_chain().head.header, withdrawals=()))
    for cut in (1, 100, len(raw) - 1):
        with pytest.raises(InvalidBlock):
            decode_block(raw[:cut])


def test_key_and_address_agree() -> None:
    assert ALICE.hex() == "7e5f4552091a69125d5dfcb7b8c2659029395bdf"
    assert tx(0, KEY).sender == ALICE
