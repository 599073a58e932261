"""The namespace `trace`: calls as parity lists them, flat and in the order in which they began."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from chain.errors import InvalidTransaction
from chain.records import BlockRecord
from chain.refusals import BadArgument, Refused
from chain.requests import LATEST, BlockRef, TxRequest
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.params import Param
from chain.tracing.calls import CallTree, Place, flatten
from chain.tracing.events import Limits
from chain.tracing.options import DEFAULT_TIMEOUT_S, TraceOptions
from chain.tracing.replay import Tracing, observe_block, trace_call
from chain.trial import call_request

__all__ = ["TRACE_METHODS", "flat_traces"]

MAX_FILTERED_BLOCKS = 1_000
MAX_TRACES = 10_000


class _Tree(CallTree):
    """A call tree that knows where its transaction stands."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


def flat_traces(context: Context, record: BlockRecord, limits: Limits, only: int | None = None) -> list[dict[str, Any]]:
    """The traces of a block's transactions, or of the one at an index."""
    if record.number == 0:
        return []
    chain = context.node.chain
    found: list[dict[str, Any]] = []
    for observer, _ in observe_block(chain, record, Tracing(chain, _Tree, limits), only=only):
        if isinstance(observer, _Tree) and observer.top is not None:
            found.extend(flatten(observer.top, observer.place))
    return found


def trace_transaction(context: Context, tx_hash: bytes) -> list[dict[str, Any]] | None:
    """trace_transaction: the calls of a mined transaction."""
    found = context.node.chain.transaction(tx_hash)
    if found is None:
        return None
    record, index = found
    return flat_traces(context, record, Limits(DEFAULT_TIMEOUT_S), index)


def trace_get(context: Context, tx_hash: bytes, path: tuple[int, ...]) -> dict[str, Any] | None:
    """trace_get: the call of a transaction that stands at a path of the tree."""
    for trace in trace_transaction(context, tx_hash) or []:
        if trace["traceAddress"] == list(path):
            return trace
    return None


def trace_block(context: Context, ref: BlockRef) -> list[dict[str, Any]] | None:
    """trace_block: the calls of all transactions of a block; null for a block that is not known."""
    record = context.node.find_block(ref)
    return None if record is None else flat_traces(context, record, Limits(DEFAULT_TIMEOUT_S))


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """What trace_filter looks for; empty sets admit every address."""

    first: BlockRef
    last: BlockRef
    senders: frozenset[str]
    receivers: frozenset[str]
    skip: int
    count: int


def trace_filter(context: Context, wanted: TraceFilter) -> list[dict[str, Any]]:
    """trace_filter: the calls between two blocks that come from and go to certain addresses."""
    limits = Limits(DEFAULT_TIMEOUT_S)
    first, last = context.node.block(wanted.first).number, context.node.block(wanted.last).number
    if first > last:
        raise BadArgument("invalid block range params")
    if last - first >= MAX_FILTERED_BLOCKS:
        raise Refused(f"trace_filter looks at no more than {MAX_FILTERED_BLOCKS} blocks at once")
    found: list[dict[str, Any]] = []
    for trace in _traces_between(context, first, last, limits):
        action = trace["action"]
        sender = action.get("from") or action.get("address")
        receiver = action.get("to") or action.get("refundAddress") or trace.get("result", {}).get("address")
        if (not wanted.senders or sender in wanted.senders) and (not wanted.receivers or receiver in wanted.receivers):
            found.append(trace)
            if len(found) >= wanted.skip + wanted.count:
                break
    return found[wanted.skip :]


def _traces_between(context: Context, first: int, last: int, limits: Limits) -> Iterator[dict[str, Any]]:
    for number in range(first, last + 1):
        record = context.node.chain.block_by_number(number)
        if record is not None:
            yield from flat_traces(context, record, limits)


def _path(value: Any) -> tuple[int, ...]:
    return tuple(p.list_of(p.loose_quantity, 1_024)(value))


