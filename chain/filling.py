"""A transaction from a request: type, nonce, fees and gas chosen where the client left them open."""

from __future__ import annotations

from collections.abc import Callable

from chain.fees import SUGGESTED_TIP
from chain.refusals import Refused
from chain.requests import TxRequest
from chain.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, SET_CODE, Tx

__all__ = ["fill"]


def fill(
    request: TxRequest,
    chain_id: int,
    base_fee: int | None,
    gas_price: int,
    nonce: Callable[[bytes], int],
    estimate: Callable[[TxRequest], int],
) -> Tx:
    """A transaction without signature.

    Args:
        request: What the client said.
        chain_id: Of the chain; a request for another one is refused.
        base_fee: Wei, of the block to come; None before London.
        gas_price: Wei, offered by a legacy transaction that names no price.
        nonce: The nonce that an account's next transaction needs.
        estimate: The gas that a request needs.

    Raises:
        Refused: It cannot be one.
    """
    if request.chain_id is not None and request.chain_id != chain_id:
        raise Refused(f"invalid chain id for signer: have {request.chain_id} want {chain_id}")
    if request.blob_hashes:
        raise Refused("blob transactions cannot be signed here: send them signed")
    sender = request.sender or bytes(20)
    kind = _choose_type(request, base_fee)
    tip, cap = _choose_fees(request, base_fee, gas_price, kind)
    return Tx(
        type=kind,
        chain_id=chain_id,
        nonce=nonce(sender) if request.nonce is None else request.nonce,
        gas=estimate(request) if request.gas is None else request.gas,
        to=request.to,
        value=request.value or 0,
        data=request.data or b"",
        sender=sender,
        gas_price=cap if kind in (LEGACY, ACCESS_LIST) else None,
        max_priority_fee_per_gas=tip,
        max_fee_per_gas=cap,
        access_list=request.access_list or (),
        authorizations=request.authorizations or (),
    )


def _choose_fees(request: TxRequest, base_fee: int | None, gas_price: int, kind: int) -> tuple[int, int]:
    """(tip, cap), wei."""
    tip, cap = request.max_priority_fee_per_gas, request.max_fee_per_gas
    if kind in (LEGACY, ACCESS_LIST) or request.gas_price is not None:
        price = request.gas_price if request.gas_price is not None else cap
        price = gas_price if price is None else price
        return price, price
    if tip is None:
        tip = SUGGESTED_TIP if cap is None else min(SUGGESTED_TIP, cap)
    return tip, 2 * (base_fee or 0) + tip if cap is None else cap


def _choose_type(request: TxRequest, base_fee: int | None) -> int:
    if request.type is not None:
        if request.type not in (LEGACY, ACCESS_LIST, DYNAMIC_FEE, SET_CODE):
            raise Refused(f"transactions of type {request.type} cannot be signed here")
        return request.type
    if request.authorizations is not None:
        return SET_CODE
    if request.gas_price is not None or base_fee is None:
        return LEGACY if request.access_list is None else ACCESS_LIST
    return DYNAMIC_FEE
