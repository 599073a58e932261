"""What the node and the RPC see of the chain: frozen records of ints and bytes, and how they stand in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chain import rlp_codec as rlp
from chain.block import Block, Header, Log, Withdrawal, decode_block, encode_block
from chain.errors import InvalidTransaction, StoreCorrupt
from chain.executor import GasSplit
from chain.transaction import AccessList, Authorization, Tx

__all__ = [
    "AccountOverride",
    "Adopted",
    "BlockRecord",
    "BuiltBlock",
    "CallOutcome",
    "CallRequest",
    "ReceiptRecord",
    "TxOutcome",
]


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """A block of the chain; `size` is the length of its encoding in bytes."""

    header: Header
    transactions: tuple[Tx, ...]
    uncles: tuple[Header, ...]
    withdrawals: tuple[Withdrawal, ...] | None
    size: int
    _encoded: bytes = field(default=b"", compare=False, repr=False)

    @property
    def number(self) -> int:
        return self.header.block_number

    @property
    def hash(self) -> bytes:
        return self.header.hash

    @property
    def parent_hash(self) -> bytes:
        return self.header.parent_hash

    @property
    def timestamp(self) -> int:
        return self.header.timestamp

    @property
    def block(self) -> Block:
        return Block(self.header, self.transactions, self.uncles, self.withdrawals)

    def encode(self) -> bytes:
        """RLP of the whole block; kept only until it is written."""
        encoded = self._encoded or encode_block(self.block)
        object.__setattr__(self, "_encoded", b"")
        return encoded


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """A receipt with what stands around it.

    Attributes:
        status: 1 for success, 0 for failure; None before Byzantium, where `post_state` is given.
        contract_address: 20 bytes for a creation, whether it succeeded or not; else None.
        first_log_index: Position of the first log in the block.
        blob_gas_price: Wei; None but for blob transactions.
        gas_instructions: Gas of Wasm instructions in all frames of the transaction.
        gas_eei: Gas of host functions in all Wasm frames, without what contracts called from them used.
        error: Why it failed, or None.
    """

    type: int
    tx_hash: bytes
    tx_index: int
    block_hash: bytes
    block_number: int
    sender: bytes
    to: bytes | None
    status: int | None
    cumulative_gas_used: int
    gas_used: int
    effective_gas_price: int
    contract_address: bytes | None
    bloom: bytes
    logs: tuple[Log, ...]
    first_log_index: int
    blob_gas_used: int | None = None
    blob_gas_price: int | None = None
    post_state: bytes | None = None
    gas_instructions: int = 0
    gas_eei: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TxOutcome:
    """What one transaction of a new block did.

    Attributes:
        status: "success", "revert" or "failure".
        output: Return data, revert data, or the code that was stored.
    """

    tx: Tx
    status: str
    output: bytes
    error: str | None
    gas_used: int
    created: bytes | None
    gas_instructions: int
    gas_eei: int


@dataclass(frozen=True, slots=True)
class BuiltBlock:
    """A block that was made and stored; `rejected` are the transactions that are not in it, each with the reason."""

    block: BlockRecord
    receipts: tuple[ReceiptRecord, ...]
    outcomes: tuple[TxOutcome, ...]
    rejected: tuple[tuple[Tx, InvalidTransaction], ...]


@dataclass(frozen=True, slots=True)
class Adopted:
    """A block with its receipts, and the state root behind it if accounts were edited there."""

    record: BlockRecord
    receipts: tuple[ReceiptRecord, ...]
    edited_root: bytes | None = None


@dataclass(frozen=True, slots=True)
class AccountOverride:
    """Changes to an account for the time of one call.

    Attributes:
        storage: Replaces the whole storage.
        storage_diff: Changes single slots.
        move_precompile_to: 20 bytes: where the precompile at this address is found instead.
    """

    balance: int | None = None
    nonce: int | None = None
    code: bytes | None = None
    storage: Mapping[int, int] | None = None
    storage_diff: Mapping[int, int] = field(default_factory=dict)
    move_precompile_to: bytes | None = None


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A transaction that is only tried.

    Attributes:
        to: None for a creation.
        gas: None for as much as the block allows.
        gas_price: Wei; None with the other fees None too means free of charge.
        nonce: None for the account's own.
    """

    sender: bytes = bytes(20)
    to: bytes | None = None
    gas: int | None = None
    gas_price: int | None = None
    max_fee_per_gas: int | None = None
    max_priority_fee_per_gas: int | None = None
    value: int = 0
    data: bytes = b""
    nonce: int | None = None
    access_list: AccessList = ()
    max_fee_per_blob_gas: int | None = None
    blob_hashes: tuple[bytes, ...] = ()
    authorizations: tuple[Authorization, ...] = ()


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How a call ended.

    Attributes:
        status: "success", "revert" or "failure".
        output: Return data, revert data, or the code that would be stored.
        gas_used: Whole gas, intrinsic gas and refunds included, as a transaction would be charged.
        max_gas_used: The same before refunds: what a transaction must bring at least.
        created: 20 bytes, for a creation that succeeded.
    """

    status: str
    output: bytes
    gas_used: int
    max_gas_used: int
    logs: tuple[Log, ...]
    error: str | None
    created: bytes | None
    gas_instructions: int
    gas_eei: int

    @property
    def is_success(self) -> bool:
        return self.status == "success"

    @property
    def is_revert(self) -> bool:
        return self.status == "revert"


def block_record(block: Block) -> BlockRecord:
    """The record of a block."""
    encoded = encode_block(block)
    return BlockRecord(block.header, block.transactions, block.uncles, block.withdrawals, len(encoded), encoded)


def encode_block_row(record: BlockRecord) -> bytes:
    """A block with its senders, so that reading it back recovers no signatures."""
    return rlp.encode([record.encode(), [tx.sender for tx in record.transactions]])


def decode_block_row(row: bytes) -> BlockRecord:
    """The inverse of `encode_block_row`."""
    try:
        encoded, senders = rlp.as_list(rlp.decode(row), 2)
        raw = rlp.as_bytes(encoded)
        block = decode_block(raw, [rlp.as_bytes(sender) for sender in rlp.as_list(senders)])
    except ValueError as error:
        raise StoreCorrupt(f"a block in the database cannot be read: {error}") from error
    return BlockRecord(block.header, block.transactions, block.uncles, block.withdrawals, len(raw))


def _optional(value: int | None) -> int:
    """0 for None, else one more: integers that may be missing."""
    return 0 if value is None else value + 1


def encode_receipts_row(receipts: tuple[ReceiptRecord, ...]) -> bytes:
    """What cannot be had from the block's own row."""
    return rlp.encode(
        [
            [
                _optional(receipt.status),
                receipt.cumulative_gas_used,
                receipt.gas_used,
                receipt.effective_gas_price,
                receipt.contract_address or b"",
                [[log.address, list(log.topics), log.data] for log in receipt.logs],
                _optional(receipt.blob_gas_price),
                receipt.post_state or b"",
                receipt.gas_instructions,
                receipt.gas_eei,
                (receipt.error or "").encode(),
                receipt.bloom if receipt.logs else b"",
            ]
            for receipt in receipts
        ]
    )


