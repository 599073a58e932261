"""HTTP and WebSocket on one port.

POST carries JSON-RPC, GET with an upgrade becomes a WebSocket, a plain GET answers in one friendly line, OPTIONS
answers CORS preflights. Accounts here are unlocked, so not every page in a browser may ask: pages of this machine and
browser extensions may, others once they are named. And a request whose Host header names another machine is refused
while the server listens on a loopback address: that is how a web page reaches a local port through DNS it controls.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import secrets
from collections import deque
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from aiohttp import ClientPayloadError, WSMsgType, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader

from chain.metrics import CONTENT_TYPE, Metrics
from chain.node import Node
from chain.rpc.dispatch import READ_SECONDS, Dispatcher
from chain.rpc.errors import LIMIT_EXCEEDED, RpcError

__all__ = ["MAX_REQUEST_BYTES", "PortBusy", "RpcServer"]

MAX_REQUEST_BYTES = 16 * 1024 * 1024
MAX_UNSENT_MESSAGES = 20_000
MAX_SUBSCRIPTIONS = 1_000
MAX_CONNECTIONS = 1_000
# Seconds for the first request's head, and for a body that does not come at once.
MAX_HEAD_S = 30.0
MAX_BODY_S = 60.0
# Pages that were refused, told to the user once each.
MAX_NAMED_PAGES = 100
# Longer than any call may take.
SHUTDOWN_S = READ_SECONDS + 2

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Requested-With",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "86400",
}
_JSON = {**_CORS, "Content-Type": "application/json"}
_TEXT = {**_CORS, "Content-Type": "text/plain; charset=utf-8"}

_log = structlog.get_logger("rpc")


def _is_our_fault(record: logging.LogRecord) -> bool:
    """False for what aiohttp logs when a peer speaks no HTTP: that is answered with 400 and needs no traceback."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_http_log = logging.getLogger("chain.http")
_http_log.addFilter(_is_our_fault)


