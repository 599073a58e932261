"""What waits for a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chain.accounts import checksum_address
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.formats import data, pool_json, pool_line
from chain.rpc.params import Param
from chain.transaction import Tx

__all__ = ["POOL_METHODS"]


def _split(context: Context, sender: bytes) -> tuple[list[Tx], list[Tx]]:
    return context.node.pool.split(sender, context.node.chain.state_at().nonce(sender))


def _content(context: Context, show: Callable[[list[Tx]], Any]) -> dict[str, dict[str, Any]]:
    pending: dict[str, Any] = {}
    queued: dict[str, Any] = {}
    for sender in sorted(context.node.pool.senders):
        ready, waiting = _split(context, sender)
        if ready:
            pending[checksum_address(sender)] = show(ready)
        if waiting:
            queued[checksum_address(sender)] = show(waiting)
    return {"pending": pending, "queued": queued}


def pool_content(context: Context) -> dict[str, dict[str, Any]]:
    """txpool_content: what waits, by sender and nonce: pending can be mined now, queued waits for another nonce."""
    return _content(context, pool_json)


def pool_content_from(context: Context, sender: bytes) -> dict[str, dict[str, Any]]:
    """txpool_contentFrom: what waits of one sender."""
    ready, waiting = _split(context, sender)
    return {"pending": pool_json(ready), "queued": pool_json(waiting)}


def pool_inspect(context: Context) -> dict[str, dict[str, Any]]:
    """txpool_inspect: what waits, a line for each transaction."""
    return _content(context, lambda transactions: {str(tx.nonce): pool_line(tx) for tx in transactions})


def pool_status(context: Context) -> dict[str, str]:
    """txpool_status: how many are pending and queued."""
    parts = [_split(context, sender) for sender in context.node.pool.senders]
    return {
        "pending": hex(sum(len(ready) for ready, _ in parts)),
        "queued": hex(sum(len(waiting) for _, waiting in parts)),
    }


def pending_transactions(context: Context) -> list[dict[str, Any]]:
    """eth_pendingTransactions: of the node's own accounts."""
    found: list[dict[str, Any]] = []
    for account in context.node.accounts:
        found.extend(pool_json(context.node.pool.of_sender(account.address)).values())
    return found


def drop_transaction(context: Context, tx_hash: bytes) -> str | None:
    """anvil_dropTransaction: take a transaction out of the pool; its hash, or null if it was not there."""
    return None if context.node.pool.remove(tx_hash) is None else data(tx_hash)


def hardhat_drop(context: Context, tx_hash: bytes) -> bool:
    """hardhat_dropTransaction: take a transaction out of the pool; whether it was there."""
    return context.node.pool.remove(tx_hash) is not None


def drop_all(context: Context) -> None:
    """anvil_dropAllTransactions, hardhat_dropAllTransactions: empty the pool."""
    context.node.pool.clear()


def drop_sender(context: Context, address: bytes) -> None:
    """anvil_removePoolTransactions: take all transactions of an account out of the pool."""
    for tx in context.node.pool.of_sender(address):
        context.node.pool.remove(tx.hash)


_ADDRESS = Param("address", p.address)
_HASH = Param("hash", p.hash32)

POOL_METHODS: Final = (
    Method("anvil_dropAllTransactions", drop_all, where="own"),
    Method("anvil_dropTransaction", drop_transaction, (_HASH,), "own"),
    Method("anvil_removePoolTransactions", drop_sender, (_ADDRESS,), "own"),
    Method("eth_pendingTransactions", pending_transactions, where="own"),
    Method("hardhat_dropAllTransactions", drop_all, where="own"),
    Method("hardhat_dropTransaction", hardhat_drop, (_HASH,), "own"),
    Method("txpool_content", pool_content, where="own"),
    Method("txpool_contentFrom", pool_content_from, (_ADDRESS,), "own"),
    Method("txpool_inspect", pool_inspect, where="own"),
    Method("txpool_status", pool_status, where="own"),
)
