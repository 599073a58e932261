"""Traces over JSON-RPC: debug_, trace_, ots_ and ewasm_ on one small history of EVM and Wasm contracts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import encode

from chain.crypto import keccak
from ewasm.initcode import with_arguments, wrap_runtime
from tests.node_process import ACCOUNTS, REPOSITORY, NodeProcess, RpcFailure, load_token
from tests.rpc.contracts import CREATION, call_data


@dataclass(frozen=True)
class History:
    """Contracts and transactions that the tests look at."""

    evm: str
    counter: str
    forwarder: str
    token: str
    forwarded: str
    reverted: str
    paid: str


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


@pytest.fixture(scope="module")
def history(node: NodeProcess) -> History:
    contracts = REPOSITORY / "contracts"
    arguments = encode(["string", "string", "uint256"], ["Gold", "GLD", 1_000])
    evm = node.deploy(CREATION)
    counter = node.deploy(wrap_runtime((contracts / "counter/counter.wasm").read_bytes()))
    forwarder = node.deploy(wrap_runtime((contracts / "crossvm/forwarder.wasm").read_bytes()))
    token = node.deploy(with_arguments(load_token()[1], arguments))
    data = selector("forward(address,bytes)") + encode(
        ["address", "bytes"], [bytes.fromhex(counter[2:]), selector("increment()")]
    )

    def send(to: str, data: str, **more: str) -> str:
        request = {"from": ACCOUNTS[0], "to": to, "data": data, "gas": "0x100000", **more}
        return str(node.rpc("eth_sendTransaction", request))

    return History(
        evm=evm,
        counter=counter,
        forwarder=forwarder,
        token=token,
        forwarded=send(forwarder, "0x" + data.hex()),
        reverted=send(evm, call_data(3)),
        paid=send(ACCOUNTS[1], "0x", value="0x5"),
    )


def test_every_tracer_answers_for_wasm_and_evm(node: NodeProcess, history: History) -> None:
    receipt = node.rpc("eth_getTransactionReceipt", history.forwarded)
    steps = node.rpc("debug_traceTransaction", history.forwarded)
    assert steps["gas"] == int(receipt["gasUsed"], 16)
    assert {step["depth"] for step in steps["structLogs"]} == {1, 2}
    calls = node.rpc("debug_traceTransaction", history.forwarded, {"tracer": "callTracer"})
    assert [call["to"] for call in calls["calls"]] == [history.counter]
    assert history.counter in node.rpc("debug_traceTransaction", history.forwarded, {"tracer": "prestateTracer"})
    assert node.rpc("ewasm_traceTransaction", history.forwarded, {"limit": 5})["structLogs"] == steps["structLogs"][:5]


def test_a_profile_adds_up_to_the_steps(node: NodeProcess, history: History) -> None:
    profile = node.rpc("ewasm_profile", history.forwarded)
    steps = node.rpc("ewasm_traceTransaction", history.forwarded)["structLogs"]
    assert profile["instructions"] == len(steps) == sum(row["count"] for row in profile["opcodes"])
    assert len(steps) == sum(row["count"] for row in profile["functions"])
    assert {row["address"] for row in profile["functions"]} == {history.counter, history.forwarder}
    assert profile["opcodes"][0]["op"] == "call"
    report = node.rpc("ewasm_gasReport", history.forwarded)
    spent = sum(row["particles"] for row in profile["functions"] if row["address"] == history.counter)
    assert 0 < spent <= (report["gasInstructions"] + report["gasEei"]) * 10_000


def test_calls_are_traced_with_overrides_of_state_and_block(node: NodeProcess, history: History) -> None:
    request = {"to": history.counter, "data": "0x" + selector("number()").hex()}
    override = {history.counter: {"stateDiff": {"0x" + "00" * 32: "0x" + "00" * 31 + "63"}}}
    traced = node.rpc("debug_traceCall", request, "latest", {"tracer": "callTracer", "stateOverrides": override})
    assert int(traced["output"], 16) == 99
    clock = {"to": history.evm, "data": call_data(9)}
    changed = node.rpc("debug_traceCall", clock, "latest", {"blockOverrides": {"time": "0x1234567890"}})
    assert int(changed["returnValue"], 16) == 0x1234567890
    assert any(step["op"] == "TIMESTAMP" for step in changed["structLogs"])
    with pytest.raises(RpcFailure, match="insufficient funds"):
        node.rpc("debug_traceCall", {"from": "0x" + "77" * 20, "to": history.evm, "value": "0x1"}, "latest")


def test_parity_traces_list_the_tree(node: NodeProcess, history: History) -> None:
    outer, inner = node.rpc("trace_transaction", history.forwarded)
    assert (outer["traceAddress"], outer["subtraces"], inner["traceAddress"]) == ([], 1, [0])
    assert node.rpc("trace_get", history.forwarded, ["0x0"]) == inner
    assert node.rpc("trace_get", history.forwarded, [1]) is None
    assert node.rpc("trace_block", hex(outer["blockNumber"])) == [outer, inner]
    (failed,) = node.rpc("trace_transaction", history.reverted)
    assert failed["error"] == "Reverted"
    found = node.rpc("trace_filter", {"fromBlock": "0x0", "toBlock": "latest", "toAddress": [history.counter]})
    assert {trace["transactionHash"] for trace in found} >= {history.forwarded}
    page = node.rpc("trace_filter", {"fromBlock": "0x1", "after": 1, "count": 2})
    assert page == node.rpc("trace_filter", {"fromBlock": "0x1"})[1:3]
    assert node.rpc("trace_transaction", "0x" + "12" * 32) is None
    with pytest.raises(RpcFailure, match="range"):
        node.rpc("trace_filter", {"fromBlock": "0x2", "toBlock": "0x1"})


def test_otterscan_finds_what_it_shows(node: NodeProcess, history: History) -> None:
    assert node.rpc("ots_getApiLevel") == 8
    number = int(node.rpc("eth_getTransactionReceipt", history.forwarded)["blockNumber"], 16)
    assert node.rpc("erigon_getHeaderByNumber", number)["number"] == hex(number)
    details = node.rpc("ots_getBlockDetails", number)
    assert details["block"]["transactionCount"] == 1
    assert int(details["totalFees"], 16) > 0
    assert node.rpc("ots_getBlockDetailsByHash", details["block"]["hash"]) == details
    page = node.rpc("ots_getBlockTransactions", number, 0, 25)
    assert [tx["hash"] for tx in page["fullblock"]["transactions"]] == [history.forwarded]
    assert len(page["fullblock"]["transactions"][0]["input"]) == 10
    assert node.rpc("ots_getBlockTransactions", number, 1, 25)["receipts"] == []
    assert node.rpc("ots_hasCode", history.token, "latest") is True
    assert node.rpc("ots_hasCode", ACCOUNTS[1], "latest") is False
    creator = node.rpc("ots_getContractCreator", history.counter)
    assert creator["creator"] == ACCOUNTS[0]
    assert node.rpc("ots_getContractCreator", ACCOUNTS[1]) is None
    nonce = int(node.rpc("eth_getTransactionByHash", creator["hash"])["nonce"], 16)
    assert node.rpc("ots_getTransactionBySenderAndNonce", ACCOUNTS[0], nonce) == creator["hash"]
    assert node.rpc("ots_getTransactionBySenderAndNonce", ACCOUNTS[0], 10_000) is None
    calls = node.rpc("ots_traceTransaction", history.forwarded)
    assert [(call["type"], call["depth"]) for call in calls] == [("CALL", 0), ("CALL", 1)]
    assert node.rpc("ots_getTransactionError", history.reverted).startswith("0x08c379a0")
    assert node.rpc("ots_getTransactionError", history.paid) == "0x"
    assert node.rpc("ots_getInternalOperations", history.forwarded) == []


def test_otterscan_searches_in_pages(node: NodeProcess, history: History) -> None:
    newest = node.rpc("ots_searchTransactionsBefore", ACCOUNTS[0], 0, 3)
    assert (newest["firstPage"], newest["lastPage"], len(newest["txs"])) == (True, False, 3)
    assert newest["txs"][0]["hash"] == history.paid
    older = node.rpc("ots_searchTransactionsBefore", ACCOUNTS[0], int(newest["txs"][-1]["blockNumber"], 16), 100)
    assert older["lastPage"] is True
    every = [tx["hash"] for tx in newest["txs"] + older["txs"]]
    assert len(every) == len(set(every)) == 7
    oldest = node.rpc("ots_searchTransactionsAfter", ACCOUNTS[0], 0, 2)
    assert [tx["hash"] for tx in oldest["txs"]] == every[-2:]
    assert (oldest["firstPage"], oldest["lastPage"]) == (False, True)
    with pytest.raises(RpcFailure, match="1 to 100"):
        node.rpc("ots_searchTransactionsAfter", ACCOUNTS[0], 0, 0)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"tracer": "nope"}, -32602),
        ({"tracer": 5}, -32602),
        ({"tracerConfig": []}, -32602),
        ({"tracer": "muxTracer", "tracerConfig": {"muxTracer": {}}}, -32602),
        ({"tracer": "wasmTracer", "tracerConfig": {"limit": "x"}}, -32602),
        ({"timeout": 5}, -32602),
        ({"timeout": "1y"}, -32602),
        ({"timeout": "1000h"}, -32602),
        ({"limit": -1}, -32602),
        ({"enableMemory": "yes"}, -32602),
        ({"timeout": "1ns"}, -32000),
        ("callTracer", -32602),
    ],
)
def test_options_that_make_no_sense_are_refused(node: NodeProcess, history: History, options: Any, code: int) -> None:
    with pytest.raises(RpcFailure) as caught:
        node.rpc("debug_traceTransaction", history.forwarded, options)
    assert caught.value.code == code


def test_what_is_not_there_is_not_traced(node: NodeProcess) -> None:
    for method, params, words in (
        ("debug_traceTransaction", ["0x" + "12" * 32], "transaction not found"),
        ("ewasm_profile", ["0x" + "12" * 32], "transaction not found"),
        ("debug_traceBlockByNumber", ["0xffffff"], "not found"),
        ("debug_traceBlockByNumber", ["earliest"], "genesis is not traceable"),
        ("debug_traceBlockByHash", ["0x" + "12" * 32], "not found"),
        ("debug_traceBlock", ["0x01"], "not a block"),
    ):
        with pytest.raises(RpcFailure, match=words):
            node.rpc(method, *params)
    assert node.rpc("trace_block", "0x0") == []
    assert node.rpc("trace_block", "0xffffff") is None
