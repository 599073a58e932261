"""What each method answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.node_process import ACCOUNTS, KEYS, NodeProcess, RpcFailure, load_token
from tests.rpc.contracts import CREATION, TOPIC, call_data

A, B, C = ACCOUNTS
NOBODY = "0x" + "12" * 20
ETHER = 10**18

FIRST_RING = [
    "web3_clientVersion",
    "net_version",
    "eth_chainId",
    "eth_accounts",
    "eth_blockNumber",
    "eth_getBlockByNumber",
    "eth_getBlockByHash",
    "eth_getBalance",
    "eth_getCode",
    "eth_getStorageAt",
    "eth_getTransactionCount",
    "eth_gasPrice",
    "eth_maxPriorityFeePerGas",
    "eth_feeHistory",
    "eth_estimateGas",
    "eth_call",
    "eth_sendTransaction",
    "eth_sendRawTransaction",
    "eth_getTransactionByHash",
    "eth_getTransactionReceipt",
    "eth_getLogs",
    "eth_newFilter",
    "eth_newBlockFilter",
    "eth_getFilterChanges",
    "eth_getFilterLogs",
    "eth_uninstallFilter",
    "eth_subscribe",
    "eth_unsubscribe",
]


def number(value: str) -> int:
    return int(value, 16)


def head(node: NodeProcess) -> int:
    return number(node.rpc("eth_blockNumber"))


def pay(node: NodeProcess, **fields: Any) -> dict[str, Any]:
    """Send from an unlocked account; returns the receipt, which must be there at once."""
    tx_hash = node.rpc("eth_sendTransaction", {"from": A, "to": NOBODY, "value": "0x1", **fields})
    receipt = node.rpc("eth_getTransactionReceipt", tx_hash)
    assert receipt is not None
    return dict(receipt)


@pytest.fixture(scope="module")
def contract(node: NodeProcess) -> str:
    return node.deploy(CREATION)


@pytest.mark.parametrize("method", FIRST_RING)
def test_first_ring_is_there(node: NodeProcess, method: str) -> None:
    answer = node.send({"jsonrpc": "2.0", "id": 1, "method": method})
    message = answer.get("error", {}).get("message", "")
    assert "does not exist" not in message


def test_identity(node: NodeProcess) -> None:
    assert node.rpc("web3_clientVersion").startswith("ewasm/v")
    assert node.rpc("net_version") == "31337"
    assert node.rpc("eth_chainId") == "0x7a69"
    assert node.rpc("eth_syncing") is False
    assert node.rpc("net_listening") is True
    assert node.rpc("eth_coinbase") == "0x" + "00" * 20
    assert node.rpc("web3_sha3", "0x68656c6c6f") == "0x1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8"


def test_ten_accounts_with_ten_thousand_ether(node: NodeProcess) -> None:
    accounts = node.rpc("eth_accounts")
    assert len(accounts) == 10
    assert tuple(accounts[:3]) == ACCOUNTS
    assert {number(node.rpc("eth_getBalance", account, "earliest")) for account in accounts} == {10_000 * ETHER}


def test_receipt_is_there_when_the_send_returns(node: NodeProcess) -> None:
    before = head(node)
    receipt = pay(node)
    assert number(receipt["blockNumber"]) == before + 1 == head(node)
    assert receipt["status"] == "0x1"
    assert receipt["gasUsed"] == receipt["cumulativeGasUsed"] == "0x5208"
    assert receipt["from"] == A
    assert receipt["to"] == NOBODY
    assert receipt["contractAddress"] is None
    assert receipt["logs"] == []
    tx = node.rpc("eth_getTransactionByHash", receipt["transactionHash"])
    assert tx["blockHash"] == receipt["blockHash"]
    assert tx["gasPrice"] == receipt["effectiveGasPrice"]
    assert tx["type"] == "0x2"


def test_timestamps_strictly_increase(node: NodeProcess) -> None:
    stamps = []
    for _ in range(4):
        pay(node)
        stamps.append(number(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"]))
    assert stamps == sorted(set(stamps))


def test_blocks_by_number_hash_and_tag(node: NodeProcess) -> None:
    receipt = pay(node)
    block = node.rpc("eth_getBlockByNumber", receipt["blockNumber"], True)
    assert block == node.rpc("eth_getBlockByHash", receipt["blockHash"], True)
    assert block == node.rpc("eth_getBlockByNumber", "latest", True)
    assert (
        block == node.rpc("eth_getBlockByNumber", "safe", True) == node.rpc("eth_getBlockByNumber", "finalized", True)
    )
    assert block["transactions"][0] == node.rpc("eth_getTransactionByHash", receipt["transactionHash"])
    hashes = node.rpc("eth_getBlockByNumber", receipt["blockNumber"], False)["transactions"]
    assert hashes == [receipt["transactionHash"]]
    assert node.rpc("eth_getBlockByNumber", "earliest", False)["number"] == "0x0"
    assert node.rpc("eth_getBlockByNumber", "0xffffff", False) is None
    assert node.rpc("eth_getBlockByHash", "0x" + "00" * 32, False) is None
    pending = node.rpc("eth_getBlockByNumber", "pending", False)
    assert number(pending["number"]) == number(block["number"]) + 1
    assert pending["hash"] is None
    assert pending["parentHash"] == block["hash"]


def test_counts_and_lookups_by_block_and_index(node: NodeProcess) -> None:
    receipt = pay(node)
    height, block_hash, tx_hash = receipt["blockNumber"], receipt["blockHash"], receipt["transactionHash"]
    tx = node.rpc("eth_getTransactionByHash", tx_hash)
    raw = node.rpc("eth_getRawTransactionByHash", tx_hash)
    for suffix, name in (("Number", height), ("Hash", block_hash)):
        assert node.rpc(f"eth_getBlockTransactionCountBy{suffix}", name) == "0x1"
        assert node.rpc(f"eth_getTransactionByBlock{suffix}AndIndex", name, "0x0") == tx
        assert node.rpc(f"eth_getTransactionByBlock{suffix}AndIndex", name, "0x1") is None
        assert node.rpc(f"eth_getRawTransactionByBlock{suffix}AndIndex", name, "0x0") == raw
        assert node.rpc(f"eth_getUncleCountByBlock{suffix}", name) == "0x0"
        assert node.rpc(f"eth_getUncleByBlock{suffix}AndIndex", name, "0x0") is None
        assert node.rpc(f"eth_getHeaderBy{suffix}", name)["hash"] == block_hash
    assert node.rpc("eth_getBlockReceipts", block_hash) == [receipt]
    assert node.rpc("eth_getBlockReceipts", "0xffffff") is None
    assert node.rpc("debug_getRawTransaction", tx_hash) == raw
    assert node.rpc("web3_sha3", raw) == tx_hash
    assert node.rpc("web3_sha3", node.rpc("debug_getRawHeader", height)) == block_hash
    assert raw[4:] in node.rpc("debug_getRawBlock", height)
    assert len(node.rpc("debug_getRawReceipts", height)) == 1


def test_state_at_blocks_of_every_naming(node: NodeProcess) -> None:
    before = node.rpc("eth_getBlockByNumber", "latest", False)
    balance = node.rpc("eth_getBalance", NOBODY)
    pay(node)
    assert number(node.rpc("eth_getBalance", NOBODY)) == number(balance) + 1
    for ref in (
        before["number"],
        before["hash"],
        {"blockNumber": before["number"]},
        {"blockHash": before["hash"]},
        {"blockHash": before["hash"], "requireCanonical": True},
    ):
        assert node.rpc("eth_getBalance", NOBODY, ref) == balance
    for unknown in ("0xffffff", {"blockHash": "0x" + "01" * 32}):
        with pytest.raises(RpcFailure, match=r"^-32000: header .*not found$"):
            node.rpc("eth_getBalance", NOBODY, unknown)


def test_omitted_block_means_latest(node: NodeProcess, contract: str) -> None:
    assert node.rpc("eth_getBalance", A) == node.rpc("eth_getBalance", A, "latest")
    assert node.rpc("eth_getCode", contract, None) == node.rpc("eth_getCode", contract, "latest")
    assert node.rpc("eth_call", {"to": contract, "data": call_data(7)}) == "0x" + "00" * 32
    assert node.rpc("eth_getStorageAt", contract, "0x0") == "0x" + "00" * 32
    assert node.rpc("eth_getStorageValues", {contract: ["0x0"]}) == {contract: ["0x" + "00" * 32]}


def test_pending_nonce_counts_what_waits(node: NodeProcess) -> None:
    nonce = number(node.rpc("eth_getTransactionCount", A, "latest"))
    assert number(node.rpc("eth_getTransactionCount", A, "pending")) == nonce
    node.rpc("evm_setAutomine", False)
    try:
        first = node.rpc("eth_sendTransaction", {"from": A, "to": B, "value": "0x1"})
        assert node.rpc("eth_getTransactionReceipt", first) is None
        waiting = node.rpc("eth_getTransactionByHash", first)
        assert (waiting["blockHash"], waiting["blockNumber"], waiting["transactionIndex"]) == (None, None, None)
        assert number(node.rpc("eth_getTransactionCount", A, "pending")) == nonce + 1
        assert number(node.rpc("eth_getTransactionCount", A, "latest")) == nonce
        node.rpc("eth_sendTransaction", {"from": A, "to": B, "value": "0x1", "nonce": hex(nonce + 5)})
        assert number(node.rpc("eth_getTransactionCount", A, "pending")) == nonce + 1
        assert node.rpc("txpool_status") == {"pending": "0x1", "queued": "0x1"}
        content = node.rpc("txpool_content")
        who = next(iter(content["pending"]))
        assert who.lower() == A
        assert list(content["pending"][who]) == [str(nonce)]
        assert list(content["queued"][who]) == [str(nonce + 5)]
        assert node.rpc("txpool_contentFrom", A)["pending"] == content["pending"][who]
        assert "1 wei + 21000 gas" in node.rpc("txpool_inspect")["pending"][who][str(nonce)]
        assert len(node.rpc("eth_pendingTransactions")) == 2
        assert node.rpc("eth_getBlockByNumber", "pending", False)["transactions"] == [first]
        queued = content["queued"][who][str(nonce + 5)]["hash"]
        assert node.rpc("anvil_dropTransaction", queued) == queued
    finally:
        node.rpc("evm_setAutomine", True)
    assert node.rpc("eth_getTransactionReceipt", first)["status"] == "0x1"
    assert node.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_a_gap_that_closes_mines_what_waited(node: NodeProcess) -> None:
    nonce = number(node.rpc("eth_getTransactionCount", B))
    later = node.rpc("eth_sendTransaction", {"from": B, "to": C, "nonce": hex(nonce + 1)})
    assert node.rpc("eth_getTransactionReceipt", later) is None
    node.rpc("eth_sendTransaction", {"from": B, "to": C, "nonce": hex(nonce)})
    assert node.rpc("eth_getTransactionReceipt", later)["status"] == "0x1"


@pytest.mark.parametrize(
    ("action", "message", "data"),
    [
        (3, "execution reverted: no luck", "0x08c379a0" + f"{32:064x}{7:064x}" + b"no luck".hex().ljust(64, "0")),
        (4, "execution reverted: arithmetic underflow or overflow", "0x4e487b71" + f"{0x11:064x}"),
        (5, "execution reverted", "0x"),
    ],
)
@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_revert_has_code_3_reason_and_data(
    node: NodeProcess, contract: str, method: str, action: int, message: str, data: str
) -> None:
    with pytest.raises(RpcFailure) as caught:
        node.rpc(method, {"from": A, "to": contract, "data": call_data(action)})
    assert (caught.value.code, caught.value.message, caught.value.data) == (3, message, data)


def test_other_failures_have_code_32000(node: NodeProcess, contract: str) -> None:
    for method in ("eth_call", "eth_estimateGas"):
        with pytest.raises(RpcFailure, match=r"^-32000: invalid opcode"):
            node.rpc(method, {"from": A, "to": contract, "data": call_data(6)})
    with pytest.raises(RpcFailure, match=r"^-32000: out of gas"):
        node.rpc("eth_call", {"from": A, "to": contract, "data": call_data(1), "gas": hex(22_000)})
    with pytest.raises(RpcFailure, match=r"^-32000: gas required exceeds allowance \(22000\)"):
        node.rpc("eth_estimateGas", {"from": A, "to": contract, "data": call_data(1), "gas": hex(22_000)})
    with pytest.raises(RpcFailure, match=r"^-32000: insufficient funds"):
        node.rpc("eth_call", {"from": NOBODY, "to": contract, "value": hex(ETHER)})


def test_input_and_data_may_be_given_together(node: NodeProcess, contract: str) -> None:
    same = call_data(7)
    assert node.rpc("eth_call", {"to": contract, "data": same, "input": same}) == "0x" + "00" * 32
    with pytest.raises(RpcFailure, match=r"^-32602: .*not equal"):
        node.rpc("eth_call", {"to": contract, "data": same, "input": call_data(9)})


def test_call_with_overrides_leaves_no_trace(node: NodeProcess, contract: str) -> None:
    slot, value = "0x" + "00" * 32, "0x" + "00" * 31 + "07"
    for key in ("state", "stateDiff"):
        overrides = {contract: {key: {slot: value}}}
        assert node.rpc("eth_call", {"to": contract, "data": call_data(7)}, "latest", overrides) == value
    rich = {NOBODY: {"balance": hex(2 * ETHER)}}
    assert node.rpc("eth_call", {"from": NOBODY, "to": A, "value": hex(ETHER)}, "latest", rich) == "0x"
    assert node.rpc("eth_call", {"to": contract, "data": call_data(7)}) == "0x" + "00" * 32


@pytest.mark.parametrize("action", [1, 2, 8, 10])
def test_estimate_is_exact(node: NodeProcess, contract: str, action: int) -> None:
    snapshot = node.rpc("evm_snapshot")
    if action == 10:
        pay(node, to=contract, value="0x0", data=call_data(1), gas=hex(100_000))
    request = {"from": A, "to": contract, "data": call_data(action)}
    estimate = number(node.rpc("eth_estimateGas", request))
    less = pay(node, to=contract, value="0x0", data=call_data(action), gas=hex(estimate - 1))
    assert less["status"] == "0x0"
    enough = pay(node, to=contract, value="0x0", data=call_data(action), gas=hex(estimate))
    assert enough["status"] == "0x1"
    assert node.rpc("evm_revert", snapshot) is True


def test_estimate_of_transfer_and_creation_is_exact(node: NodeProcess) -> None:
    assert node.rpc("eth_estimateGas", {"from": A, "to": NOBODY, "value": "0x1"}) == "0x5208"
    with pytest.raises(RpcFailure, match=r"intrinsic gas too low"):
        node.rpc("eth_sendTransaction", {"from": A, "to": NOBODY, "gas": "0x5207"})
    code = "0x" + CREATION.hex()
    estimate = number(node.rpc("eth_estimateGas", {"from": A, "data": code}))
    assert pay(node, to=None, value="0x0", data=code, gas=hex(estimate - 1))["status"] == "0x0"
    assert pay(node, to=None, value="0x0", data=code, gas=hex(estimate))["status"] == "0x1"


def test_estimate_of_what_cannot_be_paid(node: NodeProcess) -> None:
    with pytest.raises(RpcFailure, match=r"^-32000: insufficient funds for transfer"):
        node.rpc("eth_estimateGas", {"from": NOBODY, "to": A, "value": hex(ETHER), "gasPrice": hex(10**10)})


def test_fees(node: NodeProcess) -> None:
    base_fee = number(node.rpc("eth_baseFee"))
    tip = number(node.rpc("eth_maxPriorityFeePerGas"))
    assert number(node.rpc("eth_gasPrice")) == base_fee + tip
    assert node.rpc("eth_blobBaseFee") == "0x1"
    receipt = pay(node, gasPrice=node.rpc("eth_gasPrice"))
    assert receipt["type"] == "0x0"
    assert number(receipt["effectiveGasPrice"]) == base_fee + tip
    assert number(node.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"]) == base_fee
    block = node.rpc("eth_getBlockByNumber", "latest", False)
    assert number(node.rpc("eth_baseFee")) < number(block["baseFeePerGas"])


def test_fee_history(node: NodeProcess) -> None:
    pay(node)
    pay(node)
    history = node.rpc("eth_feeHistory", "0x2", "latest", [0, 12.5, 99.9])
    assert number(history["oldestBlock"]) == head(node) - 1
    assert len(history["baseFeePerGas"]) == len(history["baseFeePerBlobGas"]) == 3
    assert len(history["gasUsedRatio"]) == len(history["blobGasUsedRatio"]) == 2
    assert history["reward"] == [[hex(10**9)] * 3] * 2
    assert history["baseFeePerGas"][-1] == node.rpc("eth_baseFee")
    assert "reward" not in node.rpc("eth_feeHistory", 1, "latest", [])
    assert "reward" not in node.rpc("eth_feeHistory", "0x1", "latest")
    assert number(node.rpc("eth_feeHistory", "0xffff", "0x0", None)["oldestBlock"]) == 0
    with pytest.raises(RpcFailure, match=r"request beyond head block"):
        node.rpc("eth_feeHistory", "0x1", "0xffffff", [])


def test_signing_with_an_accounts_key(node: NodeProcess) -> None:
    from eth_account import Account
    from eth_account.messages import encode_defunct

    message = "0x" + b"hello".hex()
    wanted = "0x" + bytes(Account.sign_message(encode_defunct(b"hello"), KEYS[0]).signature).hex()
    assert node.rpc("eth_sign", A, message) == wanted
    assert node.rpc("personal_sign", message, A) == wanted
    assert node.rpc("personal_sign", message, A, "password") == wanted
    typed = {
        "types": {"EIP712Domain": [{"name": "name", "type": "string"}], "Mail": [{"name": "text", "type": "string"}]},
        "primaryType": "Mail",
        "domain": {"name": "Post"},
        "message": {"text": "hello"},
    }
    signature = node.rpc("eth_signTypedData_v4", A, typed)
    assert signature == node.rpc("eth_signTypedData_v4", A, json.dumps(typed))
    assert len(signature) == 2 + 130
    for method, params in (("eth_sign", [NOBODY, message]), ("eth_sendTransaction", [{"from": NOBODY, "to": A}])):
        with pytest.raises(RpcFailure, match=r"^-32000: unknown account"):
            node.rpc(method, *params)
    with pytest.raises(RpcFailure, match=r"^-32000: not EIP-712"):
        node.rpc("eth_signTypedData_v4", A, {"types": {}})
    with pytest.raises(RpcFailure, match=r"^-32000: from is missing"):
        node.rpc("eth_sendTransaction", {"to": A})


def test_signed_transaction_can_be_sent_later(node: NodeProcess) -> None:
    signed = node.rpc("eth_signTransaction", {"from": B, "to": C, "value": "0x9"})
    assert node.rpc("eth_getTransactionByHash", signed["tx"]["hash"]) is None
    assert node.rpc("eth_sendRawTransaction", signed["raw"]) == signed["tx"]["hash"]
    with pytest.raises(RpcFailure, match=r"^-32000: nonce too low"):
        node.rpc("eth_sendRawTransaction", signed["raw"])


@pytest.mark.parametrize("raw", ["0x", "0x00", "0xc0", "0x02c0", "0x7f01", "0x" + "ff" * 100])
def test_what_is_no_transaction_is_refused(node: NodeProcess, raw: str) -> None:
    before = head(node)
    with pytest.raises(RpcFailure, match=r"^-32000"):
        node.rpc("eth_sendRawTransaction", raw)
    assert head(node) == before


def test_unknown_transactions_are_null(node: NodeProcess) -> None:
    for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getRawTransactionByHash"):
        assert node.rpc(method, "0x" + "00" * 32) is None


def test_failed_transaction_is_mined_with_status_0(node: NodeProcess, contract: str) -> None:
    receipt = pay(node, to=contract, value="0x0", data=call_data(6), gas=hex(50_000))
    assert receipt["status"] == "0x0"
    assert number(receipt["gasUsed"]) == 50_000


def test_logs(node: NodeProcess, contract: str) -> None:
    first = head(node) + 1
    receipts = [pay(node, to=contract, value="0x0", data=call_data(2, word), gas=hex(60_000)) for word in (5, 6)]
    here = {"fromBlock": hex(first), "address": contract}
    found = node.rpc("eth_getLogs", here)
    assert found == [receipt["logs"][0] for receipt in receipts]
    assert found[0]["data"] == f"0x{5:064x}"
    assert found[0]["topics"] == [TOPIC]
    assert found[0]["blockTimestamp"] == node.rpc("eth_getBlockByNumber", hex(first), False)["timestamp"]
    assert node.rpc("eth_getLogs", {**here, "topics": [TOPIC]}) == found
    assert node.rpc("eth_getLogs", {**here, "topics": [[TOPIC, "0x" + "00" * 32]]}) == found
    assert node.rpc("eth_getLogs", {**here, "topics": [None]}) == found
    assert node.rpc("eth_getLogs", {**here, "topics": [None, None]}) == []
    assert node.rpc("eth_getLogs", {**here, "topics": ["0x" + "00" * 32]}) == []
    assert node.rpc("eth_getLogs", {**here, "address": [A, B]}) == []
    assert node.rpc("eth_getLogs", {**here, "toBlock": hex(first)}) == found[:1]
    assert node.rpc("eth_getLogs", {"blockHash": receipts[1]["blockHash"]}) == found[1:]
    assert node.rpc("eth_getLogs", {}) == found[1:]
    with pytest.raises(RpcFailure, match=r"^-32000: unknown block"):
        node.rpc("eth_getLogs", {"blockHash": "0x" + "01" * 32})


def test_filters(node: NodeProcess, contract: str) -> None:
    start = hex(head(node) + 1)
    logs = node.rpc("eth_newFilter", {"address": contract, "fromBlock": start})
    blocks, pending = node.rpc("eth_newBlockFilter"), node.rpc("eth_newPendingTransactionFilter")
    assert len({logs, blocks, pending}) == 3
    receipts = [pay(node, to=contract, value="0x0", data=call_data(2, word), gas=hex(60_000)) for word in (1, 2)]
    wanted = [receipt["logs"][0] for receipt in receipts]
    assert node.rpc("eth_getFilterChanges", logs) == wanted
    assert node.rpc("eth_getFilterChanges", logs) == []
    assert node.rpc("eth_getFilterLogs", logs) == wanted
    assert node.rpc("eth_getFilterChanges", blocks) == [receipt["blockHash"] for receipt in receipts]
    assert node.rpc("eth_getFilterChanges", pending) == [receipt["transactionHash"] for receipt in receipts]
    for identifier in (blocks, pending):
        assert node.rpc("eth_getFilterChanges", identifier) == []
        with pytest.raises(RpcFailure, match=r"^-32000: filter not found"):
            node.rpc("eth_getFilterLogs", identifier)
        assert node.rpc("eth_uninstallFilter", identifier) is True
        assert node.rpc("eth_uninstallFilter", identifier) is False
        with pytest.raises(RpcFailure, match=r"^-32000: filter not found"):
            node.rpc("eth_getFilterChanges", identifier)


def test_filter_follows_a_reverted_chain(node: NodeProcess) -> None:
    snapshot = node.rpc("evm_snapshot")
    blocks = node.rpc("eth_newBlockFilter")
    pay(node)
    assert len(node.rpc("eth_getFilterChanges", blocks)) == 1
    node.rpc("evm_revert", snapshot)
    assert node.rpc("eth_getFilterChanges", blocks) == []
    again = pay(node, value="0x2")
    assert node.rpc("eth_getFilterChanges", blocks) == [again["blockHash"]]


def test_snapshot_and_revert_include_state_nonce_clock_and_edits(node: NodeProcess) -> None:
    before = node.rpc("eth_getBlockByNumber", "latest", False)
    balance, nonce = node.rpc("eth_getBalance", NOBODY), node.rpc("eth_getTransactionCount", A)
    outer, inner = node.rpc("evm_snapshot"), node.rpc("evm_snapshot")
    node.rpc("anvil_setBalance", NOBODY, "0x5")
    node.rpc("evm_increaseTime", 10**7)
    receipt = pay(node)
    ahead = node.rpc("eth_getBlockByNumber", "latest", False)
    assert number(ahead["timestamp"]) - number(before["timestamp"]) >= 10**7
    assert node.rpc("eth_getBalance", NOBODY) == "0x6"
    assert node.rpc("evm_revert", outer) is True
    assert node.rpc("eth_getBlockByNumber", "latest", False) == before
    assert node.rpc("eth_getBalance", NOBODY) == balance
    assert node.rpc("eth_getTransactionCount", A) == nonce
    assert node.rpc("eth_getTransactionReceipt", receipt["transactionHash"]) is None
    assert node.rpc("evm_revert", inner) is False
    assert node.rpc("evm_revert", outer) is False
    pay(node)
    assert number(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"]) < number(ahead["timestamp"])


@pytest.mark.parametrize("value", [123456, "0x1e240", "7890"])
def test_evm_methods_take_numbers_and_hex(node: NodeProcess, value: Any) -> None:
    snapshot = node.rpc("evm_snapshot")
    assert isinstance(node.rpc("evm_increaseTime", value), int)
    latest = number(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"])
    target = latest + 10**6
    node.rpc("evm_setNextBlockTimestamp", hex(target) if isinstance(value, str) else target)
    node.rpc("evm_mine")
    assert number(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"]) == target
    node.rpc("evm_mine", target + 10)
    assert number(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"]) == target + 10
    with pytest.raises(RpcFailure, match=r"is not after the previous block's timestamp"):
        node.rpc("evm_setNextBlockTimestamp", target)
    node.rpc("evm_revert", snapshot)


def test_mining_many_blocks(node: NodeProcess) -> None:
    before = head(node)
    node.rpc("anvil_mine", "0x5", 60)
    assert head(node) == before + 5
    stamps = [number(node.rpc("eth_getBlockByNumber", hex(before + i), False)["timestamp"]) for i in (1, 5)]
    assert stamps[1] - stamps[0] == 4 * 60
    node.rpc("hardhat_mine", 2)
    node.rpc("evm_mine", {"blocks": 3})
    assert head(node) == before + 10
    with pytest.raises(RpcFailure, match=r"^-32602: at most 10000 blocks at once"):
        node.rpc("anvil_mine", 10_001)


@pytest.mark.parametrize("prefix", ["anvil", "hardhat"])
def test_accounts_can_be_changed_from_outside(node: NodeProcess, contract: str, prefix: str) -> None:
    snapshot = node.rpc("evm_snapshot")
    node.rpc(f"{prefix}_setBalance", NOBODY, hex(ETHER))
    node.rpc(f"{prefix}_setNonce", NOBODY, "0x9")
    node.rpc(f"{prefix}_setStorageAt", contract, "0x0", "0x" + "00" * 31 + "63")
    node.rpc(f"{prefix}_setCode", B, "0x00")
    assert number(node.rpc("eth_getBalance", NOBODY)) == ETHER
    assert node.rpc("eth_getTransactionCount", NOBODY) == "0x9"
    assert number(node.rpc("eth_call", {"to": contract, "data": call_data(7)})) == 0x63
    assert node.rpc("eth_getCode", B) == "0x00"
    node.rpc(f"{prefix}_impersonateAccount", NOBODY)
    receipt = pay(node, **{"from": NOBODY, "to": C})
    assert (receipt["status"], receipt["from"]) == ("0x1", NOBODY)
    assert node.rpc("eth_getTransactionByHash", receipt["transactionHash"])["from"] == NOBODY
    node.rpc(f"{prefix}_stopImpersonatingAccount", NOBODY)
    with pytest.raises(RpcFailure, match=r"unknown account"):
        pay(node, **{"from": NOBODY, "to": C})
    node.rpc(f"{prefix}_setNextBlockBaseFeePerGas", hex(7 * 10**9))
    node.rpc(f"{prefix}_setCoinbase", C)
    node.rpc("evm_setBlockGasLimit", 20_000_000)
    node.rpc("evm_mine")
    block = node.rpc("eth_getBlockByNumber", "latest", False)
    assert (block["baseFeePerGas"], block["miner"]) == (hex(7 * 10**9), C)
    assert number(block["gasLimit"]) == 20_000_000
    node.rpc(f"{prefix}_setCoinbase", "0x" + "00" * 20)
    node.rpc("evm_setBlockGasLimit", 30_000_000)
    assert node.rpc("evm_revert", snapshot) is True


def test_gas_report_splits_what_a_wasm_transaction_used(node: NodeProcess) -> None:
    from eth_abi.abi import encode

    from ewasm.initcode import with_arguments

    module = load_token()[1]
    arguments = encode(["string", "string", "uint256"], ["Gold", "GLD", 1_000_000])
    token = node.deploy(with_arguments(module, arguments))
    transfer = "0xa9059cbb" + B[2:].rjust(64, "0") + f"{250:064x}"
    estimate = node.rpc("eth_estimateGas", {"from": A, "to": token, "data": transfer})
    assert pay(node, to=token, value="0x0", data=transfer, gas=hex(number(estimate) - 1))["status"] == "0x0"
    receipt = pay(node, to=token, value="0x0", data=transfer, gas=estimate)
    assert receipt["status"] == "0x1"
    report = node.rpc("ewasm_gasReport", receipt["transactionHash"])
    assert report["gasUsed"] == number(receipt["gasUsed"])
    assert report["gasInstructions"] > 0
    assert report["gasEei"] > 20_000
    assert report["gasInstructions"] + report["gasEei"] + report["gasOther"] == report["gasUsed"]
    assert node.rpc("ewasm_gasReport", "0x" + "00" * 32) is None
    text = node.rpc("ewasm_disassemble", token)
    assert text.startswith("(module")
    assert '"storageStore"' in text


def test_disassembly_needs_wasm(node: NodeProcess, contract: str) -> None:
    with pytest.raises(RpcFailure, match=r"^-32000: the code at .* is EVM code"):
        node.rpc("ewasm_disassemble", contract)
    with pytest.raises(RpcFailure, match=r"^-32000: there is no code at"):
        node.rpc("ewasm_disassemble", NOBODY)


def test_check_gives_the_gates_verdict(node: NodeProcess) -> None:
    assert node.rpc("ewasm_check", "0x" + load_token()[1].hex()) == {"ok": True, "error": None}
    refused = node.rpc("ewasm_check", "0x0061736d01000000")
    assert refused["ok"] is False
    assert refused["error"]["rule"] == "export"
    assert node.rpc("ewasm_check", "0x1234")["error"]["phase"] == "malformed"


def test_refused_module_fails_its_creation_alone(node: NodeProcess) -> None:
    with pytest.raises(RpcFailure, match=r"^-32000: .*no exported memory"):
        node.rpc("eth_call", {"from": A, "data": "0x0061736d01000000"})
    receipt = pay(node, to=None, value="0x0", data="0x0061736d01000000", gas=hex(200_000))
    assert receipt["status"] == "0x0"
    assert "no exported memory" in node.rpc("ewasm_gasReport", receipt["transactionHash"])["error"]
