"""Transactions from accounts whose key nobody has: contracts above all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node_process import ACCOUNTS, NodeProcess, RpcFailure, node_process

SAFE = "0x" + "5a" * 20
# Takes ether, returns nothing.
CODE = "0x00"


def test_a_contract_sends_once_it_is_impersonated(node: NodeProcess) -> None:
    node.rpc("anvil_setCode", SAFE, CODE)
    node.rpc("anvil_setBalance", SAFE, hex(10**18))
    sending = {"from": SAFE, "to": ACCOUNTS[1], "value": "0x5"}
    with pytest.raises(RpcFailure, match="unknown account"):
        node.rpc("eth_sendTransaction", sending)
    node.rpc("hardhat_impersonateAccount", SAFE)
    before = int(node.rpc("eth_getBalance", ACCOUNTS[1]), 16)
    tx_hash = node.rpc("eth_sendTransaction", sending)
    receipt = node.rpc("eth_getTransactionReceipt", tx_hash)
    assert (receipt["status"], receipt["from"]) == ("0x1", SAFE)
    assert int(node.rpc("eth_getBalance", ACCOUNTS[1]), 16) == before + 5
    assert node.rpc("eth_getTransactionCount", SAFE) == "0x1"
    assert node.rpc("eth_getCode", SAFE) == CODE
    traced = node.rpc("debug_traceTransaction", tx_hash, {"tracer": "callTracer"})
    assert (traced["from"], traced["value"]) == (SAFE, "0x5")


def test_what_it_sent_is_no_signed_transaction(node: NodeProcess) -> None:
    node.rpc("anvil_setCode", SAFE, CODE)
    node.rpc("anvil_setBalance", SAFE, hex(10**18))
    node.rpc("anvil_impersonateAccount", SAFE)
    tx_hash = node.rpc("eth_sendTransaction", {"from": SAFE, "to": ACCOUNTS[1]})
    with pytest.raises(RpcFailure, match="invalid signature"):
        node.rpc("eth_sendRawTransaction", node.rpc("eth_getRawTransactionByHash", tx_hash))


def test_an_account_with_code_and_a_key_is_refused(node: NodeProcess) -> None:
    found = node.rpc("evm_snapshot")
    node.rpc("anvil_setCode", ACCOUNTS[2], CODE)
    with pytest.raises(RpcFailure, match=r"sender not an eoa: address 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"):
        node.rpc("eth_sendTransaction", {"from": ACCOUNTS[2], "to": ACCOUNTS[1], "gas": "0x5208"})
    node.rpc("evm_revert", found)


def test_its_blocks_survive_a_restart(tmp_path: Path) -> None:
    with node_process(data_dir=tmp_path) as first:
        first.rpc("anvil_setCode", SAFE, CODE)
        first.rpc("anvil_setBalance", SAFE, hex(10**18))
        first.rpc("anvil_autoImpersonateAccount", True)
        tx_hash = first.rpc("eth_sendTransaction", {"from": SAFE, "to": ACCOUNTS[1], "value": "0x1"})
        found = first.rpc("eth_getTransactionByHash", tx_hash)
    with node_process(data_dir=tmp_path) as second:
        assert second.rpc("eth_getTransactionByHash", tx_hash) == found
        assert second.rpc("trace_transaction", tx_hash)[0]["action"]["from"] == SAFE


def test_a_dump_knows_who_sent_it() -> None:
    with node_process() as first:
        first.rpc("anvil_setBalance", SAFE, hex(10**18))
        first.rpc("anvil_impersonateAccount", SAFE)
        tx_hash = first.rpc("eth_sendTransaction", {"from": SAFE, "to": ACCOUNTS[1], "value": "0x1"})
        first.rpc("eth_sendTransaction", {"from": ACCOUNTS[0], "to": ACCOUNTS[1]})
        dump = first.rpc("anvil_dumpState")
    with node_process() as second:
        assert second.rpc("anvil_loadState", dump) is True
        assert second.rpc("eth_getTransactionByHash", tx_hash)["from"] == SAFE
        assert second.rpc("anvil_dumpState")[:20] == dump[:20]