class PortBusy(Exception):
    """The address cannot be listened on."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host}:{port}: {reason}")
        self.host = host
        self.port = port


class RpcServer:
    """Listens for one dispatcher; `start` and `stop` run on the event loop.

    Args:
        origins: Web pages that may ask besides those of this machine and browser extensions, such as
            "https://remix.ethereum.org"; "*" admits all. Who sends no Origin header is no web page.
        metrics: Served at /metrics where given.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        node: Node,
        host: str = "127.0.0.1",
        port: int = 8545,
        *,
        origins: Collection[str] = (),
        metrics: Metrics | None = None,
        head_seconds: float = MAX_HEAD_S,
        body_seconds: float = MAX_BODY_S,
    ) -> None:
        self._dispatcher = dispatcher
        self._origins = frozenset(origins)
        self._metrics = metrics
        self._node = node
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._http: web.Server | None = None
        self._sockets: set[_WebSocketSession] = set()
        self._any_host = not _is_loopback(host)
        self._head_seconds = head_seconds
        self._body_seconds = body_seconds
        # Connections that have not yet sent a request, and until when they may take for it.
        self._silent: dict[Any, float] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._refused_pages: set[str] = set()

    @property
    def port(self) -> int:
        """The port in use, also where 0 was asked for."""
        return self._port

    @property
    def url(self) -> str:
        """Where HTTP clients go; WebSocket clients put ws in place of http."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "") else self._host  # noqa: S104 - for display only
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Listen.

        Raises:
            PortBusy: Somebody else does, or the address is not ours.
        """
        loop = asyncio.get_running_loop()
        http = web.Server(self._serve, request_factory=self._make_request, access_log=None, logger=_http_log)
        self._http = http
        try:
            self._server = await loop.create_server(lambda: self._watched(http()), self._host, self._port, backlog=512)
        except UnicodeError:
            raise PortBusy(self._host, self._port, "that is no name of a host") from None
        except OSError as error:
            reason = "the port is in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
            raise PortBusy(self._host, self._port, reason) from None
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, let running requests end, close WebSockets."""
        if self._server is not None:
            self._server.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
        for session in list(self._sockets):
            await session.close()
        if self._http is not None:
            self._http.pre_shutdown()
            await self._http.shutdown(timeout=SHUTDOWN_S)

    def _watched(self, protocol: web.RequestHandler) -> web.RequestHandler:
        """A new connection; who sends no request on it must not hold it for ever."""
        loop = asyncio.get_running_loop()
        self._silent[protocol] = loop.time() + self._head_seconds
        if self._sweeping is None:
            self._sweeping = loop.call_later(self._head_seconds, self._drop_silent)
        return protocol

    def _drop_silent(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweeping = None
        # The oldest come first.
        for protocol, due_s in list(self._silent.items()):
            if due_s > loop.time():
                self._sweeping = loop.call_at(due_s, self._drop_silent)
                break
            del self._silent[protocol]
            protocol.force_close()

    def _make_request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: Any,
        writer: Any,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_REQUEST_BYTES)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self._any_host and not _is_local_name(request.headers.get("Host", "")):
            return web.Response(status=403, text="the Host header names another machine\n", headers=_TEXT)
        self._silent.pop(request.protocol, None)
        origin = request.headers.get("Origin")
        if origin is not None and not self._may_ask(origin):
            return web.Response(status=403, text="the Origin header names a page that may not ask: --allow-origin\n")
        if self._http is not None and len(self._http.connections) > MAX_CONNECTIONS:
            if self._metrics is not None:
                self._metrics.refused_connections += 1
            refusal = web.Response(status=503, text="too many connections\n", headers=_TEXT)
            refusal.force_close()
            return refusal
        if request.method == "POST":
            return await self._post(request)
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=_CORS)
        if request.method in ("GET", "HEAD"):
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._websocket(request)
            if self._metrics is not None and self._http is not None and request.path == "/metrics":
                page = self._metrics.render(self._node, len(self._http.connections))
                return web.Response(body=page.encode(), headers={"Content-Type": CONTENT_TYPE})
            chain_id = self._node.chain_id
            text = f"Ewasm node, chain id {chain_id}. Send JSON-RPC here with POST, or open a WebSocket.\n"
            return web.Response(text=text, headers=_TEXT)
        return web.Response(status=405, text="use POST\n", headers={**_TEXT, "Allow": "POST, GET, OPTIONS"})

    def _may_ask(self, origin: str) -> bool:
        if self._origins & {"*", origin} or _is_own_page(origin):
            return True
        shown = origin[:100]
        if shown not in self._refused_pages and len(self._refused_pages) < MAX_NAMED_PAGES:
            self._refused_pages.add(shown)
            _log.warning("a web page was refused; --allow-origin with its name lets it ask", page=shown)
        return False

    async def _post(self, request: web.BaseRequest) -> web.Response:
        try:
            if request.content.is_eof():
                body = await request.read()
            else:
                async with asyncio.timeout(self._body_seconds):
                    body = await request.read()
        except TimeoutError:
            late = web.Response(status=408, text=f"no whole request in {self._body_seconds:g} s\n", headers=_TEXT)
            late.force_close()
            return late
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, body=_too_large(), headers=_JSON)
        except (ConnectionError, ClientPayloadError, HttpProcessingError):
            # Cut short by the client, who may still be there to hear of it.
            return web.Response(status=400, text="the request is cut short\n", headers=_TEXT)
        answer = await self._dispatcher.handle(body)
        return web.Response(body=answer or b"", headers=_JSON)

    async def _websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_REQUEST_BYTES, compress=False, heartbeat=60.0)
        try:
            await socket.prepare(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text=error.text, headers=_TEXT)
        session = _WebSocketSession(socket, self._node)
        self._sockets.add(session)
        try:
            await session.serve(self._dispatcher)
        finally:
            self._sockets.discard(session)
        return socket


class _WebSocketSession:
    """One WebSocket: answers in order, notifications between them.

    Answers and notifications leave through one queue. While a message that subscribes is being answered,
    notifications wait, so that a client learns of a subscription before it hears from it.
    """

    def __init__(self, socket: web.WebSocketResponse, node: Node) -> None:
        self._socket = socket
        self._node = node
        self._loop = asyncio.get_running_loop()
        self._outgoing: deque[bytes] = deque()
        self._held: deque[bytes] | None = None
        self._wake = asyncio.Event()
        self._subscriptions: dict[str, Callable[[], None]] = {}
        self._closed = False

    async def serve(self, dispatcher: Dispatcher) -> None:
        """Answer until the client leaves."""
        writer = self._loop.create_task(self._write())
        try:
            async for message in self._socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                self._held = deque()
                answer = await dispatcher.handle(message.data, self)
                held, self._held = self._held, None
                if answer is not None:
                    self._enqueue(answer)
                for notification in held or ():
                    self._enqueue(notification)
        finally:
            self._closed = True
            for cancel in self._subscriptions.values():
                cancel()
            self._subscriptions.clear()
            self._wake.set()
            writer.cancel()

    async def close(self) -> None:
        """Say goodbye: the server is going away."""
        await self._socket.close(code=1001, message=b"node is shutting down")

    def subscribe(self, kind: str, accept: Callable[[Any], Any | None]) -> str:
        """See `dispatch.Session`; may be called on any thread."""
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            raise RpcError(LIMIT_EXCEEDED, f"too many subscriptions on one connection, at most {MAX_SUBSCRIPTIONS}")
        identifier = "0x" + secrets.token_hex(16)

        def deliver(event: Any) -> None:
            result = accept(event)
            if result is None:
                return
            items = result if isinstance(result, list) else [result]
            for item in items:
                params = {"subscription": identifier, "result": item}
                message = {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
                self._loop.call_soon_threadsafe(self._notify, orjson.dumps(message))

        self._subscriptions[identifier] = self._node.events.listen(kind, deliver)
        return identifier

    def unsubscribe(self, identifier: str) -> bool:
        """See `dispatch.Session`."""
        cancel = self._subscriptions.pop(identifier, None)
        if cancel is None:
            return False
        cancel()
        return True

    def _notify(self, message: bytes) -> None:
        if self._held is not None:
            self._held.append(message)
        else:
            self._enqueue(message)

    def _enqueue(self, message: bytes) -> None:
        if self._closed:
            return
        if len(self._outgoing) >= MAX_UNSENT_MESSAGES:
            _log.warning("websocket closed: the client does not read", unsent=len(self._outgoing))
            self._closed = True
            self._outgoing.clear()
        else:
            self._outgoing.append(message)
        self._wake.set()

    async def _write(self) -> None:
        while True:
            while self._outgoing:
                message = self._outgoing.popleft()
                try:
                    await self._socket.send_frame(message, WSMsgType.TEXT)
                except (ConnectionError, RuntimeError):
                    self._closed = True
                    return
            if self._closed:
                await self._socket.close(code=1008, message=b"too many unsent messages")
                return
            self._wake.clear()
            await self._wake.wait()


def _too_large() -> bytes:
    message = f"request too large, at most {MAX_REQUEST_BYTES} bytes"
    return orjson.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message}})


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# Installed by the user, and on no site that somebody else controls.
_EXTENSIONS = frozenset({"chrome-extension", "moz-extension", "safari-web-extension", "vscode-webview"})


def _is_own_page(origin: str) -> bool:
    """Whether a page comes from this machine or from an extension of the browser. "null" is any page that says so."""
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in _EXTENSIONS or host.endswith(".localhost") or _is_loopback(host)


def _is_local_name(header: str) -> bool:
    """Whether a Host header is an IP address or a name that always means this machine."""
    name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    name = name.strip("[]").lower()
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
