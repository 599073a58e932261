"""eth-tester's backend on this chain, so that `EthereumTesterProvider` of web3.py runs contracts in Wasm.

eth-tester keeps a pending block: a transaction is in it when `send_transaction` returns, and in the chain when a block
is mined. Here it waits in the node's pool, and the pending block is built when it is asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from eth_tester.backends.base import BaseChainBackend
from eth_tester.exceptions import BlockNotFound, TransactionFailed, TransactionNotFound, ValidationError

from chain.accounts import account_from_key
from chain.block import Header, Withdrawal
from chain.errors import InvalidTransaction
from chain.records import BlockRecord, BuiltBlock, ReceiptRecord
from chain.refusals import ExecutionReverted, Refused
from chain.requests import BlockRef, TxRequest
from chain.testing.local import LocalChain
from chain.transaction import LEGACY, SET_CODE, Authorization, Tx, decode_tx, sign_tx
from chain.trie import EMPTY_ROOT

__all__ = ["EwasmBackend"]

P = ParamSpec("P")
R = TypeVar("R")

_TAGS = ("latest", "earliest", "pending", "safe", "finalized")


def _told(function: Callable[P, R]) -> Callable[P, R]:
    """The node's refusals as eth-tester's exceptions."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ExecutionReverted as error:
            raise TransactionFailed(_reason(error)) from None
        except (Refused, InvalidTransaction) as error:
            raise ValidationError(str(error)) from None

    return checked


def _reason(error: ExecutionReverted) -> Any:
    """Text of `Error(string)`; the data where a custom error or a panic came back, as the default backend has it."""
    reason = str(error).removeprefix("execution reverted").removeprefix(": ")
    return reason or "0x" + error.output.hex()


