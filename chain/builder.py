"""One block: opened on its parent's state, filled, sealed. Mining and importing run the very same steps.

Standards: yellow paper 4.4 and 11; EIP-1559 (base fee), 4788 (beacon roots), 2935 (block hashes), 4895 (withdrawals),
4844 (blob gas), 6110, 7002, 7251 and 7685 (requests).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chain.block import (
    EMPTY_UNCLES_HASH,
    Block,
    Header,
    Receipt,
    Withdrawal,
    bloom_of,
    encode_block,
    encode_receipt,
    uncles_hash,
    withdrawals_root,
)
from chain.errors import InvalidBlock, InvalidTransaction
from chain.executor import WasmMachine, base_vm
from chain.forks import Fork, ForkSchedule
from chain.system_contracts import BEACON_ROOTS, CONSOLIDATION_REQUESTS, HISTORY_STORAGE, WITHDRAWAL_REQUESTS
from chain.transaction import Tx
from chain.transition import (
    BlockEnv,
    Executed,
    apply_tx,
    check_account,
    check_gas_cap,
    check_tx,
    open_state,
    system_call,
)
from chain.trie import ordered_root

__all__ = [
    "OpenBlock",
    "add_executed",
    "child_env",
    "finish",
    "next_base_fee",
    "open_block",
    "run_tx",
    "validate_header",
    "verify",
]

DEPOSIT_TOPIC = bytes.fromhex("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")
INITIAL_BASE_FEE = 1_000_000_000
MAX_EXTRA_BYTES = 32
MAX_BLOCK_BYTES = 8 * 1024 * 1024
BLOCK_MARGIN_BYTES = 64 * 1024
MIN_GAS_LIMIT = 5_000
MAX_UNCLES = 2
MAX_UNCLE_DEPTH = 6


@dataclass(slots=True)
class OpenBlock:
    """A block under way.

    Attributes:
        state: py-evm's state, not yet committed.
        post_states: State root behind each transaction, where receipts need it (before Byzantium).
        room_bytes: For more transactions, looked at from Osaka on (EIP-7934); less than there is, for the rest of it.
    """

    env: BlockEnv
    schedule: ForkSchedule
    machine: WasmMachine
    state: Any
    gas_used: int = 0
    blob_gas_used: int = 0
    room_bytes: int = MAX_BLOCK_BYTES - BLOCK_MARGIN_BYTES
    transactions: list[Tx] = field(default_factory=list)
    executed: list[Executed] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)


def next_base_fee(parent: Header) -> int:
    """Wei: base fee of the block behind `parent` (EIP-1559)."""
    if parent.base_fee_per_gas is None:
        return INITIAL_BASE_FEE
    target = parent.gas_limit // 2
    fee = parent.base_fee_per_gas
    if parent.gas_used > target:
        return fee + max(fee * (parent.gas_used - target) // target // 8, 1)
    if parent.gas_used < target:
        return fee - fee * (target - parent.gas_used) // target // 8
    return fee


def next_excess_blob_gas(parent: Header, schedule: ForkSchedule, timestamp: int) -> int | None:
    """Excess blob gas of the block behind `parent`, or None before Cancun."""
    params = schedule.blobs_at(timestamp)
    if params is None:
        return None
    if parent.excess_blob_gas is None or parent.blob_gas_used is None:
        return 0
    return params.next_excess(parent.excess_blob_gas, parent.blob_gas_used, parent.base_fee_per_gas or 0)


def child_env(
    parent: Header,
    schedule: ForkSchedule,
    chain_id: int,
    *,
    timestamp: int,
    coinbase: bytes,
    gas_limit: int,
    mix_hash: bytes = bytes(32),
    base_fee: int | None = None,
) -> BlockEnv:
    """The environment of a block behind `parent`; `base_fee` overrides EIP-1559's rule."""
    number = parent.block_number + 1
    fork = schedule.fork_at(number, timestamp)
    if fork < Fork.LONDON:
        base_fee = None
    elif base_fee is None:
        base_fee = next_base_fee(parent)
    difficulty = 0
    if fork < Fork.PARIS:
        difficulty = base_vm(fork).compute_difficulty(parent, timestamp)
    blobs = schedule.blobs_at(timestamp) if fork >= Fork.CANCUN else None
    return BlockEnv(
        fork=fork,
        chain_id=chain_id,
        number=number,
        timestamp=timestamp,
        coinbase=coinbase,
        gas_limit=gas_limit,
        difficulty=difficulty,
        mix_hash=mix_hash,
        base_fee=base_fee,
        excess_blob_gas=next_excess_blob_gas(parent, schedule, timestamp) if blobs is not None else None,
        blobs=blobs,
    )


