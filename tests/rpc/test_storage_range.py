"""debug_storageRangeAt: what Remix's debugger shows of a contract's storage."""

from __future__ import annotations

import pytest

from chain.crypto import keccak
from tests.node_process import ACCOUNTS, NodeProcess, RpcFailure

# Stores its second word of input in the slot that the first one names.
STORES = "0x6020355f355500"
CONTRACT = "0x" + "57" * 20
FAR = int.from_bytes(keccak(b"far away"), "big")


def word(value: int) -> str:
    return f"0x{value:064x}"


def hashed(slot: int) -> str:
    return "0x" + keccak(slot.to_bytes(32, "big")).hex()


def store(node: NodeProcess, slot: int, value: int) -> str:
    data = "0x" + f"{slot:064x}{value:064x}"
    fields = {"from": ACCOUNTS[0], "to": CONTRACT, "data": data, "gas": "0x186a0"}
    result: str = node.rpc("eth_sendTransaction", fields)
    return result


def found(
    node: NodeProcess, block: str, index: int, start: str = "0x", limit: int = 100
) -> tuple[dict[str, int], str | None]:
    answer = node.rpc("debug_storageRangeAt", block, index, CONTRACT, start, limit)
    return {entry["key"] or key: int(entry["value"], 16) for key, entry in answer["storage"].items()}, answer["nextKey"]


def test_slots_before_and_behind_each_transaction_of_a_block(node: NodeProcess) -> None:
    node.rpc("anvil_setCode", CONTRACT, STORES)
    node.rpc("anvil_setStorageAt", CONTRACT, "0x7", word(70))
    node.rpc("evm_setAutomine", False)
    first, second = store(node, 7, 71), store(node, FAR, 5)
    node.rpc("evm_mine")
    node.rpc("evm_setAutomine", True)
    places = [node.rpc("eth_getTransactionReceipt", tx_hash) for tx_hash in (first, second)]
    block = places[0]["blockHash"]
    assert [place["transactionIndex"] for place in places] == ["0x0", "0x1"]
    assert found(node, block, 0) == ({word(7): 70}, None)
    assert found(node, block, 1) == ({word(7): 71}, None)
    assert found(node, block, 2) == ({word(7): 71, word(FAR): 5}, None)
    # A later block did not touch it: then only the hash of so large a number is known.
    node.rpc("evm_mine")
    assert found(node, "latest", 0) == ({word(7): 71, hashed(FAR): 5}, None)
    with pytest.raises(RpcFailure, match="transaction index 3 out of range"):
        found(node, block, 3)


def test_pages_in_order_of_hashes(node: NodeProcess) -> None:
    node.rpc("anvil_setCode", CONTRACT, STORES)
    wanted = {}
    for slot in (0, 1, 2, 7, 300, 301, FAR):
        node.rpc("anvil_setStorageAt", CONTRACT, hex(slot), word(slot + 1))
        wanted[hashed(slot)] = word(slot + 1)
    start: str | None = "0x"
    pages, seen = 0, {}
    while start is not None:
        answer = node.rpc("debug_storageRangeAt", "latest", 0, CONTRACT, start, 3)
        assert all(key >= start.ljust(66, "0") for key in answer["storage"])
        seen.update({key: entry["value"] for key, entry in answer["storage"].items()})
        start, pages = answer["nextKey"], pages + 1
    assert (seen, pages) == (wanted, 3)
    half = sorted(wanted)[3]
    answer = node.rpc("debug_storageRangeAt", "latest", 0, CONTRACT, half, 100)
    assert sorted(answer["storage"]) == sorted(wanted)[3:]


def test_nothing_where_nothing_is_stored(node: NodeProcess) -> None:
    for address in (ACCOUNTS[1], "0x" + "99" * 20):
        assert node.rpc("debug_storageRangeAt", "earliest", 0, address, "0x00", 10) == {"storage": {}, "nextKey": None}
    with pytest.raises(RpcFailure, match=r"^-32602: .*32 bytes"):
        node.rpc("debug_storageRangeAt", "latest", 0, CONTRACT, "0x" + "00" * 33, 10)
