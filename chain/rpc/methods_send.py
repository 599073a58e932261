"""Sending, calling, estimating, fees, and the keys of the development accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from chain.accounts import recover_message, sign_message, sign_typed_data
from chain.fees import SUGGESTED_TIP
from chain.overrides import BlockOverrides
from chain.records import AccountOverride
from chain.refusals import Refused
from chain.requests import LATEST, BlockRef, TxRequest
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import Refusal, RpcError
from chain.rpc.formats import data, receipt_json, transaction_json
from chain.rpc.params import Param

__all__ = ["SEND_METHODS"]

Overrides = dict[bytes, AccountOverride] | None
BlockChanges = BlockOverrides | None

DEFAULT_SYNC_MS: Final = 2_000
MAX_SYNC_MS: Final = 5_000
NOT_MINED_IN_TIME: Final = 4

# What a transaction has before it is signed and mined.
_FILLED: Final = frozenset(
    (
        "type",
        "nonce",
        "gas",
        "to",
        "value",
        "input",
        "chainId",
        "gasPrice",
        "maxPriorityFeePerGas",
        "maxFeePerGas",
        "accessList",
        "authorizationList",
    )
)

_BLOCK = Param("block", p.block_ref, LATEST)
_TRANSACTION = Param("transaction", p.tx_request)


def accounts(context: Context) -> list[str]:
    """eth_accounts."""
    return [data(account.address) for account in context.node.accounts]


def send_transaction(context: Context, request: TxRequest) -> str:
    """eth_sendTransaction."""
    return data(context.node.send(request))


def send_unsigned(context: Context, request: TxRequest) -> str:
    """eth_sendUnsignedTransaction: as eth_sendTransaction, from any account, as if it were impersonated."""
    return data(context.node.send_unsigned(request))


def send_raw_transaction(context: Context, raw: bytes) -> str:
    """eth_sendRawTransaction."""
    return data(context.node.send_raw(raw))


def send_raw_sync(context: Context, raw: bytes, timeout_ms: int) -> dict[str, Any]:
    """eth_sendRawTransactionSync: as eth_sendRawTransaction, and the receipt once it is mined (EIP-7966).

    Error 4 with the hash as data if it is not mined in time: it stays in the pool. At most 5,000 ms are waited.
    """
    return _receipt_in_time(context, lambda: context.node.send_raw(raw), timeout_ms)


def send_sync(context: Context, request: TxRequest, timeout_ms: int) -> dict[str, Any]:
    """eth_sendTransactionSync: as eth_sendTransaction, and the receipt; see eth_sendRawTransactionSync."""
    return _receipt_in_time(context, lambda: context.node.send(request), timeout_ms)


def _receipt_in_time(context: Context, send: Callable[[], bytes], timeout_ms: int) -> dict[str, Any]:
    timeout_ms = min(timeout_ms or DEFAULT_SYNC_MS, MAX_SYNC_MS)
    tx_hash, found = context.node.and_wait(send, timeout_ms / 1000)
    if found is None:
        text = f"the transaction was added to the pool but was not mined within {timeout_ms} ms"
        raise RpcError(NOT_MINED_IN_TIME, text, data(tx_hash))
    return receipt_json(*found)


def fill_transaction(context: Context, request: TxRequest) -> dict[str, Any]:
    """eth_fillTransaction: what eth_sendTransaction would sign, with zeros for a signature; nothing is sent."""
    tx = context.node.fill(request)
    shown = transaction_json(tx)
    return {"raw": data(tx.encode()), "tx": {name: shown[name] for name in shown if name in _FILLED}}


def send_raw_transactions(context: Context, raws: list[tuple[bytes]]) -> list[str | Refused]:
    """Several eth_sendRawTransaction of a batch."""
    results = context.node.send_raw_all([raw for (raw,) in raws])
    return [result if isinstance(result, Refused) else data(result) for result in results]


def sign_transaction(context: Context, request: TxRequest) -> dict[str, Any]:
    """eth_signTransaction: filled in and signed, but not sent."""
    tx = context.node.sign_transaction(request)
    return {"raw": data(tx.encode()), "tx": transaction_json(tx)}


def call(context: Context, request: TxRequest, ref: BlockRef, overrides: Overrides, block: BlockChanges) -> str:
    """eth_call."""
    return data(context.node.call(request, ref, overrides, block))


def estimate_gas(context: Context, request: TxRequest, ref: BlockRef, overrides: Overrides, block: BlockChanges) -> str:
    """eth_estimateGas."""
    return hex(context.node.estimate_gas(request, ref, overrides, block))


def gas_price(context: Context) -> str:
    """eth_gasPrice."""
    return hex(context.node.gas_price())


def max_priority_fee(_context: Context) -> str:
    """eth_maxPriorityFeePerGas."""
    return hex(SUGGESTED_TIP)


def base_fee(context: Context) -> str | None:
    """eth_baseFee: of the next block."""
    fee = context.node.next_base_fee()
    return None if fee is None else hex(fee)


def blob_base_fee(context: Context) -> str:
    """eth_blobBaseFee: of the next block."""
    return hex(context.node.next_blob_base_fee())


def fee_history(context: Context, count: int, newest: BlockRef, percentiles: Sequence[float]) -> dict[str, Any]:
    """eth_feeHistory."""
    history = context.node.fee_history(count, newest, percentiles)
    result: dict[str, Any] = {
        "oldestBlock": hex(history.oldest),
        "baseFeePerGas": [hex(fee) for fee in history.base_fees],
        "gasUsedRatio": list(history.gas_used_ratios),
        "baseFeePerBlobGas": [hex(fee) for fee in history.blob_base_fees],
        "blobGasUsedRatio": list(history.blob_gas_used_ratios),
    }
    if history.rewards is not None:
        result["reward"] = [[hex(reward) for reward in block] for block in history.rewards]
    return result


def sign(context: Context, address: bytes, message: bytes) -> str:
    """eth_sign: address first."""
    return data(sign_message(context.node.key_of(address), message))


def personal_sign(context: Context, message: bytes, address: bytes, _password: str | None) -> str:
    """personal_sign: message first; the password is not looked at."""
    return data(sign_message(context.node.key_of(address), message))


def recover_personal(_context: Context, message: bytes, signature: bytes) -> str:
    """personal_ecRecover: the account whose key made a signature of personal_sign or eth_sign."""
    signer = recover_message(message, signature)
    if signer is None:
        raise Refusal("the signature fits no key")
    return data(signer)


def sign_typed(context: Context, address: bytes, typed: dict[str, Any]) -> str:
    """eth_signTypedData, eth_signTypedData_v3, eth_signTypedData_v4: sign typed data (EIP-712)."""
    try:
        return data(sign_typed_data(context.node.key_of(address), typed))
    except ValueError as error:
        raise Refusal(str(error)) from None


def _typed_data(value: Any) -> dict[str, Any]:
    """Typed data as an object, or as a string that holds one."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise p.BadValue(f"not JSON: {error}") from None
    return p.raw_object(value)


