"""What a data directory keeps, and what makes a node refuse to start."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.node_process import ACCOUNTS, NodeDidNotStart, NodeProcess, load_token, node_process


def pay(node: NodeProcess, value: int) -> str:
    request = {"from": ACCOUNTS[0], "to": "0x" + "99" * 20, "value": hex(value)}
    return str(node.rpc("eth_sendTransaction", request))


def refusal(**options: Any) -> str:
    """The one line with which a node refuses to start."""
    with pytest.raises(NodeDidNotStart) as caught, node_process(**options):
        pass
    assert caught.value.code == 1
    text = caught.value.errors.strip()
    assert text.startswith("Error: ")
    assert "\n" not in text, text
    return text


def test_answered_transactions_survive_kill_9(tmp_path: Path) -> None:
    with node_process(data_dir=tmp_path) as node:
        first = pay(node, 1)
        node.kill()
    with node_process(data_dir=tmp_path) as node:
        second = pay(node, 2)
        node.kill()
    with node_process(data_dir=tmp_path) as node:
        blocks = [node.rpc("eth_getTransactionReceipt", tx_hash)["blockNumber"] for tx_hash in (first, second)]
        assert blocks == ["0x1", "0x2"]
        assert node.rpc("eth_blockNumber") == "0x2"
        assert node.rpc("eth_getBalance", "0x" + "99" * 20) == "0x3"
        assert node.rpc("eth_getTransactionCount", ACCOUNTS[0], "pending") == "0x2"


def test_contracts_survive_an_orderly_restart(tmp_path: Path, token_code: bytes) -> None:
    balance_of = "0x70a08231" + ACCOUNTS[0][2:].rjust(64, "0")
    with node_process(data_dir=tmp_path) as node:
        address = node.deploy(token_code)
        before = node.rpc("eth_getBlockByNumber", "latest", True)
        assert node.stop(signal.SIGINT) == 0
    with node_process(data_dir=tmp_path) as node:
        assert int(node.rpc("eth_call", {"to": address, "data": balance_of}, "latest"), 16) == 1_000_000
        assert node.rpc("eth_getBlockByNumber", "latest", True) == before
        assert node.rpc("eth_getCode", address) == "0x" + load_token()[1].hex()
        pay(node, 1)
        after = node.rpc("eth_getBlockByNumber", "latest", False)
        assert after["parentHash"] == before["hash"]
        assert int(after["timestamp"], 16) > int(before["timestamp"], 16)


def test_clock_that_ran_ahead_goes_on_after_a_restart(tmp_path: Path) -> None:
    with node_process(data_dir=tmp_path) as node:
        node.rpc("evm_increaseTime", 10**6)
        node.rpc("evm_mine")
        ahead = int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    with node_process(data_dir=tmp_path) as node:
        node.rpc("evm_mine")
        assert int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16) > ahead


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_node_in_good_order(number: int) -> None:
    with node_process() as node:
        pay(node, 1)
        assert node.stop(number) == 0
        assert node.errors == ""


def test_busy_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}: the port is in use" in refusal(port=port)


@pytest.mark.parametrize(
    "options", [{"chain_id": 1337}, {"fork": "Shanghai"}, {"accounts": 3}, {"rules": "EWASM_2018"}]
)
def test_data_directory_of_another_chain_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with node_process(data_dir=tmp_path) as node:
        pay(node, 1)
    assert "belongs to another chain" in refusal(data_dir=tmp_path, **options)
    with node_process(data_dir=tmp_path) as node:
        assert node.rpc("eth_blockNumber") == "0x1"


def test_data_directory_in_use_is_refused(tmp_path: Path) -> None:
    with node_process(data_dir=tmp_path) as node:
        assert "another node uses the data directory" in refusal(data_dir=tmp_path)
        assert node.rpc("eth_blockNumber") == "0x0"


@pytest.mark.parametrize("damage", ["header", "text", "truncated"])
def test_corrupt_database_is_refused(tmp_path: Path, damage: str) -> None:
    with node_process(data_dir=tmp_path) as node:
        for value in range(1, 30):
            pay(node, value)
    database = next(tmp_path.glob("*.sqlite"))
    raw = database.read_bytes()
    if damage == "header":
        raw = b"\xff" * 100 + raw[100:]
    elif damage == "text":
        raw = b"this is no database\n" * 500
    else:
        raw = raw[: len(raw) // 2]
    database.write_bytes(raw)
    assert "damaged" in refusal(data_dir=tmp_path)


def test_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    assert "data directory" in refusal(data_dir=occupied)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mnemonic": "not a mnemonic"}, "not a BIP-39 mnemonic"),
        ({"fork": "Atlantis"}, "unknown fork 'Atlantis'"),
        ({"genesis": "/nonexistent/genesis.json"}, "cannot read the genesis file"),
        ({"import_chain": "/nonexistent/chain.rlp"}, "cannot read /nonexistent/chain.rlp"),
        ({"host": "203.0.113.1"}, "cannot listen on 203.0.113.1"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], words: str) -> None:
    assert words in refusal(**options)
