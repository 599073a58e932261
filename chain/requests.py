"""What clients ask for, as values: blocks by name, transactions with fields left out, log filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chain.transaction import AccessList, Authorization

__all__ = ["EARLIEST", "LATEST", "PENDING", "BlockRef", "LogFilter", "LogQuery", "TxRequest"]


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block as a client names it: exactly one of the three is set.

    Attributes:
        tag: latest, pending, earliest, safe or finalized.
        number: Block number.
        hash: 32 bytes.
        require_canonical: EIP-1898: refuse a block that is not on the canonical chain.
    """

    tag: str | None = None
    number: int | None = None
    hash: bytes | None = None
    require_canonical: bool = False

    def __str__(self) -> str:
        if self.hash is not None:
            return "0x" + self.hash.hex()
        return str(self.number) if self.tag is None else self.tag


LATEST: Final = BlockRef(tag="latest")
PENDING: Final = BlockRef(tag="pending")
EARLIEST: Final = BlockRef(tag="earliest")


@dataclass(frozen=True, slots=True)
class TxRequest:
    """A transaction or call object; None where the client left a field out. Fees and value in wei."""

    sender: bytes | None = None
    to: bytes | None = None
    gas: int | None = None
    gas_price: int | None = None
    max_fee_per_gas: int | None = None
    max_priority_fee_per_gas: int | None = None
    max_fee_per_blob_gas: int | None = None
    value: int | None = None
    nonce: int | None = None
    data: bytes | None = None
    chain_id: int | None = None
    type: int | None = None
    access_list: AccessList | None = None
    blob_hashes: tuple[bytes, ...] | None = None
    authorizations: tuple[Authorization, ...] | None = None


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Conditions on a log; an empty condition admits everything.

    Attributes:
        addresses: 20 bytes each; the log's address must be one of them.
        topics: For each position either None (anything) or the admitted topics. A log with fewer topics than
            positions does not match, even where the position is None.
    """

    addresses: frozenset[bytes] = frozenset()
    topics: tuple[frozenset[bytes] | None, ...] = ()


@dataclass(frozen=True, slots=True)
class LogFilter:
    """The object given to eth_getLogs, eth_newFilter and eth_subscribe."""

    query: LogQuery
    from_block: BlockRef | None = None
    to_block: BlockRef | None = None
    block_hash: bytes | None = None
