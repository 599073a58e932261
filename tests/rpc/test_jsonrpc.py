"""JSON-RPC 2.0 and HTTP: shapes of requests, answers and errors, whatever the method."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from tests.node_process import NodeProcess

BLOCK_NUMBER = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber"}
CHAIN_ID = {"jsonrpc": "2.0", "id": 2, "method": "eth_chainId"}


def error_of(answer: dict[str, Any]) -> tuple[int, str]:
    assert answer["jsonrpc"] == "2.0"
    assert "result" not in answer
    assert set(answer["error"]) <= {"code", "message", "data"}
    return answer["error"]["code"], answer["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"jsonrpc": "2.0", "id": NaN}', b"[" * 2000, b"nonsense"])
def test_what_is_not_json_is_a_parse_error(node: NodeProcess, body: bytes) -> None:
    status, _, raw = node.post(body)
    answer = json.loads(raw)
    assert status == 200
    assert answer["id"] is None
    assert error_of(answer)[0] == -32700


@pytest.mark.parametrize(
    "message",
    [
        1,
        "text",
        None,
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "eth_chainId"},
        {"id": 1, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "id": {}, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": True, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "method": None},
        [],
    ],
)
def test_what_is_no_request_is_invalid(node: NodeProcess, message: Any) -> None:
    assert error_of(node.send(message))[0] == -32600


@pytest.mark.parametrize("identifier", [0, 1, -7, 1.5, "abc", "", None, 2**53])
def test_id_is_echoed(node: NodeProcess, identifier: Any) -> None:
    answer = node.send({**CHAIN_ID, "id": identifier})
    assert answer == {"jsonrpc": "2.0", "id": identifier, "result": "0x7a69"}


def test_id_is_echoed_in_errors(node: NodeProcess) -> None:
    answer = node.send({"jsonrpc": "2.0", "id": "me", "method": "eth_nothing"})
    assert answer["id"] == "me"
    assert error_of(answer) == (-32601, "the method eth_nothing does not exist/is not available")


@pytest.mark.parametrize("params", [{}, {"params": None}, {"params": []}, {"params": {}}, {"params": [None]}])
def test_params_may_be_missing_null_or_empty(node: NodeProcess, params: dict[str, Any]) -> None:
    assert node.send({**CHAIN_ID, **params})["result"] == "0x7a69"


@pytest.mark.parametrize("params", ["0x1", 1, True])
def test_params_of_another_type_are_refused(node: NodeProcess, params: Any) -> None:
    assert error_of(node.send({**CHAIN_ID, "params": params}))[0] == -32602


@pytest.mark.parametrize(
    ("method", "params", "named"),
    [
        ("eth_getBalance", [], "missing value for required argument 0 (address)"),
        ("eth_getBalance", ["0x12"], "invalid argument 0 (address)"),
        ("eth_getBalance", [5], "invalid argument 0 (address)"),
        ("eth_getBalance", ["0x" + "00" * 20, "newest"], "invalid argument 1 (block)"),
        ("eth_getBalance", ["0x" + "00" * 20, "latest", 1], "too many arguments, want at most 2"),
        ("eth_getBlockByNumber", ["0x1", "yes"], "invalid argument 1 (fullTransactions)"),
        ("eth_getBlockByNumber", ["1"], "invalid argument 0 (block): hex string without 0x prefix"),
        ("eth_call", ["0x"], "invalid argument 0 (transaction): expected an object"),
        ("eth_call", [{"gas": 5}], "invalid argument 0 (transaction): gas: "),
        ("eth_call", [{}, "latest", {"0x12": {}}], "invalid argument 2 (stateOverrides)"),
        ("eth_getLogs", [{"fromBlock": "0x5", "toBlock": "0x1"}], "invalid block range params"),
        ("eth_getLogs", [{"toBlock": "0xffff"}], "block range extends beyond current head block"),
        ("eth_sendRawTransaction", ["0xzz"], "invalid argument 0 (transaction): invalid hex string"),
        ("eth_feeHistory", ["0x1", "latest", [50, 10]], "invalid argument 2 (rewardPercentiles)"),
    ],
)
def test_bad_parameters_are_named(node: NodeProcess, method: str, params: list[Any], named: str) -> None:
    code, message = error_of(node.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    assert code == -32602
    assert named in message


def test_parameters_may_be_named(node: NodeProcess) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": {"address": "0x" + "00" * 20}}
    assert node.send(request)["result"] == "0x0"


def test_batch_is_answered_in_order(node: NodeProcess) -> None:
    unknown = {"jsonrpc": "2.0", "id": 3, "method": "nope"}
    answers = node.send([CHAIN_ID, unknown, BLOCK_NUMBER, 7])
    assert [answer["id"] for answer in answers] == [2, 3, 1, None]
    assert answers[0]["result"] == "0x7a69"
    assert error_of(answers[1])[0] == -32601
    assert answers[2]["result"].startswith("0x")
    assert error_of(answers[3])[0] == -32600


def test_batch_sends_and_then_sees_the_result(node: NodeProcess) -> None:
    before = int(node.rpc("eth_blockNumber"), 16)
    mine = {"jsonrpc": "2.0", "id": "m", "method": "evm_mine"}
    answers = node.send([BLOCK_NUMBER, mine, BLOCK_NUMBER])
    assert [int(answers[0]["result"], 16), int(answers[2]["result"], 16)] == [before, before + 1]


def test_batch_size_is_limited(node: NodeProcess) -> None:
    assert len(node.send([CHAIN_ID] * 1000)) == 1000
    answer = node.send([CHAIN_ID] * 1001)
    assert error_of(answer) == (-32600, "batch too large: 1001 requests, at most 1000")


def test_notifications_are_not_answered(node: NodeProcess) -> None:
    notification = {"jsonrpc": "2.0", "method": "eth_chainId"}
    assert node.post(json.dumps(notification))[2] == b""
    assert node.post(json.dumps([notification, notification]))[2] == b""
    assert len(node.send([notification, CHAIN_ID])) == 1
    assert node.post(json.dumps({"jsonrpc": "2.0", "method": "nope"}))[2] == b""


def test_request_size_is_limited(node: NodeProcess) -> None:
    status, _, body = node.post(b" " * (16 * 1024 * 1024 + 1))
    assert status == 413
    assert error_of(json.loads(body))[1].startswith("request too large")
    assert node.rpc("eth_chainId") == "0x7a69"


def test_pages_of_this_machine_may_ask(node: NodeProcess) -> None:
    status, headers, _ = node.request("OPTIONS", Origin="http://localhost:3000", Access_Control_Request_Method="POST")
    assert status == 204
    assert headers["access-control-allow-origin"] == "*"
    assert "POST" in headers["access-control-allow-methods"]
    assert "Content-Type" in headers["access-control-allow-headers"]
    _, headers, _ = node.post(json.dumps(CHAIN_ID), Origin="http://localhost:3000")
    assert headers["access-control-allow-origin"] == "*"
    assert headers["content-type"] == "application/json"


def test_content_type_does_not_matter(node: NodeProcess) -> None:
    assert json.loads(node.post(json.dumps(CHAIN_ID), **{"Content-Type": "text/plain"})[2])["result"] == "0x7a69"


def test_get_answers_in_words(node: NodeProcess) -> None:
    status, headers, body = node.request("GET")
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert b"chain id 31337" in body


def test_other_methods_of_http_are_refused(node: NodeProcess) -> None:
    assert node.request("PUT", b"{}")[0] == 405


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8545", "127.0.0.1.evil.example"])
def test_foreign_host_header_is_refused(node: NodeProcess, host: str) -> None:
    assert node.post(json.dumps(CHAIN_ID), Host=host)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "[::1]:5", "dapp.localhost", "10.0.0.7:80"])
def test_local_host_header_is_served(node: NodeProcess, host: str) -> None:
    assert node.post(json.dumps(CHAIN_ID), Host=host)[0] == 200


def test_broken_http_harms_nothing(node: NodeProcess) -> None:
    for rubbish in (b"\x00\x01\x02\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nshort"):
        with socket.create_connection(("127.0.0.1", node.port)) as connection:
            connection.sendall(rubbish)
    assert node.rpc("eth_chainId") == "0x7a69"


def test_only_the_loopback_address_is_listened_on(node: NodeProcess) -> None:
    assert node.url.startswith("http://127.0.0.1:")
