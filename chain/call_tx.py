"""The transaction that a call stands for."""

from __future__ import annotations

from chain.errors import InvalidTransaction
from chain.forks import Fork
from chain.records import CallRequest
from chain.transaction import BLOB, DYNAMIC_FEE, LEGACY, SET_CODE, Tx
from chain.transition import BlockEnv

__all__ = ["call_tx"]


def call_tx(request: CallRequest, env: BlockEnv, chain_id: int) -> Tx:
    """The unsigned transaction that a request stands for."""
    base_fee = env.base_fee or 0
    cap, tip = request.max_fee_per_gas, request.max_priority_fee_per_gas
    if request.gas_price is not None and (cap is not None or tip is not None):
        raise InvalidTransaction("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified", "fees")
    legacy = cap is None and tip is None
    if legacy:
        cap = tip = request.gas_price or 0
    cap, tip = cap if cap is not None else 0, tip if tip is not None else 0
    if not legacy and cap == 0 and tip:
        cap = tip + base_fee if request.max_fee_per_gas is None else cap
    kind = LEGACY if legacy or env.fork < Fork.LONDON else DYNAMIC_FEE
    if request.blob_hashes:
        kind = BLOB
    elif request.authorizations:
        kind = SET_CODE
    return Tx(
        type=kind,
        chain_id=chain_id,
        nonce=0,
        gas=request.gas if request.gas is not None else env.gas_limit,
        to=request.to,
        value=request.value,
        data=request.data,
        sender=request.sender,
        gas_price=cap if kind == LEGACY else None,
        max_priority_fee_per_gas=tip,
        max_fee_per_gas=cap,
        access_list=request.access_list,
        max_fee_per_blob_gas=request.max_fee_per_blob_gas or 0,
        blob_hashes=request.blob_hashes,
        authorizations=request.authorizations,
        v=0 if kind else 35 + 2 * chain_id,
    )
