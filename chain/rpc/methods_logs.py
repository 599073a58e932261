"""Logs, filters that are polled, and subscriptions."""

from __future__ import annotations

from typing import Any, Final

from chain.block import Header
from chain.filters import log_matches
from chain.logs import LocatedLog
from chain.requests import LogFilter
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import METHOD_NOT_FOUND, InvalidParams, Refusal, RpcError
from chain.rpc.formats import data, header_json, log_json, transaction_json
from chain.rpc.params import Param
from chain.transaction import Tx

__all__ = ["LOG_METHODS"]


def get_logs(context: Context, wanted: LogFilter) -> list[dict[str, Any]]:
    """eth_getLogs."""
    return [log_json(item) for item in context.node.logs(wanted)]


def new_filter(context: Context, wanted: LogFilter) -> str:
    """eth_newFilter."""
    return hex(context.node.new_filter("log", wanted))


def new_block_filter(context: Context) -> str:
    """eth_newBlockFilter."""
    return hex(context.node.new_filter("block"))


def new_pending_filter(context: Context, _full: bool) -> str:
    """eth_newPendingTransactionFilter."""
    return hex(context.node.new_filter("pending"))


def filter_changes(context: Context, identifier: int) -> list[Any]:
    """eth_getFilterChanges: what is new since the last time."""
    changes = context.node.filter_changes(identifier)
    return [log_json(item) if isinstance(item, LocatedLog) else data(item) for item in changes]


def filter_logs(context: Context, identifier: int) -> list[dict[str, Any]]:
    """eth_getFilterLogs: everything the filter's range holds."""
    return [log_json(item) for item in context.node.filter_logs(identifier)]


def uninstall_filter(context: Context, identifier: int) -> bool:
    """eth_uninstallFilter."""
    return context.node.filters.uninstall(identifier)


def subscribe(context: Context, kind: str, options: Any) -> str:
    """eth_subscribe: newHeads, logs, newPendingTransactions or syncing."""
    session = context.session
    if session is None:
        raise RpcError(METHOD_NOT_FOUND, "notifications not supported: subscriptions need a WebSocket")
    if kind == "newHeads":
        return session.subscribe("newHeads", _head_event)
    if kind == "logs":
        try:
            wanted = p.log_filter(options if options is not None else {})
        except p.BadValue as error:
            raise InvalidParams(f"invalid argument 1 (options): {error}") from None

        def logs_event(logs: tuple[LocatedLog, ...]) -> list[dict[str, Any]] | None:
            return [log_json(item) for item in logs if log_matches(wanted.query, item.log)] or None

        return session.subscribe("logs", logs_event)
    if kind == "newPendingTransactions":
        full = options is True or (isinstance(options, dict) and options.get("includeTransactions") is True)

        def pending_event(tx: Tx) -> Any:
            return transaction_json(tx) if full else data(tx.hash)

        return session.subscribe("newPendingTransactions", pending_event)
    if kind == "syncing":
        return session.subscribe("syncing", lambda event: event)
    raise Refusal(f'no "{kind[:50]}" subscription in eth namespace')


def _head_event(header: Header) -> dict[str, Any]:
    return header_json(header)


def unsubscribe(context: Context, identifier: str) -> bool:
    """eth_unsubscribe."""
    if context.session is None:
        raise RpcError(METHOD_NOT_FOUND, "notifications not supported: subscriptions need a WebSocket")
    if not context.session.unsubscribe(identifier):
        raise Refusal("subscription not found")
    return True


def _anything(value: Any) -> Any:
    return value


_ID = Param("filter", p.loose_quantity)

LOG_METHODS: Final = (
    Method("eth_getFilterChanges", filter_changes, (_ID,), "own"),
    Method("eth_getFilterLogs", filter_logs, (_ID,), "own"),
    Method("eth_getLogs", get_logs, (Param("filter", p.log_filter),), where="call"),
    Method("eth_newBlockFilter", new_block_filter, where="own"),
    Method("eth_newFilter", new_filter, (Param("filter", p.log_filter),), "own"),
    Method("eth_newPendingTransactionFilter", new_pending_filter, (Param("full", p.boolean, False),), "own"),
    Method("eth_subscribe", subscribe, (Param("kind", p.text), Param("options", _anything, None)), where="loop"),
    Method("eth_uninstallFilter", uninstall_filter, (_ID,), "own"),
    Method("eth_unsubscribe", unsubscribe, (Param("subscription", p.text),), where="loop"),
)
