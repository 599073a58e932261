"""Headers, blocks, receipts and withdrawals, and their encodings (yellow paper 4.4; EIP-658, 1559, 4895, 4844)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from chain import rlp_codec as rlp
from chain.crypto import keccak
from chain.errors import InvalidBlock, InvalidTransaction
from chain.forks import Fork
from chain.transaction import SINCE, Tx, decode_tx
from chain.trie import EMPTY_ROOT, ordered_root

__all__ = [
    "EMPTY_UNCLES_HASH",
    "Block",
    "Header",
    "Log",
    "Receipt",
    "Withdrawal",
    "bloom_of",
    "decode_block",
    "encode_block",
    "encode_receipt",
    "header_fields",
    "uncles_hash",
    "withdrawals_root",
]

EMPTY_UNCLES_HASH = keccak(b"\xc0")
ZERO_HASH = bytes(32)
EMPTY_BLOOM = bytes(256)


@dataclass(frozen=True, slots=True)
class Header:
    """A block header; the fields from `base_fee_per_gas` on are None before the fork that brought them.

    The names are those of the library whose difficulty rules take a header.
    """

    parent_hash: bytes
    coinbase: bytes
    state_root: bytes
    block_number: int
    gas_limit: int
    timestamp: int
    uncles_hash: bytes = EMPTY_UNCLES_HASH
    transaction_root: bytes = EMPTY_ROOT
    receipt_root: bytes = EMPTY_ROOT
    bloom: bytes = EMPTY_BLOOM
    difficulty: int = 0
    gas_used: int = 0
    extra_data: bytes = b""
    mix_hash: bytes = ZERO_HASH
    nonce: bytes = bytes(8)
    base_fee_per_gas: int | None = None
    withdrawals_root: bytes | None = None
    blob_gas_used: int | None = None
    excess_blob_gas: int | None = None
    parent_beacon_block_root: bytes | None = None
    requests_hash: bytes | None = None
    hash: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", keccak(rlp.encode(header_fields(self))))


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """EIP-4895; `amount` in gwei."""

    index: int
    validator_index: int
    address: bytes
    amount: int

    def fields(self) -> list[rlp.Encodable]:
        return [self.index, self.validator_index, self.address, self.amount]


@dataclass(frozen=True, slots=True)
class Block:
    """`withdrawals` is None before Shanghai."""

    header: Header
    transactions: tuple[Tx, ...] = ()
    uncles: tuple[Header, ...] = ()
    withdrawals: tuple[Withdrawal, ...] | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """A log entry; topics are 32 bytes each."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the receipts root commits to; `post_state` stands in place of `status` before Byzantium."""

    type: int
    status: int
    cumulative_gas_used: int
    bloom: bytes
    logs: tuple[Log, ...]
    post_state: bytes | None = None


def header_fields(header: Header) -> list[rlp.Encodable]:
    """The header's fields in the order of the encoding."""
    fields: list[rlp.Encodable] = [
        header.parent_hash,
        header.uncles_hash,
        header.coinbase,
        header.state_root,
        header.transaction_root,
        header.receipt_root,
        header.bloom,
        header.difficulty,
        header.block_number,
        header.gas_limit,
        header.gas_used,
        header.timestamp,
        header.extra_data,
        header.mix_hash,
        header.nonce,
    ]
    later = (
        header.base_fee_per_gas,
        header.withdrawals_root,
        header.blob_gas_used,
        header.excess_blob_gas,
        header.parent_beacon_block_root,
        header.requests_hash,
    )
    for value in later:
        if value is None:
            break
        fields.append(value)
    return fields


