"""Finding logs in the chain, once (`find_logs`) or bit by bit for a filter that is polled (`poll`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chain.block import Header, Log
from chain.blockchain import Blockchain
from chain.filters import Filter, bloom_may_match, log_matches
from chain.records import BlockRecord, ReceiptRecord
from chain.refusals import BadArgument, Refused
from chain.requests import LATEST, BlockRef, LogFilter, LogQuery

__all__ = ["LocatedLog", "check_range", "find_logs", "locate_logs", "logs_of_filter", "poll"]

MAX_LOGS = 100_000


@dataclass(frozen=True, slots=True)
class LocatedLog:
    """A log and its place; `log_index` counts within the block."""

    log: Log
    header: Header
    tx_hash: bytes
    tx_index: int
    log_index: int


def locate_logs(header: Header, receipts: tuple[ReceiptRecord, ...]) -> Iterator[LocatedLog]:
    """Every log of some receipts of one block, in order."""
    for receipt in receipts:
        for offset, log in enumerate(receipt.logs):
            yield LocatedLog(log, header, receipt.tx_hash, receipt.tx_index, receipt.first_log_index + offset)


def logs_of_block(chain: Blockchain, block: BlockRecord, query: LogQuery) -> Iterator[LocatedLog]:
    """The logs of a block that a query wants; receipts are read only where the bloom lets something through."""
    bloom = int.from_bytes(block.header.bloom, "big")
    if bloom and bloom_may_match(query, bloom):
        for item in locate_logs(block.header, chain.receipts(block.hash)):
            if log_matches(query, item.log):
                yield item


def _number(chain: Blockchain, ref: BlockRef | None) -> int:
    """The number that an end of a range means now; an open end is the head."""
    ref = ref or LATEST
    if ref.number is not None:
        return ref.number
    return 0 if ref.tag == "earliest" else chain.head.number


def check_range(chain: Blockchain, wanted: LogFilter) -> None:
    """Refuse a range that ends before it begins, if both ends are given.

    Raises:
        BadArgument: It does.
    """
    first, last = wanted.from_block, wanted.to_block
    if first is not None and last is not None and _number(chain, first) > _number(chain, last):
        raise BadArgument("invalid block range params")


def find_logs(chain: Blockchain, wanted: LogFilter) -> list[LocatedLog]:
    """The logs that a filter admits, in order.

    Raises:
        BadArgument: The range is reversed or leaves the chain.
        Refused: There is no such block, or there are too many logs.
    """
    if wanted.block_hash is not None:
        record = chain.block_by_hash(wanted.block_hash)
        if record is None:
            raise Refused("unknown block")
        return list(logs_of_block(chain, record, wanted.query))
    first, last = _number(chain, wanted.from_block), _number(chain, wanted.to_block)
    if first > last:
        raise BadArgument("invalid block range params")
    if last > chain.head.number:
        raise BadArgument("block range extends beyond current head block")
    return _logs_between(chain, wanted.query, first, last)


def logs_of_filter(chain: Blockchain, wanted: LogFilter) -> list[LocatedLog]:
    """As `find_logs`, but a filter's range may reach beyond the head."""
    if wanted.block_hash is not None:
        return find_logs(chain, wanted)
    first, last = _number(chain, wanted.from_block), _number(chain, wanted.to_block)
    return _logs_between(chain, wanted.query, first, min(last, chain.head.number))


def _logs_between(chain: Blockchain, query: LogQuery, first: int, last: int) -> list[LocatedLog]:
    found: list[LocatedLog] = []
    for number in range(first, last + 1):
        record = chain.block_by_number(number)
        if record is None:
            break
        found.extend(logs_of_block(chain, record, query))
        if len(found) > MAX_LOGS:
            raise Refused(f"query returns more than {MAX_LOGS} logs: ask for fewer blocks, up to {number - 1}")
    return found


def poll(chain: Blockchain, item: Filter) -> list[LocatedLog] | list[bytes]:
    """What a filter has not reported yet, which counts as reported from now on."""
    if item.kind == "pending":
        hashes, item.pending = item.pending, []
        return hashes
    first, head = _resume(chain, item), chain.head
    item.next_block, item.head = head.number + 1, head.hash
    if item.kind == "block":
        records = (chain.block_by_number(number) for number in range(first, head.number + 1))
        return [record.hash for record in records if record is not None]
    if item.wanted is None or item.wanted.block_hash is not None:
        return []
    last = head.number
    if item.wanted.from_block is not None and item.wanted.from_block.number is not None:
        first = max(first, item.wanted.from_block.number)
    if item.wanted.to_block is not None and item.wanted.to_block.number is not None:
        last = min(last, item.wanted.to_block.number)
    return _logs_between(chain, item.wanted.query, first, last)


def _resume(chain: Blockchain, item: Filter) -> int:
    """The first block that a filter has not seen; after a change of branch, the first one of the new branch."""
    record = chain.block_by_hash(item.head)
    while record is not None and not chain.is_canonical(record):
        record = chain.block_by_hash(record.parent_hash)
    return item.next_block if record is None else min(item.next_block, record.number + 1)
