"""Finding logs in the chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chain.block import Header, Log
from chain.blockchain import Blockchain
from chain.filters import LogQuery, bloom_may_match, log_matches
from chain.records import BlockRecord, ReceiptRecord

__all__ = ["LocatedLog", "locate_logs", "logs_of_block"]


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
