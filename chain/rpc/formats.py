"""Records as JSON, with exactly the keys of the execution-apis schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chain.accounts import checksum_address
from chain.block import Header, Withdrawal
from chain.logs import LocatedLog, locate_logs
from chain.records import BlockRecord, ReceiptRecord
from chain.transaction import ACCESS_LIST, BLOB, LEGACY, SET_CODE, AccessList, Tx

__all__ = [
    "access_list_json",
    "block_json",
    "data",
    "header_json",
    "log_json",
    "pool_json",
    "pool_line",
    "receipt_json",
    "transaction_json",
    "word",
]


def data(value: bytes) -> str:
    """Bytes as hex."""
    return "0x" + value.hex()


def word(value: int) -> str:
    """A number as 32 bytes."""
    return f"0x{value:064x}"


def header_json(header: Header) -> dict[str, Any]:
    """A header; fields of forks that it does not belong to are left out."""
    result: dict[str, Any] = {
        "difficulty": hex(header.difficulty),
        "extraData": data(header.extra_data),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "hash": data(header.hash),
        "logsBloom": data(header.bloom),
        "miner": data(header.coinbase),
        "mixHash": data(header.mix_hash),
        "nonce": data(header.nonce),
        "number": hex(header.block_number),
        "parentHash": data(header.parent_hash),
        "receiptsRoot": data(header.receipt_root),
        "sha3Uncles": data(header.uncles_hash),
        "stateRoot": data(header.state_root),
        "timestamp": hex(header.timestamp),
        "transactionsRoot": data(header.transaction_root),
    }
    if header.base_fee_per_gas is not None:
        result["baseFeePerGas"] = hex(header.base_fee_per_gas)
    if header.withdrawals_root is not None:
        result["withdrawalsRoot"] = data(header.withdrawals_root)
    if header.blob_gas_used is not None:
        result["blobGasUsed"] = hex(header.blob_gas_used)
    if header.excess_blob_gas is not None:
        result["excessBlobGas"] = hex(header.excess_blob_gas)
    if header.parent_beacon_block_root is not None:
        result["parentBeaconBlockRoot"] = data(header.parent_beacon_block_root)
    if header.requests_hash is not None:
        result["requestsHash"] = data(header.requests_hash)
    return result


def block_json(block: BlockRecord, *, full: bool) -> dict[str, Any]:
    """A block with its transactions as objects (`full`) or hashes."""
    result = header_json(block.header)
    result["size"] = hex(block.size)
    result["uncles"] = [data(uncle.hash) for uncle in block.uncles]
    if full:
        result["transactions"] = [transaction_json(tx, block.header, i) for i, tx in enumerate(block.transactions)]
    else:
        result["transactions"] = [data(tx.hash) for tx in block.transactions]
    if block.withdrawals is not None:
        result["withdrawals"] = [_withdrawal_json(withdrawal) for withdrawal in block.withdrawals]
    return result


def _withdrawal_json(withdrawal: Withdrawal) -> dict[str, str]:
    return {
        "index": hex(withdrawal.index),
        "validatorIndex": hex(withdrawal.validator_index),
        "address": data(withdrawal.address),
        "amount": hex(withdrawal.amount),
    }


def access_list_json(entries: AccessList) -> list[dict[str, Any]]:
    """An access list."""
    return [{"address": data(address), "storageKeys": [word(slot) for slot in slots]} for address, slots in entries]


def transaction_json(tx: Tx, header: Header | None = None, index: int | None = None) -> dict[str, Any]:
    """A transaction; the block's fields are null while it waits in the pool."""
    result: dict[str, Any] = {
        "blockHash": None if header is None else data(header.hash),
        "blockNumber": None if header is None else hex(header.block_number),
        "blockTimestamp": None if header is None else hex(header.timestamp),
        "from": data(tx.sender),
        "gas": hex(tx.gas),
        "hash": data(tx.hash),
        "input": data(tx.data),
        "nonce": hex(tx.nonce),
        "to": None if tx.to is None else data(tx.to),
        "transactionIndex": None if index is None else hex(index),
        "value": hex(tx.value),
        "type": hex(tx.type),
        "v": hex(tx.v),
        "r": hex(tx.r),
        "s": hex(tx.s),
    }
    if tx.chain_id is not None:
        result["chainId"] = hex(tx.chain_id)
    if tx.type in (LEGACY, ACCESS_LIST):
        result["gasPrice"] = hex(tx.gas_price or 0)
    else:
        price = tx.max_fee_per_gas
        if header is not None and header.base_fee_per_gas is not None:
            price = tx.effective_gas_price(header.base_fee_per_gas)
        result["gasPrice"] = hex(price)
        result["maxFeePerGas"] = hex(tx.max_fee_per_gas)
        result["maxPriorityFeePerGas"] = hex(tx.max_priority_fee_per_gas)
    if tx.type >= ACCESS_LIST:
        result["accessList"] = access_list_json(tx.access_list)
        result["yParity"] = hex(tx.v)
    if tx.type == BLOB:
        result["maxFeePerBlobGas"] = hex(tx.max_fee_per_blob_gas)
        result["blobVersionedHashes"] = [data(item) for item in tx.blob_hashes]
    if tx.type == SET_CODE:
        result["authorizationList"] = [
            {
                "chainId": hex(item.chain_id),
                "address": data(item.address),
                "nonce": hex(item.nonce),
                "yParity": hex(item.y_parity),
                "r": hex(item.r),
                "s": hex(item.s),
            }
            for item in tx.authorizations
        ]
    return result


