"""The liberties of a development chain, in every spelling: clock, mining, snapshots, dumps, accounts, filters."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.node_process import ACCOUNTS, KEYS, NodeProcess, RpcFailure, node_process
from tests.rpc.contracts import CREATION, TOPIC, call_data

STRANGER = "0x" + "5a" * 20


@pytest.fixture
def fresh() -> Iterator[NodeProcess]:
    with node_process() as running:
        yield running
        assert "Traceback" not in running.errors, running.errors


def pay(node: NodeProcess, **fields: Any) -> str:
    return str(node.rpc("eth_sendTransaction", {"from": ACCOUNTS[0], "to": ACCOUNTS[1], "value": "0x1", **fields}))


def head(node: NodeProcess) -> int:
    return int(node.rpc("eth_blockNumber"), 16)


@pytest.mark.parametrize("prefix", ["anvil", "hardhat", "evm"])
def test_accounts_are_edited_in_every_spelling(node: NodeProcess, prefix: str) -> None:
    set_ = "setAccount" if prefix == "evm" else "set"
    storage = f"{prefix}_{set_}StorageAt"
    node.rpc(f"{prefix}_{set_}Balance", STRANGER, hex(10**18))
    node.rpc(f"{prefix}_{set_}Nonce", STRANGER, "0x7")
    node.rpc(f"{prefix}_{set_}Code", STRANGER, "0x6001")
    node.rpc(storage, STRANGER, "0x1", "0x" + "00" * 31 + "2a")
    assert node.rpc("eth_getBalance", STRANGER, "latest") == hex(10**18)
    assert node.rpc("eth_getTransactionCount", STRANGER, "latest") == "0x7"
    assert node.rpc("eth_getCode", STRANGER, "latest") == "0x6001"
    assert int(node.rpc("eth_getStorageAt", STRANGER, "0x1", "latest"), 16) == 42
    node.rpc("anvil_reset")
    assert node.rpc("eth_getCode", STRANGER, "latest") == "0x"


def test_reset_begins_again_at_block_0(node: NodeProcess) -> None:
    first = node.rpc("eth_getBlockByNumber", "0x0", False)["hash"]
    pay(node)
    assert node.rpc("hardhat_reset", {}) is True
    assert head(node) == 0
    assert node.rpc("eth_getBlockByNumber", "latest", False)["hash"] == first
    assert node.rpc("eth_getTransactionCount", ACCOUNTS[0], "pending") == "0x0"
    with pytest.raises(RpcFailure, match="forking"):
        node.rpc("anvil_reset", {"forking": {"jsonRpcUrl": "http://127.0.0.1:1"}})


def test_snapshots_keep_clock_pool_and_settings(node: NodeProcess) -> None:
    node.rpc("anvil_reset")
    node.rpc("evm_setAutomine", False)
    waiting = pay(node)
    node.rpc("anvil_setCoinbase", STRANGER)
    before = node.rpc("eth_getBlockByNumber", "pending", False)
    snapshot = node.rpc("evm_snapshot")
    assert node.rpc("hardhat_metadata")["snapshots"][snapshot] == before["parentHash"]
    node.rpc("evm_increaseTime", 10_000)
    node.rpc("evm_setAutomine", True)
    node.rpc("anvil_setCoinbase", ACCOUNTS[2])
    assert node.rpc("txpool_status")["pending"] == "0x0"
    pay(node)
    assert node.rpc("evm_revert", snapshot) is True
    assert node.rpc("anvil_getAutomine") is False
    assert node.rpc("eth_coinbase") == STRANGER
    assert node.rpc("txpool_status") == {"pending": "0x1", "queued": "0x0"}
    node.rpc("evm_mine")
    mined = node.rpc("eth_getBlockByNumber", "latest", False)
    assert mined["transactions"] == [waiting]
    assert int(mined["timestamp"], 16) - int(before["timestamp"], 16) < 1_000
    assert node.rpc("evm_revert", snapshot) is False
    node.rpc("evm_setAutomine", True)
    node.rpc("anvil_reset")


def test_logs_taken_back_reach_filters_as_removed(node: NodeProcess) -> None:
    address = node.deploy(CREATION)
    logs = node.rpc("eth_newFilter", {"address": address})
    narrow = node.rpc("eth_newFilter", {"address": address, "topics": ["0x" + "00" * 32]})
    blocks = node.rpc("eth_newBlockFilter")
    snapshot = node.rpc("evm_snapshot")
    pay(node, to=address, data=call_data(2, 77), value="0x0")
    (seen,) = node.rpc("eth_getFilterChanges", logs)
    assert (seen["removed"], seen["topics"]) == (False, [TOPIC])
    assert len(node.rpc("eth_getFilterChanges", blocks)) == 1
    node.rpc("evm_revert", snapshot)
    pay(node, to=address, data=call_data(2, 78), value="0x0")
    gone, new = node.rpc("eth_getFilterChanges", logs)
    assert gone == {**seen, "removed": True}
    assert (new["removed"], int(new["data"], 16)) == (False, 78)
    assert node.rpc("eth_getFilterChanges", blocks) == [new["blockHash"]]
    assert node.rpc("eth_getFilterChanges", logs) == []
    assert node.rpc("eth_getFilterChanges", narrow) == []


def test_a_filter_never_takes_back_what_it_did_not_report(node: NodeProcess) -> None:
    address = node.deploy(CREATION)
    snapshot = node.rpc("evm_snapshot")
    pay(node, to=address, data=call_data(2, 1), value="0x0")
    late = node.rpc("eth_newFilter", {"address": address})
    pay(node, to=address, data=call_data(2, 2), value="0x0")
    node.rpc("evm_revert", snapshot)
    assert node.rpc("eth_getFilterChanges", late) == []


def test_interval_mining_starts_stops_and_mixes(fresh: NodeProcess) -> None:
    assert fresh.rpc("anvil_getIntervalMining") is None
    fresh.rpc("evm_setIntervalMining", 0.05)
    assert fresh.rpc("anvil_getIntervalMining") == 0.05
    wait_for(lambda: head(fresh) >= 2)
    # Mixed: a transaction does not wait for the interval.
    assert fresh.rpc("eth_getTransactionReceipt", pay(fresh))["status"] == "0x1"
    fresh.rpc("evm_setAutomine", False)
    waiting = pay(fresh)
    wait_for(lambda: fresh.rpc("eth_getTransactionReceipt", waiting) is not None)
    fresh.rpc("hardhat_setIntervalMining", 0)
    stopped = head(fresh)
    time.sleep(0.2)
    assert head(fresh) == stopped
    for bad in (-1, 1e9, "x", None):
        with pytest.raises(RpcFailure) as caught:
            fresh.rpc("anvil_setIntervalMining", bad)
        assert caught.value.code == -32602


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_clock_is_set_and_moved(fresh: NodeProcess) -> None:
    assert fresh.rpc("evm_increaseTime", "0x64") == 100
    target = 4_000_000_000
    moved = fresh.rpc("evm_setTime", target * 1000)
    assert moved > 1_000_000_000
    fresh.rpc("evm_mine")
    assert 0 <= int(fresh.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16) - target < 100
    with pytest.raises(RpcFailure, match="before the latest block"):
        fresh.rpc("anvil_setTime", target - 1_000)
    fresh.rpc("anvil_setNextBlockTimestamp", target + 1_000)
    (block,) = fresh.rpc("evm_mineDetailed")
    assert int(block["timestamp"], 16) == target + 1_000
    fresh.rpc("hardhat_mine", 3, 60)
    stamps = [int(fresh.rpc("eth_getBlockByNumber", hex(n), False)["timestamp"], 16) for n in (3, 4, 5)]
    assert [b - a for a, b in pairwise(stamps)] == [60, 60]


def test_next_block_takes_randao_base_fee_and_limit(fresh: NodeProcess) -> None:
    fresh.rpc("hardhat_setPrevRandao", "0x2a")
    fresh.rpc("hardhat_setNextBlockBaseFeePerGas", "0x3b9aca00")
    fresh.rpc("evm_setBlockGasLimit", 12_345_678)
    fresh.rpc("evm_mine")
    block = fresh.rpc("eth_getBlockByNumber", "latest", False)
    assert (int(block["mixHash"], 16), block["baseFeePerGas"], block["gasLimit"]) == (42, "0x3b9aca00", hex(12_345_678))
    fresh.rpc("evm_mine")
    assert int(fresh.rpc("eth_getBlockByNumber", "latest", False)["mixHash"], 16) != 42


def test_rollback_takes_blocks_back(fresh: NodeProcess) -> None:
    fresh.rpc("anvil_mine", 5)
    fresh.rpc("anvil_rollback", 2)
    assert head(fresh) == 3
    with pytest.raises(RpcFailure, match="not 9"):
        fresh.rpc("anvil_rollback", 9)


def test_impersonation_one_by_one_and_all(fresh: NodeProcess) -> None:
    fresh.rpc("anvil_setBalance", STRANGER, hex(10**18))
    request = {"from": STRANGER, "to": ACCOUNTS[0], "value": "0x1"}
    with pytest.raises(RpcFailure, match="holds no key"):
        fresh.rpc("eth_sendTransaction", request)
    fresh.rpc("hardhat_impersonateAccount", STRANGER)
    sent = fresh.rpc("eth_getTransactionByHash", fresh.rpc("eth_sendTransaction", request))
    assert sent["from"] == STRANGER
    fresh.rpc("hardhat_stopImpersonatingAccount", STRANGER)
    with pytest.raises(RpcFailure, match="holds no key"):
        fresh.rpc("eth_sendTransaction", request)
    fresh.rpc("anvil_autoImpersonateAccount", True)
    assert fresh.rpc("eth_getTransactionReceipt", fresh.rpc("eth_sendTransaction", request))["status"] == "0x1"


def test_pool_is_emptied_by_hash_by_sender_and_whole(fresh: NodeProcess) -> None:
    fresh.rpc("evm_setAutomine", False)
    hashes = [pay(fresh, nonce=hex(nonce)) for nonce in range(3)]
    other = fresh.rpc("eth_sendTransaction", {"from": ACCOUNTS[1], "to": STRANGER, "value": "0x1"})
    assert fresh.rpc("anvil_dropTransaction", hashes[2]) == hashes[2]
    assert fresh.rpc("anvil_dropTransaction", hashes[2]) is None
    assert fresh.rpc("hardhat_dropTransaction", hashes[2]) is False
    fresh.rpc("anvil_removePoolTransactions", ACCOUNTS[0])
    assert fresh.rpc("eth_getTransactionByHash", hashes[0]) is None
    assert fresh.rpc("eth_getTransactionByHash", other) is not None
    fresh.rpc("anvil_dropAllTransactions")
    assert fresh.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_a_dumped_chain_is_whole_where_it_is_loaded(fresh: NodeProcess) -> None:
    address = fresh.deploy(CREATION)
    pay(fresh, to=address, data=call_data(1), value="0x0")
    fresh.rpc("anvil_setBalance", STRANGER, "0x2a")
    logged = pay(fresh, to=address, data=call_data(2, 9), value="0x0")
    fresh.rpc("evm_increaseTime", 5_000)
    fresh.rpc("anvil_setStorageAt", address, "0x5", "0x" + "00" * 31 + "07")
    dump = fresh.rpc("anvil_dumpState")
    assert fresh.rpc("hardhat_dumpState") == dump
    document = json.loads(gzip.decompress(bytes.fromhex(dump[2:])))
    assert (document["format"], document["version"], len(document["blocks"])) == ("ewasm-state", 1, 3)
    answers: list[tuple[str, list[Any]]] = [
        ("eth_getBlockByNumber", ["latest", True]),
        ("eth_getTransactionReceipt", [logged]),
        ("eth_getStorageAt", [address, "0x0", "latest"]),
        ("eth_getStorageAt", [address, "0x5", "latest"]),
        ("eth_getStorageAt", [address, "0x0", "0x1"]),
        ("eth_getBalance", [STRANGER, "latest"]),
        ("eth_getBalance", [ACCOUNTS[0], "0x1"]),
        ("eth_getLogs", [{"fromBlock": "0x0"}]),
        ("debug_traceTransaction", [logged, {"tracer": "callTracer"}]),
    ]
    wanted = [fresh.rpc(method, *params) for method, params in answers]
    with node_process() as other:
        pay(other)
        assert other.rpc("anvil_loadState", dump) is True
        assert [other.rpc(method, *params) for method, params in answers] == wanted
        again = json.loads(gzip.decompress(bytes.fromhex(other.rpc("anvil_dumpState")[2:])))
        assert again == {**document, "clock": again["clock"]}
        other.rpc("evm_mine")
        stamps = [int(other.rpc("eth_getBlockByNumber", hex(n), False)["timestamp"], 16) for n in (3, 4)]
        assert stamps[1] - stamps[0] >= 5_000
        assert other.rpc("eth_getTransactionReceipt", pay(other, to=address, data=call_data(7)))["status"] == "0x1"


def test_a_dump_that_does_not_fit_is_refused_and_changes_nothing(fresh: NodeProcess) -> None:
    pay(fresh)
    dump = bytes.fromhex(fresh.rpc("anvil_dumpState")[2:])
    document = json.loads(gzip.decompress(dump))
    damaged = [
        (b"junk", "not a dump"),
        (dump[:-20], "not a dump"),
        (gzip.compress(b"[]"), "not an object"),
        (_changed(document, version=2), "version of the dump is 2"),
        (_changed(document, chainId=1), "chainId"),
        (_changed(document, genesis="0x00"), "genesis"),
        (_changed(document, values=document["values"][:3]), "a state is not in the dump"),
        (_changed(document, blocks=document["blocks"] * 2), "does not follow"),
        (_changed(document, blocks=[{"rlp": "0x"}]), "damaged"),
        (_changed(document, clock=None), "damaged"),
    ]
    # Another node: this one holds every state of its own.
    with node_process() as other:
        before = other.rpc("eth_getBlockByNumber", "latest", True)
        for raw, reason in damaged:
            with pytest.raises(RpcFailure, match=reason):
                other.rpc("anvil_loadState", "0x" + raw.hex())
            assert other.rpc("eth_getBlockByNumber", "latest", True) == before


def _changed(document: dict[str, Any], **fields: Any) -> bytes:
    return gzip.compress(json.dumps({**document, **fields}).encode())


def test_node_info_and_metadata(fresh: NodeProcess) -> None:
    fresh.rpc("anvil_mine", 2)
    info, meta = fresh.rpc("anvil_nodeInfo"), fresh.rpc("anvil_metadata")
    latest = fresh.rpc("eth_getBlockByNumber", "latest", False)
    assert info["currentBlockHash"] == meta["latestBlockHash"] == latest["hash"]
    assert (int(info["currentBlockNumber"], 16), meta["latestBlockNumber"]) == (2, 2)
    assert (info["hardFork"], info["environment"]["chainId"], meta["chainId"]) == ("Prague", 31337, 31337)
    assert fresh.rpc("hardhat_metadata")["instanceId"] == meta["instanceId"]
    assert meta["clientVersion"] == fresh.rpc("web3_clientVersion")


def signed(nonce: int, **fields: Any) -> str:
    from eth_account import Account

    tx = {
        "chainId": 31337,
        "nonce": nonce,
        "to": "0x" + "00" * 19 + "99",
        "value": 1,
        "gas": 21_000,
        "gasPrice": 10**10,
    }
    account: Any = Account
    return "0x" + bytes(account.sign_transaction({**tx, **fields}, KEYS[0]).raw_transaction).hex()


def test_send_sync_answers_with_the_receipt(fresh: NodeProcess) -> None:
    receipt = fresh.rpc("eth_sendRawTransactionSync", signed(0))
    assert receipt == fresh.rpc("eth_getTransactionReceipt", receipt["transactionHash"])
    fresh.rpc("evm_setAutomine", False)
    with pytest.raises(RpcFailure, match="within 100 ms") as caught:
        fresh.rpc("eth_sendRawTransactionSync", signed(1), 100)
    assert caught.value.code == 4
    assert fresh.rpc("eth_getTransactionByHash", caught.value.data)["blockHash"] is None
    fresh.rpc("evm_setIntervalMining", 0.05)
    assert fresh.rpc("eth_sendRawTransactionSync", signed(2), "0x1388")["status"] == "0x1"
    batch = fresh.send(
        [
            {"jsonrpc": "2.0", "id": 1, "method": "evm_setAutomine", "params": [True]},
            {"jsonrpc": "2.0", "id": 2, "method": "eth_sendRawTransactionSync", "params": [signed(3)]},
        ]
    )
    assert batch[1]["result"]["status"] == "0x1"


def test_fill_transaction_says_what_would_be_signed(fresh: NodeProcess) -> None:
    filled = fresh.rpc("eth_fillTransaction", {"from": ACCOUNTS[0], "to": ACCOUNTS[1], "value": "0x1"})
    tx = filled["tx"]
    assert (tx["type"], tx["nonce"], tx["gas"], tx["chainId"]) == ("0x2", "0x0", "0x5208", hex(31337))
    assert not {"hash", "v", "r", "s", "blockHash"} & tx.keys()
    assert filled["raw"].startswith("0x02")
    assert head(fresh) == 0


def test_state_files_carry_a_chain_from_run_to_run(tmp_path: Any) -> None:
    file = tmp_path / "chain.state"
    with node_process(dump_state=str(file)) as node:
        tx_hash = pay(node)
    with node_process(load_state=str(file)) as node:
        assert node.rpc("eth_getTransactionReceipt", tx_hash)["blockNumber"] == "0x1"
    file.write_bytes(b"junk")
    with pytest.raises(Exception, match="cannot load"), node_process(load_state=str(file)):
        pass


def test_start_up_facts_as_json() -> None:
    with node_process(accounts=2, json=True, quiet=True) as node:
        facts = json.loads(node.lines[0])
        assert facts["url"] == node.url
        assert [account["address"].lower() for account in facts["accounts"]] == list(ACCOUNTS[:2])
        assert facts["accounts"][0]["privateKey"] == KEYS[0]


def test_keys_of_an_own_phrase_are_not_shown() -> None:
    phrase = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    with node_process(mnemonic=phrase) as node:
        shown = "".join(node.lines)
        assert phrase not in shown
        assert "0x" + "f" not in [word[:3] for word in shown.split() if len(word) == 66]
        assert "not shown" in shown
