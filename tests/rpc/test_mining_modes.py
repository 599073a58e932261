"""Interval mining, no mining, and calls that take long."""

from __future__ import annotations

import threading
import time

from tests.node_process import ACCOUNTS, NodeProcess, node_process

LIMIT_S = 120
PAYMENT = {"from": ACCOUNTS[0], "to": ACCOUNTS[1], "value": "0x1"}


def wait_for_receipt(node: NodeProcess, tx_hash: str) -> dict[str, str]:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        receipt = node.rpc("eth_getTransactionReceipt", tx_hash)
        if receipt is not None:
            return dict(receipt)
        time.sleep(0.02)
    raise AssertionError("no receipt")


def test_blocks_come_at_intervals_and_hold_what_waits() -> None:
    with node_process(block_time_s=0.3) as node:
        assert node.rpc("anvil_getAutomine") is False
        hashes = [node.rpc("eth_sendTransaction", PAYMENT) for _ in range(3)]
        receipts = [wait_for_receipt(node, tx_hash) for tx_hash in hashes]
        assert {receipt["status"] for receipt in receipts} == {"0x1"}
        height = int(node.rpc("eth_blockNumber"), 16)
        deadline = time.monotonic() + LIMIT_S
        while int(node.rpc("eth_blockNumber"), 16) < height + 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_without_mining_transactions_wait_until_told() -> None:
    with node_process(mining=False) as node:
        hashes = [node.rpc("eth_sendTransaction", PAYMENT) for _ in range(3)]
        dear = {**PAYMENT, "from": ACCOUNTS[2], "maxFeePerGas": hex(10**11), "maxPriorityFeePerGas": hex(10**10)}
        hashes.insert(0, node.rpc("eth_sendTransaction", dear))
        assert node.rpc("eth_blockNumber") == "0x0"
        assert node.rpc("txpool_status")["pending"] == "0x4"
        node.rpc("evm_mine")
        assert node.rpc("eth_getBlockByNumber", "latest", False)["transactions"] == hashes


def test_transactions_too_large_for_one_block_go_into_the_next() -> None:
    with node_process(mining=False) as node:
        for _ in range(3):
            node.rpc("eth_sendTransaction", {**PAYMENT, "gas": hex(20_000_000)})
        node.rpc("evm_mine")
        assert len(node.rpc("eth_getBlockByNumber", "0x1", False)["transactions"]) >= 1
        node.rpc("evm_setAutomine", True)
        assert node.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}
        assert node.rpc("eth_getTransactionCount", ACCOUNTS[0]) == "0x3"


def test_a_long_call_holds_up_neither_blocks_nor_reads(node: NodeProcess) -> None:
    # JUMPDEST PUSH1 0 JUMP: an endless loop, ended by its gas, or by the deadline of calls on a slow machine.
    looping = {"data": "0x5b600056", "gas": hex(5_000_000)}
    ended = threading.Event()

    def call() -> None:
        answer = node.send({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [looping]})
        assert answer["error"]["message"] in ("out of gas", "execution aborted (timeout = 10s)")
        ended.set()

    thread = threading.Thread(target=call)
    thread.start()
    done_meanwhile = 0
    while not ended.is_set() and done_meanwhile < 3:
        tx_hash = node.rpc("eth_sendTransaction", PAYMENT)
        assert node.rpc("eth_getTransactionReceipt", tx_hash)["status"] == "0x1"
        done_meanwhile += 1
    assert done_meanwhile > 0
    assert ended.wait(LIMIT_S)
    thread.join(LIMIT_S)


def test_chain_id_and_accounts_are_chosen_at_start() -> None:
    mnemonic = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    with node_process(chain_id=1337, accounts=2, balance_wei=5, mnemonic=mnemonic, gas_limit=10_000_000) as node:
        assert node.rpc("eth_chainId") == "0x539"
        accounts = node.rpc("eth_accounts")
        assert accounts[0] == "0x58a57ed9d8d624cbd12e2c467d34787555bb1b25"
        assert [node.rpc("eth_getBalance", account) for account in accounts] == ["0x5", "0x5"]
        assert node.rpc("eth_getBlockByNumber", "latest", False)["gasLimit"] == hex(10_000_000)
        banner = "".join(node.lines)
        assert mnemonic not in banner
        assert banner.rstrip().endswith(node.url)


def test_older_forks_have_their_own_fields() -> None:
    with node_process(fork="Byzantium") as node:
        tx_hash = node.rpc("eth_sendTransaction", PAYMENT)
        receipt = node.rpc("eth_getTransactionReceipt", tx_hash)
        assert (receipt["status"], receipt["type"]) == ("0x1", "0x0")
        block = node.rpc("eth_getBlockByNumber", "latest", False)
        assert {"baseFeePerGas", "withdrawals", "blobGasUsed", "requestsHash"}.isdisjoint(block)
        assert node.rpc("eth_baseFee") is None
        assert node.rpc("eth_feeHistory", "0x1", "latest", [])["baseFeePerGas"] == ["0x0", "0x0"]
