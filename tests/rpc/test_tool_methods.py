"""Methods that Foundry, Hardhat, viem's test client and MetaMask's test page call beyond the usual ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eth_abi.abi import encode

from ewasm.initcode import with_arguments
from tests.node_process import ACCOUNTS, KEYS, NodeProcess, RpcFailure, load_token, node_process

NOBODY = "0x" + "0b" * 20


@pytest.fixture
def fresh(node: NodeProcess) -> Iterator[NodeProcess]:
    node.rpc("anvil_reset")
    yield node
    node.rpc("evm_setAutomine", True)


def timestamp(node: NodeProcess, block: str = "latest") -> int:
    return int(node.rpc("eth_getBlockByNumber", block, False)["timestamp"], 16)


@pytest.mark.parametrize("prefix", ["anvil", "hardhat"])
def test_blocks_at_a_fixed_distance_in_time(fresh: NodeProcess, prefix: str) -> None:
    start = timestamp(fresh)
    assert fresh.rpc(f"{prefix}_setBlockTimestampInterval", 100) is None
    snapshot = fresh.rpc("evm_snapshot")
    for _ in range(3):
        fresh.rpc("evm_mine")
    assert timestamp(fresh) == start + 300
    # A time that was asked for comes first, once.
    fresh.rpc("evm_setNextBlockTimestamp", start + 1_000)
    fresh.rpc("evm_mine")
    fresh.rpc("evm_mine")
    assert timestamp(fresh) == start + 1_100
    assert fresh.rpc(f"{prefix}_removeBlockTimestampInterval") is True
    assert fresh.rpc(f"{prefix}_removeBlockTimestampInterval") is False
    fresh.rpc("evm_mine")
    assert start + 1_100 < timestamp(fresh) < start + 1_160
    fresh.rpc("evm_revert", snapshot)
    fresh.rpc("evm_mine")
    assert timestamp(fresh) == start + 100
    with pytest.raises(RpcFailure, match=r"^-32602: .*between 1 and"):
        fresh.rpc(f"{prefix}_setBlockTimestampInterval", 0)


def test_a_snapshot_keeps_interval_mining(fresh: NodeProcess) -> None:
    snapshot = fresh.rpc("evm_snapshot")
    fresh.rpc("evm_setIntervalMining", 3_600)
    assert fresh.rpc("anvil_getIntervalMining") == 3_600
    fresh.rpc("evm_revert", snapshot)
    assert fresh.rpc("anvil_getIntervalMining") is None


def test_a_reorganisation_replaces_blocks_and_tells_filters(fresh: NodeProcess) -> None:
    for _ in range(4):
        fresh.rpc("evm_mine")
    lost = fresh.rpc("eth_sendTransaction", {"from": ACCOUNTS[0], "to": NOBODY, "value": "0x1"})
    signed = fresh.rpc("eth_signTransaction", {"from": ACCOUNTS[1], "to": NOBODY, "value": "0x4"})["raw"]
    blocks = fresh.rpc("eth_newBlockFilter")
    kept = fresh.rpc("eth_getBlockByNumber", "0x3", False)
    old = fresh.rpc("eth_getBlockByNumber", "0x5", False)
    asked = {"from": ACCOUNTS[0], "to": NOBODY, "value": "0x2"}
    assert fresh.rpc("anvil_reorg", 2, [[asked, 0], [signed, 1], [asked, 1]]) is None
    assert fresh.rpc("eth_getBlockByNumber", "0x3", False) == kept
    new = [fresh.rpc("eth_getBlockByNumber", number, False) for number in ("0x4", "0x5")]
    assert fresh.rpc("eth_blockNumber") == "0x5"
    assert new[1]["hash"] != old["hash"]
    assert [len(block["transactions"]) for block in new] == [1, 2]
    assert fresh.rpc("eth_getFilterChanges", blocks) == [block["hash"] for block in new]
    assert fresh.rpc("eth_getTransactionReceipt", lost) is None
    assert fresh.rpc("eth_getBalance", NOBODY, "latest") == "0x8"


def test_a_reorganisation_that_fails_changes_nothing(fresh: NodeProcess) -> None:
    for _ in range(3):
        fresh.rpc("evm_mine")
    head = fresh.rpc("eth_getBlockByNumber", "latest", False)
    gap = fresh.rpc("eth_signTransaction", {"from": ACCOUNTS[0], "to": NOBODY, "nonce": "0x9"})["raw"]
    for pairs, reason in (
        ([[{"from": ACCOUNTS[0], "to": NOBODY}, 0], [gap, 1]], "cannot be mined in new block 1"),
        ([[{"from": NOBODY, "to": NOBODY}, 0]], "unknown account"),
        ([["0x1234", 0]], "not supported"),
        ([[gap, 2]], "block 2 of 2 new ones"),
        ([gap], "expected pairs"),
    ):
        with pytest.raises(RpcFailure, match=reason):
            fresh.rpc("anvil_reorg", 2, pairs)
        assert fresh.rpc("eth_getBlockByNumber", "latest", False) == head
        assert fresh.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}
        assert fresh.rpc("anvil_metadata")["snapshots"] == {}
    with pytest.raises(RpcFailure, match="the chain has 3 blocks"):
        fresh.rpc("anvil_reorg", 4)


def test_balances_and_allowances_of_tokens(fresh: NodeProcess) -> None:
    code = with_arguments(load_token()[1], encode(["string", "string", "uint256"], ["Gold", "GLD", 1_000_000]))
    created = fresh.rpc("eth_sendTransaction", {"from": ACCOUNTS[0], "data": "0x" + code.hex(), "gas": "0x1312d00"})
    token = fresh.rpc("eth_getTransactionReceipt", created)["contractAddress"]

    def ask(selector: str, *who: str) -> int:
        data = selector + "".join(address[2:].rjust(64, "0") for address in who)
        return int(fresh.rpc("eth_call", {"to": token, "data": data}), 16)

    for method, amount in (("anvil_dealERC20", 5), ("hardhat_dealERC20", 7), ("anvil_setERC20Balance", 0)):
        assert fresh.rpc(method, NOBODY, token, amount) is None
        assert ask("0x70a08231", NOBODY) == amount
    assert fresh.rpc("anvil_setERC20Allowance", NOBODY, ACCOUNTS[1], token, "0x9") is None
    assert ask("0xdd62ed3e", NOBODY, ACCOUNTS[1]) == 9
    assert ask("0xdd62ed3e", NOBODY, ACCOUNTS[2]) == 0
    for stranger in (NOBODY, "0x" + "00" * 19 + "04"):
        with pytest.raises(RpcFailure, match="no slot of"):
            fresh.rpc("anvil_dealERC20", NOBODY, stranger, 5)


def test_accounts_in_one_answer(node: NodeProcess) -> None:
    info = node.rpc("eth_getAccountInfo", ACCOUNTS[0], "latest")
    account = node.rpc("eth_getAccount", ACCOUNTS[0], "latest")
    assert (info["balance"], info["code"]) == (node.rpc("eth_getBalance", ACCOUNTS[0]), "0x")
    proof = node.rpc("eth_getProof", ACCOUNTS[0], [], "latest")
    assert account == {
        "nonce": proof["nonce"],
        "balance": proof["balance"],
        "storageRoot": proof["storageHash"],
        "codeHash": proof["codeHash"],
    }


def test_transactions_without_a_key_and_with_their_receipt(fresh: NodeProcess) -> None:
    fresh.rpc("anvil_setBalance", NOBODY, hex(10**18))
    tx_hash = fresh.rpc("eth_sendUnsignedTransaction", {"from": NOBODY, "to": ACCOUNTS[1], "value": "0x3"})
    found = fresh.rpc("eth_getTransactionBySenderAndNonce", NOBODY, "0x0")
    assert (found["hash"], found["value"], found["blockNumber"]) == (tx_hash, "0x3", "0x1")
    receipt = fresh.rpc("eth_sendTransactionSync", {"from": ACCOUNTS[0], "to": NOBODY})
    assert (receipt["status"], receipt["blockNumber"]) == ("0x1", "0x2")
    fresh.rpc("evm_setAutomine", False)
    with pytest.raises(RpcFailure, match=r"^4: .*not mined within 50 ms"):
        fresh.rpc("eth_sendTransactionSync", {"from": ACCOUNTS[0], "to": NOBODY}, 50)
    assert fresh.rpc("eth_getTransactionBySenderAndNonce", ACCOUNTS[0], 1)["blockHash"] is None
    assert fresh.rpc("eth_getTransactionBySenderAndNonce", ACCOUNTS[0], 2) is None


def test_signatures_name_their_account(node: NodeProcess) -> None:
    for message in ("0xdeadbeef", "Example `personal_sign` message"):
        signature = node.rpc("personal_sign", message, ACCOUNTS[0])
        assert node.rpc("personal_ecRecover", message, signature) == ACCOUNTS[0]
        assert node.rpc("personal_ecRecover", message + "00", signature) != ACCOUNTS[0]
    with pytest.raises(RpcFailure, match="65 bytes"):
        node.rpc("personal_ecRecover", "0x00", "0x00")
    with pytest.raises(RpcFailure, match="fits no key"):
        node.rpc("personal_ecRecover", "0x00", "0x" + "00" * 65)


@pytest.mark.parametrize(
    ("method", "params", "reason"),
    [
        ("anvil_setRpcUrl", ["http://localhost:1"], "forking another chain is not supported"),
        ("hardhat_setMinGasPrice", [1], "no meaning with EIP-1559"),
        ("eth_sendUnsignedTransaction", [{"to": NOBODY}], "from is missing"),
    ],
)
def test_what_is_refused_says_why(node: NodeProcess, method: str, params: list[Any], reason: str) -> None:
    with pytest.raises(RpcFailure, match=reason):
        node.rpc(method, *params)


def test_small_answers(node: NodeProcess) -> None:
    assert node.rpc("eth_hashrate") == "0x0"
    assert node.rpc("eth_networkId") == "31337"
    assert node.rpc("anvil_getGenesisTime") == timestamp(node, "earliest")
    assert node.rpc("hardhat_dropAllTransactions") is None
    (block,) = node.rpc("evm_mine_detailed")
    assert block["number"] == node.rpc("eth_blockNumber")


def test_the_client_may_call_itself_otherwise() -> None:
    with node_process(client_version="anvil/v1.0.0") as process:
        assert process.rpc("web3_clientVersion") == "anvil/v1.0.0"


def test_block_overrides_by_other_names(node: NodeProcess) -> None:
    # Number, time, coinbase, randomness.
    code = "0x435f5242602052416040524460605260805ff3"
    override = {"time": "0x1", "coinbase": NOBODY, "random": "0x" + "22" * 32, "number": "0x7"}
    answer = node.rpc("eth_call", {"to": NOBODY}, "latest", {NOBODY: {"code": code}}, override)
    assert answer == f"0x{7:064x}{1:064x}{NOBODY[2:]:0>64}{'22' * 32}"
    with pytest.raises(RpcFailure, match="is there twice"):
        node.rpc("eth_call", {"to": NOBODY}, "latest", None, {"baseFee": "0x1", "baseFeePerGas": "0x2"})


def test_failures_are_told_as_geth_tells_them(node: NodeProcess) -> None:
    for code, words in (
        ("0xfe", "invalid opcode: INVALID"),
        ("0x0c", "invalid opcode: opcode 0xc not defined"),
        ("0x5f56", "invalid jump destination"),
        ("0x01", "stack underflow"),
        ("0x5f3e", "stack underflow"),
    ):
        with pytest.raises(RpcFailure) as caught:
            node.rpc("eth_call", {"from": ACCOUNTS[0], "data": code})
        assert str(caught.value) == f"-32000: {words}"
    checksummed = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    low = {"from": ACCOUNTS[0], "to": NOBODY, "nonce": "0x0", "gas": "0x5208"}
    node.rpc("eth_sendTransaction", {"from": ACCOUNTS[0], "to": NOBODY})
    with pytest.raises(RpcFailure, match=f"nonce too low: address {checksummed}, tx: 0 state: "):
        node.rpc("eth_sendTransaction", low)
    assert KEYS[0] not in node.errors


@pytest.mark.parametrize("options", [None, {}, {"forking": {}}, {"forking": {"jsonRpcUrl": None}}, {"forking": None}])
def test_a_reset_that_forks_nothing(fresh: NodeProcess, options: Any) -> None:
    fresh.rpc("evm_mine")
    assert fresh.rpc("hardhat_reset", options) is True
    assert fresh.rpc("eth_blockNumber") == "0x0"
    with pytest.raises(RpcFailure, match="forking another chain is not supported"):
        fresh.rpc("anvil_reset", {"forking": {"jsonRpcUrl": "http://localhost:1"}})


def test_mining_as_ganache_switches_it(fresh: NodeProcess) -> None:
    assert fresh.rpc("miner_stop") is True
    assert fresh.rpc("anvil_getAutomine") is False
    fresh.rpc("eth_sendTransaction", {"from": ACCOUNTS[0], "to": NOBODY})
    assert fresh.rpc("eth_blockNumber") == "0x0"
    assert fresh.rpc("miner_start") is True
    assert fresh.rpc("eth_blockNumber") == "0x1"


def test_every_namespace_is_listed(node: NodeProcess) -> None:
    spaces = {method["name"].partition("_")[0].partition(".")[0] for method in node.rpc("rpc.discover")["methods"]}
    assert set(node.rpc("rpc_modules")) == spaces
