"""eth_simulateV1: blocks of calls that build on each other behind a block of the chain, and are then forgotten.

The blocks are opened, filled and sealed by the builder that makes real ones, on a database whose writes stay in memory.
What differs: transactions have no signatures, accounts and block fields may be overridden, and without `validation`
nonces are not looked at and calls that offer no fee pay none. Any transaction that could not stand in its block ends
the whole simulation with the error codes of the specification.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from chain.block import Header, Log
from chain.blockchain import Blockchain
from chain.builder import OpenBlock, add_executed, finish, next_base_fee, next_excess_blob_gas, open_block
from chain.crypto import keccak
from chain.errors import InvalidBlock, InvalidTransaction
from chain.forks import Fork
from chain.logs import LocatedLog
from chain.overlay import Overlay
from chain.overrides import BlockOverrides, StateOverrides, override_accounts, place_precompiles
from chain.records import BlockRecord, block_record
from chain.refusals import Refused
from chain.requests import TxRequest
from chain.transaction import BLOB, DYNAMIC_FEE, LEGACY, SET_CODE, Tx
from chain.transition import BlockEnv, Executed, apply_tx, check_account, check_tx
from chain.variant import EtherAddress, fork_precompiles, variant_state_class

__all__ = [
    "MAX_BLOCKS",
    "MAX_CALLS",
    "SimulatedBlock",
    "SimulatedCall",
    "Simulation",
    "SimulationBlock",
    "SimulationRefused",
    "simulate",
]

MAX_BLOCKS = 256
MAX_CALLS = 10_000
MAX_CALLS_PER_BLOCK = 5_000
GAS_BUDGET = 50_000_000
"""Most gas that the calls of one simulation use together; geth's default cap."""
MAX_OUTPUT_BYTES = 32 * 1024 * 1024
"""Most that the calls of one simulation return and log together."""
SECONDS_PER_BLOCK = 12
MAX_TIMESTAMP = (1 << 64) - 1
MAX_NONCE = (1 << 64) - 1
DEADLINE_S = 30.0

INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NONCE_TOO_LOW = -38010
NONCE_TOO_HIGH = -38011
BASE_FEE_TOO_LOW = -38012
INTRINSIC_GAS = -38013
INSUFFICIENT_FUNDS = -38014
BLOCK_GAS_LIMIT = -38015
BLOCK_NUMBER = -38020
BLOCK_TIMESTAMP = -38021
INIT_CODE_SIZE = -38025
CLIENT_LIMIT = -38026
REVERTED = 3
VM_ERROR = -32015

# Rule of `InvalidTransaction` -> code; every other rule is INTERNAL_ERROR.
CODES = {
    "nonce-too-low": NONCE_TOO_LOW,
    "nonce-too-high": NONCE_TOO_HIGH,
    "fee-too-low": BASE_FEE_TOO_LOW,
    "tip-above-cap": INVALID_PARAMS,
    "intrinsic-gas": INTRINSIC_GAS,
    "funds": INSUFFICIENT_FUNDS,
    "init-code-size": INIT_CODE_SIZE,
}