def _filter(value: Any) -> TraceFilter:
    fields = p.raw_object(value)

    def get(name: str, parse: Any, default: Any) -> Any:
        if fields.get(name) is None:
            return default
        try:
            return parse(fields[name])
        except p.BadValue as error:
            raise p.BadValue(f"{name}: {error}") from None

    addresses = p.list_of(p.address)
    return TraceFilter(
        first=get("fromBlock", p.block_number, LATEST),
        last=get("toBlock", p.block_number, LATEST),
        senders=frozenset("0x" + item.hex() for item in get("fromAddress", addresses, ())),
        receivers=frozenset("0x" + item.hex() for item in get("toAddress", addresses, ())),
        skip=min(get("after", p.loose_quantity, 0), MAX_TRACES),
        count=min(get("count", p.loose_quantity, MAX_TRACES), MAX_TRACES),
    )


_PLACE: Final = frozenset({"blockHash", "blockNumber", "transactionHash", "transactionPosition"})


def _replayed(traces: list[dict[str, Any]]) -> dict[str, Any]:
    """One transaction as the methods below answer."""
    result = traces[0].get("result") or {} if traces else {}
    bare = [{key: value for key, value in trace.items() if key not in _PLACE} for trace in traces]
    return {
        "output": result.get("output") or result.get("code") or "0x",
        "trace": bare,
        "stateDiff": None,
        "vmTrace": None,
    }


def trace_call_flat(context: Context, request: TxRequest, _kinds: tuple[str, ...], ref: BlockRef) -> dict[str, Any]:
    """trace_call: the calls of a call that is run as eth_call runs it."""
    chain, record = context.node.chain, context.node.block(ref)
    options = TraceOptions(tracer="flatCallTracer", config={"convertParityErrors": True})
    try:
        return _replayed(trace_call(chain, call_request(request, request.gas), record, options))
    except InvalidTransaction as error:
        raise Refused(error.reason) from None


def replay_transaction(context: Context, tx_hash: bytes, _kinds: tuple[str, ...]) -> dict[str, Any]:
    """trace_replayTransaction: output and calls of a mined transaction."""
    traces = trace_transaction(context, tx_hash)
    if traces is None:
        raise Refused("transaction not found")
    return _replayed(traces)


def replay_block(context: Context, ref: BlockRef, _kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """trace_replayBlockTransactions: output and calls of each transaction of a block."""
    by_hash: dict[str, list[dict[str, Any]]] = {}
    for trace in flat_traces(context, context.node.block(ref), Limits(DEFAULT_TIMEOUT_S)):
        by_hash.setdefault(trace["transactionHash"], []).append(trace)
    return [{**_replayed(traces), "transactionHash": tx_hash} for tx_hash, traces in by_hash.items()]


def _kinds(value: Any) -> tuple[str, ...]:
    """Of parity's kinds of traces the calls."""
    kinds: tuple[str, ...] = p.list_of(p.text, 3)(value)
    for kind in kinds:
        if kind != "trace":
            raise p.BadValue(
                f"{kind[:30]!r} is not offered, only 'trace'; prestateTracer's diffMode shows changes of state"
            )
    return kinds


_HASH = Param("hash", p.hash32)
_KINDS = Param("kinds", _kinds)

TRACE_METHODS: Final = (
    Method("trace_block", trace_block, (Param("block", p.block_ref),), where="call"),
    Method(
        "trace_call",
        trace_call_flat,
        (Param("transaction", p.tx_request), _KINDS, Param("block", p.block_ref, LATEST)),
        where="call",
    ),
    Method("trace_filter", trace_filter, (Param("filter", _filter),), where="call"),
    Method("trace_get", trace_get, (_HASH, Param("path", _path)), where="call"),
    Method("trace_replayBlockTransactions", replay_block, (Param("block", p.block_ref), _KINDS), where="call"),
    Method("trace_replayTransaction", replay_transaction, (_HASH, _KINDS), where="call"),
    Method("trace_transaction", trace_transaction, (_HASH,), where="call"),
)
