"""One caller cannot stop the node, learn its secrets, or reach it from a page that may not."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import orjson
import pytest

from chain.app import NodeOptions, all_methods, open_node
from chain.metrics import Metrics
from chain.node import Node
from chain.rpc import dispatch
from chain.rpc.dispatch import Dispatcher
from tests.node_process import ACCOUNTS, KEYS, NodeProcess, node_process
from tests.soak.junk import run as send_junk

MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow"
LOOP = "0x5b5f56"
"""JUMPDEST PUSH0 JUMP."""
SELF_CALLS = "0x5f5f5f5f5f305af1505f5f5f5f5f305af100"
"""Calls itself twice, without a JUMPDEST."""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    opened = open_node(NodeOptions())
    opened.start()
    yield opened
    opened.stop()


def ask(dispatcher: Dispatcher, method: str, *params: Any) -> Any:
    answer = dispatcher.answer_now({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
    return json.loads(answer or b"null")


@pytest.mark.parametrize("code", [LOOP, SELF_CALLS])
@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_calls_have_a_deadline(node: Node, method: str, code: str) -> None:
    dispatcher = Dispatcher(node, all_methods(), read_seconds=0.2)
    request = {"from": ACCOUNTS[0], "to": "0x" + "44" * 20, "gas": "0x2faf080"}
    answer = ask(dispatcher, method, request, "latest", {"0x" + "44" * 20: {"code": code}})
    assert answer["error"] == {"code": -32000, "message": "execution aborted (timeout = 0.2s)"}
    # It was for that request alone.
    assert ask(Dispatcher(node, all_methods()), method, {**request, "gas": "0x7530"})["result"] in ("0x", "0x5208")


def test_blocks_have_no_deadline(node: Node) -> None:
    dispatcher = Dispatcher(node, all_methods(), read_seconds=0.0)
    code = "0x" + "5b" * 2_000 + "00"
    answer = ask(dispatcher, "eth_sendTransaction", {"from": ACCOUNTS[0], "data": code, "gas": "0x7a120"})
    assert "result" in answer


def test_reads_are_answered_while_a_block_is_made(node: Node) -> None:
    dispatcher = Dispatcher(node, all_methods())
    finish = threading.Event()
    busy = node.own(finish.wait)
    try:
        assert ask(dispatcher, "eth_getBalance", ACCOUNTS[1], "latest")["result"] == hex(10_000 * 10**18)
        assert ask(dispatcher, "eth_call", {"to": ACCOUNTS[1]}, "latest")["result"] == "0x"
        assert "result" in ask(dispatcher, "eth_getBlockByNumber", "latest", False)
        assert not busy.done()
    finally:
        finish.set()


def test_waiting_requests_are_limited(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "MAX_WAITING", 0)
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice"}'
    answer = orjson.loads(asyncio.run(Dispatcher(node, all_methods()).handle(body)) or b"null")
    assert answer["error"]["code"] == -32005


def test_answers_of_a_batch_are_limited(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "MAX_ANSWER_BYTES", 200)
    message = [{"jsonrpc": "2.0", "id": place, "method": "eth_accounts"} for place in range(3)]
    answers = orjson.loads(Dispatcher(node, all_methods()).answer_now(message) or b"null")
    assert [answer["id"] for answer in answers] == [0, 1, 2]
    assert {answer["error"]["code"] for answer in answers} == {-32005}


def test_metrics_count_requests_by_method_and_result(node: Node) -> None:
    metrics = Metrics(frozenset(all_methods()))
    dispatcher = Dispatcher(node, all_methods(), metrics=metrics)
    ask(dispatcher, "eth_chainId")
    ask(dispatcher, "eth_chainId")
    ask(dispatcher, "eth_getBalance", "zz")
    ask(dispatcher, 'no"such\nmethod')
    lines = metrics.render(node, 3).splitlines()
    assert 'ewasm_requests_total{method="eth_chainId",result="ok"} 2' in lines
    assert 'ewasm_requests_total{method="eth_getBalance",result="error"} 1' in lines
    assert 'ewasm_requests_total{method="other",result="error"} 1' in lines
    assert "ewasm_connections 3" in lines
    assert f"ewasm_block_number {node.head.number}" in lines
    assert all(line.startswith("# ") or len(line.rsplit(" ", 1)) == 2 for line in lines)


def test_metrics_are_served_only_where_asked_for() -> None:
    with node_process(metrics=True) as process:
        status, headers, page = process.request("GET", None)
        assert b"ewasm_requests_total" not in page
        process.rpc("eth_chainId")
        process.url += "/metrics"
        status, headers, page = process.request("GET", None)
        assert status == 200
        assert headers["content-type"].startswith("text/plain; version=0.0.4")
        assert b'ewasm_requests_total{method="eth_chainId",result="ok"} 1' in page


def test_pages_that_may_not_ask_are_refused() -> None:
    with node_process(origins=["http://localhost:3000"]) as process:
        body = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
        assert process.post(body, Origin="http://localhost:3000")[0] == 200
        assert process.post(body)[0] == 200
        assert process.post(body, Origin="https://evil.example")[0] == 403
        assert process.post(body, Host="evil.example")[0] == 403

        async def connect(origin: str) -> None:
            async with aiohttp.ClientSession() as client, client.ws_connect(process.url, origin=origin):
                pass

        asyncio.run(connect("http://localhost:3000"))
        with pytest.raises(aiohttp.WSServerHandshakeError):
            asyncio.run(connect("https://evil.example"))


def slow_call(process: NodeProcess) -> Any:
    """A call of a second or more."""
    request = {"to": "0x" + "44" * 20, "gas": hex(3_000_000)}
    message = {"jsonrpc": "2.0", "id": 1, "method": "eth_call"}
    return process.send({**message, "params": [request, "latest", {request["to"]: {"code": LOOP}}]})


def test_requests_under_way_end_before_the_node_does() -> None:
    with node_process(metrics=True) as process, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(slow_call, process)
        while b"ewasm_waiting_calls 0" in urllib.request.urlopen(process.url + "/metrics").read():
            assert not answer.done()
        process.process.send_signal(signal.SIGTERM)
        assert answer.result()["error"]["message"] == "out of gas"
        assert process.finish() == 0
        assert process.errors == ""


def test_random_requests_do_no_harm() -> None:
    with node_process(mnemonic=MNEMONIC) as process:
        report = asyncio.run(send_junk(400, 1, process))
        assert report.wrong == []
        assert report.requests == 400


def test_logs_hold_no_secrets() -> None:
    with node_process(mnemonic=MNEMONIC, json=True) as process:
        for method, params in (
            ("eth_sign", [ACCOUNTS[0], "0x00"]),
            ("personal_sign", ["0x00", ACCOUNTS[0], "my-password"]),
            ("eth_sendTransaction", [{"from": ACCOUNTS[0], "to": ACCOUNTS[1]}]),
            ("personal_importRawKey", [KEYS[0], "my-password"]),
        ):
            process.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        process.stop()
        said = process.errors + "".join(process.lines)
        assert "my-password" not in said
        assert KEYS[0][2:] not in said
        assert "sausage" not in process.errors
