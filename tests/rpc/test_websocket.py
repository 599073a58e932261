"""WebSocket: requests and batches, subscriptions, and the order in which a client hears of things."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.node_process import ACCOUNTS, NodeProcess
from tests.rpc.contracts import CREATION, TOPIC, call_data

LIMIT_S = 60


class Socket:
    """One connection; answers and notifications are kept apart."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.notes: list[dict[str, Any]] = []
        self.count = 0

    async def receive(self) -> Any:
        return json.loads((await self.socket.receive(LIMIT_S)).data)

    async def rpc(self, method: str, *params: Any) -> Any:
        self.count += 1
        await self.socket.send_str(
            json.dumps({"jsonrpc": "2.0", "id": self.count, "method": method, "params": list(params)})
        )
        while "id" not in (answer := await self.receive()):
            self.notes.append(answer)
        assert answer["id"] == self.count
        return answer.get("result", answer.get("error"))

    async def note(self) -> tuple[str, Any]:
        """The next notification: (subscription, result)."""
        answer = self.notes.pop(0) if self.notes else await self.receive()
        assert answer["method"] == "eth_subscription"
        assert answer["jsonrpc"] == "2.0"
        return answer["params"]["subscription"], answer["params"]["result"]


@asynccontextmanager
async def connected(node: NodeProcess, **options: Any) -> AsyncIterator[Socket]:
    async with aiohttp.ClientSession() as client, client.ws_connect(node.ws_url, **options) as socket:
        yield Socket(socket)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 2 * LIMIT_S))


def test_requests_batches_and_errors(node: NodeProcess) -> None:
    async def test() -> None:
        async with connected(node) as ws:
            assert await ws.rpc("eth_chainId") == "0x7a69"
            assert (await ws.rpc("eth_nothing"))["code"] == -32601
            await ws.socket.send_str("{")
            assert (await ws.receive())["error"]["code"] == -32700
            request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
            await ws.socket.send_bytes(json.dumps([request, {**request, "id": 2}]).encode())
            assert [answer["id"] for answer in await ws.receive()] == [1, 2]

    run(test)


def test_subscriptions_report_and_end(node: NodeProcess) -> None:
    async def test() -> None:
        contract = node.deploy(CREATION)
        async with connected(node) as ws:
            heads = await ws.rpc("eth_subscribe", "newHeads")
            logs = await ws.rpc("eth_subscribe", "logs", {"address": contract, "topics": [[TOPIC]]})
            others = await ws.rpc("eth_subscribe", "logs", {"topics": ["0x" + "00" * 32]})
            pending = await ws.rpc("eth_subscribe", "newPendingTransactions")
            full = await ws.rpc("eth_subscribe", "newPendingTransactions", True)
            syncing = await ws.rpc("eth_subscribe", "syncing")
            assert len({heads, logs, others, pending, full, syncing}) == 6
            tx_hash = await ws.rpc(
                "eth_sendTransaction", {"from": ACCOUNTS[0], "to": contract, "data": call_data(2, 7), "gas": "0xffff"}
            )
            seen = dict([await ws.note() for _ in range(4)])
            assert set(seen) == {heads, logs, pending, full}
            block = node.rpc("eth_getBlockByNumber", "latest", False)
            assert seen[heads] == {key: value for key, value in block.items() if key in seen[heads]}
            assert {"hash", "parentHash", "number", "timestamp", "logsBloom", "baseFeePerGas"} <= set(seen[heads])
            assert "transactions" not in seen[heads]
            assert seen[logs] == node.rpc("eth_getTransactionReceipt", tx_hash)["logs"][0]
            assert seen[pending] == seen[full]["hash"] == tx_hash
            assert await ws.rpc("eth_unsubscribe", heads) is True
            assert (await ws.rpc("eth_unsubscribe", heads))["code"] == -32000
            node.rpc("evm_mine")
            assert await ws.rpc("eth_chainId") == "0x7a69"
            assert ws.notes == []

    run(test)


def test_answer_to_subscribe_comes_before_its_notifications(node: NodeProcess) -> None:
    async def test() -> None:
        async with connected(node) as ws:
            batch = [
                {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]},
                {"jsonrpc": "2.0", "id": 2, "method": "evm_mine"},
                {"jsonrpc": "2.0", "id": 3, "method": "evm_mine"},
            ]
            await ws.socket.send_str(json.dumps(batch))
            answers = await ws.receive()
            assert [answer["id"] for answer in answers] == [1, 2, 3]
            first, second = await ws.note(), await ws.note()
            assert first[0] == second[0] == answers[0]["result"]
            assert int(second[1]["number"], 16) == int(first[1]["number"], 16) + 1

    run(test)


@pytest.mark.parametrize(
    ("params", "code"),
    [([], -32602), (["news"], -32000), ([5], -32602), (["logs", {"address": "0x12"}], -32602), (["logs", 5], -32602)],
)
def test_bad_subscriptions_are_refused(node: NodeProcess, params: list[Any], code: int) -> None:
    async def test() -> None:
        async with connected(node) as ws:
            assert (await ws.rpc("eth_subscribe", *params))["code"] == code

    run(test)


def test_subscriptions_need_a_websocket(node: NodeProcess) -> None:
    for method, params in (("eth_subscribe", ["newHeads"]), ("eth_unsubscribe", ["0x1"])):
        answer = node.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        assert answer["error"]["code"] == -32601
        assert "need a WebSocket" in answer["error"]["message"]


def test_clients_that_leave_are_forgotten(node: NodeProcess) -> None:
    async def test() -> None:
        for _ in range(5):
            async with connected(node) as ws:
                await ws.rpc("eth_subscribe", "newHeads")
        node.rpc("evm_mine")
        async with connected(node) as ws:
            assert await ws.rpc("eth_chainId") == "0x7a69"

    run(test)


def test_each_client_has_its_own_subscriptions(node: NodeProcess) -> None:
    async def test() -> None:
        async with connected(node) as one, connected(node) as two:
            mine = await one.rpc("eth_subscribe", "newHeads")
            assert (await two.rpc("eth_unsubscribe", mine))["code"] == -32000
            theirs = await two.rpc("eth_subscribe", "newHeads")
            node.rpc("evm_mine")
            assert (await one.note())[0] == mine
            assert (await two.note())[0] == theirs

    run(test)


def test_too_large_a_message_ends_the_connection_alone(node: NodeProcess) -> None:
    async def test() -> None:
        async with connected(node, max_msg_size=0) as ws:
            # The node may hang up before it has read it all.
            with contextlib.suppress(ConnectionError):
                await ws.socket.send_bytes(b" " * (17 * 1024 * 1024))
                message = await ws.socket.receive(LIMIT_S)
                assert message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
        async with connected(node) as ws:
            assert await ws.rpc("eth_chainId") == "0x7a69"

    run(test)


def test_foreign_host_header_is_refused(node: NodeProcess) -> None:
    async def test() -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with connected(node, headers={"Host": "evil.example"}):
                pass
        assert caught.value.status == 403

    run(test)


def test_shutdown_says_goodbye() -> None:
    from tests.node_process import node_process

    async def test() -> None:
        with node_process() as node:
            async with connected(node) as ws:
                await ws.rpc("eth_subscribe", "newHeads")
                ending = asyncio.create_task(asyncio.to_thread(node.stop))
                message = await ws.socket.receive(LIMIT_S)
                assert message.type is aiohttp.WSMsgType.CLOSE
                assert message.data == 1001
                assert await ending == 0

    run(test)
