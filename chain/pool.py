"""Transactions that wait for a block, by sender and nonce.

A sender's transactions are *pending* (executable) while their nonces follow the account's without a gap, and
*queued* behind the first gap. What can be judged on a transaction alone (signature, chain id, intrinsic gas, type)
is judged before it comes here; the pool adds the rules that need the sender's account and other transactions.
Reasons are geth's words, because client libraries match them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chain.accounts import checksum_address
from chain.transaction import BLOB, GAS_PER_BLOB, Tx

__all__ = ["MAX_PER_SENDER", "MAX_TRANSACTIONS", "PRICE_BUMP_PERCENT", "Pool", "Rejected"]

MAX_TRANSACTIONS = 10_000
MAX_PER_SENDER = 1_000
MAX_NONCE = 2**64 - 2
PRICE_BUMP_PERCENT = 10
BLOB_PRICE_BUMP_PERCENT = 100


class Rejected(Exception):
    """The pool does not take a transaction; the text is geth's."""


@dataclass(frozen=True, slots=True)
class _Entry:
    tx: Tx
    arrival: int


class Pool:
    """The transactions of one node. Not thread-safe: it belongs to the thread that owns the chain."""

    def __init__(self, limit: int = MAX_TRANSACTIONS, per_sender: int = MAX_PER_SENDER) -> None:
        self._limit = limit
        self._per_sender = per_sender
        self._senders: dict[bytes, dict[int, _Entry]] = {}
        self._hashes: dict[bytes, Tx] = {}
        self._arrivals = 0
        self.version = 0
        """Another number after every change."""

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, tx_hash: bytes) -> bool:
        return tx_hash in self._hashes

    def get(self, tx_hash: bytes) -> Tx | None:
        """The transaction of that hash, or None."""
        return self._hashes.get(tx_hash)

    @property
    def senders(self) -> tuple[bytes, ...]:
        """Addresses that have something here."""
        return tuple(self._senders)

    def contents(self) -> tuple[Tx, ...]:
        """Every transaction, in the order of arrival."""
        entries = [entry for by_nonce in self._senders.values() for entry in by_nonce.values()]
        return tuple(entry.tx for entry in sorted(entries, key=lambda entry: entry.arrival))

    def of_sender(self, sender: bytes) -> list[Tx]:
        """The sender's transactions by nonce."""
        return [entry.tx for _, entry in sorted(self._senders.get(sender, {}).items())]

    def pending_nonce(self, sender: bytes, account_nonce: int) -> int:
        """The first nonce that is neither used nor taken by a pending transaction; never below the account's."""
        entries = self._senders.get(sender, {})
        nonce = account_nonce
        while nonce in entries:
            nonce += 1
        return nonce

    def split(self, sender: bytes, account_nonce: int) -> tuple[list[Tx], list[Tx]]:
        """The sender's (pending, queued) transactions."""
        gap = self.pending_nonce(sender, account_nonce)
        transactions = [tx for tx in self.of_sender(sender) if tx.nonce >= account_nonce]
        return [tx for tx in transactions if tx.nonce < gap], [tx for tx in transactions if tx.nonce >= gap]

    def add(self, tx: Tx, account_nonce: int, balance: int) -> Tx | None:
        """Take a transaction.

        Args:
            tx: With sender and hash.
            account_nonce: The sender's nonce in the latest state.
            balance: The sender's balance in the latest state, wei.

        Returns:
            The transaction it replaces, or None.

        Raises:
            Rejected: With the reason; the pool is as before.
        """
        if tx.hash in self._hashes:
            raise Rejected("already known")
        who = checksum_address(tx.sender)
        if tx.nonce < account_nonce:
            raise Rejected(f"nonce too low: address {who}, tx: {tx.nonce} state: {account_nonce}")
        if tx.nonce > MAX_NONCE:
            raise Rejected(f"nonce has max value: address {who}, nonce: {tx.nonce}")
        if tx.max_priority_fee_per_gas > tx.max_fee_per_gas:
            raise Rejected(
                f"max priority fee per gas higher than max fee per gas: address {who}, "
                f"maxPriorityFeePerGas: {tx.max_priority_fee_per_gas}, maxFeePerGas: {tx.max_fee_per_gas}"
            )
        entries = self._senders.get(tx.sender, {})
        old = entries.get(tx.nonce)
        if old is not None and not _outbids(tx, old.tx):
            raise Rejected("replacement transaction underpriced")
        self._check_funds(tx, entries, balance, who)
        if old is None:
            if len(entries) >= self._per_sender:
                raise Rejected(f"account limit exceeded: {self._per_sender} transactions of {who} are waiting")
            if len(self._hashes) >= self._limit:
                raise Rejected(f"txpool is full: {self._limit} transactions are waiting")
        else:
            del self._hashes[old.tx.hash]
        self._arrivals += 1
        self.version += 1
        self._senders.setdefault(tx.sender, entries)[tx.nonce] = _Entry(tx, self._arrivals)
        self._hashes[tx.hash] = tx
        return None if old is None else old.tx

    def _check_funds(self, tx: Tx, entries: dict[int, _Entry], balance: int, who: str) -> None:
        cost = _cost(tx)
        if cost > balance:
            raise Rejected(
                f"insufficient funds for gas * price + value: address {who} have {balance} want {cost}"
                f", overshot {cost - balance}"
            )
        queued = sum(_cost(entry.tx) for nonce, entry in entries.items() if nonce != tx.nonce)
        if queued + cost > balance:
            raise Rejected(
                "insufficient funds for gas * price + value: "
                f"balance {balance}, queued cost {queued}, tx cost {cost}, overshot {queued + cost - balance}"
            )

    def remove(self, tx_hash: bytes) -> Tx | None:
        """Take a transaction out; those of higher nonces stay and become queued."""
        tx = self._hashes.pop(tx_hash, None)
        if tx is None:
            return None
        self.version += 1
        entries = self._senders[tx.sender]
        del entries[tx.nonce]
        if not entries:
            del self._senders[tx.sender]
        return tx

    def drop_used(self, sender: bytes, account_nonce: int) -> None:
        """Forget the sender's transactions whose nonce is used up."""
        for tx in self.of_sender(sender):
            if tx.nonce < account_nonce:
                self.remove(tx.hash)

    def clear(self) -> None:
        """Forget everything."""
        self.version += 1
        self._senders.clear()
        self._hashes.clear()

    def executable(self, nonce_of: Callable[[bytes], int], base_fee: int = 0) -> Iterator[Tx]:
        """Transactions in the order in which a block takes them.

        The highest tip comes first, at equal tips the earliest arrival; one sender's stay in order of nonce. A
        transaction whose fee cap is below the base fee ends its sender's run.

        Args:
            nonce_of: The account nonce of an address in the latest state.
            base_fee: Wei, of the block to be built; 0 before London.
        """
        heads: list[tuple[int, int, bytes, int]] = []

        def push(sender: bytes, nonce: int) -> None:
            entry = self._senders.get(sender, {}).get(nonce)
            if entry is not None and entry.tx.max_fee_per_gas >= base_fee:
                tip = entry.tx.effective_gas_price(base_fee) - base_fee
                heapq.heappush(heads, (-tip, entry.arrival, sender, nonce))

        for sender in self._senders:
            push(sender, nonce_of(sender))
        while heads:
            _, _, sender, nonce = heapq.heappop(heads)
            yield self._senders[sender][nonce].tx
            push(sender, nonce + 1)


def _cost(tx: Tx) -> int:
    """The most that a transaction can take from its sender, wei."""
    return tx.gas * tx.max_fee_per_gas + tx.value + len(tx.blob_hashes) * GAS_PER_BLOB * tx.max_fee_per_blob_gas


def _outbids(new: Tx, old: Tx) -> bool:
    """Whether every fee is high enough above the old one's."""
    bump = 100 + (BLOB_PRICE_BUMP_PERCENT if old.type == BLOB else PRICE_BUMP_PERCENT)
    pairs = [
        (new.max_fee_per_gas, old.max_fee_per_gas),
        (new.max_priority_fee_per_gas, old.max_priority_fee_per_gas),
    ]
    if old.type == BLOB:
        pairs.append((new.max_fee_per_blob_gas, old.max_fee_per_blob_gas))
    return all(mine * 100 >= theirs * bump and (mine > theirs or theirs == 0) for mine, theirs in pairs)
