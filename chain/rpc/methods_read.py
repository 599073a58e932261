"""Reading blocks, transactions, receipts and state."""

from __future__ import annotations

from typing import Any, Final

from chain.requests import LATEST, BlockRef
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import InvalidParams
from chain.rpc.formats import block_json, data, header_json, receipt_json, transaction_json
from chain.rpc.params import Param

__all__ = ["READ_METHODS"]

MAX_STORAGE_SLOTS = 1_024

_ADDRESS = Param("address", p.address)
_BLOCK = Param("block", p.block_ref, LATEST)


def block_number(context: Context) -> str:
    """eth_blockNumber."""
    return hex(context.node.head.number)


def get_block(context: Context, ref: BlockRef, full: bool) -> dict[str, Any] | None:
    """eth_getBlockByNumber, eth_getBlockByHash."""
    if ref.tag == "pending":
        return _pending_block(context, full)
    record = context.node.find_block(ref)
    return None if record is None else block_json(record, full=full)


# Nobody has mined a pending block, so these say nothing yet.
_UNKNOWN: Final = {"hash": None, "nonce": None, "miner": None}


def _pending_block(context: Context, full: bool) -> dict[str, Any]:
    result = block_json(context.node.pending_block(), full=full)
    result.update(_UNKNOWN)
    for item in result["transactions"]:
        if isinstance(item, dict):
            item["blockHash"] = None
    return result


def get_header(context: Context, ref: BlockRef) -> dict[str, Any] | None:
    """eth_getHeaderByNumber, eth_getHeaderByHash."""
    if ref.tag == "pending":
        return {**header_json(context.node.pending_block().header), **_UNKNOWN}
    record = context.node.find_block(ref)
    return None if record is None else header_json(record.header)


def transaction_count_of_block(context: Context, ref: BlockRef) -> str | None:
    """eth_getBlockTransactionCountByNumber, ...ByHash."""
    if ref.tag == "pending":
        return hex(len(context.node.pending_block().transactions))
    record = context.node.find_block(ref)
    return None if record is None else hex(len(record.transactions))


def uncle_count(context: Context, ref: BlockRef) -> str | None:
    """eth_getUncleCountByBlockNumber, ...ByBlockHash."""
    record = context.node.find_block(ref)
    return None if record is None else hex(len(record.uncles))


def uncle(context: Context, ref: BlockRef, index: int) -> dict[str, Any] | None:
    """eth_getUncleByBlockNumberAndIndex, ...ByBlockHashAndIndex."""
    record = context.node.find_block(ref)
    if record is None or index >= len(record.uncles):
        return None
    return header_json(record.uncles[index])


def transaction_of_block(context: Context, ref: BlockRef, index: int) -> dict[str, Any] | None:
    """eth_getTransactionByBlockNumberAndIndex, ...ByBlockHashAndIndex."""
    pending = ref.tag == "pending"
    record = context.node.pending_block() if pending else context.node.find_block(ref)
    if record is None or index >= len(record.transactions):
        return None
    shown = transaction_json(record.transactions[index], record.header, index)
    return {**shown, "blockHash": None} if pending else shown


def raw_transaction_of_block(context: Context, ref: BlockRef, index: int) -> str | None:
    """eth_getRawTransactionByBlockNumberAndIndex, ...ByBlockHashAndIndex."""
    record = context.node.pending_block() if ref.tag == "pending" else context.node.find_block(ref)
    if record is None or index >= len(record.transactions):
        return None
    return data(record.transactions[index].encode())


def get_transaction(context: Context, tx_hash: bytes) -> dict[str, Any] | None:
    """eth_getTransactionByHash."""
    found = context.node.find_transaction(tx_hash)
    if found is None:
        return None
    tx, record, index = found
    return transaction_json(tx) if record is None else transaction_json(tx, record.header, index)


def raw_transaction(context: Context, tx_hash: bytes) -> str | None:
    """eth_getRawTransactionByHash."""
    found = context.node.find_transaction(tx_hash)
    return None if found is None else data(found[0].encode())


def get_receipt(context: Context, tx_hash: bytes) -> dict[str, Any] | None:
    """eth_getTransactionReceipt."""
    found = context.node.find_receipt(tx_hash)
    return None if found is None else receipt_json(*found)


def block_receipts(context: Context, ref: BlockRef) -> list[dict[str, Any]] | None:
    """eth_getBlockReceipts."""
    record = context.node.find_block(ref)
    if record is None:
        return None
    return [receipt_json(receipt, record.header) for receipt in context.node.receipts(record.hash)]


def get_balance(context: Context, address: bytes, ref: BlockRef) -> str:
    """eth_getBalance."""
    return hex(context.node.state(ref).balance(address))


def get_code(context: Context, address: bytes, ref: BlockRef) -> str:
    """eth_getCode."""
    return data(context.node.state(ref).code(address))


def get_nonce(context: Context, address: bytes, ref: BlockRef) -> str:
    """eth_getTransactionCount."""
    return hex(context.node.nonce(address, ref))


