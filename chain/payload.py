"""A block as an execution payload, built behind any block and kept by nobody (testing_buildBlockV1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chain.block import Withdrawal
from chain.blockchain import Blockchain
from chain.builder import MIN_GAS_LIMIT, finish, open_block, run_tx
from chain.errors import InvalidBlock, InvalidTransaction
from chain.forks import Fork
from chain.overlay import Overlay
from chain.records import BlockRecord, block_record
from chain.refusals import Refused
from chain.transaction import Tx

__all__ = ["Payload", "PayloadAttributes", "build_payload", "next_gas_limit"]

MAX_EXTRA_BYTES = 32


@dataclass(frozen=True, slots=True)
class PayloadAttributes:
    """What a consensus client fixes of a block; seconds, and 32 and 20 bytes."""

    timestamp: int
    prev_randao: bytes
    coinbase: bytes
    withdrawals: tuple[Withdrawal, ...] | None = None
    beacon_root: bytes | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """The block, what it pays its coinbase in tips (wei), and its requests, type byte first (EIP-7685)."""

    block: BlockRecord
    value_wei: int
    requests: tuple[bytes, ...]


def next_gas_limit(parent: int, target: int) -> int:
    """The gas limit behind a block with limit `parent` that comes nearest to `target` (yellow paper, 47)."""
    step = max(parent // 1024 - 1, 0)
    return max(min(max(target, parent - step), parent + step), MIN_GAS_LIMIT)


def build_payload(
    chain: Blockchain,
    parent: BlockRecord,
    attributes: PayloadAttributes,
    transactions: Sequence[Tx],
    *,
    gas_target: int,
    extra_data: bytes = b"",
    must_fit: bool = True,
) -> Payload:
    """Build a block behind `parent`.

    Args:
        chain: The chain.
        parent: Any block with a state.
        attributes: Of the block.
        transactions: In their order.
        gas_target: Gas limit that blocks move towards.
        extra_data: At most 32 bytes.
        must_fit: Whether one that is not valid is refused, or else left out.

    Raises:
        Refused: An attribute or a transaction cannot be used.
    """
    if attributes.timestamp <= parent.timestamp:
        raise Refused(f"timestamp {attributes.timestamp} is not after the parent's {parent.timestamp}")
    if len(extra_data) > MAX_EXTRA_BYTES:
        raise Refused(f"extra data of {len(extra_data)} bytes is over {MAX_EXTRA_BYTES}")
    env = chain.next_env(
        parent,
        timestamp=attributes.timestamp,
        coinbase=attributes.coinbase,
        gas_limit=next_gas_limit(parent.header.gas_limit, gas_target),
        prev_randao=attributes.prev_randao,
    )
    if (attributes.withdrawals is not None) != (env.fork >= Fork.SHANGHAI):
        raise Refused("withdrawals are missing, or before their fork")
    if (attributes.beacon_root is not None) != (env.fork >= Fork.CANCUN):
        raise Refused("parentBeaconBlockRoot is missing, or before its fork")
    try:
        block = open_block(
            env,
            chain.schedule,
            chain.machine,
            Overlay(chain.store.reader),
            chain.root_behind(parent),
            chain.ancestors(parent),
            parent_hash=parent.hash,
            parent_beacon_block_root=attributes.beacon_root,
        )
        for index, tx in enumerate(transactions):
            try:
                run_tx(block, tx)
            except InvalidTransaction as error:
                if must_fit:
                    raise Refused(f"transaction {index} is invalid: {error.reason}") from None
        made = finish(
            block,
            parent.header,
            withdrawals=attributes.withdrawals or (),
            extra_data=extra_data,
            parent_beacon_block_root=attributes.beacon_root,
        )
    except InvalidBlock as error:
        raise Refused(error.reason) from None
    base_fee = env.base_fee or 0
    value = sum(executed.gas_used * (executed.effective_gas_price - base_fee) for executed in block.executed)
    return Payload(block_record(made), value, tuple(block.requests))