def log_json(item: LocatedLog) -> dict[str, Any]:
    """A log with its place in the chain."""
    header = item.header
    return {
        "address": data(item.log.address),
        "topics": [data(topic) for topic in item.log.topics],
        "data": data(item.log.data),
        "blockNumber": hex(header.block_number),
        "transactionHash": data(item.tx_hash),
        "transactionIndex": hex(item.tx_index),
        "blockHash": data(header.hash),
        "blockTimestamp": hex(header.timestamp),
        "logIndex": hex(item.log_index),
        "removed": item.removed,
    }


def receipt_json(receipt: ReceiptRecord, header: Header) -> dict[str, Any]:
    """A receipt."""
    result: dict[str, Any] = {
        "blockHash": data(receipt.block_hash),
        "blockNumber": hex(receipt.block_number),
        "contractAddress": None if receipt.contract_address is None else data(receipt.contract_address),
        "cumulativeGasUsed": hex(receipt.cumulative_gas_used),
        "effectiveGasPrice": hex(receipt.effective_gas_price),
        "from": data(receipt.sender),
        "gasUsed": hex(receipt.gas_used),
        "logs": [log_json(item) for item in locate_logs(header, (receipt,))],
        "logsBloom": data(receipt.bloom),
        "to": None if receipt.to is None else data(receipt.to),
        "transactionHash": data(receipt.tx_hash),
        "transactionIndex": hex(receipt.tx_index),
        "type": hex(receipt.type),
    }
    if receipt.status is not None:
        result["status"] = hex(receipt.status)
    if receipt.post_state is not None:
        result["root"] = data(receipt.post_state)
    if receipt.blob_gas_used is not None:
        result["blobGasUsed"] = hex(receipt.blob_gas_used)
    if receipt.blob_gas_price is not None:
        result["blobGasPrice"] = hex(receipt.blob_gas_price)
    return result


def pool_json(transactions: Iterable[Tx]) -> dict[str, Any]:
    """One sender's transactions as txpool_content shows them: by decimal nonce."""
    return {str(tx.nonce): transaction_json(tx) for tx in transactions}


def pool_line(tx: Tx) -> str:
    """A transaction as txpool_inspect shows it."""
    target = "contract creation" if tx.to is None else checksum_address(tx.to)
    return f"{target}: {tx.value} wei + {tx.gas} gas × {tx.max_fee_per_gas} wei"
