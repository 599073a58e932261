"""What the block explorer Otterscan asks for: the namespace `ots`, API level 8, and `erigon_getHeaderByNumber`.

A big node answers these from indexes. Here blocks are read one after the other, which a development chain is short
enough for; how far a search looks is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from chain.records import BlockRecord, ReceiptRecord
from chain.refusals import BadArgument
from chain.requests import BlockRef
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.formats import block_json, data, header_json, receipt_json, transaction_json
from chain.rpc.methods_trace import flat_traces
from chain.rpc.params import Param
from chain.tracing.events import Limits
from chain.tracing.options import DEFAULT_TIMEOUT_S

__all__ = ["OTTERSCAN_METHODS"]

API_LEVEL = 8
MAX_SEARCHED_BLOCKS = 10_000
MAX_PAGE = 100


def api_level(_context: Context) -> int:
    """ots_getApiLevel: which version of this namespace is served."""
    return API_LEVEL


def has_code(context: Context, address: bytes, ref: BlockRef) -> bool:
    """ots_hasCode: whether an account is a contract."""
    return bool(context.node.state(ref).code(address))


def header(context: Context, ref: BlockRef) -> dict[str, Any] | None:
    """erigon_getHeaderByNumber: a block's header."""
    record = context.node.find_block(ref)
    return None if record is None else header_json(record.header)


def _traces(context: Context, tx_hash: bytes) -> list[dict[str, Any]] | None:
    found = context.node.chain.transaction(tx_hash)
    if found is None:
        return None
    return flat_traces(context, found[0], Limits(DEFAULT_TIMEOUT_S), found[1])


_OPERATIONS: Final = {"call": 0, "suicide": 1, "create": 2, "create2": 3}


def internal_operations(context: Context, tx_hash: bytes) -> list[dict[str, Any]]:
    """ots_getInternalOperations: transfers, creations and self-destructions inside a transaction.

    `type` is 0 for a transfer of ether, 1 for a self-destruction, 2 for CREATE, 3 for CREATE2.
    """
    shown = []
    for trace in (_traces(context, tx_hash) or [])[1:]:
        action, kind = trace["action"], trace["type"]
        if "error" in trace or (kind == "call" and action["value"] == "0x0"):
            continue
        shown.append(
            {
                "type": _OPERATIONS[action.get("creationMethod", kind)],
                "from": action.get("from") or action["address"],
                "to": action.get("to") or action.get("refundAddress") or trace["result"]["address"],
                "value": action.get("value") or action["balance"],
            }
        )
    return shown


def trace(context: Context, tx_hash: bytes) -> list[dict[str, Any]] | None:
    """ots_traceTransaction: the calls of a transaction with their depth."""
    traces = _traces(context, tx_hash)
    if traces is None:
        return None
    shown = []
    for item in traces:
        action, kind = item["action"], item["type"]
        call_type = action.get("callType", "")
        shown.append(
            {
                "type": {"create": "CREATE", "suicide": "SELFDESTRUCT"}.get(kind, call_type.upper()),
                "depth": len(item["traceAddress"]),
                "from": action.get("from") or action["address"],
                "to": action.get("to") or action.get("refundAddress") or item.get("result", {}).get("address"),
                "value": action.get("value") or action.get("balance"),
                "input": action.get("input") or action.get("init") or "0x",
                "output": (item.get("result") or {}).get("output") or (item.get("result") or {}).get("code") or "0x",
            }
        )
    return shown


def transaction_error(context: Context, tx_hash: bytes) -> str:
    """ots_getTransactionError: what a transaction that reverted returned; "0x" for any other."""
    found = context.node.find_receipt(tx_hash)
    if found is None or found[0].status != 0:
        return "0x"
    traces = _traces(context, tx_hash) or []
    result: dict[str, str] = traces[0].get("result", {}) if traces else {}
    return result.get("output", "0x")


