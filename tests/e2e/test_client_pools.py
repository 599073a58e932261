"""Unchanged clients on a pool that does not mine at once: nonce gaps, replacement, subscriptions, snapshots."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import TransactionNotFound, Web3RPCError

from tests.e2e.test_npm_clients import RECIPIENT, Cast, run
from tests.node_process import ACCOUNTS, KEYS, NodeProcess, load_token

FEES = {"maxFeePerGas": 5 * 10**9, "maxPriorityFeePerGas": 10**9}
BETTER = {"maxFeePerGas": 6 * 10**9, "maxPriorityFeePerGas": 2 * 10**9}


@pytest.mark.npm
@pytest.mark.parametrize("library", ["ethers_pool", "viem_pool"])
def test_library(library: str, npm: Path, node: NodeProcess, token_code: bytes) -> None:
    facts = {
        "url": node.url,
        "wsUrl": node.ws_url,
        "key": KEYS[0],
        "to": RECIPIENT,
        "address": node.deploy(token_code),
        "abi": load_token()[0],
    }
    done = run(["node", f"{library}.mjs"], npm, json.dumps(facts))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "ok"


@pytest.mark.npm
def test_cast(npm: Path, node: NodeProcess, token_code: bytes) -> None:
    cast = Cast(npm, node.url)
    token = node.deploy(token_code)
    node.rpc("evm_setAutomine", False)

    def send(nonce: int, *more: str, fails: bool = False) -> str:
        fees = more or ("--gas-price", "5gwei", "--priority-gas-price", "1gwei")
        return cast(
            "send", "--async", "--private-key", KEYS[0], "--nonce", str(nonce), *fees, RECIPIENT, "--value", "1",
            fails=fails,
        )  # fmt: skip

    first = int(cast("nonce", ACCOUNTS[0]))
    behind = send(first + 1)
    assert cast("nonce", "--block", "pending", ACCOUNTS[0]) == str(first)
    assert json.loads(cast("rpc", "txpool_status")) == {"pending": "0x0", "queued": "0x1"}
    ahead = send(first)
    assert cast("nonce", "--block", "pending", ACCOUNTS[0]) == str(first + 2)
    cheap = ("--gas-price", "5.1gwei", "--priority-gas-price", "1gwei")
    assert "underpriced" in send(first + 1, *cheap, fails=True)
    better = send(first + 1, "--gas-price", "6gwei", "--priority-gas-price", "2gwei")
    assert "not found" in cast("tx", behind, fails=True)
    cast("rpc", "evm_mine")
    assert {json.loads(cast("receipt", "--json", tx_hash))["status"] for tx_hash in (ahead, better)} == {"0x1"}
    node.rpc("evm_setAutomine", True)

    snapshot = json.loads(cast("rpc", "evm_snapshot"))
    sent = cast("send", "--async", "--private-key", KEYS[0], token, "transfer(address,uint256)", RECIPIENT, "5")
    assert cast("call", token, "balanceOf(address)(uint256)", RECIPIENT).split()[0] == "5"
    assert cast("rpc", "evm_revert", snapshot) == "true"
    assert "not found" in cast("tx", sent, fails=True)
    assert cast("call", token, "balanceOf(address)(uint256)", RECIPIENT).split()[0] == "0"
    assert "ERC20: insufficient balance" in cast(
        "estimate", "--from", ACCOUNTS[0], token, "transfer(address,uint256)", RECIPIENT, str(10**18), fails=True
    )
    trace = json.loads(cast("rpc", "debug_traceTransaction", better, '{"tracer":"callTracer"}'))
    assert (trace["type"], int(trace["gasUsed"], 16)) == ("CALL", 21_000)


def test_web3py(node: NodeProcess, token_code: bytes) -> None:
    web3: Any = Web3(HTTPProvider(node.url))
    account, target = Account.from_key(KEYS[0]), Web3.to_checksum_address(RECIPIENT)

    def send(nonce: int, **more: Any) -> Any:
        fields = {"chainId": 31337, "nonce": nonce, "gas": 21_000, "to": target, "value": 1, **FEES, **more}
        return web3.eth.send_raw_transaction(account.sign_transaction(fields).raw_transaction)

    node.rpc("evm_setAutomine", False)
    behind = send(1)
    assert web3.eth.get_transaction_count(account.address, "pending") == 0
    assert int(web3.geth.txpool.status().queued, 16) == 1
    ahead = send(0)
    assert web3.eth.get_transaction_count(account.address, "pending") == 2
    with pytest.raises(Web3RPCError, match="replacement transaction underpriced"):
        send(1, value=2)
    with pytest.raises(Web3RPCError, match="already known"):
        send(1)
    better = send(1, value=2, **BETTER)
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction(behind)
    replaced = web3.eth.get_transaction(better)
    assert replaced.blockNumber is None
    node.rpc("evm_mine")
    assert web3.eth.wait_for_transaction_receipt(ahead).status == 1
    assert web3.eth.wait_for_transaction_receipt(better).status == 1
    node.rpc("evm_setAutomine", True)
    early = send(3)
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction_receipt(early)
    send(2)
    assert web3.eth.get_transaction_receipt(early).status == 1
    with pytest.raises(Web3RPCError, match="nonce too low"):
        send(0, value=9)
    trace = web3.tracing.trace_transaction(better)
    assert trace[0].action.value in (2, "0x2")


def test_web3py_hears_of_logs_that_are_taken_back(node: NodeProcess, token_code: bytes) -> None:
    token = node.deploy(token_code)
    transfer = "0xa9059cbb" + RECIPIENT[2:].rjust(64, "0") + "5".rjust(64, "0")

    async def session() -> None:
        async with AsyncWeb3(WebSocketProvider(node.ws_url)) as web3:
            logs = await web3.eth.subscribe("logs", {"address": Web3.to_checksum_address(token)})
            snapshot = await asyncio.to_thread(node.rpc, "evm_snapshot")
            sent = await asyncio.to_thread(
                node.rpc, "eth_sendTransaction", {"from": ACCOUNTS[0], "to": token, "data": transfer}
            )
            await asyncio.to_thread(node.rpc, "evm_revert", snapshot)
            heard: list[Any] = []
            async with asyncio.timeout(60):
                async for message in web3.socket.process_subscriptions():
                    found: Any = message
                    assert found["subscription"] == logs
                    heard.append(found["result"])
                    if len(heard) == 2:
                        break
            assert [log["removed"] for log in heard] == [False, True]
            assert {"0x" + bytes(log["transactionHash"]).hex() for log in heard} == {sent}

    asyncio.run(session())
