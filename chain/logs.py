"""Finding logs in the chain, once (`find_logs`) or bit by bit for a filter that is polled (`poll`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from chain.block import Header, Log
from chain.blockchain import Blockchain
from chain.filters import Filter, bloom_may_match, log_matches
from chain.records import BlockRecord, ReceiptRecord
from chain.refusals import BadArgument, Refused
from chain.requests import LATEST, BlockRef, LogFilter, LogQuery

__all__ = ["LocatedLog", "check_range", "find_logs", "locate_logs", "logs_above", "logs_of_filter", "poll"]

MAX_LOGS = 100_000


@dataclass(frozen=True, slots=True)
class LocatedLog:
    """A log and its place; `log_index` counts within the block. `removed`: its block is no longer canonical."""

    log: Log
    header: Header
    tx_hash: bytes
    tx_index: int
    log_index: int
    removed: bool = False


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


def logs_above(chain: Blockchain, block_hash: bytes) -> list[LocatedLog]:
    """The logs of the canonical blocks above one of them, in order, as logs that are removed."""
    base = chain.block_by_hash(block_hash)
    if base is None:
        return []
    records = (chain.block_by_number(number) for number in range(base.number + 1, chain.head.number + 1))
    return [item for record in records if record is not None for item in _removed(chain, record)]


def _removed(chain: Blockchain, record: BlockRecord) -> Iterator[LocatedLog]:
    for item in locate_logs(record.header, chain.receipts(record.hash)):
        yield replace(item, removed=True)


def poll(chain: Blockchain, item: Filter) -> list[LocatedLog] | list[bytes]:
    """What a filter has not reported yet, which counts as reported from now on.

    Logs that it reported from blocks that are no longer canonical come first, as removed.
    """
    if item.kind == "pending":
        hashes, item.pending = item.pending, []
        return hashes
    gone, first = _resume(chain, item)
    head = chain.head
    item.next_block, item.head = head.number + 1, head.hash
    if item.kind == "block":
        records = (chain.block_by_number(number) for number in range(first, head.number + 1))
        return [record.hash for record in records if record is not None]
    if item.wanted is None or item.wanted.block_hash is not None:
        return []
    lowest, highest = _bounds(item.wanted)
    removed = [
        log
        for record in gone
        if max(lowest, item.first_block) <= record.number <= highest
        for log in _removed(chain, record)
        if log_matches(item.wanted.query, log.log)
    ]
    return removed + _logs_between(chain, item.wanted.query, max(first, lowest), min(head.number, highest))


def _bounds(wanted: LogFilter) -> tuple[int, int]:
    """The numbers between which a filter looks, where they are numbers."""
    first, last = wanted.from_block, wanted.to_block
    lowest = 0 if first is None or first.number is None else first.number
    return lowest, 1 << 64 if last is None or last.number is None else last.number


def _resume(chain: Blockchain, item: Filter) -> tuple[list[BlockRecord], int]:
    """Blocks that a filter has seen and that are gone, oldest first, and the number of the first it has not seen."""
    gone: list[BlockRecord] = []
    record = chain.block_by_hash(item.head)
    while record is not None and not chain.is_canonical(record):
        gone.append(record)
        record = chain.block_by_hash(record.parent_hash)
    return gone[::-1], item.next_block if record is None else min(item.next_block, record.number + 1)