def open_block(
    env: BlockEnv,
    schedule: ForkSchedule,
    machine: WasmMachine,
    db: Any,
    state_root: bytes,
    ancestors: Iterable[bytes],
    *,
    parent_hash: bytes,
    parent_beacon_block_root: bytes | None,
    kind: Callable[..., Any] | None = None,
    prepare: Callable[[Any], None] | None = None,
) -> OpenBlock:
    """Open a block on `state_root` and run the system calls that come before its transactions.

    Args:
        kind: State class, where it is not the fork's own.
        prepare: Changes the state before anything runs.
    """
    state = open_state(env, machine, db, state_root, ancestors, kind)
    if prepare is not None:
        prepare(state)
    if env.fork >= Fork.CANCUN and parent_beacon_block_root is not None:
        system_call(state, BEACON_ROOTS, parent_beacon_block_root, must_succeed=False)
    if env.fork >= Fork.PRAGUE:
        system_call(state, HISTORY_STORAGE, parent_hash, must_succeed=False)
    return OpenBlock(env, schedule, machine, state)


def run_tx(block: OpenBlock, tx: Tx) -> Executed:
    """Run one transaction in the block.

    Raises:
        InvalidTransaction: It is not valid here; the block is as it was.
    """
    env, state = block.env, block.state
    check_tx(tx, env.fork, env.chain_id, block.machine.rules, env.blobs)
    check_gas_cap(tx, env.fork)
    size_bytes = len(tx.encode()) if env.fork >= Fork.OSAKA else 0
    if size_bytes > block.room_bytes:
        raise InvalidTransaction("exceeds the block's size limit", "block-full")
    if tx.gas > env.gas_limit - block.gas_used:
        raise InvalidTransaction(
            f"exceeds block gas limit: have {tx.gas}, left {env.gas_limit - block.gas_used}", "block-full"
        )
    if env.blobs is not None and tx.blob_gas > env.blobs.max_gas - block.blob_gas_used:
        raise InvalidTransaction("exceeds the block's blob gas limit", "block-full")
    check_account(tx, state.get_balance(tx.sender), state.get_nonce(tx.sender), state.get_code(tx.sender), env)
    executed = apply_tx(state, tx, env)
    block.room_bytes -= size_bytes
    add_executed(block, tx, executed)
    return executed


def add_executed(block: OpenBlock, tx: Tx, executed: Executed) -> None:
    """Enter a transaction that ran on the block's state into the block."""
    block.gas_used += executed.gas_used
    block.blob_gas_used += tx.blob_gas
    block.transactions.append(tx)
    block.executed.append(executed)
    block.receipts.append(
        Receipt(
            type=tx.type,
            status=int(executed.success),
            cumulative_gas_used=block.gas_used,
            bloom=bloom_of(executed.logs),
            logs=executed.logs,
            post_state=block.state.make_state_root() if block.env.fork < Fork.BYZANTIUM else None,
        )
    )


