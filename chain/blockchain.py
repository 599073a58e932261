"""The chain as the node uses it: blocks are made, imported, read and tried here.

Threads: what writes (`build_block`, `import_block`, `set_head`, `edit_state`) belongs to one thread, the owner. All
else may run on any thread and sees committed blocks. Code of contracts needs a deep C stack: see `chain.stack`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from chain import rlp_codec as rlp
from chain.blob_sidecar import check_sidecar
from chain.block import Block, Withdrawal, decode_block
from chain.builder import OpenBlock, child_env, finish, open_block, run_tx, verify
from chain.call_tx import call_tx
from chain.crypto import keccak
from chain.errors import InvalidBlock, InvalidTransaction, StoreCorrupt, UnknownBlock
from chain.executor import WasmMachine
from chain.forks import Fork, ForkSchedule, parse_fork
from chain.genesis import DEV_GAS_LIMIT, Genesis, dev_genesis, write_genesis
from chain.overrides import StateOverrides, override_accounts, place_precompiles
from chain.records import (
    AccountOverride,
    Adopted,
    BlockRecord,
    BuiltBlock,
    CallOutcome,
    CallRequest,
    ReceiptRecord,
    TxOutcome,
    block_record,
    decode_block_row,
    decode_receipts_row,
    encode_block_row,
    encode_receipts_row,
    split_of,
)
from chain.state_db import StateDB
from chain.state_view import StateView
from chain.store import FORMAT_VERSION, KeyValue, Store
from chain.transaction import BLOB, Tx, decode_tx
from chain.transition import BlockEnv, Executed, apply_tx, check_account, check_gas_cap, check_tx, open_state
from chain.variant import AccessRecord, fork_precompiles, variant_state_class
from ewasm.rules import EWASM_2026, RULES, Rules

__all__ = [
    "AccountOverride",
    "Adopted",
    "BlockRecord",
    "Blockchain",
    "BuiltBlock",
    "CallOutcome",
    "CallRequest",
    "ChainConfig",
    "ReceiptRecord",
    "StateView",
    "TxOutcome",
]

AroundTx = Callable[[Any, Tx, BlockEnv, Callable[[], Executed]], Executed]
"""Applies a transaction to a state by calling what it is given last, and looks on."""

HEAD_KEY = b"m/head"
# Blocks are kept decoded until they hold this many transactions, each block counting for one more.
CACHED_TXS = 4_096
# BLOCKHASH reaches back 256 blocks; one more, because the first may be the block itself.
ANCESTORS = 257


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """What a chain is run with.

    Attributes:
        chain_id: Used where no genesis is given; else the genesis's own takes its place here.
        fork: As `chain_id`; the name of one fork from the first block on.
        gas_limit: As `chain_id`.
        rules: Name of a rule set in `ewasm.rules.RULES`.
        engine: "native", "interpreter", "cranelift" or "winch".
        artifacts: Folder for compiled contracts; None keeps them in memory only.
        coinbase: 20 bytes, who is paid for blocks made here.
        debug: Whether contracts may import the `debug` module.
        extra_data: At most 32 bytes, written into blocks made here.
    """

    chain_id: int = 31337
    fork: str = "Prague"
    gas_limit: int = DEV_GAS_LIMIT
    rules: str = EWASM_2026.name
    engine: str = "native"
    artifacts: Path | None = None
    coinbase: bytes = bytes(20)
    debug: bool = False
    extra_data: bytes = b""


class Blockchain:
    """One chain in one store. Open with `Blockchain.open`."""

    def __init__(self, config: ChainConfig, genesis: Genesis, store: Store, machine: WasmMachine) -> None:
        self.config = replace(config, chain_id=genesis.chain_id, fork=genesis.fork.title, gas_limit=genesis.gas_limit)
        self.genesis = genesis
        self.schedule = genesis.schedule
        self.chain_id = genesis.chain_id
        self.machine = machine
        self.store = store
        self._cache: dict[bytes, BlockRecord] = {}
        self._cached_txs = 0
        self._head: BlockRecord
        # The last answer of `next_base_fee`, and for which block.
        self._base_fee: tuple[bytes, int | None] = (b"", None)

    @classmethod
    def open(
        cls,
        config: ChainConfig,
        genesis: Genesis | None,
        store: Store,
        machine: WasmMachine | None = None,
    ) -> Blockchain:
        """Open the chain in `store`, or write its genesis where the store is new.

        Args:
            genesis: None for a development chain without accounts, by the config's chain id, fork and gas limit.
            machine: The VM for Wasm; made from the config's rules and engine unless given.

        Raises:
            StoreError: The store belongs to another chain or is damaged.
        """
        if machine is None:
            from ewasm.engine import make_engine
            from ewasm.vm import VM

            debug = structlog.get_logger("contract").info if config.debug else None
            engine = make_engine(config.engine, config.artifacts)
            machine = VM(RULES[config.rules], engine=engine, debug=debug)
        if genesis is None:
            genesis = dev_genesis(config.chain_id, parse_fork(config.fork), gas_limit=config.gas_limit)
        chain = cls(config, genesis, store, machine)
        store.rollback()
        header = write_genesis(genesis, machine, store.writer)
        first = block_record(
            Block(header, withdrawals=() if header.withdrawals_root is not None else None),
        )
        store.identify(
            {
                "format": FORMAT_VERSION,
                "chain id": str(genesis.chain_id),
                "genesis": "0x" + first.hash.hex(),
                "forks": _describe(genesis.schedule),
                "rules": machine.rules.name,
            }
        )
        head = store.writer.get(HEAD_KEY)
        if head is None:
            chain._put_block(first, ())
            chain._put_canonical(first)
            store.commit()
            chain._head = first
        else:
            store.rollback()
            found = chain.block_by_hash(head)
            if found is None or found.hash != head:
                raise StoreCorrupt("the database does not hold its own head block")
            chain._head = found
        return chain

    def close(self) -> None:
        """Close the store; pending writes are forgotten."""
        self.store.rollback()
        self.store.close()

    # Reading

    @property
    def rules(self) -> Rules:
        return self.machine.rules

    @property
    def head(self) -> BlockRecord:
        """The last block of the canonical chain."""
        return self._head

    def block_by_number(self, number: int) -> BlockRecord | None:
        """A block of the canonical chain."""
        block_hash = self.store.reader.get(_number_key(number)) if number >= 0 else None
        return self.block_by_hash(block_hash) if block_hash is not None else None

    def block_by_hash(self, block_hash: bytes) -> BlockRecord | None:
        """Any block known, canonical or not."""
        cached = self._cache.get(block_hash)
        if cached is not None:
            return cached
        row = self.store.reader.get(b"b" + block_hash)
        if row is None:
            return None
        record = decode_block_row(row)
        self._remember(record)
        return record

    def _remember(self, record: BlockRecord) -> None:
        self._cached_txs += 1 + len(record.transactions)
        if self._cached_txs > CACHED_TXS:
            self._cache.clear()
            self._cached_txs = 1 + len(record.transactions)
        self._cache[record.hash] = record

    def is_canonical(self, block: BlockRecord) -> bool:
        """Whether the block is on the way from genesis to head."""
        return self.store.reader.get(_number_key(block.number)) == block.hash

    def receipts(self, block_hash: bytes) -> tuple[ReceiptRecord, ...]:
        """Receipts of a block, in order.

        Raises:
            UnknownBlock: There is no such block.
        """
        block = self.block_by_hash(block_hash)
        row = self.store.reader.get(b"r" + block_hash)
        if block is None or row is None:
            raise UnknownBlock(f"unknown block 0x{block_hash.hex()}")
        return decode_receipts_row(row, block)

    def transaction(self, tx_hash: bytes) -> tuple[BlockRecord, int] | None:
        """The canonical block that holds a transaction, and its place there."""
        row = self.store.reader.get(b"t" + tx_hash)
        if row is None:
            return None
        block = self.block_by_hash(row[:32])
        return None if block is None else (block, int.from_bytes(row[32:], "big"))

    def state_at(self, block: BlockRecord | bytes | None = None, db: KeyValue | None = None) -> StateView:
        """Accounts behind a block (or the block of a hash), the head's unless given.

        Args:
            block: Which.
            db: Holds the state, where the store does not: that of a block that is not mined yet.

        Raises:
            UnknownBlock: There is no such block.
        """
        found = self._need(block)
        return StateView(StateDB(db or self.store.reader, self.root_behind(found)))

    def next_base_fee(self, block: BlockRecord | None = None) -> int | None:
        """Wei: base fee of the block that would follow `block` (the head unless given), or None before London."""
        parent = block or self._head
        parent_hash, fee = self._base_fee
        if parent_hash != parent.hash:
            fee = self.next_env(parent, timestamp=parent.timestamp + 1).base_fee
            self._base_fee = (parent.hash, fee)
        return fee

    def next_blob_base_fee(self, block: BlockRecord | None = None) -> int:
        """Wei: price of blob gas in the block that would follow, 0 before Cancun."""
        parent = block or self._head
        return self.next_env(parent, timestamp=parent.timestamp + 1).blob_base_fee

    def decode_transaction(self, raw: bytes) -> Tx:
        """Decode and recover the sender; blobs that come along are checked.

        Raises:
            InvalidTransaction: Not a transaction, or its blobs are not those it names.
        """
        tx = decode_tx(raw)
        check_sidecar(raw, tx)
        return tx

    def validate_for_pool(
        self, tx: Tx, state: StateView | None = None, *, exact_nonce: bool = False, gas_limit: int | None = None
    ) -> None:
        """Rules that hold for the next block, nonces from the future allowed, today's base fee not asked for.

        Args:
            gas_limit: Of that block, where it is not the head's.

        Raises:
            InvalidTransaction: It can never be mined on this chain as it stands.
        """
        env = self.next_env(self._head, timestamp=self._head.timestamp + 1)
        check_tx(tx, env.fork, self.chain_id, self.rules, env.blobs)
        check_gas_cap(tx, env.fork)
        limit = self._head.header.gas_limit if gas_limit is None else gas_limit
        if tx.gas > limit:
            raise InvalidTransaction(f"exceeds block gas limit: have {tx.gas}, limit {limit}", "gas-limit")
        view = state or self.state_at()
        free = replace(env, base_fee=None, blob_base_fee_override=0)
        sender = tx.sender
        check_account(tx, view.balance(sender), view.nonce(sender), view.code(sender), free, exact_nonce=exact_nonce)

    # Writing

    def build_block(
        self,
        txs: Sequence[Tx],
        *,
        timestamp: int | None = None,
        coinbase: bytes | None = None,
        gas_limit: int | None = None,
        base_fee: int | None = None,
        prev_randao: bytes | None = None,
        withdrawals: Sequence[Withdrawal] = (),
        parent_beacon_block_root: bytes = bytes(32),
        extra_data: bytes | None = None,
        parent: BlockRecord | None = None,
        store: bool = True,
        db: KeyValue | None = None,
    ) -> BuiltBlock:
        """Make a block of the transactions that are valid and make it the head, in one commit.

        Args:
            txs: In the order they are to stand; those that are not valid in their place are left out.
            timestamp: Seconds; now, or one after the parent if that is later.
            base_fee: Overrides EIP-1559.
            prev_randao: 32 bytes; derived from the parent unless given.
            parent: The head unless given.
            store: False to make the block and forget it.
            db: Then takes the state behind it.

        Raises:
            InvalidBlock: The timestamp is not after the parent's.
        """
        above = parent or self._head
        if timestamp is None:
            timestamp = max(int(time.time()), above.timestamp + 1)
        if timestamp <= above.timestamp:
            raise InvalidBlock(f"timestamp {timestamp} is not after the parent's {above.timestamp}")
        env = self.next_env(
            above,
            timestamp=timestamp,
            coinbase=coinbase,
            gas_limit=gas_limit,
            base_fee=base_fee,
            prev_randao=prev_randao,
        )
        rejected: list[tuple[Tx, InvalidTransaction]] = []
        try:
            block = open_block(
                env,
                self.schedule,
                self.machine,
                db or self.store.writer,
                self.root_behind(above),
                self.ancestors(above),
                parent_hash=above.hash,
                parent_beacon_block_root=parent_beacon_block_root,
            )
            for tx in txs:
                try:
                    run_tx(block, tx)
                except InvalidTransaction as error:
                    rejected.append((tx, error))
            made = finish(
                block,
                above.header,
                withdrawals=withdrawals,
                extra_data=self.config.extra_data if extra_data is None else extra_data,
                parent_beacon_block_root=parent_beacon_block_root,
            )
            record = block_record(made)
            receipts = _receipts(record, block)
            if store:
                self._put_block(record, receipts)
                self._make_head(record)
        finally:
            self.store.rollback()
        return BuiltBlock(record, receipts, _outcomes(block), tuple(rejected))

    def import_block(self, raw: bytes | Block, *, make_head: bool = True) -> BlockRecord:
        """Validate a block in full and store it; known blocks are returned as they are.

        Args:
            make_head: Whether the block becomes the head, with its ancestors canonical.

        Raises:
            InvalidBlock: It breaks a rule, or its parent is unknown.
        """
        block = raw if isinstance(raw, Block) else decode_block(raw)
        known = self.block_by_hash(block.header.hash)
        if known is None:
            parent = self.block_by_hash(block.header.parent_hash)
            if parent is None:
                raise InvalidBlock(f"parent 0x{block.header.parent_hash.hex()} is unknown")
            known = block_record(block)
            try:
                done = verify(
                    block,
                    parent.header,
                    self.schedule,
                    self.chain_id,
                    self.machine,
                    self.store.writer,
                    self.root_behind(parent),
                    self.ancestors(parent),
                )
                self._put_block(known, _receipts(known, done))
                if make_head:
                    self._make_head(known)
                else:
                    self.store.commit()
            finally:
                self.store.rollback()
        elif make_head and known.hash != self._head.hash:
            self.set_head(known.hash)
        return known

    def import_chain(self, raw: bytes, progress: Callable[[BlockRecord], None] | None = None) -> int:
        """Import blocks written one behind the other; returns how many. Block 0 is compared with the genesis.

        Raises:
            InvalidBlock: A block breaks a rule; the ones before it stay.
        """
        count = offset = 0
        while offset < len(raw):
            try:
                item, offset = rlp.decode_prefix(raw, offset)
            except rlp.RlpError as error:
                raise InvalidBlock(f"cannot decode block at byte {offset}: {error}") from error
            block = decode_block(item)
            if block.header.block_number == 0:
                first = self.block_by_number(0)
                if first is None or first.hash != block.header.hash:
                    raise InvalidBlock("the chain begins with another genesis block")
                continue
            record = self.import_block(block)
            count += 1
            if progress is not None:
                progress(record)
        return count

    def set_head(self, block_hash: bytes) -> BlockRecord:
        """Make a known block the head; blocks above it are canonical no more.

        Raises:
            UnknownBlock: There is no such block.
        """
        record = self._need(block_hash)
        try:
            self._make_head(record)
        finally:
            self.store.rollback()
        return record

    def edit_state(self, changes: Mapping[bytes, AccountOverride]) -> None:
        """Change accounts behind the head from outside, as development nodes allow; the next block builds on it."""
        head = self._head
        try:
            state = self._open_state(self.env_of(head), head, self.store.writer)
            override_accounts(state, changes)
            state.persist()
            self.store.writer[b"a" + head.hash] = state.state_root
            self.store.commit()
        finally:
            self.store.rollback()

    def forget_edits(self) -> None:
        """Undo `edit_state` on the head."""
        if (b"a" + self._head.hash) in self.store.writer:
            del self.store.writer[b"a" + self._head.hash]
            self.store.commit()

    def restore_root(self, root: bytes) -> None:
        """Undo what `edit_state` did to the head since its state had this root (32 bytes)."""
        if root == self._head.header.state_root:
            self.forget_edits()
        elif root != self.root_behind(self._head):
            self.store.writer[b"a" + self._head.hash] = root
            self.store.commit()

    def adopt(
        self, blocks: Sequence[Adopted], values: Mapping[bytes, bytes], genesis_root: bytes | None = None
    ) -> BlockRecord:
        """Take over blocks that were checked elsewhere as all there is above block 0, with their states, in one commit.

        Args:
            blocks: From block 1 on, each the parent of the next.
            values: Trie nodes and code by hash.
            genesis_root: State root behind block 0, if it was edited.
        """
        first = self._need(self.store.reader.get(_number_key(0)))
        head = blocks[-1].record if blocks else first
        writer = self.store.writer
        try:
            for key, value in values.items():
                writer[key] = value
            for number in range(self._head.number, 0, -1):
                stale = self.block_by_number(number)
                if stale is not None:
                    self._drop_canonical(stale)
            self._put_canonical(first)
            for item in blocks:
                self._put_block(item.record, item.receipts)
                self._put_canonical(item.record)
            for block_hash, root in [(first.hash, genesis_root), *((b.record.hash, b.edited_root) for b in blocks)]:
                if root is not None:
                    writer[b"a" + block_hash] = root
                elif (b"a" + block_hash) in writer:
                    del writer[b"a" + block_hash]
            self.store.commit()
            self._head = head
        finally:
            self.store.rollback()
        return head

    # Trying

    def next_env(
        self,
        parent: BlockRecord | None = None,
        *,
        timestamp: int | None = None,
        coinbase: bytes | None = None,
        gas_limit: int | None = None,
        base_fee: int | None = None,
        prev_randao: bytes | None = None,
    ) -> BlockEnv:
        """The environment of the block that would follow `parent` (the head unless given)."""
        above = parent or self._head
        if timestamp is None:
            timestamp = max(int(time.time()), above.timestamp + 1)
        limit = above.header.gas_limit
        if gas_limit is None:
            gas_limit = limit
            if (
                self.schedule.fork_at(above.number + 1, timestamp) >= Fork.LONDON
                and above.header.base_fee_per_gas is None
            ):
                gas_limit = limit * 2
        return child_env(
            above.header,
            self.schedule,
            self.chain_id,
            timestamp=timestamp,
            coinbase=self.config.coinbase if coinbase is None else coinbase,
            gas_limit=gas_limit,
            mix_hash=keccak(above.hash + above.header.mix_hash) if prev_randao is None else prev_randao,
            base_fee=base_fee,
        )

    def call(
        self,
        request: CallRequest,
        block: BlockRecord | bytes | None = None,
        *,
        on_pending: bool = False,
        env: BlockEnv | None = None,
        overrides: StateOverrides | None = None,
        around: AroundTx | None = None,
        accessed: AccessRecord | None = None,
        db: KeyValue | None = None,
    ) -> CallOutcome:
        """Run a transaction that is never stored.

        Args:
            block: State to run on, the head's unless given; the call sees that block's number and time.
            on_pending: See the next block's number, time and fees instead.
            env: See this environment instead.
            overrides: Accounts that are changed for this call.
            around: Called with state, transaction, environment and the function that applies it, which it must call.
            accessed: Filled with the accounts and slots that contracts reach.
            db: Holds the state, where the store does not: that of a block that is not mined yet.

        Raises:
            InvalidTransaction: Funds or intrinsic gas do not suffice, or the fees contradict each other.
            UnknownBlock: There is no such block.
        """
        block = self._need(block)
        if env is None:
            env = self.next_env(block) if on_pending else self.env_of(block)
        tx = call_tx(request, env, self.chain_id)
        if not tx.max_fee_per_gas and env.base_fee is not None:
            env = replace(env, base_fee=0)
        if tx.type == BLOB and not tx.max_fee_per_blob_gas:
            env = replace(env, blob_base_fee_override=0)
        placed = place_precompiles(fork_precompiles(env.fork, self.machine), overrides) if overrides else None
        kind = variant_state_class(env.fork, self.machine, placed, accessed=accessed)
        ancestors = self.ancestors_below(env.number, block)
        state = open_state(env, self.machine, db or self.store.reader, self.root_behind(block), ancestors, kind)
        if overrides:
            override_accounts(state, overrides)
        nonce = state.get_nonce(tx.sender)
        if request.nonce is None:
            tx = replace(tx, nonce=nonce)
        else:
            state.set_nonce(tx.sender, request.nonce)
        check_tx(tx, env.fork, self.chain_id, self.rules, env.blobs)
        check_account(tx, state.get_balance(tx.sender), tx.nonce, b"", env)
        if around is None:
            executed = apply_tx(state, tx, env)
        else:
            executed = around(state, tx, env, lambda: apply_tx(state, tx, env))
        instructions, eei = split_of(executed.split)
        return CallOutcome(
            status=_status(executed),
            output=executed.output,
            gas_used=executed.gas_used,
            max_gas_used=executed.max_gas_used,
            logs=executed.logs,
            error=executed.error,
            created=executed.created,
            gas_instructions=instructions,
            gas_eei=eei,
        )

    def reopen(self, block: BlockRecord) -> OpenBlock:
        """A block as it was before its first transaction; nothing that runs in it is stored.

        Raises:
            InvalidBlock: Its parent is unknown.
        """
        parent = self.block_by_hash(block.parent_hash)
        if parent is None:
            raise InvalidBlock(f"parent 0x{block.parent_hash.hex()} is unknown")
        return open_block(
            self.env_of(block),
            self.schedule,
            self.machine,
            self.store.reader,
            self.root_behind(parent),
            self.ancestors(parent),
            parent_hash=parent.hash,
            parent_beacon_block_root=block.header.parent_beacon_block_root,
        )

    # Inside

    def _need(self, wanted: BlockRecord | bytes | None) -> BlockRecord:
        """The block of a hash; None means the head."""
        if isinstance(wanted, BlockRecord):
            return wanted
        found = self._head if wanted is None else self.block_by_hash(wanted)
        if found is None:
            raise UnknownBlock(f"unknown block 0x{(wanted or b'').hex()}")
        return found

    def env_of(self, block: BlockRecord) -> BlockEnv:
        """The environment that a block's own transactions saw."""
        header = block.header
        fork = self.schedule.fork_at(header.block_number, header.timestamp)
        return BlockEnv(
            fork=fork,
            chain_id=self.chain_id,
            number=header.block_number,
            timestamp=header.timestamp,
            coinbase=header.coinbase,
            gas_limit=header.gas_limit,
            difficulty=header.difficulty,
            mix_hash=header.mix_hash,
            base_fee=header.base_fee_per_gas,
            excess_blob_gas=header.excess_blob_gas,
            blobs=self.schedule.blobs_at(header.timestamp) if fork >= Fork.CANCUN else None,
        )

    def root_behind(self, block: BlockRecord) -> bytes:
        """State root behind a block, edits from outside included."""
        return self.store.reader.get(b"a" + block.hash) or block.header.state_root

    def _open_state(self, env: BlockEnv, block: BlockRecord, db: KeyValue | None = None) -> Any:
        root = self.root_behind(block)
        return open_state(env, self.machine, db or self.store.reader, root, self._ancestors_of(block))

    def ancestors(self, parent: BlockRecord) -> Iterator[bytes]:
        """Hashes of `parent` and the blocks before it, lazily."""
        block: BlockRecord | None = parent
        for _ in range(ANCESTORS):
            if block is None:
                return
            yield block.hash
            if block.number == 0:
                return
            block = self.block_by_hash(block.parent_hash)

    def ancestors_below(self, number: int, block: BlockRecord) -> Iterator[bytes]:
        """Hashes as a block with this number sees them on `block`'s chain, the one before it first; zero where none."""
        for _ in range(min(max(number - 1 - block.number, 0), ANCESTORS)):
            yield bytes(32)
        for offset, found in enumerate(self.ancestors(block)):
            if block.number - offset < number:
                yield found

    def _ancestors_of(self, block: BlockRecord) -> Iterator[bytes]:
        hashes = self.ancestors(block)
        next(hashes, None)
        return hashes

    def _put_block(self, record: BlockRecord, receipts: tuple[ReceiptRecord, ...]) -> None:
        writer = self.store.writer
        writer[b"b" + record.hash] = encode_block_row(record)
        writer[b"r" + record.hash] = encode_receipts_row(receipts)

    def _put_canonical(self, record: BlockRecord) -> None:
        writer = self.store.writer
        writer[_number_key(record.number)] = record.hash
        for index, tx in enumerate(record.transactions):
            writer[b"t" + tx.hash] = record.hash + index.to_bytes(4, "big")
        writer[HEAD_KEY] = record.hash

    def _drop_canonical(self, record: BlockRecord) -> None:
        writer = self.store.writer
        del writer[_number_key(record.number)]
        for tx in record.transactions:
            row = writer.get(b"t" + tx.hash)
            if row is not None and row[:32] == record.hash:
                del writer[b"t" + tx.hash]

    def _make_head(self, record: BlockRecord) -> None:
        """Make `record` the head and commit; what was canonical beside it is dropped."""
        joining: list[BlockRecord] = [record]
        while (
            joining[-1].number > 0
            and self.store.writer.get(_number_key(joining[-1].number - 1)) != joining[-1].parent_hash
        ):
            joining.append(self._need(joining[-1].parent_hash))
        number = self._head.number
        while number >= joining[-1].number:
            stale = self.block_by_number(number)
            if stale is not None:
                self._drop_canonical(stale)
            number -= 1
        for block in reversed(joining):
            self._put_canonical(block)
        self.store.commit()
        self._remember(record)
        self._head = record