def _details(context: Context, record: BlockRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    block = block_json(record, full=False)
    # Otterscan wants how many there are, not which, and no blooms.
    block["transactionCount"] = len(block.pop("transactions"))
    block["logsBloom"] = None
    base_fee = record.header.base_fee_per_gas or 0
    receipts = context.node.receipts(record.hash)
    fees = sum(receipt.gas_used * receipt.effective_gas_price for receipt in receipts)
    return {
        "block": block,
        "issuance": {"blockReward": "0x0", "uncleReward": "0x0", "issuance": "0x0"},
        "totalFees": hex(fees - base_fee * record.header.gas_used),
    }


def block_details(context: Context, ref: BlockRef) -> dict[str, Any] | None:
    """ots_getBlockDetails, ots_getBlockDetailsByHash: a block without its transactions, and its fees in wei."""
    return _details(context, context.node.find_block(ref))


def block_transactions(context: Context, ref: BlockRef, page: int, size: int) -> dict[str, Any] | None:
    """ots_getBlockTransactions: one page of a block's transactions with their receipts, newest first."""
    record = context.node.find_block(ref)
    if record is None:
        return None
    size = min(size, MAX_PAGE)
    indexes = range(len(record.transactions))[::-1][page * size : (page + 1) * size]
    receipts = context.node.receipts(record.hash)
    block = block_json(record, full=False)
    block["transactionCount"] = len(record.transactions)
    block["transactions"] = [transaction_json(record.transactions[i], record.header, i) for i in indexes]
    for item in block["transactions"]:
        # Four bytes tell the method; the page needs no more.
        item["input"] = item["input"][:10]
    return {
        "fullblock": block,
        "receipts": [{**receipt_json(receipts[i], record.header), "logs": None, "logsBloom": None} for i in indexes],
    }


def _blocks(context: Context, numbers: Iterable[int]) -> Iterable[BlockRecord]:
    for number in numbers:
        record = context.node.chain.block_by_number(number)
        if record is not None:
            yield record


def by_sender_and_nonce(context: Context, address: bytes, nonce: int) -> str | None:
    """ots_getTransactionBySenderAndNonce: a transaction's hash."""
    found = transaction_by_nonce(context, address, nonce)
    return None if found is None else found["hash"]


def transaction_by_nonce(context: Context, address: bytes, nonce: int) -> dict[str, Any] | None:
    """eth_getTransactionBySenderAndNonce: a transaction of an account, mined or waiting."""
    for tx in context.node.pool.of_sender(address):
        if tx.nonce == nonce:
            return transaction_json(tx)
    head = context.node.head.number
    for record in _blocks(context, range(head, max(-1, head - MAX_SEARCHED_BLOCKS), -1)):
        for index, tx in enumerate(record.transactions):
            if tx.sender == address and tx.nonce == nonce:
                return transaction_json(tx, record.header, index)
    return None


def contract_creator(context: Context, address: bytes) -> dict[str, str] | None:
    """ots_getContractCreator: the transaction that made a contract, and who made it."""
    if not context.node.state().code(address):
        return None
    low, high = 0, context.node.head.number
    # The first block behind which the code is there: contracts rarely go, and never come back elsewhere.
    while low < high:
        middle = (low + high) // 2
        if context.node.state(BlockRef(number=middle)).code(address):
            high = middle
        else:
            low = middle + 1
    if low == 0:
        # Of the genesis: nobody made it.
        return None
    record = context.node.block(BlockRef(number=low))
    for trace_item in flat_traces(context, record, Limits(DEFAULT_TIMEOUT_S)):
        if trace_item["type"] == "create" and trace_item.get("result", {}).get("address") == data(address):
            return {"hash": trace_item["transactionHash"], "creator": trace_item["action"]["from"]}
    return None


def _concerns(address: bytes, receipt: ReceiptRecord) -> bool:
    """Whether a transaction came from, went to, made, or logged from or about an address."""
    topic = address.rjust(32, b"\0")
    return address in (receipt.sender, receipt.to, receipt.contract_address) or any(
        log.address == address or topic in log.topics for log in receipt.logs
    )


def _search(context: Context, address: bytes, numbers: range, page_size: int) -> dict[str, Any]:
    """Transactions of some blocks, as far as one page needs; whole blocks, so that a page may run over."""
    txs: list[dict[str, Any]] = []
    receipts: list[dict[str, Any]] = []
    last = numbers.stop
    for record in _blocks(context, numbers):
        last = record.number
        found = list(enumerate(context.node.receipts(record.hash)))
        # In the order in which the blocks come.
        for index, receipt in found if numbers.step > 0 else reversed(found):
            if _concerns(address, receipt):
                txs.append(transaction_json(record.transactions[index], record.header, index))
                receipts.append({**receipt_json(receipt, record.header), "timestamp": record.timestamp})
        if len(txs) >= page_size:
            break
    ended = not numbers or last == numbers[-1]
    return {"txs": txs, "receipts": receipts, "ended": ended}


def search_before(context: Context, address: bytes, number: int, page_size: int) -> dict[str, Any]:
    """ots_searchTransactionsBefore: a page of transactions below a block, newest first; block 0 means the head."""
    head = context.node.head.number
    top = head if number == 0 else min(number - 1, head)
    found = _search(context, address, range(top, max(-1, top - MAX_SEARCHED_BLOCKS), -1), _page(page_size))
    return {"txs": found["txs"], "receipts": found["receipts"], "firstPage": number == 0, "lastPage": found["ended"]}


def search_after(context: Context, address: bytes, number: int, page_size: int) -> dict[str, Any]:
    """ots_searchTransactionsAfter: a page of transactions above a block, newest first; block 0 means the beginning."""
    head = context.node.head.number
    low = number + 1 if number else 0
    found = _search(context, address, range(low, min(head + 1, low + MAX_SEARCHED_BLOCKS)), _page(page_size))
    return {
        "txs": found["txs"][::-1],
        "receipts": found["receipts"][::-1],
        "firstPage": found["ended"],
        "lastPage": number == 0,
    }


def _page(size: int) -> int:
    if not 0 < size <= MAX_PAGE:
        raise BadArgument(f"a page has 1 to {MAX_PAGE} transactions")
    return size


def _hash_ref(value: Any) -> BlockRef:
    return BlockRef(hash=p.hash32(value))


def _any_block(value: Any) -> BlockRef:
    """A block number in hex, or as the JSON number that Otterscan sends."""
    return BlockRef(number=value) if isinstance(value, int) and not isinstance(value, bool) else p.block_number(value)


_ADDRESS = Param("address", p.address)
_HASH = Param("hash", p.hash32)
_BLOCK = Param("block", _any_block)
_PAGED = (_ADDRESS, Param("block", p.loose_quantity), Param("pageSize", p.loose_quantity))

OTTERSCAN_METHODS: Final = (
    Method("erigon_getHeaderByNumber", header, (_BLOCK,)),
    Method(
        "eth_getTransactionBySenderAndNonce",
        transaction_by_nonce,
        (_ADDRESS, Param("nonce", p.loose_quantity)),
        where="call",
    ),
    Method("ots_getApiLevel", api_level, where="loop"),
    Method("ots_getBlockDetails", block_details, (_BLOCK,)),
    Method("ots_getBlockDetailsByHash", block_details, (Param("hash", _hash_ref),)),
    Method(
        "ots_getBlockTransactions",
        block_transactions,
        (_BLOCK, Param("page", p.loose_quantity), Param("pageSize", p.loose_quantity)),
    ),
    Method("ots_getContractCreator", contract_creator, (_ADDRESS,), where="call"),
    Method("ots_getInternalOperations", internal_operations, (_HASH,), where="call"),
    Method(
        "ots_getTransactionBySenderAndNonce",
        by_sender_and_nonce,
        (_ADDRESS, Param("nonce", p.loose_quantity)),
        where="call",
    ),
    Method("ots_getTransactionError", transaction_error, (_HASH,), where="call"),
    Method("ots_hasCode", has_code, (_ADDRESS, _BLOCK)),
    Method("ots_searchTransactionsAfter", search_after, _PAGED, where="call"),
    Method("ots_searchTransactionsBefore", search_before, _PAGED, where="call"),
    Method("ots_traceTransaction", trace, (_HASH,), where="call"),
)