def finish(
    block: OpenBlock,
    parent: Header,
    *,
    withdrawals: Sequence[Withdrawal] = (),
    uncles: Sequence[Header] = (),
    extra_data: bytes = b"",
    nonce: bytes = bytes(8),
    parent_beacon_block_root: bytes | None = None,
) -> Block:
    """Withdrawals, rewards and requests; then write the state into its database and make the block."""
    env, state, fork = block.env, block.state, block.env.fork
    if fork >= Fork.SHANGHAI:
        _withdraw(state, withdrawals)
    requests_hash = None
    if fork >= Fork.PRAGUE:
        block.requests = _requests(block)
        requests_hash = hash_requests(block.requests)
    if fork < Fork.PARIS:
        _reward(state, env, uncles)
    state.persist()
    has_withdrawals = fork >= Fork.SHANGHAI
    header = Header(
        parent_hash=parent.hash,
        uncles_hash=uncles_hash(uncles),
        coinbase=env.coinbase,
        state_root=state.state_root,
        transaction_root=ordered_root([tx.encode() for tx in block.transactions]),
        receipt_root=ordered_root([encode_receipt(receipt) for receipt in block.receipts]),
        bloom=_join_blooms(block.receipts),
        difficulty=env.difficulty,
        block_number=env.number,
        gas_limit=env.gas_limit,
        gas_used=block.gas_used,
        timestamp=env.timestamp,
        extra_data=extra_data,
        mix_hash=env.mix_hash,
        nonce=nonce,
        base_fee_per_gas=env.base_fee,
        withdrawals_root=withdrawals_root(withdrawals) if has_withdrawals else None,
        blob_gas_used=block.blob_gas_used if fork >= Fork.CANCUN else None,
        excess_blob_gas=env.excess_blob_gas,
        parent_beacon_block_root=parent_beacon_block_root if fork >= Fork.CANCUN else None,
        requests_hash=requests_hash,
    )
    return Block(header, tuple(block.transactions), tuple(uncles), tuple(withdrawals) if has_withdrawals else None)


def verify(
    raw: Block,
    parent: Header,
    schedule: ForkSchedule,
    chain_id: int,
    machine: WasmMachine,
    db: Any,
    state_root: bytes,
    ancestors: Iterable[bytes],
) -> OpenBlock:
    """Run a block that came from elsewhere and compare every field of its header with what it must be.

    Raises:
        InvalidBlock: It breaks a rule. The caller drops what was written into `db`.
    """
    header = raw.header
    env = child_env(
        parent,
        schedule,
        chain_id,
        timestamp=header.timestamp,
        coinbase=header.coinbase,
        gas_limit=header.gas_limit,
        mix_hash=header.mix_hash,
    )
    validate_header(header, parent, env)
    _validate_body(raw, env.fork)
    if env.fork >= Fork.OSAKA and len(encode_block(raw)) > MAX_BLOCK_BYTES:
        raise InvalidBlock(f"the block is over {MAX_BLOCK_BYTES} bytes (EIP-7934)")
    block = open_block(
        env,
        schedule,
        machine,
        db,
        state_root,
        ancestors,
        parent_hash=parent.hash,
        parent_beacon_block_root=header.parent_beacon_block_root,
    )
    block.room_bytes = MAX_BLOCK_BYTES
    for index, tx in enumerate(raw.transactions):
        try:
            run_tx(block, tx)
        except InvalidTransaction as error:
            raise InvalidBlock(f"transaction {index} is invalid: {error.reason}") from error
    made = finish(
        block,
        parent,
        withdrawals=raw.withdrawals or (),
        uncles=raw.uncles,
        extra_data=header.extra_data,
        nonce=header.nonce,
        parent_beacon_block_root=header.parent_beacon_block_root,
    )
    for name in Header.__dataclass_fields__:
        have, want = getattr(header, name), getattr(made.header, name)
        if name != "hash" and have != want:
            shown = [value.hex() if isinstance(value, bytes) else value for value in (have, want)]
            raise InvalidBlock(f"{name} of the header is {shown[0]}, must be {shown[1]}")
    return block


