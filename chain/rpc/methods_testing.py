"""testing_buildBlockV1: a block from outside's transactions, as an execution payload."""

from __future__ import annotations

from typing import Any, Final

from chain.errors import InvalidTransaction
from chain.payload import Payload, PayloadAttributes, build_payload
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import Refusal
from chain.rpc.formats import block_json, data
from chain.rpc.params import Param

__all__ = ["TESTING_METHODS"]

MAX_TRANSACTIONS = 10_000


def build_block(
    context: Context,
    parent_hash: bytes,
    attributes: PayloadAttributes,
    transactions: tuple[bytes, ...] | None,
    extra_data: bytes,
) -> dict[str, Any]:
    """testing_buildBlockV1: null takes the transactions that wait in the pool. Nothing is stored."""
    node = context.node
    parent = node.chain.block_by_hash(parent_hash)
    if parent is None:
        raise Refusal(f"unknown parent block {data(parent_hash)}")
    if transactions is None:
        base_fee = node.chain.next_base_fee(parent) or 0
        chosen = list(node.pool.executable(node.chain.state_at(parent).nonce, base_fee))
    else:
        try:
            chosen = [node.chain.decode_transaction(raw) for raw in transactions]
        except InvalidTransaction as error:
            raise Refusal(error.reason) from None
    payload = build_payload(
        node.chain,
        parent,
        attributes,
        chosen,
        gas_target=node.gas_limit or node.chain.config.gas_limit,
        extra_data=extra_data,
        must_fit=transactions is not None,
    )
    return _envelope_json(payload)


def _envelope_json(payload: Payload) -> dict[str, Any]:
    """ExecutionPayloadV3 in its envelope. Blobs are not kept, so the bundle is empty."""
    block = payload.block
    shown = block_json(block, full=False)
    names = {
        "parentHash": "parentHash",
        "feeRecipient": "miner",
        "stateRoot": "stateRoot",
        "receiptsRoot": "receiptsRoot",
        "logsBloom": "logsBloom",
        "prevRandao": "mixHash",
        "blockNumber": "number",
        "gasLimit": "gasLimit",
        "gasUsed": "gasUsed",
        "timestamp": "timestamp",
        "extraData": "extraData",
        "baseFeePerGas": "baseFeePerGas",
        "blockHash": "hash",
        "withdrawals": "withdrawals",
        "blobGasUsed": "blobGasUsed",
        "excessBlobGas": "excessBlobGas",
    }
    execution = {ours: shown[theirs] for ours, theirs in names.items() if theirs in shown}
    execution["transactions"] = [data(tx.encode()) for tx in block.transactions]
    return {
        "executionPayload": execution,
        "blockValue": hex(payload.value_wei),
        "blobsBundle": {"commitments": [], "proofs": [], "blobs": []},
        "executionRequests": [data(request) for request in payload.requests],
        "shouldOverrideBuilder": False,
    }


def _attributes(value: Any) -> PayloadAttributes:
    fields = p.raw_object(value)
    withdrawals, beacon_root = fields.get("withdrawals"), fields.get("parentBeaconBlockRoot")
    return PayloadAttributes(
        timestamp=p.field("timestamp", p.quantity64, fields.get("timestamp")),
        prev_randao=p.field("prevRandao", p.hash32, fields.get("prevRandao")),
        coinbase=p.field("suggestedFeeRecipient", p.address, fields.get("suggestedFeeRecipient")),
        withdrawals=None if withdrawals is None else p.field("withdrawals", p.withdrawals, withdrawals),
        beacon_root=None if beacon_root is None else p.field("parentBeaconBlockRoot", p.hash32, beacon_root),
    )


TESTING_METHODS: Final = (
    Method(
        "testing_buildBlockV1",
        build_block,
        (
            Param("parentBlockHash", p.hash32),
            Param("payloadAttributes", _attributes),
            Param("transactions", p.list_of(p.data, MAX_TRANSACTIONS), None),
            Param("extraData", p.data, b""),
        ),
        "own",
    ),
)
