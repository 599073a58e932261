"""The node: what clients ask for, between the server and the chain.

Two kinds of threads. One owns the chain: it sends, mines and keeps pool, filters and clock (`own`). A few others read
committed blocks and try calls (`read`), so that a call of ten seconds holds up no block. A transaction is accepted in
four steps: decode, check against the latest state, pool, and with automine a block that is committed before the answer
leaves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final, ParamSpec, TypeVar

from chain.accounts import Account, checksum_address
from chain.block import Header
from chain.blockchain import Blockchain, StateView
from chain.errors import InvalidTransaction
from chain.fees import SUGGESTED_TIP, FeeHistory, fee_history
from chain.filters import Filter, FilterKind, FilterLimit, FilterRegistry
from chain.logs import LocatedLog, check_range, find_logs, locate_logs, logs_of_filter, poll
from chain.overrides import BlockOverrides
from chain.pool import Pool, Rejected
from chain.records import AccountOverride, BlockRecord, BuiltBlock, ReceiptRecord
from chain.refusals import BadArgument, Refused
from chain.requests import LATEST, BlockRef, LogFilter, TxRequest
from chain.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, SET_CODE, Tx, sign_tx, unsigned_tx
from chain.transition import BlockEnv
from chain.trial import Overrides, call, estimate_gas
from chain.worker import Events, Worker

__all__ = ["MinedBlock", "Node"]

MAX_MINED_AT_ONCE: Final = 10_000
# Seconds; far enough below 64 bits that a chain can still grow behind it.
MAX_TIMESTAMP: Final = 1 << 53
READERS: Final = 2
# A transaction that a block leaves out for one of these reasons may be in a later one.
_NOT_YET: Final = frozenset({"block-full", "fee-too-low", "blob-fee-too-low", "nonce-too-high"})

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class MinedBlock:
    """The event `newHeads`."""

    header: Header
    logs: tuple[LocatedLog, ...]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    identifier: int
    head: bytes
    state_root: bytes
    clock_offset_s: int
    next_timestamp: int | None


class Node:
    """A chain with its pool, accounts, clock and listeners.

    Args:
        chain: Open, with a genesis.
        accounts: Unlocked: the node signs for them.
        automine: Mine each transaction before answering.
        block_time_s: Mine at this interval instead; 0 for never.
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
        clock: Callable[[], float] = time.time,
        client_version: str = "ewasm",
    ) -> None:
        self.chain = chain
        self.chain_id: int = chain.chain_id
        self.accounts = tuple(accounts)
        self.automine = automine and block_time_s <= 0
        self.client_version = client_version
        self.pool = Pool()
        self.filters = FilterRegistry()
        self.events = Events()
        self.impersonated: set[bytes] = set()
        self.impersonate_all = False
        self.coinbase = chain.config.coinbase
        self.gas_limit: int | None = None
        self.next_base_fee_override: int | None = None
        self._owner = Worker("chain")
        self._readers = tuple(Worker(f"read-{i}") for i in range(READERS))
        self._keys = {account.address: account.private_key for account in self.accounts}
        self._block_time_s = block_time_s
        self._clock = clock
        # A chain that ran ahead of the clock goes on from where it was.
        self._clock_offset_s = max(0, chain.head.timestamp - int(clock()))
        self._next_timestamp: int | None = None
        self._snapshots: list[_Snapshot] = []
        self._snapshot_count = 0

    # Threads

    def start(self) -> None:
        """Start the threads, and interval mining if it is asked for."""
        for worker in (self._owner, *self._readers):
            worker.start()
        if self._block_time_s > 0:
            self._owner.submit(self._owner.every, self._block_time_s, self._mine_tick).result()

    def stop(self) -> None:
        """Finish the work at hand and close the chain."""
        for worker in (*self._readers, self._owner):
            worker.stop()
        self.chain.close()

    def own(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run a function on the thread that owns the chain."""
        return self._owner.submit(function, *args, **kwargs)

    def read(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run a function that writes nothing on a thread for readers."""
        worker = min(self._readers, key=lambda reader: reader.backlog)
        return worker.submit(function, *args, **kwargs)

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
        """The state behind a block."""
        return self.chain.state_at(self.block(ref).hash)

    def nonce(self, address: bytes, ref: BlockRef) -> int:
        """An account's nonce; for "pending" the one that its next transaction needs."""
        nonce = self.state(ref).nonce(address)
        return self.pool.pending_nonce(address, nonce) if ref.tag == "pending" else nonce

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
        timestamp = max(self._now(), record.timestamp + 1)
        return self.chain.next_env(record, timestamp=timestamp, coinbase=self.coinbase)

    def call(
        self,
        request: TxRequest,
        ref: BlockRef,
        overrides: Overrides | None = None,
        block_overrides: BlockOverrides | None = None,
    ) -> bytes:
        """Run without leaving a trace, for "pending" as in the block that follows; see `trial.call`."""
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
        try:
            tx = self.chain.decode_transaction(raw)
        except InvalidTransaction as error:
            raise Refused(error.reason) from None
        return self.accept(tx)

    def accept(self, tx: Tx) -> bytes:
        """As `send_raw`, for a decoded transaction."""
        state = self.chain.state_at()
        nonce = state.nonce(tx.sender)
        try:
            if tx.hash not in self.pool:
                self.chain.validate_for_pool(tx, state)
                if self.automine and tx.nonce <= self.pool.pending_nonce(tx.sender, nonce):
                    self._check_fees(tx)
            self.pool.add(tx, nonce, state.balance(tx.sender))
        except InvalidTransaction as error:
            raise Refused(error.reason) from None
        except Rejected as error:
            raise Refused(str(error)) from None
        self.filters.announce_pending([tx.hash])
        self.events.send("newPendingTransactions", tx)
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
        if request.chain_id is not None and request.chain_id != self.chain_id:
            raise Refused(f"invalid chain id for signer: have {request.chain_id} want {self.chain_id}")
        if request.blob_hashes:
            raise Refused("blob transactions cannot be signed here: send them signed")
        sender = request.sender or bytes(20)
        base_fee = self.next_base_fee()
        kind = _choose_type(request, base_fee)
        tip, cap = self._choose_fees(request, base_fee, kind)
        nonce, gas = request.nonce, request.gas
        if nonce is None:
            nonce = self.nonce(sender, BlockRef(tag="pending"))
        if gas is None:
            gas = self.estimate_gas(replace(request, sender=sender, nonce=None), LATEST)
        return Tx(
            type=kind,
            chain_id=self.chain_id,
            nonce=nonce,
            gas=gas,
            to=request.to,
            value=request.value or 0,
            data=request.data or b"",
            sender=sender,
            gas_price=cap if kind in (LEGACY, ACCESS_LIST) else None,
            max_priority_fee_per_gas=tip,
            max_fee_per_gas=cap,
            access_list=request.access_list or (),
            authorizations=request.authorizations or (),
        )

    def _choose_fees(self, request: TxRequest, base_fee: int | None, kind: int) -> tuple[int, int]:
        """(tip, cap), wei."""
        tip, cap = request.max_priority_fee_per_gas, request.max_fee_per_gas
        if kind in (LEGACY, ACCESS_LIST) or request.gas_price is not None:
            price = request.gas_price if request.gas_price is not None else cap
            price = self.gas_price() if price is None else price
            return price, price
        if tip is None:
            tip = SUGGESTED_TIP if cap is None else min(SUGGESTED_TIP, cap)
        return tip, 2 * (base_fee or 0) + tip if cap is None else cap

    # Mining: on the owner's thread

    def _now(self) -> int:
        return int(self._clock()) + self._clock_offset_s

    def _choose_timestamp(self) -> int:
        """Seconds: the time of the block to come, always after the head's."""
        if self._next_timestamp is not None:
            return max(self._next_timestamp, self.head.timestamp + 1)
        return max(self._now(), self.head.timestamp + 1)

    def _executable(self) -> list[Tx]:
        return list(self.pool.executable(self.chain.state_at().nonce, self.next_base_fee() or 0))

    def _build(self, transactions: Sequence[Tx], timestamp: int, *, store: bool) -> BuiltBlock:
        return self.chain.build_block(
            transactions,
            timestamp=timestamp,
            coinbase=self.coinbase,
            gas_limit=self.gas_limit,
            base_fee=self.next_base_fee_override,
            store=store,
        )

    def pending_block(self) -> BlockRecord:
        """The block that would be mined now; may be asked for on any thread."""
        if not self._owner.is_current:
            return self._owner.submit(self.pending_block).result()
        return self._build(self._executable(), self._choose_timestamp(), store=False).block

    def mine_waiting(self) -> dict[bytes, str]:
        """Mine until nothing executable waits.

        Returns:
            Transactions that turned out invalid and were dropped, with the reason.
        """
        dropped: dict[bytes, str] = {}
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
        if self._choose_timestamp() + count * interval_s >= MAX_TIMESTAMP:
            raise BadArgument(f"timestamps end at {MAX_TIMESTAMP}")
        if timestamp is not None:
            self.set_next_timestamp(timestamp)
        blocks: list[BlockRecord] = []
        for _ in range(count):
            if interval_s and blocks:
                self._next_timestamp = blocks[-1].timestamp + interval_s
            blocks.append(self._mine(self._executable())[0].block)
        return blocks

    def _mine_tick(self) -> None:
        self.mine()

    def _mine(self, transactions: Sequence[Tx]) -> tuple[BuiltBlock, dict[bytes, str]]:
        """Build, commit and announce one block; clean the pool."""
        timestamp = self._choose_timestamp()
        built = self._build(transactions, timestamp, store=True)
        ahead = timestamp - int(self._clock())
        # Blocks that came faster than one a second moved the clock, or "increase by N" would add less than N.
        self._clock_offset_s = ahead if self._next_timestamp is not None else max(ahead, self._clock_offset_s)
        self._next_timestamp = None
        self.next_base_fee_override = None
        invalid = {tx.hash: error.reason for tx, error in built.rejected if error.rule not in _NOT_YET}
        for tx_hash in invalid:
            self.pool.remove(tx_hash)
        for tx in built.block.transactions:
            self.pool.remove(tx.hash)
            self.pool.drop_used(tx.sender, tx.nonce + 1)
        if self.events.wanted("newHeads"):
            header = built.block.header
            self.events.send("newHeads", MinedBlock(header, tuple(locate_logs(header, built.receipts))))
        return built, invalid

    # The clock, snapshots and other liberties of a development chain: on the owner's thread

    def increase_time(self, seconds: int) -> int:
        """Move the clock forward; returns by how much it is ahead in all."""
        if self._now() + seconds >= MAX_TIMESTAMP:
            raise BadArgument(f"the clock cannot be moved beyond {MAX_TIMESTAMP}")
        self._clock_offset_s += seconds
        return self._clock_offset_s

    def set_next_timestamp(self, timestamp: int) -> None:
        """Give the next block a timestamp; the clock goes on from there."""
        if timestamp <= self.head.timestamp:
            raise Refused(f"timestamp {timestamp} is not after the previous block's timestamp {self.head.timestamp}")
        if timestamp >= MAX_TIMESTAMP:
            raise BadArgument(f"timestamps end at {MAX_TIMESTAMP}")
        self._next_timestamp = timestamp

    def snapshot(self) -> int:
        """Remember the head and the clock; returns an id for `revert`."""
        self._snapshot_count += 1
        root = self.chain.state_at().root
        snapshot = _Snapshot(self._snapshot_count, self.head.hash, root, self._clock_offset_s, self._next_timestamp)
        self._snapshots.append(snapshot)
        return snapshot.identifier

    def revert(self, identifier: int) -> bool:
        """Go back to a snapshot, which is used up with all later ones; False if there is none."""
        for position, snapshot in enumerate(self._snapshots):
            if snapshot.identifier == identifier:
                del self._snapshots[position:]
                self.chain.set_head(snapshot.head)
                self.chain.restore_root(snapshot.state_root)
                self._clock_offset_s = snapshot.clock_offset_s
                self._next_timestamp = snapshot.next_timestamp
                self.pool.clear()
                return True
        return False

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
            return self.filters.install(Filter(kind, head.number + 1, head.hash, wanted))
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


def _choose_type(request: TxRequest, base_fee: int | None) -> int:
    if request.type is not None:
        if request.type not in (LEGACY, ACCESS_LIST, DYNAMIC_FEE, SET_CODE):
            raise Refused(f"transactions of type {request.type} cannot be signed here")
        return request.type
    if request.authorizations is not None:
        return SET_CODE
    if request.gas_price is not None or base_fee is None:
        return LEGACY if request.access_list is None else ACCESS_LIST
    return DYNAMIC_FEE