def _message(value: Any) -> bytes:
    """Hex, or any other string as its UTF-8 bytes."""
    text = p.text(value)
    return p.data(text) if text.startswith("0x") else text.encode()


def _signature(value: Any) -> bytes:
    """65 bytes: r, s and v (27 or 28, or 0 or 1)."""
    raw = p.data(value)
    if len(raw) != 65:
        raise p.BadValue(f"a signature has 65 bytes, not {len(raw)}")
    return raw


_ADDRESS = Param("address", p.address)
_TIMEOUT = Param("timeout", p.loose_quantity, DEFAULT_SYNC_MS)
_OVERRIDES = Param("stateOverrides", p.state_overrides, None)
_CALL_PARAMS = (_TRANSACTION, _BLOCK, _OVERRIDES, Param("blockOverrides", p.block_overrides, None))

SEND_METHODS: Final = (
    Method("eth_accounts", accounts, where="loop"),
    Method("eth_baseFee", base_fee),
    Method("eth_blobBaseFee", blob_base_fee),
    Method("eth_call", call, _CALL_PARAMS, where="call"),
    Method("eth_estimateGas", estimate_gas, _CALL_PARAMS, where="call"),
    Method(
        "eth_feeHistory",
        fee_history,
        (
            Param("blockCount", p.loose_quantity),
            Param("newestBlock", p.block_number),
            Param("rewardPercentiles", p.percentiles, ()),
        ),
        where="call",
    ),
    Method("eth_fillTransaction", fill_transaction, (_TRANSACTION,), "own"),
    Method("eth_gasPrice", gas_price),
    Method("eth_maxPriorityFeePerGas", max_priority_fee, where="loop"),
    Method("eth_requestAccounts", accounts, where="loop"),
    Method(
        "eth_sendRawTransaction", send_raw_transaction, (Param("transaction", p.data),), "own", send_raw_transactions
    ),
    Method(
        "eth_sendRawTransactionSync",
        send_raw_sync,
        (Param("transaction", p.data), _TIMEOUT),
        where="call",
    ),
    Method("eth_sendTransaction", send_transaction, (_TRANSACTION,), "own"),
    Method("eth_sendTransactionSync", send_sync, (_TRANSACTION, _TIMEOUT), where="call"),
    Method("eth_sendUnsignedTransaction", send_unsigned, (_TRANSACTION,), "own"),
    Method("eth_sign", sign, (_ADDRESS, Param("message", _message))),
    Method("eth_signTransaction", sign_transaction, (_TRANSACTION,), "own"),
    Method("eth_signTypedData", sign_typed, (_ADDRESS, Param("typedData", _typed_data))),
    Method("eth_signTypedData_v3", sign_typed, (_ADDRESS, Param("typedData", _typed_data))),
    Method("eth_signTypedData_v4", sign_typed, (_ADDRESS, Param("typedData", _typed_data))),
    Method("personal_ecRecover", recover_personal, (Param("message", _message), Param("signature", _signature))),
    Method("personal_sign", personal_sign, (Param("message", _message), _ADDRESS, Param("password", p.text, None))),
)
