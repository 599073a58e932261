"""One test for each defect of py-evm that is mended."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import Any

import pytest

from chain.block import Withdrawal
from chain.blockchain import Blockchain, ChainConfig
from chain.builder import (
    DEPOSIT_TOPIC,
    hash_requests,
)
from chain.crypto import keccak, sign
from chain.errors import InvalidTransaction
from chain.forks import Fork
from chain.genesis import GenesisAccount, dev_genesis
from chain.hardening import modexp_value
from chain.records import CallRequest
from chain.rlp_codec import encode
from chain.store import MemoryStore
from chain.system_contracts import (
    BEACON_ROOTS,
    CONSOLIDATION_REQUESTS,
    HISTORY_STORAGE,
    WITHDRAWAL_REQUESTS,
)
from chain.transaction import Authorization, Tx, floor_gas, intrinsic_gas, sign_tx
from tests.unit.chain.support import (
    ALICE,
    BOB,
    CHAIN_ID,
    ETHER,
    GWEI,
    KEY,
    OTHER_KEY,
    asm,
    created_address,
    deployer,
    legacy_tx,
    machine,
    new_chain,
    tx,
)

CONTRACT = b"\xc0" * 20


def only_reason(sent: Tx, fork: Fork = Fork.PRAGUE) -> InvalidTransaction:
    """Why a block does not take the transaction; the state must stay as it was."""
    chain = new_chain(fork)
    built = chain.build_block([sent], timestamp=1000)
    assert built.block.transactions == ()
    assert chain.state_at().nonce(sent.sender) == 0
    assert chain.state_at().balance(sent.sender) == 1000 * ETHER
    return built.rejected[0][1]


def test_blocks_made_here_store_the_beacon_root() -> None:
    chain = new_chain()
    root = b"\xbe" * 32
    chain.build_block([], timestamp=1000, parent_beacon_block_root=root)
    outcome = chain.call(CallRequest(to=BEACON_ROOTS, data=(1000).to_bytes(32, "big")))
    assert outcome.output == root


def test_blocks_made_here_store_the_parents_hash() -> None:
    chain = new_chain()
    genesis = chain.head.hash
    chain.build_block([], timestamp=1000)
    chain.build_block([], timestamp=1001)
    outcome = chain.call(CallRequest(to=HISTORY_STORAGE, data=bytes(32)), on_pending=True)
    assert outcome.output == genesis


def test_blocks_made_here_collect_requests() -> None:
    chain = new_chain()
    assert chain.head.header.requests_hash == hash_requests([])
    pubkey = b"\x0a" * 48
    amount = (3).to_bytes(8, "big")
    sent = tx(0, to=WITHDRAWAL_REQUESTS, data=pubkey + amount, value=1)
    built = chain.build_block([sent], timestamp=1000)
    assert built.outcomes[0].status == "success"
    request = b"\x01" + ALICE + pubkey + amount[::-1]
    assert built.block.header.requests_hash == hash_requests([request])
    joined = b"\x0b" * 48
    built = chain.build_block([tx(1, to=CONSOLIDATION_REQUESTS, data=pubkey + joined, value=1)], timestamp=1001)
    assert built.block.header.requests_hash == hash_requests([b"\x02" + ALICE + pubkey + joined])


def test_deposits_are_requests() -> None:
    deposit = chain_deposit = bytes(range(256)) * 2 + bytes(64)
    address = new_chain().schedule.deposit_contract
    code = asm(len(deposit).to_bytes(2, "big"), b"\x00", b"\x00", 0x37, DEPOSIT_TOPIC, b"\x02\x40", b"\x00", 0xA1)
    chain = new_chain(accounts={address: GenesisAccount(code=code)})
    built = chain.build_block([tx(0, to=address, data=deposit)], timestamp=1000)
    parts = ((192, 240), (288, 320), (352, 360), (416, 512), (544, 552))
    request = b"\x00" + b"".join(chain_deposit[start:end] for start, end in parts)
    assert built.block.header.requests_hash == hash_requests([request])


@pytest.mark.parametrize("kind", [1, 2, 4])
def test_typed_transaction_of_another_chain_is_refused(kind: int) -> None:
    fields: dict[str, Any] = {"type": kind, "chain_id": CHAIN_ID + 1}
    if kind == 4:
        fields["authorizations"] = (Authorization(0, BOB, 0, 0, 1, 1),)
    sent = legacy_tx(0, **fields) if kind == 1 else tx(0, **fields)
    assert only_reason(sent).rule == "chain-id"


def test_legacy_transaction_of_another_chain_is_refused() -> None:
    assert only_reason(legacy_tx(0, chain_id=1)).rule == "chain-id"
    assert new_chain().build_block([legacy_tx(0, chain_id=None)], timestamp=1000).rejected == ()


def test_calldata_floor_is_charged() -> None:
    data = b"\x01" * 10_000
    sent = tx(0, data=data, gas=500_000)
    assert floor_gas(sent, Fork.PRAGUE) == 421_000
    built = new_chain().build_block([sent], timestamp=1000)
    assert built.receipts[0].gas_used == 421_000
    assert new_chain(Fork.CANCUN).build_block([sent], timestamp=1000).receipts[0].gas_used == 181_000


def test_calldata_floor_bounds_the_gas_limit() -> None:
    sent = tx(0, data=b"\x01" * 10_000, gas=420_999)
    assert intrinsic_gas(sent, Fork.PRAGUE) < sent.gas
    assert only_reason(sent).rule == "intrinsic-gas"


def test_calldata_floor_holds_after_refunds() -> None:
    clear = asm(b"\x00", b"\x00", 0x55)
    accounts = {CONTRACT: GenesisAccount(code=clear, storage={0: 1})}
    data = b"\x01" * 1000
    sent = tx(0, to=CONTRACT, data=data)
    built = new_chain(accounts=accounts).build_block([sent], timestamp=1000)
    used = built.receipts[0].gas_used
    assert used == floor_gas(sent, Fork.PRAGUE) == 61_000
    chain = new_chain(accounts=accounts)
    before = chain.state_at().balance(ALICE)
    built = chain.build_block([sent], timestamp=1000)
    assert before - chain.state_at().balance(ALICE) == used * built.receipts[0].effective_gas_price


def test_sender_with_code_is_refused() -> None:
    state_code = {ALICE: GenesisAccount(balance=ETHER, code=b"\x00")}
    chain = Blockchain.open(ChainConfig(), dev_genesis(accounts=state_code), MemoryStore(), machine())
    built = chain.build_block([tx(0)], timestamp=1000)
    assert built.rejected[0][1].rule == "sender-has-code"


def test_tip_above_cap_is_refused() -> None:
    assert only_reason(tx(0, max_fee_per_gas=GWEI, max_priority_fee_per_gas=GWEI + 1)).rule == "tip-above-cap"


BLOB_HASH = b"\x01" + bytes(31)


def test_blob_fee_counts_towards_the_balance() -> None:
    sent = tx(0, type=3, gas=21_000, blob_hashes=(BLOB_HASH,), max_fee_per_blob_gas=10**17)
    assert only_reason(sent).rule == "funds"
    value = 1000 * ETHER - 21_000 * 10 * GWEI
    assert only_reason(replace_signed(sent, value=value, max_fee_per_blob_gas=1)).rule == "funds"


def replace_signed(sent: Tx, **fields: Any) -> Tx:
    return sign_tx(replace(sent, **fields), KEY)


def test_blob_fee_is_burnt() -> None:
    chain = new_chain(coinbase=b"\xcb" * 20)
    sent = tx(0, type=3, gas=21_000, blob_hashes=(BLOB_HASH,) * 2, max_fee_per_blob_gas=7)
    built = chain.build_block([sent], timestamp=1000)
    receipt = built.receipts[0]
    assert built.block.header.blob_gas_used == receipt.blob_gas_used == 2 << 17
    assert receipt.blob_gas_price == 1
    spent = 1000 * ETHER - chain.state_at().balance(ALICE)
    assert spent == 21_000 * receipt.effective_gas_price + (2 << 17)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"to": None, "data": b"\x00"}, "blob-create"),
        ({"blob_hashes": ()}, "blob-count"),
        ({"blob_hashes": (BLOB_HASH,) * 10}, "blob-count"),
        ({"blob_hashes": (bytes(32),)}, "blob-version"),
        ({"max_fee_per_blob_gas": 0}, "blob-fee-too-low"),
    ],
)
def test_blob_transactions_that_break_a_rule(fields: dict[str, Any], rule: str) -> None:
    sent = tx(0, **{"type": 3, "blob_hashes": (BLOB_HASH,), "max_fee_per_blob_gas": 1, **fields})
    assert only_reason(sent).rule == rule


def test_a_block_holds_no_more_blobs_than_it_may() -> None:
    sent = [tx(n, type=3, blob_hashes=(BLOB_HASH,) * 5, max_fee_per_blob_gas=1) for n in range(2)]
    built = new_chain().build_block(sent, timestamp=1000)
    assert len(built.block.transactions) == 1
    assert built.rejected[0][1].rule == "block-full"


@pytest.mark.parametrize("fork", [Fork.BYZANTIUM, Fork.PRAGUE])
def test_modexp_of_an_empty_base_to_the_zeroth_is_one(fork: Fork) -> None:
    def word(value: int) -> bytes:
        return value.to_bytes(32, "big")

    data = word(0) + word(0) + word(2) + b"\x00\x07"
    assert new_chain(fork).call(CallRequest(to=word(5)[12:], data=data)).output == b"\x00\x01"
    assert modexp_value(word(1) + word(1) + word(1) + b"\x03\x02\x05") == b"\x04"
    assert modexp_value(word(1) + word(1) + word(1) + b"\x03\x02\x00") == b"\x00"
    assert modexp_value(word(0) + word(0) + word(1) + b"\x01") == b"\x00"
    assert modexp_value(b"") == b""


def test_init_code_of_a_delegated_account_is_paid_once() -> None:
    # CREATE with 64 bytes of empty init code, from Alice's own account to which her transaction goes.
    creator = asm(b"\x40", b"\x00", b"\x00", 0xF0, 0x00)
    accounts = {CONTRACT: GenesisAccount(code=creator)}
    plain = new_chain(accounts=accounts)
    by_contract = plain.call(CallRequest(sender=ALICE, to=CONTRACT)).gas_used
    chain = new_chain(accounts=accounts)
    authorization = sign_authorization(CONTRACT, 1)
    chain.build_block([tx(0, type=4, to=BOB, authorizations=(authorization,))], timestamp=1000)
    assert chain.state_at().code(ALICE) == b"\xef\x01\x00" + CONTRACT
    by_delegation = chain.call(CallRequest(sender=ALICE, to=ALICE)).gas_used
    assert by_delegation == by_contract


def sign_authorization(address: bytes, nonce: int, key: bytes = KEY) -> Authorization:
    digest = keccak(b"\x05" + encode([CHAIN_ID, address, nonce]))
    return Authorization(CHAIN_ID, address, nonce, *sign(digest, key))


def test_oversize_init_code_is_refused_before_anything_changes() -> None:
    sent = tx(0, to=None, data=bytes(49_153), gas=5_000_000)
    assert only_reason(sent).rule == "init-code-size"
    sent = tx(0, to=None, data=bytes(49_152), gas=5_000_000)
    assert new_chain().build_block([sent], timestamp=1000).rejected == ()


def test_wasm_init_code_has_its_own_limit() -> None:
    limit = new_chain().rules.limits.init_code_bytes
    sent = tx(0, to=None, data=b"\x00asm\x01\x00\x00\x00" + bytes(limit - 7), gas=29_000_000)
    assert only_reason(sent).rule == "init-code-size"


def test_kzg_setup_is_read_once() -> None:
    # The polynomial 0: commitment and proof are the point at infinity, and it is 0 at every z.
    infinity = b"\xc0" + bytes(47)
    versioned = b"\x01" + hashlib.sha256(infinity).digest()[1:]
    data = versioned + bytes(31) + b"\x05" + bytes(32) + infinity + infinity
    chain = new_chain()
    request = CallRequest(to=(10).to_bytes(20, "big"), data=data)
    first = chain.call(request)
    assert first.status == "success"
    assert first.output[:32] == (4096).to_bytes(32, "big")
    start = time.perf_counter()
    for _ in range(3):
        chain.call(request)
    assert time.perf_counter() - start < 0.5
    wrong = chain.call(replace(request, data=data[:95] + b"\x01" + data[96:]))
    assert wrong.status == "failure"
    assert chain.call(replace(request, data=data[:-1])).status == "failure"


def test_creation_over_storage_collides() -> None:
    address = created_address(ALICE, 0)
    chain = new_chain(accounts={address: GenesisAccount(balance=1, storage={1: 1})})
    built = chain.build_block([tx(0, to=None, data=deployer(b"\x00"))], timestamp=1000)
    assert built.outcomes[0].status == "failure"
    assert built.outcomes[0].gas_used == 1_000_000
    inner = created_address(CONTRACT, 0)
    creator = asm(b"\x00", b"\x00", b"\x00", 0xF0, b"\x00", 0x52, b"\x20", b"\x00", 0xF3)
    accounts = {CONTRACT: GenesisAccount(code=creator), inner: GenesisAccount(balance=1, storage={1: 1})}
    assert new_chain(accounts=accounts).call(CallRequest(to=CONTRACT)).output == bytes(32)


@pytest.mark.parametrize(
    ("fork", "count"), [(Fork.SHANGHAI, 0), (Fork.CANCUN, 1), (Fork.PRAGUE, 4)], ids=["shanghai", "cancun", "prague"]
)
def test_system_contracts_are_in_genesis(fork: Fork, count: int) -> None:
    state = new_chain(fork).state_at()
    contracts = (BEACON_ROOTS, HISTORY_STORAGE, WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS)
    assert sum(bool(state.code(address)) for address in contracts) == count


def test_one_bad_transaction_leaves_the_others() -> None:
    sent = [tx(0), tx(5), tx(0, OTHER_KEY, chain_id=1), tx(0, OTHER_KEY, gas=20_999), tx(1), tx(0, OTHER_KEY, to=ALICE)]
    built = new_chain().build_block(sent, timestamp=1000)
    assert built.block.transactions == (sent[0], sent[4], sent[5])
    assert [error.rule for _, error in built.rejected] == ["nonce-too-high", "chain-id", "intrinsic-gas"]


def test_selfdestruct_warns_nobody() -> None:
    # Warnings are errors in this suite.
    chain = new_chain(accounts={CONTRACT: GenesisAccount(balance=5, code=asm(BOB, 0xFF))})
    built = chain.build_block([tx(0, to=CONTRACT)], timestamp=1000)
    assert built.outcomes[0].status == "success"
    assert chain.state_at().balance(BOB) == 1000 * ETHER + 5
    assert chain.state_at().code(CONTRACT)


def test_withdrawals_are_paid() -> None:
    chain = new_chain()
    built = chain.build_block([], timestamp=1000, withdrawals=[Withdrawal(0, 0, BOB, 2), Withdrawal(1, 0, CONTRACT, 0)])
    assert chain.state_at().balance(BOB) == 1000 * ETHER + 2 * GWEI
    assert not chain.state_at().exists(CONTRACT)
    assert built.block.withdrawals is not None
    assert len(built.block.withdrawals) == 2


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (b"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (b"1234567890" * 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
    ],
)
def test_ripemd160_needs_no_openssl(data: bytes, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> Any:
        raise ValueError("unsupported hash type ripemd160")

    monkeypatch.setattr(hashlib, "new", refuse)
    sent = tx(0, to=(3).to_bytes(20, "big"), data=data, gas=100_000)
    chain = new_chain(Fork.CANCUN)
    outcome = chain.call(CallRequest(to=sent.to, data=data))
    assert outcome.output == bytes(12) + bytes.fromhex(digest)
    assert outcome.gas_used == intrinsic_gas(sent, Fork.CANCUN) + 600 + 120 * ((len(data) + 31) // 32)