class SimulationRefused(Refused):
    """The simulation cannot go on; `code` is the specification's."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class SimulationBlock:
    """One block to simulate."""

    block: BlockOverrides = field(default_factory=BlockOverrides)
    accounts: StateOverrides = field(default_factory=dict)
    calls: tuple[TxRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Simulation:
    """The request.

    Attributes:
        log_ether: Log transfers of ether too.
        validation: Check nonces and fees as for a real block.
        full_transactions: Asked of the answer; the simulation does not look at it.
    """

    blocks: tuple[SimulationBlock, ...]
    log_ether: bool = False
    validation: bool = False
    full_transactions: bool = False


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """How a call ended.

    Attributes:
        output: Return data of a success, revert data of a revert.
        logs: With those of ether, where they were asked for.
        error: Why it failed, or None.
    """

    executed: Executed
    logs: tuple[LocatedLog, ...]


@dataclass(frozen=True, slots=True)
class SimulatedBlock:
    """A block as it would be."""

    block: BlockRecord
    calls: tuple[SimulatedCall, ...]


def simulate(
    chain: Blockchain, base: BlockRecord, request: Simulation, clock: Callable[[], float] = time.monotonic
) -> list[SimulatedBlock]:
    """Run a simulation behind `base`.

    Raises:
        SimulationRefused: A limit is passed, blocks are out of order, or a call cannot stand in its block.
        Refused: An override makes no sense.
    """
    run = _Run(chain, base, request, Overlay(chain.store.reader), clock)
    return run.blocks(_fill(request.blocks, base))


def _fill(blocks: Sequence[SimulationBlock], base: BlockRecord) -> list[SimulationBlock]:
    """The blocks with number and time, and empty ones where numbers leave a gap."""
    if not blocks:
        raise SimulationRefused(INVALID_PARAMS, "empty input")
    if len(blocks) > MAX_BLOCKS:
        raise SimulationRefused(CLIENT_LIMIT, "too many blocks")
    for wanted in blocks:
        if len(wanted.calls) > MAX_CALLS_PER_BLOCK:
            text = f"too many calls in block: {len(wanted.calls)} > {MAX_CALLS_PER_BLOCK}"
            raise SimulationRefused(CLIENT_LIMIT, text)
    total = sum(len(wanted.calls) for wanted in blocks)
    if total > MAX_CALLS:
        raise SimulationRefused(CLIENT_LIMIT, f"too many calls: {total} > {MAX_CALLS}")
    filled: list[SimulationBlock] = []
    number, timestamp = base.number, base.timestamp
    for wanted in blocks:
        given = wanted.block
        target = number + 1 if given.number is None else given.number
        if target <= number:
            raise SimulationRefused(BLOCK_NUMBER, f"block numbers must be in order: {target} <= {number}")
        if target - base.number > MAX_BLOCKS:
            raise SimulationRefused(CLIENT_LIMIT, "too many blocks")
        for missing in range(number + 1, target):
            timestamp += SECONDS_PER_BLOCK
            filled.append(SimulationBlock(BlockOverrides(number=missing, timestamp=timestamp)))
        when = timestamp + SECONDS_PER_BLOCK if given.timestamp is None else given.timestamp
        if when <= timestamp:
            raise SimulationRefused(BLOCK_TIMESTAMP, f"block timestamps must be in order: {when} <= {timestamp}")
        if when > MAX_TIMESTAMP:
            raise SimulationRefused(BLOCK_TIMESTAMP, f"block timestamp {when} does not fit in 64 bits")
        filled.append(replace(wanted, block=replace(given, number=target, timestamp=when)))
        number, timestamp = target, when
    return filled


@dataclass(slots=True)
class _Run:
    """A simulation under way.

    Attributes:
        db: Holds the states of the blocks so far.
        hashes: Of the simulated blocks, oldest first.
        gas_left: Of the whole simulation's budget, as is `bytes_left`.
    """

    chain: Blockchain
    base: BlockRecord
    request: Simulation
    db: Overlay
    clock: Callable[[], float]
    hashes: list[bytes] = field(default_factory=list)
    gas_left: int = GAS_BUDGET
    bytes_left: int = MAX_OUTPUT_BYTES
    ends_s: float = 0.0

    def blocks(self, wanted: Sequence[SimulationBlock]) -> list[SimulatedBlock]:
        """Run all blocks."""
        self.ends_s = self.clock() + DEADLINE_S
        results = []
        parent, root = self.base.header, self.chain.root_behind(self.base)
        for item in wanted:
            self.check_time()
            result = self.block(item, parent, root)
            parent = result.block.header
            root = parent.state_root
            self.hashes.append(parent.hash)
            results.append(result)
        return results

    def check_time(self) -> None:
        """Refuse to go on for longer than one client may take."""
        if self.clock() > self.ends_s:
            raise SimulationRefused(CLIENT_LIMIT, f"execution aborted (timeout = {DEADLINE_S:g}s)")

    def block(self, wanted: SimulationBlock, parent: Header, root: bytes) -> SimulatedBlock:
        """Run one block."""
        chain, given = self.chain, wanted.block
        env = self.env(given, parent)
        placed = place_precompiles(fork_precompiles(env.fork, chain.machine), wanted.accounts)
        beacon_root = bytes(32) if given.beacon_root is None else given.beacon_root
        try:
            block = open_block(
                env,
                chain.schedule,
                chain.machine,
                self.db,
                root,
                self.ancestors(),
                parent_hash=parent.hash,
                parent_beacon_block_root=beacon_root,
                kind=variant_state_class(env.fork, chain.machine, placed, log_ether=self.request.log_ether),
                prepare=lambda state: override_accounts(state, wanted.accounts),
            )
            outcomes = [self.call(block, call) for call in wanted.calls]
            made = finish(block, parent, withdrawals=given.withdrawals or (), parent_beacon_block_root=beacon_root)
        except InvalidBlock as error:
            raise Refused(error.reason) from None
        record = block_record(made)
        return SimulatedBlock(record, tuple(_located(outcomes, record)))

    def env(self, given: BlockOverrides, parent: Header) -> BlockEnv:
        """The environment of a block; number and time are set."""
        chain = self.chain
        number, timestamp = given.number or 0, given.timestamp or 0
        fork = chain.schedule.fork_at(number, timestamp)
        base_fee = given.base_fee
        if fork < Fork.LONDON:
            base_fee = None
        elif base_fee is None:
            base_fee = next_base_fee(parent) if self.request.validation else 0
        difficulty = given.difficulty if given.difficulty is not None else parent.difficulty
        blobs = chain.schedule.blobs_at(timestamp) if fork >= Fork.CANCUN else None
        return BlockEnv(
            fork=fork,
            chain_id=chain.chain_id,
            number=number,
            timestamp=timestamp,
            coinbase=parent.coinbase if given.coinbase is None else given.coinbase,
            gas_limit=parent.gas_limit if given.gas_limit is None else given.gas_limit,
            difficulty=difficulty if fork < Fork.PARIS else 0,
            mix_hash=given.prev_randao or bytes(32),
            base_fee=base_fee,
            excess_blob_gas=next_excess_blob_gas(parent, chain.schedule, timestamp) if blobs is not None else None,
            blobs=blobs,
            blob_base_fee_override=given.blob_base_fee,
        )

    def ancestors(self) -> Iterator[bytes]:
        """Hashes of the blocks before the next one, the parent first."""
        yield from reversed(self.hashes)
        yield from self.chain.ancestors(self.base)

    def call(self, block: OpenBlock, request: TxRequest) -> tuple[Tx, Executed]:
        """Run one call in its block."""
        self.check_time()
        env, state = block.env, block.state
        nonce = request.nonce
        if nonce is None:
            nonce = state.get_nonce(request.sender or bytes(20))
        left = env.gas_limit - block.gas_used
        wanted = left if request.gas is None else request.gas
        if wanted > left:
            raise SimulationRefused(BLOCK_GAS_LIMIT, f"block gas limit reached: remaining: {left}, required: {wanted}")
        if request.chain_id not in (None, env.chain_id):
            raise Refused(f"chainId does not match node's (have={request.chain_id}, want={env.chain_id})")
        tx = _transaction(request, env, nonce, min(wanted, self.gas_left))
        try:
            executed = self.apply(block, tx)
        except InvalidTransaction as error:
            text = f"err: {error.reason} (supplied gas {tx.gas})"
            raise SimulationRefused(CODES.get(error.rule, INTERNAL_ERROR), text) from None
        self.gas_left -= executed.gas_used
        self.bytes_left -= len(executed.output) + sum(len(log.data) + 32 * len(log.topics) for log in executed.logs)
        if self.bytes_left < 0:
            raise SimulationRefused(CLIENT_LIMIT, f"the calls return and log more than {MAX_OUTPUT_BYTES} bytes")
        logs = tuple(log for log in executed.logs if not isinstance(log.address, EtherAddress))
        add_executed(block, tx, replace(executed, logs=logs))
        return tx, executed

    def apply(self, block: OpenBlock, tx: Tx) -> Executed:
        """Check a transaction and run it on the block's state.

        Raises:
            InvalidTransaction: It cannot stand in the block.
        """
        env, state = block.env, block.state
        sender = tx.sender
        nonce, checked, prices = state.get_nonce(sender), tx, env
        if not self.request.validation:
            # Neither nonces nor, for a call that offers nothing, the block's prices are looked at.
            nonce, checked = 0, replace(tx, nonce=0)
            if not tx.max_fee_per_gas and not tx.max_priority_fee_per_gas:
                prices = replace(prices, base_fee=None)
            if not tx.max_fee_per_blob_gas:
                prices = replace(prices, blob_base_fee_override=0)
        elif nonce == MAX_NONCE == tx.nonce:
            raise InvalidTransaction(f"nonce has max value: address 0x{sender.hex()}, nonce: {nonce}", "nonce-max")
        # In the order of a node's own checks: account and prices, then what the transaction is.
        check_account(checked, state.get_balance(sender), nonce, b"", prices)
        check_tx(checked, env.fork, env.chain_id, block.machine.rules, env.blobs)
        return apply_tx(state, tx, env)


def _transaction(request: TxRequest, env: BlockEnv, nonce: int, gas: int) -> Tx:
    """The unsigned transaction that a call stands for; of type 2 unless a field belongs to another."""
    kind = DYNAMIC_FEE
    if request.gas_price is not None or env.base_fee is None:
        kind = LEGACY
    elif request.authorizations is not None:
        kind = SET_CODE
    elif request.blob_hashes is not None:
        kind = BLOB
    if kind in (BLOB, SET_CODE) and request.to is None:
        raise SimulationRefused(INVALID_PARAMS, "a transaction with blobs or authorizations must not create a contract")
    cap, tip = request.max_fee_per_gas or 0, request.max_priority_fee_per_gas or 0
    if kind == LEGACY:
        cap = tip = request.gas_price or 0
    tx = Tx(
        type=kind,
        chain_id=env.chain_id,
        nonce=nonce,
        gas=gas,
        to=request.to,
        value=request.value or 0,
        data=request.data or b"",
        sender=request.sender or bytes(20),
        gas_price=cap if kind == LEGACY else None,
        max_priority_fee_per_gas=tip,
        max_fee_per_gas=cap,
        access_list=(request.access_list or ()) if kind != LEGACY else (),
        max_fee_per_blob_gas=(request.max_fee_per_blob_gas or 0) if kind == BLOB else 0,
        blob_hashes=(request.blob_hashes or ()) if kind == BLOB else (),
        authorizations=(request.authorizations or ()) if kind == SET_CODE else (),
    )
    return replace(tx, hash=keccak(tx.encode()))


def _located(outcomes: Sequence[tuple[Tx, Executed]], record: BlockRecord) -> Iterator[SimulatedCall]:
    """The calls with their logs in place, now that the block has a hash.

    A log's index counts everything emitted before it in the block, also what a failed frame took back.
    """
    first = 0
    for index, (tx, executed) in enumerate(outcomes):
        logs = tuple(
            LocatedLog(Log(bytes(log.address), log.topics, log.data), record.header, tx.hash, index, first + position)
            for log, position in zip(executed.logs, executed.log_positions, strict=True)
        )
        first += executed.logs_emitted
        yield SimulatedCall(executed, logs)
