"""Transactions of every type: estimated, sent, read back in every form, and what they leave in fees."""

from __future__ import annotations

import hashlib
from typing import Any

import ckzg
import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

from chain import rlp_codec as rlp
from chain.crypto import keccak
from chain.hardening import kzg_setup
from ewasm.initcode import wrap_runtime
from tests.node_process import ACCOUNTS, KEYS, REPOSITORY, NodeProcess, RpcFailure

ALICE, BOB, CAROL = ACCOUNTS
FEES = {"maxFeePerGas": 3 * 10**9, "maxPriorityFeePerGas": 10**9}
ACCESS_LIST = [{"address": CAROL, "storageKeys": ["0x" + "0" * 63 + "1"]}]
BLOB = b"".join(at.to_bytes(32, "big") for at in range(4096))


def sign(node: NodeProcess, fields: dict[str, Any]) -> str:
    nonce = int(node.rpc("eth_getTransactionCount", ALICE, "pending"), 16)
    fields = {**fields, "to": to_checksum_address(fields["to"])}
    signed = Account.sign_transaction({"chainId": 31337, "gas": 200_000, "nonce": nonce, **fields}, KEYS[0])
    return "0x" + bytes(signed.raw_transaction).hex()


def read_back(node: NodeProcess, tx_hash: str, raw: str) -> tuple[Any, Any]:
    """The transaction and its receipt, which are the same however they are asked for."""
    tx = node.rpc("eth_getTransactionByHash", tx_hash)
    receipt = node.rpc("eth_getTransactionReceipt", tx_hash)
    block, index = tx["blockHash"], tx["transactionIndex"]
    assert node.rpc("eth_getTransactionByBlockHashAndIndex", block, index) == tx
    assert node.rpc("eth_getTransactionByBlockNumberAndIndex", tx["blockNumber"], index) == tx
    assert node.rpc("eth_getBlockByHash", block, True)["transactions"][int(index, 16)] == tx
    assert node.rpc("eth_getBlockReceipts", block)[int(index, 16)] == receipt
    assert node.rpc("eth_getRawTransactionByHash", tx_hash) == raw
    assert node.rpc("eth_getRawTransactionByBlockHashAndIndex", block, index) == raw
    assert node.rpc("debug_getRawTransaction", tx_hash) == raw
    assert tx_hash == "0x" + keccak(bytes.fromhex(raw[2:])).hex()
    assert (tx["from"], receipt["from"], receipt["type"]) == (ALICE, ALICE, tx["type"])
    return tx, receipt


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (0, {"gasPrice": 3 * 10**9, "to": BOB, "value": 1}),
        (1, {"type": 1, "gasPrice": 3 * 10**9, "to": BOB, "accessList": ACCESS_LIST}),
        (2, {"type": 2, **FEES, "to": BOB, "accessList": ACCESS_LIST, "data": "0x0102"}),
    ],
)
def test_plain_types(node: NodeProcess, kind: int, fields: dict[str, Any]) -> None:
    request = {name: hex(value) if isinstance(value, int) else value for name, value in fields.items()}
    estimate = node.rpc("eth_estimateGas", {"from": ALICE, **request})
    raw = sign(node, fields)
    tx, receipt = read_back(node, node.rpc("eth_sendRawTransaction", raw), raw)
    assert (tx["type"], receipt["status"], receipt["gasUsed"]) == (hex(kind), "0x1", estimate)
    assert ("accessList" in tx, "yParity" in tx) == (kind > 0, kind > 0)
    if kind:
        assert tx["accessList"] == ACCESS_LIST
    assert tx["gasPrice"] == receipt["effectiveGasPrice"]


def test_blob_transactions(node: NodeProcess) -> None:
    setup = kzg_setup()
    commitment = ckzg.blob_to_kzg_commitment(BLOB, setup)
    proof = ckzg.compute_blob_kzg_proof(BLOB, commitment, setup)
    versioned = b"\x01" + hashlib.sha256(commitment).digest()[1:]
    fields = {"type": 3, **FEES, "to": BOB, "maxFeePerBlobGas": 10, "blobVersionedHashes": [versioned]}
    before = node.rpc("eth_blobBaseFee")
    raw = sign(node, fields)
    inner = rlp.decode(bytes.fromhex(raw[4:]))
    wrong = b"\x03" + rlp.encode([inner, [BLOB], [commitment], [b"\xc0" + bytes(47)]])
    with pytest.raises(RpcFailure, match="proof that does not hold"):
        node.rpc("eth_sendRawTransaction", "0x" + wrong.hex())
    network = b"\x03" + rlp.encode([inner, [BLOB], [commitment], [proof]])
    tx, receipt = read_back(node, node.rpc("eth_sendRawTransaction", "0x" + network.hex()), raw)
    assert (tx["type"], tx["blobVersionedHashes"], tx["maxFeePerBlobGas"]) == ("0x3", ["0x" + versioned.hex()], "0xa")
    assert (receipt["blobGasUsed"], receipt["blobGasPrice"]) == (hex(1 << 17), before)
    block = node.rpc("eth_getBlockByHash", tx["blockHash"], False)
    assert block["blobGasUsed"] == hex(1 << 17)
    history = node.rpc("eth_feeHistory", 1, tx["blockNumber"], [50])
    assert history["blobGasUsedRatio"] == [1 / 9]
    assert history["baseFeePerBlobGas"][0] == before
    assert history["reward"] == [[hex(int(tx["gasPrice"], 16) - int(block["baseFeePerGas"], 16))]]


def test_an_account_delegated_to_wasm(node: NodeProcess) -> None:
    counter = node.deploy(wrap_runtime((REPOSITORY / "contracts/counter/counter.wasm").read_bytes()))
    owner = Account.create()
    authorization = owner.sign_authorization({"chainId": 31337, "address": counter, "nonce": 0})
    increment = "0x" + keccak(b"increment()")[:4].hex()
    fields = {"type": 4, **FEES, "to": owner.address, "data": increment, "authorizationList": [authorization]}
    raw = sign(node, fields)
    tx, receipt = read_back(node, node.rpc("eth_sendRawTransaction", raw), raw)
    assert (tx["type"], receipt["status"]) == ("0x4", "0x1")
    [listed] = tx["authorizationList"]
    assert (listed["address"], listed["nonce"], listed["chainId"]) == (counter, "0x0", "0x7a69")
    assert node.rpc("eth_getCode", owner.address, "latest") == "0xef0100" + counter[2:]
    assert node.rpc("eth_getTransactionCount", owner.address, "latest") == "0x1"
    # The account counts for itself, and estimates and simulations see it.
    request = {"from": ALICE, "to": owner.address, "data": increment}
    gas = node.rpc("eth_estimateGas", request)
    plain = sign(node, {"type": 2, **FEES, "to": owner.address, "data": increment, "gas": int(gas, 16)})
    sent = node.rpc("eth_getTransactionReceipt", node.rpc("eth_sendRawTransaction", plain))
    assert sent["status"] == "0x1"
    number = {"to": owner.address, "data": "0x" + keccak(b"number()")[:4].hex()}
    assert int(node.rpc("eth_call", number, "latest"), 16) == 2
    assert int(node.rpc("eth_call", {**number, "to": counter}, "latest"), 16) == 0
    [block] = node.rpc("eth_simulateV1", {"blockStateCalls": [{"calls": [request]}]}, "latest")
    assert block["calls"][0]["status"] == "0x1"
