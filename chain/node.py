"""The node: what clients ask for, between the server and the chain.

Three kinds of threads. One owns the chain: it sends, mines and keeps pool, filters and clock (`own`). A few others try
calls on committed blocks (`read`), so that a call of ten seconds holds up no block, and one looks things up, so that it
holds up no balance either. A transaction is accepted in four steps: decode, check against the latest state, pool, and
with automine a block that is committed before the answer leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final, ParamSpec, TypeVar

from chain.accounts import Account, checksum_address
from chain.block import Header
from chain.blockchain import Blockchain, StateView
from chain.bulk import send_all
from chain.clock import MAX_TIMESTAMP, Clock
from chain.deadline import CALL_SECONDS, deadline
from chain.dump import BadDump, Clocked, dump_chain, load_chain
from chain.errors import InvalidTransaction
from chain.fees import SUGGESTED_TIP, FeeHistory, fee_history
from chain.filling import fill
from chain.filters import Filter, FilterKind, FilterLimit, FilterRegistry
from chain.logs import LocatedLog, check_range, find_logs, locate_logs, logs_above, logs_of_filter, poll
from chain.overlay import Overlay
from chain.overrides import BlockOverrides
from chain.pool import Pool, Rejected
from chain.records import AccountOverride, BlockRecord, BuiltBlock, ReceiptRecord
from chain.refusals import BadArgument, Refused
from chain.requests import LATEST, BlockRef, LogFilter, TxRequest
from chain.store import KeyValue
from chain.transaction import Tx, sign_tx, unsigned_tx
from chain.transition import BlockEnv
from chain.trial import Overrides, call, estimate_gas
from chain.worker import Events, Worker

__all__ = ["Node"]

MAX_MINED_AT_ONCE: Final = 10_000
READERS: Final = 2
# A transaction that a block leaves out for one of these reasons may be in a later one.
_NOT_YET: Final = frozenset({"block-full", "fee-too-low", "blob-fee-too-low", "nonce-too-high"})

# What a snapshot keeps beside the chain.
_SETTINGS: Final = (
    "automine",
    "coinbase",
    "gas_limit",
    "impersonate_all",
    "next_base_fee_override",
    "next_randao",
)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Snapshot:
    identifier: int
    head: bytes
    state_root: bytes
    clock: Clock
    waiting: tuple[Tx, ...]
    settings: Mapping[str, Any]
    block_time_s: float
    impersonated: frozenset[bytes]


class Node:
    """A chain with its pool, accounts, clock and listeners.

    Args:
        chain: Open, with a genesis.
        accounts: Unlocked: the node signs for them.
        automine: Mine each transaction before answering.
        block_time_s: Mine at this interval instead; 0 for never.
        mixed: Mine at each transaction as well as at the interval.
        clock: Unix time in seconds.
        client_version: Shown by web3_clientVersion.
    """

    def __init__(
        self,
        chain: Blockchain,
        accounts: Sequence[Account] = (),
        *,
        automine: bool = True,
        block_time_s: float = 0.0,
        mixed: bool = False,
        clock: Callable[[], float] = time.time,
        client_version: str = "ewasm",
    ) -> None:
        self.chain = chain
        self.chain_id: int = chain.chain_id
        self.accounts = tuple(accounts)
        self.automine = automine and (mixed or block_time_s <= 0)
        self.client_version = client_version
        self.instance_id = secrets.token_bytes(32)
        self.pool = Pool()
        self.filters = FilterRegistry()
        self.events = Events()
        self.impersonated: set[bytes] = set()
        self.impersonate_all = False
        self.coinbase = chain.config.coinbase
        self.gas_limit: int | None = None
        self.next_base_fee_override: int | None = None
        self.next_randao: bytes | None = None
        self._owner = Worker("chain")
        self._readers = tuple(Worker(f"read-{i}") for i in range(READERS))
        self._look_ups = Worker("look-up")
        self._keys = {account.address: account.private_key for account in self.accounts}
        self._block_time_s = block_time_s
        # A chain that ran ahead of the clock goes on from where it was.
        self.clock = Clock(clock, max(0, chain.head.timestamp - int(clock())))
        self._pending_made: tuple[tuple[Any, ...], BlockRecord, KeyValue] | None = None
        self._snapshots: list[_Snapshot] = []
        self._snapshot_count = 0

    # Threads

    def start(self) -> None:
        """Start the threads, and interval mining if it is asked for."""
        for worker in (self._owner, self._look_ups, *self._readers):
            worker.start()
        if self._block_time_s > 0:
            self._owner.submit(self._owner.every, self._block_time_s, self._mine_tick).result()

    def stop(self) -> None:
        """Finish the work at hand and close the chain."""
        for worker in (self._look_ups, *self._readers, self._owner):
            worker.stop()
        self.chain.close()

    def own(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run a function on the thread that owns the chain."""
        return self._owner.submit(function, *args, **kwargs)

    def read(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run a function that writes nothing on a thread for readers."""
        worker = min(self._readers, key=lambda reader: reader.backlog)
        return worker.submit(function, *args, **kwargs)

    def own_soon(self, function: Callable[..., R], *args: Any) -> asyncio.Future[R]:
        """As `own`, from an event loop."""
        return self._owner.submit_soon(function, *args)

    def look_up_soon(self, function: Callable[..., R], *args: Any) -> asyncio.Future[R]:
        """Run a function that reads and is soon done, from an event loop."""
        return self._look_ups.submit_soon(function, *args)

    def call_soon(self, function: Callable[..., R], *args: Any) -> asyncio.Future[R]:
        """As `read`, from an event loop."""
        return min(self._readers, key=lambda reader: reader.backlog).submit_soon(function, *args)

    @property
    def backlog(self) -> int:
        """How many calls wait for a thread or run on one."""
        return sum(worker.backlog for worker in (self._owner, self._look_ups, *self._readers))

    # Reading

    @property
    def head(self) -> BlockRecord:
        """The latest block."""
        return self.chain.head

    def find_block(self, ref: BlockRef) -> BlockRecord | None:
        """The block that a client means, or None."""
        if ref.hash is not None:
            return self.chain.block_by_hash(ref.hash)
        if ref.number is not None:
            return self.chain.block_by_number(ref.number)
        if ref.tag == "earliest":
            return self.chain.block_by_number(0)
        return self.chain.head

    def block(self, ref: BlockRef) -> BlockRecord:
        """As `find_block`.

        Raises:
            Refused: There is no such block, or it is not canonical though it must be.
        """
        record = self.find_block(ref)
        if record is None:
            raise Refused("header not found" if ref.hash is None else "header for hash not found")
        if ref.require_canonical and not self.chain.is_canonical(record):
            raise Refused("hash is not currently canonical")
        return record

    def state(self, ref: BlockRef = LATEST) -> StateView:
        """The state behind a block; for "pending" behind the transactions that wait for one."""
        pending = self._pending(ref)
        return self.chain.state_at(self.block(ref).hash) if pending is None else self.chain.state_at(*pending)

    def nonce(self, address: bytes, ref: BlockRef) -> int:
        """An account's nonce; for "pending" the one that its next transaction needs."""
        if ref.tag != "pending":
            return self.state(ref).nonce(address)
        return self.pool.pending_nonce(address, self.state().nonce(address))

    def receipts(self, block_hash: bytes) -> tuple[ReceiptRecord, ...]:
        """The receipts of a block."""
        return self.chain.receipts(block_hash)

    def find_receipt(self, tx_hash: bytes) -> tuple[ReceiptRecord, Header] | None:
        """The receipt of a mined transaction, and its block's header."""
        found = self.chain.transaction(tx_hash)
        if found is None:
            return None
        record, index = found
        return self.chain.receipts(record.hash)[index], record.header

    def find_transaction(self, tx_hash: bytes) -> tuple[Tx, BlockRecord | None, int] | None:
        """A transaction, the block it is in (None while it waits), and its index there."""
        found = self.chain.transaction(tx_hash)
        if found is not None:
            record, index = found
            return record.transactions[index], record, index
        waiting = self.pool.get(tx_hash)
        return None if waiting is None else (waiting, None, 0)

    # Calling

    def _env_after(self, record: BlockRecord) -> BlockEnv:
        """The environment of a block that would follow now."""
        return self.chain.next_env(
            record,
            timestamp=self.clock.choose(record.timestamp),
            coinbase=self.coinbase,
            gas_limit=self.gas_limit,
            base_fee=self.next_base_fee_override,
            prev_randao=self.next_randao,
        )

    def _pending(self, ref: BlockRef) -> tuple[BlockRecord, KeyValue] | None:
        """For "pending": the block that would be mined now, and where its state is; None where nothing waits."""
        if ref.tag != "pending" or not self.pool:
            return None
        return self._on_owner(self._build_pending)

    def _build_pending(self) -> tuple[BlockRecord, KeyValue]:
        """The block that would be mined now, and where its state is; made again only if something has changed."""
        timestamp = self.clock.choose(self.head.timestamp)
        choices = tuple(getattr(self, name) for name in _SETTINGS)
        facts = (self.chain.root_behind(self.head), self.head.hash, self.pool.version, timestamp, *choices)
        if self._pending_made is None or self._pending_made[0] != facts:
            db = Overlay(self.chain.store.reader)
            made = self._build(self._executable(), timestamp, store=False, db=db).block
            self._pending_made = (facts, made, db)
        return self._pending_made[1:]

    def _on_owner(self, function: Callable[[], R]) -> R:
        return function() if self._owner.is_current else self._owner.submit(function).result()

    def call(
        self,
        request: TxRequest,
        ref: BlockRef,
        overrides: Overrides | None = None,
        block_overrides: BlockOverrides | None = None,
    ) -> bytes:
        """Run without leaving a trace, for "pending" as in the block that follows; see `trial.call`."""
        pending = self._pending(ref)
        if pending is not None:
            return call(self.chain, request, pending[0], overrides, block_overrides, db=pending[1])
        record = self.block(ref)
        env = self._env_after(record) if ref.tag == "pending" else None
        return call(self.chain, request, record, overrides, block_overrides, env)

    def estimate_gas(
        self,
        request: TxRequest,
        ref: BlockRef,
        overrides: Overrides | None = None,
        block_overrides: BlockOverrides | None = None,
    ) -> int:
        """The least gas with which the transaction succeeds in the block that follows; see `trial.estimate_gas`."""
        pending = self._pending(ref)
        if pending is not None:
            record, db = pending
            return estimate_gas(self.chain, request, record, self.chain.env_of(record), overrides, block_overrides, db)
        record = self.block(ref)
        return estimate_gas(self.chain, request, record, self._env_after(record), overrides, block_overrides)

    # Fees

    def next_base_fee(self) -> int | None:
        """Wei, of the block to come; None before London."""
        if self.next_base_fee_override is not None:
            return self.next_base_fee_override
        return self.chain.next_base_fee()

    def next_blob_base_fee(self) -> int:
        """Wei, of the block to come."""
        return self.chain.next_blob_base_fee()

    def gas_price(self) -> int:
        """Wei: what a legacy transaction should offer."""
        return (self.next_base_fee() or 0) + SUGGESTED_TIP

    def fee_history(self, count: int, newest: BlockRef, percentiles: Sequence[float]) -> FeeHistory:
        """Fees of past blocks."""
        record = self.find_block(newest)
        if record is None:
            raise Refused(f"request beyond head block: requested {newest.number}, head {self.head.number}")
        return fee_history(self.chain, count, record, percentiles)

    # Sending: on the owner's thread

    def send_raw(self, raw: bytes) -> bytes:
        """Take a signed transaction; with automine it is in a block when this returns.

        Returns:
            Its hash, 32 bytes.

        Raises:
            Refused: With geth's reason.
        """
        return self.accept(self._decoded(raw))

    def _decoded(self, raw: bytes) -> Tx:
        try:
            return self.chain.decode_transaction(raw)
        except InvalidTransaction as error:
            raise Refused(error.reason) from None

    def send_raw_all(self, raws: Sequence[bytes]) -> list[bytes | Refused]:
        """As `send_raw` for each in turn, but those that can stand in one block do; see `chain.bulk`."""
        return send_all(self, raws)

    def accept(self, tx: Tx) -> bytes:
        """As `send_raw`, for a decoded transaction."""
        self.admit(tx)
        if self.automine:
            try:
                dropped = self.mine_waiting()
            except Exception:
                # A fault of ours must not come back with every transaction after this one.
                self.pool.remove(tx.hash)
                raise
            if tx.hash in dropped:
                raise Refused(dropped[tx.hash])
        return tx.hash

    def admit(self, tx: Tx) -> None:
        """Take a transaction into the pool.

        Raises:
            Refused: With geth's reason.
        """
        state = self.chain.state_at()
        nonce = state.nonce(tx.sender)
        try:
            if tx.hash not in self.pool:
                self.chain.validate_for_pool(tx, state, gas_limit=self.gas_limit)
                if self.automine and tx.nonce <= self.pool.pending_nonce(tx.sender, nonce):
                    self._check_fees(tx)
            self.pool.add(tx, nonce, state.balance(tx.sender))
        except InvalidTransaction as error:
            raise Refused(error.reason) from None
        except Rejected as error:
            raise Refused(str(error)) from None
        self.filters.announce_pending([tx.hash])
        self.events.send("newPendingTransactions", tx)

    def and_wait(
        self, send: Callable[[], bytes], timeout_s: float
    ) -> tuple[bytes, tuple[ReceiptRecord, Header] | None]:
        """Send by a function that runs on the owner's thread, and wait for the receipt; on that thread without waiting.

        Returns:
            The hash, and the receipt with its block's header, or None if the time ran out.
        """
        if self._owner.is_current:
            tx_hash = send()
            return tx_hash, self.find_receipt(tx_hash)
        mined = threading.Event()
        deadline = time.monotonic() + timeout_s
        cancel = self.events.listen("newHeads", lambda _header: mined.set())
        try:
            tx_hash = self._owner.submit(send).result()
            while (found := self.find_receipt(tx_hash)) is None and (left := deadline - time.monotonic()) > 0:
                mined.wait(left)
                mined.clear()
        finally:
            cancel()
        return tx_hash, found

    def _check_fees(self, tx: Tx) -> None:
        """Refuse what could only wait for lower fees: with automine no block would ever come to lower them."""
        base_fee = self.next_base_fee()
        who = checksum_address(tx.sender)
        if base_fee is not None and tx.max_fee_per_gas < base_fee:
            raise Rejected(
                f"max fee per gas less than block base fee: address {who}, "
                f"maxFeePerGas: {tx.max_fee_per_gas}, baseFee: {base_fee}"
            )
        if tx.blob_hashes and tx.max_fee_per_blob_gas < (blob_fee := self.next_blob_base_fee()):
            raise Rejected(
                f"max fee per blob gas less than block blob gas fee: address {who}, "
                f"blobGasFeeCap: {tx.max_fee_per_blob_gas}, blobBaseFee: {blob_fee}"
            )

    def send(self, request: TxRequest) -> bytes:
        """Fill in, sign and take the transaction of an unlocked account."""
        return self.accept(self.sign_transaction(request))

    def send_unsigned(self, request: TxRequest) -> bytes:
        """As `send`, as if the account were impersonated."""
        if request.sender is None:
            raise Refused("from is missing: name an account")
        return self.accept(unsigned_tx(self.fill(request)))

    def sign_transaction(self, request: TxRequest) -> Tx:
        """Fill in what the client left out, and sign; an impersonated account's goes unsigned."""
        sender = request.sender
        if sender is None:
            raise Refused("from is missing: name one of the node's accounts")
        if sender not in self._keys and (self.impersonate_all or sender in self.impersonated):
            return unsigned_tx(self.fill(request))
        key = self.key_of(sender)
        return sign_tx(self.fill(request), key)

    def key_of(self, address: bytes) -> bytes:
        """The private key of an unlocked account."""
        key = self._keys.get(address)
        if key is None:
            raise Refused(f"unknown account {checksum_address(address)}: the node holds no key for it")
        return key

    def fill(self, request: TxRequest) -> Tx:
        """A transaction without signature: type, nonce, fees and gas chosen where the request leaves them open."""
        pending = BlockRef(tag="pending")
        return fill(
            request,
            self.chain_id,
            self.next_base_fee(),
            self.gas_price(),
            lambda sender: self.nonce(sender, pending),
            self._gas_for,
        )

    def _gas_for(self, request: TxRequest) -> int:
        """The gas of a transaction that names none."""
        with deadline(CALL_SECONDS):
            return self.estimate_gas(replace(request, sender=request.sender or bytes(20), nonce=None), LATEST)

    # Mining: on the owner's thread

    def _executable(self) -> list[Tx]:
        return list(self.pool.executable(self.chain.state_at().nonce, self.next_base_fee() or 0))

    def _build(
        self, transactions: Sequence[Tx], timestamp: int, *, store: bool, db: KeyValue | None = None
    ) -> BuiltBlock:
        return self.chain.build_block(
            transactions,
            timestamp=timestamp,
            coinbase=self.coinbase,
            gas_limit=self.gas_limit,
            base_fee=self.next_base_fee_override,
            prev_randao=self.next_randao,
            store=store,
            db=db,
        )

    def pending_block(self) -> BlockRecord:
        """The block that would be mined now; may be asked for on any thread."""
        return self._on_owner(self._build_pending)[0]

    def mine_waiting(self, first: Sequence[Tx] = ()) -> dict[bytes, str]:
        """Mine until nothing executable waits.

        Args:
            first: Transactions of the pool that go into the first block, in this order, as far as they are executable.

        Returns:
            Transactions that turned out invalid and were dropped, with the reason.
        """
        dropped: dict[bytes, str] = {}
        if first:
            ready = {tx.hash for tx in self._executable()}
            chosen = [tx for tx in first if tx.hash in ready]
            if chosen:
                dropped.update(self._mine(chosen)[1])
        while waiting := self._executable():
            built, invalid = self._mine(waiting)
            dropped.update(invalid)
            if not built.block.transactions and not invalid:
                break
        return dropped

    def mine(self, count: int = 1, interval_s: int = 0, timestamp: int | None = None) -> list[BlockRecord]:
        """Mine blocks whether or not transactions wait.

        Args:
            count: How many.
            interval_s: Seconds between them; 0 leaves that to the clock.
            timestamp: Of the first one.
        """
        if count > MAX_MINED_AT_ONCE:
            raise BadArgument(f"at most {MAX_MINED_AT_ONCE} blocks at once, not {count}")
        if self.clock.choose(self.head.timestamp) + count * interval_s >= MAX_TIMESTAMP:
            raise BadArgument(f"timestamps end at {MAX_TIMESTAMP}")
        if timestamp is not None:
            self.set_next_timestamp(timestamp)
        blocks: list[BlockRecord] = []
        for _ in range(count):
            if interval_s and blocks:
                self.clock.next_timestamp = blocks[-1].timestamp + interval_s
            blocks.append(self._mine(self._executable())[0].block)
        return blocks

    def _mine_tick(self) -> None:
        self.mine()

    def _mine(self, transactions: Sequence[Tx]) -> tuple[BuiltBlock, dict[bytes, str]]:
        """Build, commit and announce one block; clean the pool."""
        timestamp = self.clock.choose(self.head.timestamp)
        built = self._build(transactions, timestamp, store=True)
        self.clock.mined(timestamp)
        self.next_base_fee_override = self.next_randao = None
        invalid = {tx.hash: error.reason for tx, error in built.rejected if error.rule not in _NOT_YET}
        for tx_hash in invalid:
            self.pool.remove(tx_hash)
        for tx in built.block.transactions:
            self.pool.remove(tx.hash)
            self.pool.drop_used(tx.sender, tx.nonce + 1)
        header = built.block.header
        if self.events.wanted("newHeads"):
            self.events.send("newHeads", header)
        if self.events.wanted("logs") and any(receipt.logs for receipt in built.receipts):
            self.events.send("logs", tuple(locate_logs(header, built.receipts)))
        return built, invalid

    # The clock, snapshots and other liberties of a development chain: on the owner's thread

    def increase_time(self, seconds: int) -> int:
        """Move the clock forward; returns by how much it is ahead in all."""
        return self.clock.increase(seconds)

    def set_time(self, timestamp: int) -> int:
        """Let the clock show this time; returns by how many seconds that moved it."""
        return self.clock.set(timestamp, self.head.timestamp)

    def set_next_timestamp(self, timestamp: int) -> None:
        """Give the next block a timestamp; the clock goes on from there."""
        self.clock.fix_next(timestamp, self.head.timestamp)

    @property
    def block_time_s(self) -> float:
        """Seconds between blocks that are mined by the clock; 0 for none."""
        return self._block_time_s

    def mine_every(self, seconds: float) -> None:
        """Mine at an interval from now on; 0 stops that."""
        self._block_time_s = seconds
        self._owner.every(seconds, self._mine_tick)

    def snapshot(self) -> int:
        """Remember head, clock, pool and settings; returns an id for `revert`."""
        self._snapshot_count += 1
        self._snapshots.append(
            _Snapshot(
                identifier=self._snapshot_count,
                head=self.head.hash,
                state_root=self.chain.state_at().root,
                clock=replace(self.clock),
                waiting=self.pool.contents(),
                settings={name: getattr(self, name) for name in _SETTINGS},
                block_time_s=self._block_time_s,
                impersonated=frozenset(self.impersonated),
            )
        )
        return self._snapshot_count

    @property
    def snapshots(self) -> dict[int, bytes]:
        """The head's hash in each snapshot, by id."""
        return {snapshot.identifier: snapshot.head for snapshot in self._snapshots}

    def revert(self, identifier: int) -> bool:
        """Go back to a snapshot, which is used up with all later ones; False if there is none."""
        for position, snapshot in enumerate(self._snapshots):
            if snapshot.identifier == identifier:
                del self._snapshots[position:]
                self._go_back(snapshot.head)
                self.chain.restore_root(snapshot.state_root)
                self.clock.offset_s = snapshot.clock.offset_s
                self.clock.next_timestamp = snapshot.clock.next_timestamp
                self.clock.interval_s = snapshot.clock.interval_s
                if self._block_time_s != snapshot.block_time_s:
                    self.mine_every(snapshot.block_time_s)
                for name, value in snapshot.settings.items():
                    setattr(self, name, value)
                self.impersonated = set(snapshot.impersonated)
                self._refill(snapshot.waiting)
                return True
        return False

    def rollback(self, depth: int) -> None:
        """Take the last blocks back; their transactions are gone."""
        if depth > self.head.number:
            raise Refused(f"the chain has {self.head.number} blocks, not {depth}, to take back")
        self._go_back(self.block(BlockRef(number=self.head.number - depth)).hash)
        self._refill(self.pool.contents())

    def reorganize(self, depth: int, placed: Mapping[int, Sequence[bytes | TxRequest]]) -> None:
        """Put as many other blocks in the place of the last ones.

        Args:
            depth: How many.
            placed: Transactions by block, 0 being the first new one: signed, or requests of unlocked accounts.

        Raises:
            Refused: One of them cannot be mined there; the chain is as it was.
        """
        before = self.snapshot()
        try:
            self.rollback(depth)
            for number in range(depth):
                chosen = []
                for item in placed.get(number, ()):
                    tx = self.sign_transaction(item) if isinstance(item, TxRequest) else self._decoded(item)
                    self.admit(tx)
                    chosen.append(tx)
                missing = {tx.hash for tx in chosen} - {tx.hash for tx in self._mine(chosen)[0].block.transactions}
                if missing:
                    raise Refused(f"transaction 0x{min(missing).hex()} cannot be mined in new block {number}")
        except Exception:
            self.revert(before)
            raise
        self._snapshots = [snapshot for snapshot in self._snapshots if snapshot.identifier != before]

    def reset(self) -> None:
        """Begin again at the genesis block, with a new clock."""
        first = self.block(BlockRef(number=0))
        self._go_back(first.hash)
        self.chain.forget_edits()
        self._start_over()

    def _start_over(self) -> None:
        """Forget everything that belonged to the chain as it was."""
        self.pool.clear()
        self._snapshots.clear()
        self.impersonated.clear()
        self.impersonate_all = False
        self.gas_limit = self.next_base_fee_override = self.next_randao = None
        self.coinbase = self.chain.config.coinbase
        self.clock.next_timestamp = self.clock.interval_s = None
        self.clock.offset_s = max(0, self.head.timestamp - int(self.clock.wall()))

    def _go_back(self, block_hash: bytes) -> None:
        """Make an older block the head, and tell listeners which logs are no more."""
        removed: list[LocatedLog] = []
        if self.events.wanted("logs"):
            removed = logs_above(self.chain, block_hash)
        self.chain.set_head(block_hash)
        if removed:
            self.events.send("logs", tuple(removed))

    def _refill(self, transactions: Sequence[Tx]) -> None:
        """Let the pool hold these, as far as the state behind the head still admits them."""
        state = self.chain.state_at()
        self.pool.clear()
        for tx in transactions:
            with contextlib.suppress(Rejected):
                self.pool.add(tx, state.nonce(tx.sender), state.balance(tx.sender))

    def dump(self) -> bytes:
        """The chain in one document; see `chain.dump`."""
        return dump_chain(self.chain, Clocked(self.clock.offset_s, self.clock.next_timestamp))

    def load(self, raw: bytes) -> None:
        """Put a dumped chain in the place of this one.

        Raises:
            Refused: The document does not fit; nothing has changed.
        """
        removed = logs_above(self.chain, self.block(BlockRef(number=0)).hash) if self.events.wanted("logs") else []
        try:
            clock = load_chain(self.chain, raw)
        except BadDump as error:
            raise Refused(str(error)) from None
        self._start_over()
        self.clock.offset_s = max(clock.offset_s, self.clock.offset_s)
        self.clock.next_timestamp = clock.next_timestamp
        if removed:
            self.events.send("logs", tuple(removed))

    def edit(self, address: bytes, change: AccountOverride) -> None:
        """Change an account from outside; what waits in the pool is judged anew when it is mined."""
        self.chain.edit_state({address: change})

    # Filters: on the owner's thread

    def logs(self, wanted: LogFilter) -> list[LocatedLog]:
        """The logs that a filter admits, in order; on any thread."""
        return find_logs(self.chain, wanted)

    def new_filter(self, kind: FilterKind, wanted: LogFilter | None = None) -> int:
        """Install a filter and return its id.

        Raises:
            Refused: There are too many.
            BadArgument: Its range is reversed.
        """
        if wanted is not None:
            check_range(self.chain, wanted)
        head = self.head
        try:
            return self.filters.install(Filter(kind, head.number + 1, head.hash, wanted, first_block=head.number + 1))
        except FilterLimit as error:
            raise Refused(str(error)) from None

    def _filter(self, identifier: int) -> Filter:
        item = self.filters.get(identifier)
        if item is None:
            raise Refused("filter not found")
        return item

    def filter_changes(self, identifier: int) -> list[LocatedLog] | list[bytes]:
        """What is new since the last time: logs, or hashes of blocks or transactions."""
        return poll(self.chain, self._filter(identifier))

    def filter_logs(self, identifier: int) -> list[LocatedLog]:
        """Everything in a log filter's range."""
        item = self._filter(identifier)
        if item.kind != "log" or item.wanted is None:
            raise Refused("filter not found")
        return logs_of_filter(self.chain, item.wanted)
