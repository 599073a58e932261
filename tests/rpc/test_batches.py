"""Batches for several threads, and what one caller cannot hold up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from chain.app import NodeOptions, all_methods, open_node
from chain.node import Node
from chain.rpc.dispatch import Dispatcher, Method
from tests.node_process import ACCOUNTS

LOOP = {"to": "0x" + "44" * 20, "gas": "0x2faf080"}


@pytest.fixture
def node() -> Iterator[Node]:
    opened = open_node(NodeOptions())
    opened.start()
    Dispatcher(opened, all_methods()).answer_now(request("anvil_setCode", LOOP["to"], "0x5b5f56"))
    yield opened
    opened.stop()


def request(method: str, *params: Any, identifier: int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identifier, "method": method, "params": list(params)}


async def asked(dispatcher: Dispatcher, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    answers = orjson.loads(await dispatcher.handle(orjson.dumps(requests)) or b"[]")
    assert [answer["id"] for answer in answers] == [item["id"] for item in requests]
    return list(answers)


def test_each_request_sees_those_before_it(node: Node) -> None:
    dispatcher = Dispatcher(node, all_methods())
    poor = "0x" + "a1" * 20
    batch = []
    for value in (5, 6):
        batch += [
            request("eth_sendTransaction", {"from": ACCOUNTS[0], "to": poor, "value": hex(value)}),
            request("eth_getBalance", poor, "latest"),
            request("eth_blockNumber"),
            request("eth_call", {"to": poor}),
            request("nothing"),
        ]
    batch = [{**item, "id": number} for number, item in enumerate(batch)]
    answers = asyncio.run(asked(dispatcher, *batch))
    assert [answers[i]["result"] for i in (1, 2, 3, 6, 7, 8)] == ["0x5", "0x1", "0x", "0xb", "0x2", "0x"]
    assert answers[9]["error"]["code"] == -32601


def test_calls_of_a_batch_hold_up_no_block(node: Node) -> None:
    dispatcher = Dispatcher(node, all_methods(), read_seconds=1.0)

    async def race() -> None:
        batch = asyncio.create_task(asked(dispatcher, request("evm_mine"), *[request("eth_call", LOOP)] * 3))
        while node.head.number < 1:
            await asyncio.sleep(0.01)
        mined = await dispatcher.handle(orjson.dumps(request("evm_mine")))
        assert orjson.loads(mined or b"")["result"] == "0x0"
        assert not batch.done()
        answers = await batch
        # One time for all of them.
        assert [answer["error"]["message"][:17] for answer in answers[1:]] == ["execution aborted"] * 3

    asyncio.run(race())
    assert node.head.number == 2


def test_look_ups_are_answered_while_calls_take_their_time(node: Node) -> None:
    gate = threading.Event()
    methods = {**all_methods(), "slow": Method("slow", lambda _context: gate.wait(60), where="call")}
    dispatcher = Dispatcher(node, methods)

    async def race() -> None:
        slow = [asyncio.create_task(asked(dispatcher, request("slow"))) for _ in range(4)]
        await asyncio.sleep(0)
        for method in ("eth_getBalance", "eth_getTransactionCount", "eth_getCode"):
            assert "result" in (await asked(dispatcher, request(method, ACCOUNTS[0], "latest")))[0]
        assert not any(task.done() for task in slow)
        gate.set()
        assert [answers[0]["result"] for answers in await asyncio.gather(*slow)] == [True] * 4

    asyncio.run(race())


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("eth_getBlockByNumbers", "eth_getBlockByNumber"),
        ("anvil_setbalance", "anvil_setBalance"),
        ("evm_setBalance", "anvil_setBalance"),
        ("hardhat_snapshot", "evm_snapshot"),
        ("eth_nothing", None),
        ("", None),
        ("x" * 5_000, None),
    ],
)
def test_an_unknown_method_is_told_with_what_was_meant(node: Node, name: str, meant: str | None) -> None:
    answer = Dispatcher(node, all_methods()).answer_now(request(name))
    error = orjson.loads(answer or b"")["error"]
    told = f"the method {name[:100]} does not exist/is not available"
    assert error == {"code": -32601, "message": told + (f"; did you mean {meant}?" if meant else "")}