def validate_header(header: Header, parent: Header, env: BlockEnv) -> None:
    """Rules between a header and its parent's that need no state.

    Raises:
        InvalidBlock: With the rule that is broken.
    """
    if header.parent_hash != parent.hash or header.block_number != parent.block_number + 1:
        raise InvalidBlock(f"block {header.block_number} does not follow block {parent.block_number}")
    if header.timestamp <= parent.timestamp:
        raise InvalidBlock(f"timestamp {header.timestamp} is not after the parent's {parent.timestamp}")
    if len(header.extra_data) > MAX_EXTRA_BYTES:
        raise InvalidBlock(f"extra data of {len(header.extra_data)} bytes is over {MAX_EXTRA_BYTES}")
    if header.gas_used > header.gas_limit:
        raise InvalidBlock(f"gas used {header.gas_used} is over the limit {header.gas_limit}")
    limit = parent.gas_limit
    if env.fork >= Fork.LONDON and parent.base_fee_per_gas is None:
        limit *= 2
    if abs(header.gas_limit - limit) >= limit // 1024 or header.gas_limit < MIN_GAS_LIMIT:
        raise InvalidBlock(f"gas limit {header.gas_limit} is too far from the parent's {limit}")
    if header.difficulty != env.difficulty:
        raise InvalidBlock(f"difficulty is {header.difficulty}, must be {env.difficulty}")
    if env.fork >= Fork.PARIS and header.nonce != bytes(8):
        raise InvalidBlock("nonce is not zero")
    if env.fork >= Fork.CANCUN and header.parent_beacon_block_root is None:
        raise InvalidBlock("parent beacon block root is missing")


def _validate_body(block: Block, fork: Fork) -> None:
    if fork >= Fork.PARIS and block.header.uncles_hash != EMPTY_UNCLES_HASH:
        raise InvalidBlock("a block has no uncles after the merge")
    if len(block.uncles) > MAX_UNCLES:
        raise InvalidBlock(f"a block has at most {MAX_UNCLES} uncles")
    for uncle in block.uncles:
        if not 0 < block.header.block_number - uncle.block_number <= MAX_UNCLE_DEPTH:
            raise InvalidBlock(f"uncle {uncle.block_number} is too old or too young")
    if (block.withdrawals is not None) != (fork >= Fork.SHANGHAI):
        raise InvalidBlock("withdrawals are missing, or before their fork")


def _withdraw(state: Any, withdrawals: Sequence[Withdrawal]) -> None:
    for withdrawal in withdrawals:
        state.delta_balance(withdrawal.address, withdrawal.amount * 10**9)
    for address in {withdrawal.address for withdrawal in withdrawals}:
        if state.account_is_empty(address):
            state.delete_account(address)


def _reward(state: Any, env: BlockEnv, uncles: Sequence[Header]) -> None:
    reward: int = base_vm(env.fork).get_block_reward()
    state.delta_balance(env.coinbase, reward + len(uncles) * (reward // 32))
    for uncle in uncles:
        state.delta_balance(uncle.coinbase, reward * (8 + uncle.block_number - env.number) // 8)


def _requests(block: OpenBlock) -> list[bytes]:
    """Requests of the execution layer, type byte first, empty ones left out (EIP-7685)."""
    deposits = b"".join(
        _deposit(log.data)
        for receipt in block.receipts
        for log in receipt.logs
        if log.address == block.schedule.deposit_contract and log.topics[:1] == (DEPOSIT_TOPIC,)
    )
    found = [
        b"\x00" + deposits,
        b"\x01" + (system_call(block.state, WITHDRAWAL_REQUESTS, b"") or b""),
        b"\x02" + (system_call(block.state, CONSOLIDATION_REQUESTS, b"") or b""),
    ]
    return [request for request in found if len(request) > 1]


def _deposit(data: bytes) -> bytes:
    """A deposit request from the deposit contract's log (EIP-6110)."""
    if len(data) != 576:
        raise InvalidBlock(f"deposit log of {len(data)} bytes")
    return data[192:240] + data[288:320] + data[352:360] + data[416:512] + data[544:552]


def hash_requests(requests: Iterable[bytes]) -> bytes:
    """32 bytes (EIP-7685)."""
    return hashlib.sha256(b"".join(hashlib.sha256(request).digest() for request in requests)).digest()


def _join_blooms(receipts: Iterable[Receipt]) -> bytes:
    bits = 0
    for receipt in receipts:
        if receipt.logs:
            bits |= int.from_bytes(receipt.bloom, "big")
    return bits.to_bytes(256, "big")