def decode_receipts_row(row: bytes, block: BlockRecord) -> tuple[ReceiptRecord, ...]:
    """The inverse of `encode_receipts_row`."""
    receipts: list[ReceiptRecord] = []
    log_index = 0
    try:
        for index, item in enumerate(rlp.as_list(rlp.decode(row), len(block.transactions))):
            tx = block.transactions[index]
            parts = rlp.as_list(item, 12)
            logs = tuple(_decode_log(log) for log in rlp.as_list(parts[5]))
            status, blob_price = rlp.as_int(parts[0]), rlp.as_int(parts[6])
            receipts.append(
                ReceiptRecord(
                    type=tx.type,
                    tx_hash=tx.hash,
                    tx_index=index,
                    block_hash=block.hash,
                    block_number=block.number,
                    sender=tx.sender,
                    to=tx.to,
                    status=status - 1 if status else None,
                    cumulative_gas_used=rlp.as_int(parts[1]),
                    gas_used=rlp.as_int(parts[2]),
                    effective_gas_price=rlp.as_int(parts[3]),
                    contract_address=rlp.as_bytes(parts[4]) or None,
                    bloom=rlp.as_bytes(parts[11]) or bytes(256),
                    logs=logs,
                    first_log_index=log_index,
                    blob_gas_used=tx.blob_gas if tx.blob_hashes else None,
                    blob_gas_price=blob_price - 1 if blob_price else None,
                    post_state=rlp.as_bytes(parts[7]) or None,
                    gas_instructions=rlp.as_int(parts[8]),
                    gas_eei=rlp.as_int(parts[9]),
                    error=rlp.as_bytes(parts[10]).decode() or None,
                )
            )
            log_index += len(logs)
    except ValueError as error:
        raise StoreCorrupt(f"receipts in the database cannot be read: {error}") from error
    return tuple(receipts)


def _decode_log(item: rlp.Item) -> Log:
    address, topics, data = rlp.as_list(item, 3)
    return Log(rlp.as_bytes(address), tuple(rlp.as_bytes(topic) for topic in rlp.as_list(topics)), rlp.as_bytes(data))


def split_of(split: GasSplit) -> tuple[int, int]:
    """(instructions, host functions) of a transaction."""
    return split.instructions, split.eei
