"""The namespace `debug`: records as they are encoded, and traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chain.block import Block, Receipt, decode_block, encode_block, encode_receipt, header_fields
from chain.errors import InvalidBlock, InvalidTransaction
from chain.overrides import BlockOverrides, StateOverrides, env_with
from chain.records import BlockRecord, ReceiptRecord, block_record
from chain.refusals import Refused
from chain.requests import LATEST, BlockRef, TxRequest
from chain.rlp_codec import encode
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.formats import data, word
from chain.rpc.params import Param
from chain.storage_range import storage_range
from chain.tracing.options import TraceOptions, parse_duration
from chain.tracing.replay import trace_block, trace_call, trace_transaction
from chain.trial import call_request

__all__ = ["DEBUG_METHODS", "call_trace_options", "trace_options"]

NO_OPTIONS: Final = TraceOptions()
MAX_STORAGE_ENTRIES: Final = 10_000


# Raw records


def raw_header(context: Context, ref: BlockRef) -> str:
    """debug_getRawHeader: a header's RLP."""
    return data(encode(header_fields(context.node.block(ref).header)))


def raw_block(context: Context, ref: BlockRef) -> str:
    """debug_getRawBlock: a block's RLP."""
    return data(encode_block(context.node.block(ref).block))


def raw_receipts(context: Context, ref: BlockRef) -> list[str]:
    """debug_getRawReceipts: the receipts of a block as the receipts root commits to them."""
    return [data(encode_receipt(_consensus(item))) for item in context.node.receipts(context.node.block(ref).hash)]


def _consensus(record: ReceiptRecord) -> Receipt:
    """The part of a receipt that the receipts root commits to."""
    return Receipt(
        record.type, record.status or 0, record.cumulative_gas_used, record.bloom, record.logs, record.post_state
    )


def raw_transaction(context: Context, tx_hash: bytes) -> str:
    """debug_getRawTransaction: a transaction as it was signed; "0x" for one that is not known."""
    found = context.node.find_transaction(tx_hash)
    return "0x" if found is None else data(found[0].encode())


def bad_blocks(_context: Context) -> list[Any]:
    """debug_getBadBlocks: none are kept."""
    return []


def storage_range_at(
    context: Context, ref: BlockRef, index: int, address: bytes, start: bytes, limit: int
) -> dict[str, Any]:
    """debug_storageRangeAt: a contract's slots before a transaction of a block, by their hashes.

    An index as large as the number of transactions means behind the block. `key` is null where only the hash of a
    slot's number is known. `nextKey` is where the next page begins, or null.
    """
    record = _traced_block(context, ref)
    found = storage_range(context.node.chain, record, index, address, start, min(limit, MAX_STORAGE_ENTRIES))
    return {
        "storage": {
            data(entry.hashed): {"key": None if entry.slot is None else word(entry.slot), "value": word(entry.value)}
            for entry in found.entries
        },
        "nextKey": None if found.next_hash is None else data(found.next_hash),
    }


# Traces


def _traced_block(context: Context, ref: BlockRef) -> BlockRecord:
    record = context.node.find_block(ref)
    if record is None:
        raise Refused(f"block {ref} not found" if ref.hash is not None else f"block #{ref} not found")
    return record


def debug_trace_block(context: Context, ref: BlockRef, options: TraceOptions) -> list[dict[str, Any]]:
    """debug_traceBlockByNumber, debug_traceBlockByHash: every transaction of a block, traced."""
    return trace_block(context.node.chain, _traced_block(context, ref), options)


def debug_trace_raw_block(context: Context, raw: Block, options: TraceOptions) -> list[dict[str, Any]]:
    """debug_traceBlock: the transactions of a block given in RLP, on the state behind its parent."""
    return trace_block(context.node.chain, block_record(raw), options)


def debug_trace_transaction(context: Context, tx_hash: bytes, options: TraceOptions) -> Any:
    """debug_traceTransaction: a mined transaction, run again behind those before it in its block."""
    found = context.node.chain.transaction(tx_hash)
    if found is None:
        raise Refused("transaction not found")
    return trace_transaction(context.node.chain, *found, options)