def decode_header(item: rlp.Item) -> Header:
    """Decode a header of any fork.

    Raises:
        rlp_codec.RlpError: Not a header.
    """
    items = rlp.as_list(item, 15, 16, 17, 20, 21)
    count = len(items)
    return Header(
        parent_hash=rlp.as_bytes(items[0], 32),
        uncles_hash=rlp.as_bytes(items[1], 32),
        coinbase=rlp.as_bytes(items[2], 20),
        state_root=rlp.as_bytes(items[3], 32),
        transaction_root=rlp.as_bytes(items[4], 32),
        receipt_root=rlp.as_bytes(items[5], 32),
        bloom=rlp.as_bytes(items[6], 256),
        difficulty=rlp.as_int(items[7]),
        block_number=rlp.as_int(items[8], bits=64),
        gas_limit=rlp.as_int(items[9], bits=64),
        gas_used=rlp.as_int(items[10], bits=64),
        timestamp=rlp.as_int(items[11], bits=64),
        extra_data=rlp.as_bytes(items[12]),
        mix_hash=rlp.as_bytes(items[13], 32),
        nonce=rlp.as_bytes(items[14], 8),
        base_fee_per_gas=rlp.as_int(items[15]) if count > 15 else None,
        withdrawals_root=rlp.as_bytes(items[16], 32) if count > 16 else None,
        blob_gas_used=rlp.as_int(items[17], bits=64) if count > 17 else None,
        excess_blob_gas=rlp.as_int(items[18], bits=64) if count > 17 else None,
        parent_beacon_block_root=rlp.as_bytes(items[19], 32) if count > 17 else None,
        requests_hash=rlp.as_bytes(items[20], 32) if count > 20 else None,
    )


def encode_block(block: Block) -> bytes:
    """RLP of the whole block."""
    parts: list[rlp.Encodable] = [
        header_fields(block.header),
        [tx.encode_in_block() for tx in block.transactions],
        [header_fields(uncle) for uncle in block.uncles],
    ]
    if block.withdrawals is not None:
        parts.append([withdrawal.fields() for withdrawal in block.withdrawals])
    return rlp.encode(parts)


def decode_block(raw: bytes | rlp.Item, senders: Sequence[bytes] | None = None) -> Block:
    """Decode a block; the senders are recovered unless given.

    Raises:
        InvalidBlock: Not a block.
    """
    try:
        items = rlp.as_list(rlp.decode(raw) if isinstance(raw, bytes) else raw, 3, 4)
        header = decode_header(items[0])
        encoded = [item if isinstance(item, bytes) else rlp.encode(item) for item in rlp.as_list(items[1])]
        withdrawals = None
        if len(items) == 4:
            withdrawals = tuple(_decode_withdrawal(item) for item in rlp.as_list(items[3]))
        transactions = tuple(decode_tx(tx, senders[i] if senders else None) for i, tx in enumerate(encoded))
        uncles = tuple(decode_header(item) for item in rlp.as_list(items[2]))
    except rlp.RlpError as error:
        raise InvalidBlock(f"cannot decode block: {error}") from error
    except InvalidTransaction as error:
        raise InvalidBlock(f"cannot decode a transaction of the block: {error}") from error
    return Block(header, transactions, uncles, withdrawals)


def _decode_withdrawal(item: rlp.Item) -> Withdrawal:
    index, validator, address, amount = rlp.as_list(item, 4)
    return Withdrawal(
        rlp.as_int(index, bits=64),
        rlp.as_int(validator, bits=64),
        rlp.as_bytes(address, 20),
        rlp.as_int(amount, bits=64),
    )


def bloom_of(logs: Sequence[Log]) -> bytes:
    """256 bytes: the filter over addresses and topics (yellow paper 4.3.1)."""
    if not logs:
        return EMPTY_BLOOM
    bits = 0
    for entry in {item for log in logs for item in (log.address, *log.topics)}:
        digest = keccak(entry)
        for at in (0, 2, 4):
            bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
    return bits.to_bytes(256, "big")


def encode_receipt(receipt: Receipt) -> bytes:
    """A receipt as it stands in the receipts trie."""
    payload = rlp.encode(
        [
            receipt.status if receipt.post_state is None else receipt.post_state,
            receipt.cumulative_gas_used,
            receipt.bloom,
            [[log.address, list(log.topics), log.data] for log in receipt.logs],
        ]
    )
    return payload if receipt.type == 0 else bytes((receipt.type,)) + payload


def withdrawals_root(withdrawals: Sequence[Withdrawal]) -> bytes:
    """32 bytes (EIP-4895)."""
    return ordered_root([rlp.encode(withdrawal.fields()) for withdrawal in withdrawals])


def uncles_hash(uncles: Sequence[Header]) -> bytes:
    """32 bytes."""
    if not uncles:
        return EMPTY_UNCLES_HASH
    return keccak(rlp.encode([header_fields(uncle) for uncle in uncles]))


@cache
def types_allowed(fork: Fork) -> frozenset[int]:
    """Transaction types that a block of the fork may hold."""
    return frozenset(kind for kind, since in SINCE.items() if fork >= since)