def _number_key(number: int) -> bytes:
    return b"n" + number.to_bytes(8, "big")


def _describe(schedule: ForkSchedule) -> str:
    """A schedule in one line, to compare data directories by."""
    parts = [f"{fork.title}@{start}" for start, fork in schedule.blocks]
    parts += [f"{fork.title}@t{start}" for start, fork in schedule.times]
    return " ".join(parts)


def _status(executed: Executed) -> str:
    if executed.success:
        return "success"
    return "revert" if executed.reverted else "failure"


def _receipts(record: BlockRecord, block: OpenBlock) -> tuple[ReceiptRecord, ...]:
    receipts: list[ReceiptRecord] = []
    log_index = 0
    for index, (tx, executed, receipt) in enumerate(
        zip(block.transactions, block.executed, block.receipts, strict=True)
    ):
        instructions, eei = split_of(executed.split)
        receipts.append(
            ReceiptRecord(
                type=tx.type,
                tx_hash=tx.hash,
                tx_index=index,
                block_hash=record.hash,
                block_number=record.number,
                sender=tx.sender,
                to=tx.to,
                status=None if receipt.post_state is not None else receipt.status,
                cumulative_gas_used=receipt.cumulative_gas_used,
                gas_used=executed.gas_used,
                effective_gas_price=executed.effective_gas_price,
                contract_address=keccak(rlp.encode([tx.sender, tx.nonce]))[12:] if tx.is_create else None,
                bloom=receipt.bloom,
                logs=receipt.logs,
                first_log_index=log_index,
                blob_gas_used=tx.blob_gas if tx.blob_hashes else None,
                blob_gas_price=block.env.blob_base_fee if tx.blob_hashes else None,
                post_state=receipt.post_state,
                gas_instructions=instructions,
                gas_eei=eei,
                error=executed.error,
            )
        )
        log_index += len(receipt.logs)
    return tuple(receipts)


def _outcomes(block: OpenBlock) -> tuple[TxOutcome, ...]:
    return tuple(
        TxOutcome(
            tx=tx,
            status=_status(executed),
            output=executed.output,
            error=executed.error,
            gas_used=executed.gas_used,
            created=executed.created,
            gas_instructions=executed.split.instructions,
            gas_eei=executed.split.eei,
        )
        for tx, executed in zip(block.transactions, block.executed, strict=True)
    )
