"""Signed transactions of one batch: they share blocks, and one commit, where one by one each would have its own.

The answers are those that each would get on its own, in order. A transaction that is refused while others of the batch
still wait is tried again behind the block that holds them, since it may need what they bring about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chain.errors import InvalidTransaction
from chain.refusals import Refused
from chain.transaction import Tx

if TYPE_CHECKING:
    from chain.node import Node

__all__ = ["send_all"]


def send_all(node: Node, raws: Sequence[bytes]) -> list[bytes | Refused]:
    """Take signed transactions, and mine them if the node mines on its own; on the owner's thread.

    Returns:
        For each its hash, or why it is refused.
    """
    results: list[bytes | Refused] = []
    waiting: dict[bytes, tuple[int, Tx]] = {}
    taken: set[tuple[bytes, int]] = set()

    def mine() -> None:
        if not waiting:
            return
        transactions = [tx for _, tx in waiting.values()]
        places = {tx_hash: place for tx_hash, (place, _) in waiting.items()}
        waiting.clear()
        taken.clear()
        try:
            dropped = node.mine_waiting(transactions)
        except Exception:
            for tx in transactions:
                node.pool.remove(tx.hash)
            raise
        for tx_hash, reason in dropped.items():
            if tx_hash in places:
                results[places[tx_hash]] = Refused(reason)

    for raw in raws:
        try:
            tx = node.chain.decode_transaction(raw)
        except InvalidTransaction as error:
            results.append(Refused(error.reason))
            continue
        if (tx.sender, tx.nonce) in taken:
            # On its own the first would be mined by now, and not be replaced.
            mine()
        try:
            try:
                node.admit(tx)
            except Refused:
                if not waiting:
                    raise
                mine()
                node.admit(tx)
        except Refused as error:
            results.append(error)
            continue
        if node.automine:
            waiting[tx.hash] = (len(results), tx)
            taken.add((tx.sender, tx.nonce))
        results.append(tx.hash)
    mine()
    return results