class EwasmBackend(BaseChainBackend):  # type: ignore[misc]
    """A backend for `EthereumTester`.

    Args:
        chain: The chain to work on; one of its own, which `close` ends, unless given.
    """

    def __init__(self, chain: LocalChain | None = None) -> None:
        self.local = chain or LocalChain()
        self._owned = chain is None
        self.node = self.local.node
        self._added: dict[bytes, bytes] = {}
        self._snapshots: dict[int, int] = {}
        self._snapshot_count = 0

    def close(self) -> None:
        """End the chain, if it is the backend's own."""
        if self._owned:
            self.local.close()

    def _own(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return self.node.own(function, *args, **kwargs).result()

    # Snapshots

    def take_snapshot(self) -> int:
        self._snapshot_count += 1
        self._snapshots[self._snapshot_count] = self.local.snapshot()
        return self._snapshot_count

    def revert_to_snapshot(self, snapshot: int) -> None:
        """May be done again: a node's snapshot is used up, so another is taken in its place."""
        self.local.revert(self._snapshots[snapshot])
        self._snapshots = {name: number for name, number in self._snapshots.items() if name < snapshot}
        self._snapshots[snapshot] = self.local.snapshot()

    def reset_to_genesis(self) -> None:
        self._own(self.node.reset)
        self._snapshots.clear()
        self._added.clear()

    # Time and blocks

    def time_travel(self, to_timestamp: int) -> int:
        """Mine what waits in a block just before that time, so that the block to come has it."""
        self._own(self._travel, to_timestamp)
        return to_timestamp

    def _travel(self, to_timestamp: int) -> None:
        self.node.mine(timestamp=max(to_timestamp - 1, self.node.head.timestamp + 1))
        self.node.set_time(max(to_timestamp, self.node.head.timestamp))

    def mine_blocks(self, num_blocks: int = 1, coinbase: bytes = bytes(20)) -> tuple[bytes, ...]:
        return self._own(self._mine, num_blocks, coinbase)

    def _mine(self, count: int, coinbase: bytes) -> tuple[bytes, ...]:
        kept, self.node.coinbase = self.node.coinbase, coinbase
        try:
            return tuple(block.hash for block in self.node.mine(count))
        finally:
            self.node.coinbase = kept

    # Accounts

    def get_accounts(self) -> tuple[bytes, ...]:
        return (*(account.address for account in self.node.accounts), *self._added)

    def add_account(self, private_key: bytes) -> None:
        account = account_from_key(bytes(private_key))
        self._added[account.address] = account.private_key

    # Blocks

    def _pending(self) -> BuiltBlock:
        """The block that would be mined now, with its receipts."""

        def build() -> BuiltBlock:
            node = self.node
            waiting = list(node.pool.executable(node.chain.state_at().nonce, node.next_base_fee() or 0))
            return node.chain.build_block(
                waiting,
                timestamp=node.clock.choose(node.head.timestamp),
                coinbase=node.coinbase,
                gas_limit=node.gas_limit,
                base_fee=node.next_base_fee_override,
                store=False,
            )

        return self._own(build)

    def _ref(self, block_number: Any) -> BlockRef:
        if isinstance(block_number, bytes):
            return BlockRef(hash=block_number)
        return BlockRef(tag=block_number) if block_number in _TAGS else BlockRef(number=block_number)

    def _block(self, block_number: Any) -> BlockRecord:
        record = None if block_number is None else self.node.find_block(self._ref(block_number))
        if record is None:
            raise BlockNotFound(f"No block found for block number: {block_number}")
        return record

    def get_block_by_number(self, block_number: Any, full_transaction: bool = True) -> dict[str, Any]:
        if block_number == "pending":
            return _block_fields(self._pending().block, full_transaction, pending=True)
        return _block_fields(self._block(block_number), full_transaction)

    def get_block_by_hash(self, block_hash: bytes, full_transaction: bool = True) -> dict[str, Any]:
        record = self.node.find_block(BlockRef(hash=block_hash))
        if record is None or not self.node.chain.is_canonical(record):
            raise BlockNotFound(f"No block found for block hash: 0x{block_hash.hex()}")
        return _block_fields(record, full_transaction)

    # Transactions

    def get_transaction_by_hash(self, transaction_hash: bytes) -> dict[str, Any]:
        found = self.node.find_transaction(transaction_hash)
        if found is None:
            raise TransactionNotFound(f"No transaction found for transaction hash: 0x{transaction_hash.hex()}")
        tx, record, index = found
        return _transaction_fields(tx, None if record is None else record.header, index)

    def get_transaction_receipt(self, transaction_hash: bytes) -> dict[str, Any]:
        found = self.node.find_receipt(transaction_hash)
        if found is not None:
            return _receipt_fields(found[0], pending=False)
        for receipt in self._pending().receipts:
            if receipt.tx_hash == transaction_hash:
                return _receipt_fields(receipt, pending=True)
        raise TransactionNotFound(f"No transaction found for transaction hash: 0x{transaction_hash.hex()}")

    @_told
    def send_raw_transaction(self, raw_transaction: bytes) -> bytes:
        return self._own(self._accept, decode_tx(bytes(raw_transaction)))

    @_told
    def send_signed_transaction(self, transaction: Mapping[str, Any], block_number: Any = "latest") -> bytes:  # noqa: ARG002
        return self._own(self._accept, self._signed(transaction))

    @_told
    def send_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        return self._own(self._send, _request(transaction))

    def _send(self, request: TxRequest) -> bytes:
        sender = request.sender or b""
        if sender not in self._added and all(sender != account.address for account in self.node.accounts):
            raise ValidationError('No valid "from" key was provided in the transaction which is required to sign it.')
        key = self._added.get(sender) or self.node.key_of(sender)
        tx = self.node.fill(self._defaults(request))
        # eth-tester takes signatures apart and admits no v of EIP-155 when it puts them together again.
        return self._accept(sign_tx(replace(tx, chain_id=None) if tx.type == LEGACY else tx, key))

    def _defaults(self, request: TxRequest) -> TxRequest:
        """A transaction without fees pays a gwei a unit, or what the chain asks for."""
        fees = (request.gas_price, request.max_fee_per_gas, request.max_priority_fee_per_gas)
        if any(fee is not None for fee in fees):
            return request
        cap = max(10**9, self.node.next_base_fee() or 0)
        return replace(request, max_fee_per_gas=cap, max_priority_fee_per_gas=10**9)

    def _signed(self, given: Mapping[str, Any]) -> Tx:
        """The transaction of a signature that eth-tester took apart."""
        request = self._defaults(_request(given))
        bare = self.node.fill(replace(request, chain_id=None))
        parity = given["v"] if bare.type == LEGACY else int(given.get("y_parity", given["v"]))
        chain_id = bare.chain_id
        if bare.type == LEGACY:
            chain_id = None if given["v"] in (27, 28) else (given["v"] - 35) // 2
        tx = replace(bare, chain_id=chain_id, v=parity, r=given["r"], s=given["s"])
        return decode_tx(tx.encode())

    def _accept(self, tx: Tx) -> bytes:
        base_fee = self.node.next_base_fee() or 0
        if tx.max_fee_per_gas < base_fee:
            raise ValidationError(f"max fee per gas {tx.max_fee_per_gas} is below the block's base fee {base_fee}")
        # eth-tester decides when a block is mined; whoever else uses the chain keeps its own way.
        automine, self.node.automine = self.node.automine, False
        try:
            return self.node.accept(tx)
        finally:
            self.node.automine = automine

    @_told
    def estimate_gas(self, transaction: Mapping[str, Any], block_number: Any = "latest") -> int:
        return self.node.estimate_gas(_request(transaction), self._ref(block_number))

    def call(self, transaction: Mapping[str, Any], block_number: Any = "latest") -> bytes:
        try:
            return self.node.call(_request(transaction), self._ref(block_number))
        except ExecutionReverted as error:
            raise TransactionFailed(_reason(error)) from None
        except Refused as error:
            raise TransactionFailed(str(error)) from None

    # State

    def _state(self, block_number: Any) -> Any:
        record = self._block(block_number)
        return self.node.chain.state_at(record.hash)

    def get_nonce(self, account: bytes, block_number: Any = "latest") -> int:
        if block_number == "pending":
            return self.node.nonce(account, BlockRef(tag="pending"))
        return int(self._state(block_number or "latest").nonce(account))

    def get_balance(self, account: bytes, block_number: Any = "latest") -> int:
        return int(self._state(block_number or "latest").balance(account))

    def get_code(self, account: bytes, block_number: Any = "latest") -> bytes:
        return bytes(self._state(block_number or "latest").code(account))

    def get_storage(self, account: bytes, slot: int, block_number: Any = "latest") -> int:
        return int.from_bytes(self._state(block_number or "latest").storage(account, slot), "big")

    def get_base_fee(self, block_number: Any = "latest") -> int:
        return self._block(block_number).header.base_fee_per_gas or 0

    def get_fee_history(
        self, block_count: int = 1, newest_block: Any = "latest", reward_percentiles: Sequence[float] = ()
    ) -> dict[str, Any]:
        if not 1 <= block_count <= 1024:
            raise ValidationError("block_count must be between 1 and 1024")
        self._block(newest_block)
        history = self.node.fee_history(block_count, self._ref(newest_block), tuple(reward_percentiles))
        return {
            "oldest_block": history.oldest,
            "base_fee_per_gas": list(history.base_fees),
            "gas_used_ratio": list(history.gas_used_ratios),
            "reward": [list(row) for row in history.rewards or ()],
        }


# -- eth-tester's dictionaries -----------------------------------------------------------------------------------


def _request(given: Mapping[str, Any]) -> TxRequest:
    access_list = given.get("access_list")
    authorizations = given.get("authorization_list")
    return TxRequest(
        sender=given.get("from"),
        to=given.get("to") or None,
        gas=given.get("gas"),
        gas_price=given.get("gas_price"),
        max_fee_per_gas=given.get("max_fee_per_gas"),
        max_priority_fee_per_gas=given.get("max_priority_fee_per_gas"),
        value=given.get("value"),
        nonce=given.get("nonce"),
        data=given.get("data"),
        chain_id=given.get("chain_id"),
        access_list=None if access_list is None else tuple(_access(entry) for entry in access_list),
        authorizations=None if authorizations is None else tuple(_authorization(entry) for entry in authorizations),
    )


def _access(entry: Any) -> tuple[bytes, tuple[int, ...]]:
    address, slots = (entry["address"], entry["storage_keys"]) if isinstance(entry, Mapping) else entry
    return bytes(address), tuple(slot if isinstance(slot, int) else int.from_bytes(slot, "big") for slot in slots)


def _authorization(entry: Any) -> Authorization:
    return Authorization(
        entry["chain_id"], bytes(entry["address"]), entry["nonce"], entry["y_parity"], entry["r"], entry["s"]
    )


def _block_fields(record: BlockRecord, full: bool, *, pending: bool = False) -> dict[str, Any]:
    header = record.header
    place = None if pending else header
    fields: dict[str, Any] = {
        "number": header.block_number,
        "hash": header.hash,
        "parent_hash": header.parent_hash,
        "nonce": header.nonce,
        "sha3_uncles": header.uncles_hash,
        "logs_bloom": int.from_bytes(header.bloom, "big"),
        "transactions_root": header.transaction_root,
        "receipts_root": header.receipt_root,
        "state_root": header.state_root,
        "coinbase": header.coinbase,
        "difficulty": header.difficulty,
        "total_difficulty": header.difficulty,
        "mix_hash": header.mix_hash,
        "size": record.size,
        "extra_data": header.extra_data.rjust(32, b"\0"),
        "gas_limit": header.gas_limit,
        "gas_used": header.gas_used,
        "timestamp": header.timestamp,
        "transactions": [
            _transaction_fields(tx, place, index) if full else tx.hash for index, tx in enumerate(record.transactions)
        ],
        "uncles": [uncle.hash for uncle in record.uncles],
    }
    if header.base_fee_per_gas is not None:
        fields["base_fee_per_gas"] = header.base_fee_per_gas
    if header.withdrawals_root is not None:
        fields["withdrawals"] = [_withdrawal_fields(item) for item in record.withdrawals or ()]
        fields["withdrawals_root"] = header.withdrawals_root or EMPTY_ROOT
    if header.parent_beacon_block_root is not None:
        fields["parent_beacon_block_root"] = header.parent_beacon_block_root
        fields["blob_gas_used"] = header.blob_gas_used
        fields["excess_blob_gas"] = header.excess_blob_gas
    if header.requests_hash is not None:
        fields["requests_hash"] = header.requests_hash
    return fields


def _withdrawal_fields(item: Withdrawal) -> dict[str, Any]:
    return {
        "index": item.index,
        "validator_index": item.validator_index,
        "address": item.address,
        "amount": item.amount,
    }


def _transaction_fields(tx: Tx, header: Header | None, index: int) -> dict[str, Any]:
    base_fee = (header.base_fee_per_gas or 0) if header is not None else 0
    fields: dict[str, Any] = {
        "type": hex(tx.type),
        "hash": tx.hash,
        "nonce": tx.nonce,
        "block_hash": None if header is None else header.hash,
        "block_number": None if header is None else header.block_number,
        "transaction_index": None if header is None else index,
        "from": tx.sender,
        "to": tx.to or b"",
        "value": tx.value,
        "gas": tx.gas,
        "data": tx.data,
        "gas_price": tx.max_fee_per_gas if header is None else tx.effective_gas_price(base_fee),
        "v": tx.v,
        "r": tx.r,
        "s": tx.s,
    }
    if tx.type > LEGACY:
        fields |= {"chain_id": tx.chain_id, "access_list": tx.access_list, "y_parity": tx.v}
    if tx.gas_price is None:
        fields |= {
            "max_fee_per_gas": tx.max_fee_per_gas,
            "max_priority_fee_per_gas": tx.max_priority_fee_per_gas,
        }
    if tx.blob_hashes:
        fields |= {"max_fee_per_blob_gas": tx.max_fee_per_blob_gas, "blob_versioned_hashes": tx.blob_hashes}
    if tx.type == SET_CODE:
        fields["authorization_list"] = [
            {
                "chain_id": item.chain_id,
                "address": item.address,
                "nonce": item.nonce,
                "y_parity": item.y_parity,
                "r": item.r,
                "s": item.s,
            }
            for item in tx.authorizations
        ]
    return fields


def _receipt_fields(receipt: ReceiptRecord, *, pending: bool) -> dict[str, Any]:
    place = {
        "transaction_index": None if pending else receipt.tx_index,
        "block_hash": None if pending else receipt.block_hash,
        "block_number": None if pending else receipt.block_number,
    }
    fields: dict[str, Any] = {
        **place,
        "contract_address": receipt.contract_address,
        "cumulative_gas_used": receipt.cumulative_gas_used,
        "effective_gas_price": receipt.effective_gas_price,
        "from": receipt.sender,
        "gas_used": receipt.gas_used,
        "logs": [
            {
                **place,
                "type": "pending" if pending else "mined",
                "log_index": receipt.first_log_index + position,
                "transaction_hash": receipt.tx_hash,
                "address": log.address,
                "data": log.data,
                "topics": list(log.topics),
            }
            for position, log in enumerate(receipt.logs)
        ],
        "state_root": b"\x01" if receipt.status else b"",
        "status": receipt.status,
        "to": receipt.to or b"",
        "transaction_hash": receipt.tx_hash,
        "type": hex(receipt.type),
    }
    if receipt.blob_gas_used is not None:
        fields |= {"blob_gas_used": receipt.blob_gas_used, "blob_gas_price": receipt.blob_gas_price or 0}
    return fields
