"""JSON-RPC 2.0: from the bytes of a request to the bytes of its answer.

Order for one request: parse, shape, method, parameters, work. A batch is answered in order, in one piece
of work on one thread. Whatever goes wrong becomes an `error` member; a fault of
ours is logged with its traceback here and reaches the client as two words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

import orjson
import structlog

from chain.deadline import CALL_SECONDS, deadline
from chain.errors import StoreError
from chain.metrics import Metrics
from chain.node import Node
from chain.refusals import BadArgument, ExecutionReverted, Refused
from chain.rpc.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    LIMIT_EXCEEDED,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    SERVER_ERROR,
    InvalidParams,
    Reverted,
    RpcError,
)
from chain.rpc.params import BadValue, Param, bind

__all__ = ["MAX_BATCH", "Context", "Dispatcher", "Method", "Session", "method_table"]

MAX_BATCH = 1_000
# Bytes: what a batch's results may come to; calls behind that are answered with an error.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# Requests that may wait for a thread.
MAX_WAITING = 4_096
READ_SECONDS = CALL_SECONDS

Where = Literal["loop", "read", "call", "own"]

_log = structlog.get_logger("rpc")


class Session(Protocol):
    """A connection that can be written to at any time: a WebSocket."""

    def subscribe(self, kind: str, accept: Callable[[Any], Any | None]) -> str:
        """Start a subscription to an event stream; `accept` turns an event into JSON, or None to skip it."""
        ...

    def unsubscribe(self, identifier: str) -> bool:
        """End a subscription; False if there was none."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a method works with: the node, and the connection that asked if it can be written to."""

    node: Node
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One row of the method table.

    Attributes:
        name: Wire name.
        run: Called with the context and one value per parameter.
        params: In wire order.
        where: "own" runs on the thread that owns the chain; "call", which may take seconds, on one of those for calls;
            "read" on the one for look-ups, which calls do not hold up; "loop" at once: it must neither block nor read
            from the database.
        run_many: Does the work of several calls that stand one behind the other in a batch: given the values of each,
            it returns for each what `run` would have returned, or the exception that `run` would have raised.
    """

    name: str
    run: Callable[..., Any]
    params: tuple[Param, ...] = ()
    where: Where = "read"
    run_many: Callable[[Context, list[tuple[Any, ...]]], list[Any]] | None = None


def method_table(*groups: Iterable[Method]) -> dict[str, Method]:
    """All methods by name; a name given twice is a mistake in the tables."""
    table: dict[str, Method] = {}
    for group in groups:
        for method in group:
            if method.name in table:
                raise ValueError(f"method {method.name} is in two tables")
            table[method.name] = method
    return table


class Dispatcher:
    """Answers requests with one node and one table of methods."""

    def __init__(
        self,
        node: Node,
        methods: Mapping[str, Method],
        *,
        metrics: Metrics | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._node = node
        self._methods = methods
        self._metrics = metrics
        self._read_seconds = read_seconds

    async def handle(self, body: bytes | str, session: Session | None = None) -> bytes | None:
        """The answer to one message, or None where the client wants none (notifications)."""
        try:
            message = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return orjson.dumps(_failure(None, RpcError(PARSE_ERROR, f"parse error: {error}")))
        if isinstance(message, list):
            if not message:
                return orjson.dumps(_failure(None, RpcError(INVALID_REQUEST, "empty batch")))
            if len(message) > MAX_BATCH:
                text = f"batch too large: {len(message)} requests, at most {MAX_BATCH}"
                return orjson.dumps(_failure(None, RpcError(INVALID_REQUEST, text)))
        context = Context(self._node, session)
        places = self._places(message)
        if not places:
            return self._answer(message, context)
        if self._node.backlog >= MAX_WAITING:
            return orjson.dumps(_failure(None, RpcError(LIMIT_EXCEEDED, "too many requests are waiting")))
        if len(places) > 1:
            return await self._in_parts(message, context)
        if places == {"own"}:
            return await self._node.own_soon(self._answer, message, context)
        if places == {"loop"}:
            return self._answer(message, context)
        run = self._node.call_soon if places == {"call"} else self._node.look_up_soon
        return await run(self._answer_reader, message, context, self._read_seconds)

    async def _in_parts(self, requests: list[Any], context: Context) -> bytes | None:
        """Answer a batch for several threads: one after another, so that the order holds, but each where it belongs.

        Calls in it then hold up no block; all of them together have the time of one.
        """
        answers: list[bytes] = []
        seconds, size, at = self._read_seconds, 0, 0
        while at < len(requests):
            place, end = self._part(requests, at)
            part = requests[at:end]
            if place == "own":
                answers += await self._node.own_soon(self._encoded, part, context, size)
            else:
                run = self._node.call_soon if place == "call" else self._node.look_up_soon
                found, spent = await run(self._encoded_in_time, part, context, size, max(seconds, 0.0))
                answers += found
                seconds -= spent
            size, at = sum(map(len, answers)), end
        return _joined(answers)

    def _part(self, requests: list[Any], at: int) -> tuple[Where, int]:
        """Where the requests from one on have to run, and where the next part begins."""
        owned = "own" in self._places(requests[at])
        end = at + 1
        while end < len(requests) and ("own" in self._places(requests[end])) is owned:
            end += 1
        if owned:
            return "own", end
        return "call" if "call" in self._places(requests[at:end]) else "read", end

    def _answer_reader(self, message: Any, context: Context, seconds: float) -> bytes | None:
        with deadline(seconds):
            return self._answer(message, context)

    def _encoded_in_time(
        self, requests: list[Any], context: Context, size: int, seconds: float
    ) -> tuple[list[bytes], float]:
        """The answers of a part of a batch, and how many seconds they took."""
        started = time.monotonic()
        with deadline(seconds):
            answers = self._encoded(requests, context, size)
        return answers, time.monotonic() - started

    def answer_now(self, message: Any) -> bytes | None:
        """As `handle`, for a message that is parsed already, on the caller's time: for nodes in one's own process."""
        context, places = Context(self._node), self._places(message)
        if "own" in places:
            return self._node.own(self._answer, message, context).result()
        if places & {"read", "call"}:
            return self._node.read(self._answer_reader, message, context, self._read_seconds).result()
        return self._answer(message, context)

    def _places(self, message: Any) -> set[Where]:
        """Where the methods of a message have to run; a batch of one place is one piece of work."""
        requests = message if isinstance(message, list) else (message,)
        places: set[Where] = set()
        for request in requests:
            if isinstance(request, dict):
                name = request.get("method")
                method = self._methods.get(name) if isinstance(name, str) else None
                if method is not None:
                    places.add(method.where)
        return places

    def _answer(self, message: Any, context: Context) -> bytes | None:
        if isinstance(message, list):
            return _joined(self._encoded(message, context))
        answer = self._one(message, context)
        return None if answer is None else orjson.dumps(answer)

    def _encoded(self, requests: list[Any], context: Context, size: int = 0) -> list[bytes]:
        """The answers of a batch, or of a part of one behind `size` bytes."""
        answers: list[bytes] = []
        for answer in self._answers(requests, context):
            if answer is None:
                continue
            encoded = orjson.dumps(answer)
            size += len(encoded)
            if size > MAX_ANSWER_BYTES:
                error = RpcError(LIMIT_EXCEEDED, f"the answers of the batch are over {MAX_ANSWER_BYTES} bytes")
                encoded = orjson.dumps(_failure(answer["id"], error))
            answers.append(encoded)
        return answers

    def _answers(self, requests: list[Any], context: Context) -> Iterator[dict[str, Any] | None]:
        at = 0
        while at < len(requests):
            method = self._bulk_method(requests[at])
            end = at + 1
            while method is not None and end < len(requests) and self._bulk_method(requests[end]) is method:
                end += 1
            if method is not None and end - at > 1:
                yield from self._many(method, requests[at:end], context)
            else:
                yield self._one(requests[at], context)
            at = end

    def _bulk_method(self, request: Any) -> Method | None:
        """The method of a well-formed request, if it can work on many at once."""
        if not isinstance(request, dict) or request.get("jsonrpc") != "2.0":
            return None
        name, params = request.get("method"), request.get("params")
        if (
            not isinstance(name, str)
            or not isinstance(params, list)
            or isinstance(request.get("id"), (bool, dict, list))
        ):
            return None
        method = self._methods.get(name)
        return method if method is not None and method.run_many is not None else None

    def _many(self, method: Method, requests: list[Any], context: Context) -> Iterator[dict[str, Any] | None]:
        """Answer requests of one method together."""
        outcomes: list[Any] = []
        given: list[tuple[Any, ...]] = []
        places: list[int] = []
        for place, request in enumerate(requests):
            try:
                given.append(tuple(bind(method.params, request["params"])))
            except (BadValue, BadArgument) as error:
                outcomes.append(error)
            else:
                places.append(place)
                outcomes.append(None)
        try:
            results = method.run_many(context, given) if method.run_many is not None else []
        except Exception as error:  # noqa: BLE001 - it is answered below
            results = [error] * len(given)
        for place, result in zip(places, results, strict=True):
            outcomes[place] = result
        for request, outcome in zip(requests, outcomes, strict=True):
            yield self._reply(request, partial(_give, outcome))

    def _one(self, request: Any, context: Context) -> dict[str, Any] | None:
        if not isinstance(request, dict):
            return _failure(None, RpcError(INVALID_REQUEST, "invalid request: expected an object"))
        if isinstance(request.get("id"), (bool, dict, list)):
            return _failure(None, RpcError(INVALID_REQUEST, "invalid request: id must be a string, a number or null"))
        return self._reply(request, partial(self._call, request, context))

    def _reply(self, request: dict[str, Any], work: Callable[[], Any]) -> dict[str, Any] | None:
        """The answer to a request with an id that can be answered, or None for a notification."""
        identifier = request.get("id")
        started = 0.0 if self._metrics is None else time.perf_counter()
        try:
            # Encoded here, so that a result that has no JSON is a fault of this request alone.
            result = orjson.Fragment(orjson.dumps(_raising(work)))
        except RpcError as error:
            answer = _failure(identifier, error)
        except Exception:  # noqa: BLE001 - the one place where a fault becomes an answer
            _log.exception("request failed", method=request.get("method"))
            answer = _failure(identifier, RpcError(INTERNAL_ERROR, "internal error"))
        else:
            answer = {"jsonrpc": "2.0", "id": identifier, "result": result}
        if self._metrics is not None:
            self._metrics.count(request.get("method"), time.perf_counter() - started, failed="error" in answer)
        # A malformed request is answered even without an id: nobody can know that it was meant as a notification.
        if "id" not in request and answer.get("error", {}).get("code") != INVALID_REQUEST:
            return None
        return answer

    def _unknown(self, name: str) -> str:
        """What is said of a method that there is not: geth's words, and the name that was probably meant."""
        from difflib import get_close_matches

        text = f"the method {name[:100]} does not exist/is not available"
        if len(name) > 100:
            return text
        rest = name.partition("_")[2]
        # The same thing under another tool's prefix first, then a slip of the pen.
        same = [known for known in self._methods if known.partition("_")[2] == rest and rest]
        meant = same or get_close_matches(name, self._methods, n=1, cutoff=0.8)
        return f"{text}; did you mean {meant[0]}?" if meant else text

    def _call(self, request: dict[str, Any], context: Context) -> Any:
        if request.get("jsonrpc") != "2.0":
            raise RpcError(INVALID_REQUEST, 'invalid request: "jsonrpc" must be "2.0"')
        name = request.get("method")
        if not isinstance(name, str):
            raise RpcError(INVALID_REQUEST, 'invalid request: "method" must be a string')
        method = self._methods.get(name)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, self._unknown(name))
        params = request.get("params")
        if params is not None and not isinstance(params, (list, dict)):
            raise RpcError(INVALID_PARAMS, "params must be an array or an object")
        return method.run(context, *bind(method.params, params))


def _joined(answers: list[bytes]) -> bytes | None:
    return b"[" + b",".join(answers) + b"]" if answers else None


def _raising(work: Callable[[], Any]) -> Any:
    """What the work comes to; what the node refuses, as an error of the protocol."""
    try:
        return work()
    except (BadValue, BadArgument) as error:
        raise InvalidParams(str(error)) from None
    except ExecutionReverted as error:
        raise Reverted(str(error), error.output) from None
    except Refused as error:
        raise RpcError(SERVER_ERROR, str(error), error.data) from None
    except StoreError as error:
        _log.error("the database failed", reason=str(error))
        raise RpcError(SERVER_ERROR, str(error)) from None


def _give(outcome: Any) -> Any:
    """A result, or the exception in its place."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _failure(identifier: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identifier, "error": error.as_json()}