def debug_trace_call(
    context: Context,
    request: TxRequest,
    ref: BlockRef,
    options: tuple[TraceOptions, StateOverrides | None, BlockOverrides | None],
) -> Any:
    """debug_traceCall: a call as eth_call runs it, traced."""
    tracing, overrides, block = options
    chain, record = context.node.chain, context.node.block(ref)
    env = None if block is None else env_with(chain.env_of(record), block, chain.schedule)
    try:
        return trace_call(chain, call_request(request, request.gas), record, tracing, env=env, overrides=overrides)
    except InvalidTransaction as error:
        raise Refused(error.reason) from None


# name -> (attribute, parser)
_OPTION_FIELDS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "tracer": ("tracer", p.text),
    "tracerConfig": ("config", p.raw_object),
    "disableStack": ("disable_stack", p.boolean),
    "disableStorage": ("disable_storage", p.boolean),
    "enableMemory": ("enable_memory", p.boolean),
    "enableReturnData": ("enable_return_data", p.boolean),
    "limit": ("limit", p.loose_quantity),
}


def trace_options(value: Any) -> TraceOptions:
    """geth's TraceConfig; fields that are not known are passed over, as geth does."""
    fields = p.raw_object(value)
    values: dict[str, Any] = {}
    for name, (attribute, parse) in _OPTION_FIELDS.items():
        if fields.get(name) is not None:
            values[attribute] = _field(name, parse, fields[name])
    if fields.get("timeout") is not None:
        values["timeout_s"] = _field("timeout", _duration, fields["timeout"])
    return TraceOptions(**values)


def call_trace_options(value: Any) -> tuple[TraceOptions, StateOverrides | None, BlockOverrides | None]:
    """geth's TraceCallConfig: TraceConfig, stateOverrides and blockOverrides in one object."""
    fields = p.raw_object(value)
    accounts, block = fields.get("stateOverrides"), fields.get("blockOverrides")
    return (
        trace_options(fields),
        None if accounts is None else _field("stateOverrides", p.state_overrides, accounts),
        None if block is None else _field("blockOverrides", p.block_overrides, block),
    )


def _field(name: str, parse: Callable[[Any], Any], value: Any) -> Any:
    try:
        return parse(value)
    except p.BadValue as error:
        raise p.BadValue(f"{name}: {error}") from None


def _duration(value: Any) -> float:
    try:
        return parse_duration(p.text(value))
    except ValueError as error:
        raise p.BadValue(str(error)) from None


def _raw_block(value: Any) -> Block:
    try:
        return decode_block(p.data(value))
    except InvalidBlock as error:
        raise p.BadValue(f"not a block: {error.reason}") from None


def _hash_prefix(value: Any) -> bytes:
    """The first digits of a hash, of which there may be none: geth takes bytes here."""
    raw = p.data(value)
    if len(raw) > 32:
        raise p.BadValue("want at most 32 bytes")
    return raw.ljust(32, b"\0")


def _block_hash(value: Any) -> BlockRef:
    return BlockRef(hash=p.hash32(value))


_BLOCK = Param("block", p.block_ref)
_HASH = Param("hash", p.hash32)
_OPTIONS = Param("options", trace_options, NO_OPTIONS)

DEBUG_METHODS: Final = (
    Method("debug_getBadBlocks", bad_blocks, where="call"),
    Method("debug_getRawBlock", raw_block, (_BLOCK,), where="call"),
    Method("debug_getRawHeader", raw_header, (_BLOCK,), where="call"),
    Method("debug_getRawReceipts", raw_receipts, (_BLOCK,), where="call"),
    Method("debug_getRawTransaction", raw_transaction, (_HASH,), where="call"),
    Method(
        "debug_storageRangeAt",
        storage_range_at,
        (
            _BLOCK,
            Param("index", p.loose_quantity),
            Param("address", p.address),
            Param("start", _hash_prefix),
            Param("limit", p.loose_quantity),
        ),
        where="call",
    ),
    Method("debug_traceBlock", debug_trace_raw_block, (Param("block", _raw_block), _OPTIONS), where="call"),
    Method("debug_traceBlockByHash", debug_trace_block, (Param("hash", _block_hash), _OPTIONS), where="call"),
    Method("debug_traceBlockByNumber", debug_trace_block, (Param("block", p.block_number), _OPTIONS), where="call"),
    Method(
        "debug_traceCall",
        debug_trace_call,
        (
            Param("transaction", p.tx_request),
            Param("block", p.block_ref, LATEST),
            Param("options", call_trace_options, (NO_OPTIONS, None, None)),
        ),
        where="call",
    ),
    Method("debug_traceTransaction", debug_trace_transaction, (_HASH, _OPTIONS), where="call"),
)