def get_storage(context: Context, address: bytes, key: bytes, ref: BlockRef) -> str:
    """eth_getStorageAt."""
    return data(context.node.state(ref).storage(address, int.from_bytes(key, "big")))


def get_account(context: Context, address: bytes, ref: BlockRef) -> dict[str, str]:
    """eth_getAccount: nonce, balance, root of the storage and hash of the code."""
    state = context.node.state(ref)
    return {
        "nonce": hex(state.nonce(address)),
        "balance": hex(state.balance(address)),
        "storageRoot": data(state.storage_root(address)),
        "codeHash": data(state.code_hash(address)),
    }


def get_account_info(context: Context, address: bytes, ref: BlockRef) -> dict[str, str]:
    """eth_getAccountInfo: balance, nonce and code at once, as Foundry's forks ask for them."""
    state = context.node.state(ref)
    return {
        "balance": hex(state.balance(address)),
        "nonce": hex(state.nonce(address)),
        "code": data(state.code(address)),
    }


def get_storage_values(context: Context, wanted: dict[str, Any], ref: BlockRef) -> dict[str, list[str]]:
    """eth_getStorageValues."""
    parsed = []
    parse_keys = p.list_of(p.storage_key, MAX_STORAGE_SLOTS)
    for name, keys in wanted.items():
        try:
            parsed.append((name, p.address(name), parse_keys(keys)))
        except p.BadValue as error:
            raise InvalidParams(f"invalid argument 0 (requests): {name[:80]}: {error}") from None
    if not parsed:
        raise InvalidParams("invalid argument 0 (requests): empty request")
    if sum(len(keys) for _, _, keys in parsed) > MAX_STORAGE_SLOTS:
        raise InvalidParams(f"invalid argument 0 (requests): too many slots, want at most {MAX_STORAGE_SLOTS}")
    state = context.node.state(ref)
    return {
        name: [data(state.storage(address, int.from_bytes(key, "big"))) for key in keys]
        for name, address, keys in parsed
    }


def _hash_ref(value: Any) -> BlockRef:
    return BlockRef(hash=p.hash32(value))


_HASH = Param("hash", p.hash32)
_BY_NUMBER = Param("block", p.block_number)
_BY_HASH = Param("hash", _hash_ref)
_FULL = Param("fullTransactions", p.boolean, False)
_INDEX = Param("index", p.index)

READ_METHODS: Final = (
    Method("eth_blockNumber", block_number, where="loop"),
    Method("eth_getAccount", get_account, (_ADDRESS, _BLOCK)),
    Method("eth_getAccountInfo", get_account_info, (_ADDRESS, _BLOCK)),
    Method("eth_getBalance", get_balance, (_ADDRESS, _BLOCK)),
    Method("eth_getBlockByHash", get_block, (_BY_HASH, _FULL)),
    Method("eth_getBlockByNumber", get_block, (Param("block", p.block_number, LATEST), _FULL)),
    Method("eth_getBlockReceipts", block_receipts, (_BLOCK,)),
    Method("eth_getBlockTransactionCountByHash", transaction_count_of_block, (_BY_HASH,)),
    Method("eth_getBlockTransactionCountByNumber", transaction_count_of_block, (_BY_NUMBER,)),
    Method("eth_getCode", get_code, (_ADDRESS, _BLOCK)),
    Method("eth_getHeaderByHash", get_header, (_BY_HASH,)),
    Method("eth_getHeaderByNumber", get_header, (_BY_NUMBER,)),
    Method("eth_getRawTransactionByBlockHashAndIndex", raw_transaction_of_block, (_BY_HASH, _INDEX)),
    Method("eth_getRawTransactionByBlockNumberAndIndex", raw_transaction_of_block, (_BY_NUMBER, _INDEX)),
    Method("eth_getRawTransactionByHash", raw_transaction, (_HASH,)),
    Method("eth_getStorageAt", get_storage, (_ADDRESS, Param("key", p.storage_key), _BLOCK)),
    Method("eth_getStorageValues", get_storage_values, (Param("requests", p.raw_object), _BLOCK)),
    Method("eth_getTransactionByBlockHashAndIndex", transaction_of_block, (_BY_HASH, _INDEX)),
    Method("eth_getTransactionByBlockNumberAndIndex", transaction_of_block, (_BY_NUMBER, _INDEX)),
    Method("eth_getTransactionByHash", get_transaction, (_HASH,)),
    Method("eth_getTransactionCount", get_nonce, (_ADDRESS, _BLOCK)),
    Method("eth_getTransactionReceipt", get_receipt, (_HASH,)),
    Method("eth_getUncleByBlockHashAndIndex", uncle, (_BY_HASH, _INDEX)),
    Method("eth_getUncleByBlockNumberAndIndex", uncle, (_BY_NUMBER, _INDEX)),
    Method("eth_getUncleCountByBlockHash", uncle_count, (_BY_HASH,)),
    Method("eth_getUncleCountByBlockNumber", uncle_count, (_BY_NUMBER,)),
)
