"""trace_call, trace_replayTransaction, trace_replayBlockTransactions."""

from __future__ import annotations

import pytest

from tests.node_process import ACCOUNTS, NodeProcess, RpcFailure

INNER, OUTER = "0x" + "e1" * 20, "0x" + "e2" * 20


def test_the_same_calls_three_ways(node: NodeProcess) -> None:
    # Returns 32 bytes with a 7; calls that and passes its answer on.
    node.rpc("anvil_setCode", INNER, "0x60075f5260205ff3")
    node.rpc("anvil_setCode", OUTER, f"0x60205f5f5f5f73{INNER[2:]}5af15060205ff3")
    request = {"from": ACCOUNTS[0], "to": OUTER, "gas": "0x186a0"}
    called = node.rpc("trace_call", request, ["trace"])
    assert called["output"] == f"0x{7:064x}"
    assert [(trace["action"]["to"], trace["traceAddress"]) for trace in called["trace"]] == [(OUTER, []), (INNER, [0])]
    assert (called["stateDiff"], called["vmTrace"]) == (None, None)
    tx_hash = node.rpc("eth_sendTransaction", request)
    replayed = node.rpc("trace_replayTransaction", tx_hash, ["trace"])
    assert replayed == called
    assert node.rpc("trace_replayBlockTransactions", "latest", ["trace"]) == [{**called, "transactionHash": tx_hash}]


def test_what_is_not_offered_is_refused(node: NodeProcess) -> None:
    with pytest.raises(RpcFailure, match=r"^-32602: .*'stateDiff' is not offered"):
        node.rpc("trace_call", {"to": INNER}, ["trace", "stateDiff"])
    with pytest.raises(RpcFailure, match="transaction not found"):
        node.rpc("trace_replayTransaction", "0x" + "00" * 32, ["trace"])
    with pytest.raises(RpcFailure, match="insufficient funds"):
        node.rpc("trace_call", {"from": "0x" + "ee" * 20, "to": INNER, "value": "0x1"}, ["trace"])
