"""What a transaction should pay, and what the ones before it paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chain.blockchain import Blockchain
from chain.records import BlockRecord
from chain.transition import BlockEnv

__all__ = ["MAX_FEE_HISTORY", "SUGGESTED_TIP", "FeeHistory", "fee_history", "reward_percentiles"]

# On a chain where every transaction is mined at once any tip will do; libraries expect one that is not zero.
SUGGESTED_TIP = 10**9
MAX_FEE_HISTORY = 1_024


@dataclass(frozen=True, slots=True)
class FeeHistory:
    """Fees of consecutive blocks, wei; the fee lists have one more entry than there are blocks: the next block's."""

    oldest: int
    base_fees: tuple[int, ...] = ()
    gas_used_ratios: tuple[float, ...] = ()
    blob_base_fees: tuple[int, ...] = ()
    blob_gas_used_ratios: tuple[float, ...] = ()
    rewards: tuple[tuple[int, ...], ...] | None = None


def fee_history(chain: Blockchain, count: int, newest: BlockRecord, percentiles: Sequence[float]) -> FeeHistory:
    """Fees of the `count` blocks up to `newest`, fewer where the chain is shorter."""
    count = min(count, MAX_FEE_HISTORY, newest.number + 1)
    if count < 1:
        return FeeHistory(0)
    blocks = [newest]
    while len(blocks) < count:
        parent = chain.block_by_hash(blocks[-1].parent_hash)
        if parent is None:
            break
        blocks.append(parent)
    blocks.reverse()
    following = chain.next_env(newest, timestamp=newest.timestamp + 1)
    return FeeHistory(
        oldest=blocks[0].number,
        base_fees=(*(block.header.base_fee_per_gas or 0 for block in blocks), following.base_fee or 0),
        gas_used_ratios=tuple(_ratio(block.header.gas_used, block.header.gas_limit) for block in blocks),
        blob_base_fees=(*(_blob_base_fee(chain, block) for block in blocks), _blob_fee_of(following)),
        blob_gas_used_ratios=tuple(_blob_ratio(chain, block) for block in blocks),
        rewards=tuple(_rewards(chain, block, percentiles) for block in blocks) if percentiles else None,
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _blob_fee_of(env: BlockEnv) -> int:
    return env.blob_base_fee if env.blobs is not None else 0


def _blob_base_fee(chain: Blockchain, block: BlockRecord) -> int:
    blobs = chain.schedule.blobs_at(block.timestamp)
    excess = block.header.excess_blob_gas
    return 0 if blobs is None or excess is None else blobs.base_fee(excess)


def _blob_ratio(chain: Blockchain, block: BlockRecord) -> float:
    blobs = chain.schedule.blobs_at(block.timestamp)
    return 0.0 if blobs is None else _ratio(block.header.blob_gas_used or 0, blobs.max_gas)


def _rewards(chain: Blockchain, block: BlockRecord, percentiles: Sequence[float]) -> tuple[int, ...]:
    base_fee = block.header.base_fee_per_gas or 0
    receipts = chain.receipts(block.hash)
    tips = [(receipt.effective_gas_price - base_fee, receipt.gas_used) for receipt in receipts]
    return reward_percentiles(tips, block.header.gas_used, percentiles)


def reward_percentiles(tips: Sequence[tuple[int, int]], gas_used: int, percentiles: Sequence[float]) -> tuple[int, ...]:
    """Tips at percentiles of the gas in one block.

    Args:
        tips: (effective tip, gas used) of each transaction.
        gas_used: Of the block.
        percentiles: Rising, 0 to 100.
    """
    if not tips:
        return (0,) * len(percentiles)
    ordered = sorted(tips)
    position, total = 0, ordered[0][1]
    result = []
    for percentile in percentiles:
        threshold = int(gas_used * percentile / 100)
        while total < threshold and position < len(ordered) - 1:
            position += 1
            total += ordered[position][1]
        result.append(ordered[position][0])
    return tuple(result)
