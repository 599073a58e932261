"""Which web pages may ask, and how long a connection may take to ask at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from chain.app import NodeOptions, all_methods, open_node
from chain.rpc import server as rpc_server
from chain.rpc.dispatch import Dispatcher
from chain.rpc.server import RpcServer
from tests.node_process import NodeProcess, node_process

CHAIN_ID = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
OWN = (
    "http://localhost:3000",
    "https://app.localhost",
    "http://127.0.0.1:5173",
    "http://[::1]:8080",
    "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn",
    "moz-extension://3b2f1c3e-0000-4000-8000-000000000000",
)
FOREIGN = (
    "https://evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "https://remix.ethereum.org",
    "http://192.168.0.7",
    "null",
    "http://[::1",
    "",
)


@pytest.mark.parametrize("origin", OWN)
def test_pages_of_this_machine_and_extensions_may_ask(node: NodeProcess, origin: str) -> None:
    status, headers, _ = node.post(CHAIN_ID, Origin=origin)
    assert (status, headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_pages_may_not(node: NodeProcess, origin: str) -> None:
    for status, headers, _ in (node.post(CHAIN_ID, Origin=origin), node.request("OPTIONS", Origin=origin)):
        assert status == 403
        assert "access-control-allow-origin" not in headers


def test_pages_that_are_named_may_besides() -> None:
    with node_process(origins=["https://remix.ethereum.org"]) as process:
        assert process.post(CHAIN_ID, Origin="https://remix.ethereum.org")[0] == 200
        assert process.post(CHAIN_ID, Origin=OWN[0])[0] == 200
        for _ in range(3):
            assert process.post(CHAIN_ID, Origin="https://evil.example")[0] == 403
    assert process.errors.count("https://evil.example") == 1
    assert "--allow-origin" in process.errors


def test_a_star_admits_all() -> None:
    with node_process(origins=["*"]) as process:
        for origin in FOREIGN[:-1]:
            assert process.post(CHAIN_ID, Origin=origin)[0] == 200


async def _served(talk: Callable[[RpcServer], Awaitable[None]]) -> None:
    node = open_node(NodeOptions())
    node.start()
    server = RpcServer(Dispatcher(node, all_methods()), node, port=0, head_seconds=0.2, body_seconds=0.2)
    await server.start()
    try:
        await talk(server)
    finally:
        await server.stop()
        await asyncio.to_thread(node.stop)


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_who_sends_no_request_is_left(sent: bytes) -> None:
    async def talk(server: RpcServer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()

    asyncio.run(asyncio.wait_for(_served(talk), 30))


def test_who_sends_half_a_body_is_told_and_left() -> None:
    async def talk(server: RpcServer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert (await reader.read()).startswith(b"HTTP/1.1 408")
        writer.close()

    asyncio.run(asyncio.wait_for(_served(talk), 30))


def test_who_has_asked_may_stay() -> None:
    async def talk(server: RpcServer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        request = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(CHAIN_ID)}\r\n\r\n{CHAIN_ID}".encode()
        for _ in range(2):
            writer.write(request)
            assert (await reader.readuntil(b'0x7a69"}')).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.5)
        writer.close()

    asyncio.run(asyncio.wait_for(_served(talk), 30))


def test_subscriptions_of_a_connection_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_server, "MAX_SUBSCRIPTIONS", 2)

    async def talk(server: RpcServer) -> None:
        async with aiohttp.ClientSession() as client, client.ws_connect(server.url) as socket:
            answers = []
            for _ in range(3):
                await socket.send_str('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}')
                answers.append(await socket.receive_json())
        assert [answer.get("error", {}).get("code") for answer in answers] == [None, None, -32005]

    asyncio.run(asyncio.wait_for(_served(talk), 30))
