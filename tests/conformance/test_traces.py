"""Traces of the specification's test chain: the recorded ones to the letter, every other against its receipt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chain.app import all_methods
from chain.blockchain import Blockchain, ChainConfig
from chain.genesis import load_genesis
from chain.node import Node
from chain.rpc.dispatch import Dispatcher
from chain.store import MemoryStore
from chain.system_contracts import CONSOLIDATION_REQUESTS, WITHDRAWAL_REQUESTS
from tests.unit.chain.support import machine

pytestmark = pytest.mark.conformance

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def folder(conformance: Path) -> Path:
    found = conformance / "execution-apis"
    if not (found / "chain.rlp").is_file():
        pytest.skip("no chain.rlp in the conformance data")
    return found


@pytest.fixture(scope="module")
def node(folder: Path) -> Iterator[Node]:
    chain = Blockchain.open(ChainConfig(), load_genesis(folder / "genesis.json"), MemoryStore(), machine())
    chain.import_chain((folder / "chain.rlp").read_bytes())
    running = Node(chain)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def ask(node: Node) -> Ask:
    import asyncio

    dispatcher = Dispatcher(node, all_methods())

    def call(method: str, *params: Any) -> dict[str, Any]:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        raw = asyncio.run(dispatcher.handle(json.dumps(message)))
        assert raw is not None
        answer: dict[str, Any] = json.loads(raw)
        return answer

    return call


def test_recorded_traces_are_met_to_the_letter(folder: Path, ask: Ask) -> None:
    files = sorted(folder.glob("debug_trace*/*.io"))
    assert len(files) >= 12
    for path in files:
        lines = path.read_text().splitlines()
        request = json.loads(next(line[2:] for line in lines if line.startswith(">>")))
        wanted = json.loads(next(line[2:] for line in lines if line.startswith("<<")))
        got = ask(request["method"], *request["params"])
        if "error" in wanted:
            assert got["error"]["code"] == wanted["error"]["code"], path
        else:
            assert got["result"] == wanted["result"], path


def test_every_trace_agrees_with_the_receipt_and_the_state(node: Node, ask: Ask) -> None:
    mux = {
        "tracer": "muxTracer",
        "tracerConfig": {"callTracer": {"withLog": True}, "prestateTracer": {"diffMode": True}, "flatCallTracer": {}},
    }
    steps = traced = 0
    for number in range(1, node.head.number + 1):
        record = node.chain.block_by_number(number)
        assert record is not None
        receipts = node.chain.receipts(record.hash)
        logged = ask("debug_traceBlockByNumber", hex(number))["result"]
        others = ask("debug_traceBlockByHash", "0x" + record.hash.hex(), mux)["result"]
        after: dict[str, dict[str, Any]] = {}
        for receipt, plain, other in zip(receipts, logged, others, strict=True):
            traced += 1
            assert plain["txHash"] == other["txHash"] == "0x" + receipt.tx_hash.hex()
            assert plain["result"]["gas"] == receipt.gas_used
            assert plain["result"]["failed"] is (receipt.error is not None)
            top = other["result"]["callTracer"]
            assert int(top["gasUsed"], 16) == receipt.gas_used
            assert len(_logs(top)) == len(receipt.logs)
            assert other["result"]["flatCallTracer"][0]["transactionPosition"] == receipt.tx_index
            entries = plain["result"]["structLogs"]
            steps += len(entries)
            for one, then in pairwise(entries):
                if one["depth"] == then["depth"]:
                    assert one["gas"] - one["gasCost"] == then["gas"]
            for address, change in other["result"]["prestateTracer"]["post"].items():
                seen = after.setdefault(address, {"storage": {}})
                # A slot that is in `pre` alone was cleared.
                before = other["result"]["prestateTracer"]["pre"].get(address, {}).get("storage", {})
                seen["storage"] |= dict.fromkeys(before, "0x" + "00" * 32) | change.get("storage", {})
                seen |= {key: value for key, value in change.items() if key in ("balance", "nonce")}
        _check_state(node, record.number, after)
    assert traced == 249
    assert steps > 10_000


def _logs(frame: dict[str, Any]) -> list[Any]:
    return [*frame.get("logs", []), *(log for child in frame.get("calls", []) for log in _logs(child))]


def _check_state(node: Node, number: int, after: dict[str, dict[str, Any]]) -> None:
    record = node.chain.block_by_number(number)
    assert record is not None
    state = node.chain.state_at(record)
    rewarded = {record.header.coinbase, *(uncle.coinbase for uncle in record.uncles)}
    rewarded |= {withdrawal.address for withdrawal in record.withdrawals or ()}
    for name, change in after.items():
        address = bytes.fromhex(name[2:])
        if address in (WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS):
            continue  # Called once more when the block ends.
        if "balance" in change and address not in rewarded:
            assert state.balance(address) == int(change["balance"], 16)
        if "nonce" in change:
            assert state.nonce(address) == change["nonce"]
        for slot, value in change["storage"].items():
            assert state.storage(address, int(slot, 16)).hex() == value[2:]


def test_a_block_given_in_rlp_is_traced_like_the_block_itself(ask: Ask) -> None:
    raw = ask("debug_getRawBlock", "0x2")["result"]
    assert ask("debug_traceBlock", raw) == ask("debug_traceBlockByNumber", "0x2")
    assert ask("debug_traceBlock", "0xc0")["error"]["code"] == -32602


def test_tracing_stores_nothing(node: Node, ask: Ask) -> None:
    root, head = node.state().root, node.head.hash
    ask("debug_traceBlockByNumber", "latest", {"tracer": "prestateTracer"})
    ask("trace_block", "latest")
    assert (node.state().root, node.head.hash) == (root, head)
