"""What "pending" means: the block that would be mined now, with what waits for it."""

from __future__ import annotations

import pytest

from tests.node_process import ACCOUNTS, NodeProcess, RpcFailure

# Returns block number, timestamp, base fee and gas limit; keeps the last block's number in slot 0.
CODE = "0x43600052426020524860405245606052435f5560806000f3"
CONTRACT = "0x" + "77" * 20
FUNDS = 10**18


@pytest.fixture
def fresh(node: NodeProcess) -> NodeProcess:
    node.rpc("evm_setAutomine", False)
    node.rpc("anvil_reset")
    return node


def words(data: str) -> list[int]:
    return [int(data[at : at + 64], 16) for at in range(2, len(data), 64)]


def test_state_behind_what_waits(fresh: NodeProcess) -> None:
    poor = "0x" + "b0" * 20
    fresh.rpc("anvil_setCode", CONTRACT, CODE)
    sending = {"from": ACCOUNTS[0], "to": poor, "value": hex(FUNDS)}
    fresh.rpc("eth_sendTransaction", sending)
    fresh.rpc("eth_sendTransaction", {"from": ACCOUNTS[1], "to": CONTRACT, "gas": "0x186a0"})
    assert fresh.rpc("eth_getBalance", poor, "latest") == "0x0"
    assert int(fresh.rpc("eth_getBalance", poor, "pending"), 16) == FUNDS
    assert int(fresh.rpc("eth_getStorageAt", CONTRACT, "0x0", "pending"), 16) == 1
    assert int(fresh.rpc("eth_getStorageAt", CONTRACT, "0x0"), 16) == 0
    assert fresh.rpc("eth_getTransactionCount", ACCOUNTS[0], "pending") == "0x1"
    spending = {"from": poor, "to": ACCOUNTS[0], "value": hex(FUNDS // 2)}
    assert fresh.rpc("eth_estimateGas", spending, "pending") == "0x5208"
    assert fresh.rpc("eth_call", spending, "pending") == "0x"
    for method in ("eth_estimateGas", "eth_call"):
        with pytest.raises(RpcFailure, match="insufficient funds"):
            fresh.rpc(method, spending, "latest")
    block = fresh.rpc("eth_getBlockByNumber", "pending", True)
    assert [tx["from"] for tx in block["transactions"]] == [ACCOUNTS[0], ACCOUNTS[1]]
    fields = fresh.rpc("eth_getTransactionByBlockNumberAndIndex", "pending", "0x1")
    assert (fields["hash"], fields["blockHash"]) == (block["transactions"][1]["hash"], None)
    assert fresh.rpc("eth_getHeaderByNumber", "pending")["number"] == "0x1"
    # What was foreseen happens.
    fresh.rpc("evm_mine")
    assert fresh.rpc("eth_getBlockByNumber", "latest", False)["stateRoot"] == block["stateRoot"]
    assert int(fresh.rpc("eth_getBalance", poor, "latest"), 16) == FUNDS


def test_it_follows_every_change(fresh: NodeProcess) -> None:
    def pending() -> dict[str, object]:
        block: dict[str, object] = fresh.rpc("eth_getBlockByNumber", "pending", False)
        return block

    fresh.rpc("eth_sendTransaction", {"from": ACCOUNTS[0], "to": ACCOUNTS[1]})
    first = pending()
    fresh.rpc("anvil_setBalance", "0x" + "b1" * 20, "0x5")
    second = pending()
    assert first["stateRoot"] != second["stateRoot"]
    fresh.rpc("anvil_setCoinbase", "0x" + "c0" * 20)
    fresh.rpc("evm_setBlockGasLimit", 60_000_000)
    fresh.rpc("anvil_setNextBlockBaseFeePerGas", 7)
    third = pending()
    assert (third["gasLimit"], third["baseFeePerGas"]) == (hex(60_000_000), "0x7")
    fresh.rpc("anvil_dropAllTransactions")
    assert pending()["transactions"] == []


def test_calls_and_estimates_see_the_next_blocks_settings(fresh: NodeProcess) -> None:
    fresh.rpc("anvil_setCode", CONTRACT, CODE)
    when = int(fresh.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16) + 10_000_000
    fresh.rpc("evm_setNextBlockTimestamp", when)
    fresh.rpc("anvil_setNextBlockBaseFeePerGas", 9)
    fresh.rpc("evm_setBlockGasLimit", 70_000_000)
    asked = {"from": ACCOUNTS[0], "to": CONTRACT, "gasPrice": hex(100)}
    assert words(fresh.rpc("eth_call", asked, "pending")) == [1, when, 9, 70_000_000]
    # Reverts before its time.
    locked = f"0x63{when:08x}4210600b57005b5f5ffd"
    fresh.rpc("anvil_setCode", CONTRACT, locked)
    assert int(fresh.rpc("eth_estimateGas", {"from": ACCOUNTS[0], "to": CONTRACT}), 16) > 21_000
    with pytest.raises(RpcFailure, match="execution reverted"):
        fresh.rpc("eth_call", {"from": ACCOUNTS[0], "to": CONTRACT}, "latest")


def test_a_raised_gas_limit_admits_what_fits(fresh: NodeProcess) -> None:
    sending = {"from": ACCOUNTS[0], "to": ACCOUNTS[1], "gas": hex(80_000_000)}
    with pytest.raises(RpcFailure, match="exceeds block gas limit"):
        fresh.rpc("eth_sendTransaction", sending)
    fresh.rpc("evm_setBlockGasLimit", 90_000_000)
    tx_hash = fresh.rpc("eth_sendTransaction", sending)
    fresh.rpc("evm_mine")
    assert fresh.rpc("eth_getTransactionReceipt", tx_hash)["status"] == "0x1"
    # Five million bytes of memory cost as much.
    fresh.rpc("anvil_setCode", CONTRACT, "0x5f624e20005200")
    gas = int(fresh.rpc("eth_estimateGas", {"from": ACCOUNTS[0], "to": CONTRACT, "gas": "0x55d4a80"}), 16)
    assert gas > 50_000_000
