"""What only contracts in Wasm have: the namespace `ewasm`."""

from __future__ import annotations

from typing import Any, Final

from chain.requests import LATEST, BlockRef
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import Refusal
from chain.rpc.formats import data
from chain.rpc.params import Param

__all__ = ["EWASM_METHODS"]


def gas_report(context: Context, tx_hash: bytes) -> dict[str, Any] | None:
    """ewasm_gasReport: where a mined transaction's gas went, in whole gas as JSON numbers.

    `gasInstructions` and `gasEei` are the parts for Wasm instructions and host functions over all Wasm frames,
    `gasOther` is what remains: intrinsic gas, code deposit and EVM frames, less the refund.
    """
    found = context.node.find_receipt(tx_hash)
    if found is None:
        return None
    receipt = found[0]
    return {
        "transactionHash": data(tx_hash),
        "status": receipt.status,
        "gasUsed": receipt.gas_used,
        "gasInstructions": receipt.gas_instructions,
        "gasEei": receipt.gas_eei,
        "gasOther": receipt.gas_used - receipt.gas_instructions - receipt.gas_eei,
        "error": receipt.error,
    }


def _code(context: Context, address: bytes, ref: BlockRef) -> bytes:
    from ewasm.vm import is_wasm

    code = context.node.state(ref).code(address)
    if not code:
        raise Refusal(f"there is no code at {data(address)}")
    if not is_wasm(code):
        raise Refusal(f"the code at {data(address)} is EVM code, not WebAssembly")
    return code


def disassemble(context: Context, address: bytes, ref: BlockRef) -> str:
    """ewasm_disassemble: the stored module as WebAssembly text."""
    from ewasm.wasm.decode import decode
    from ewasm.wasm.text import disassemble as to_text

    return to_text(decode(_code(context, address, ref)))


def check(context: Context, code: bytes) -> dict[str, Any]:
    """ewasm_check: the contract gate's verdict on some bytes, without deploying them."""
    from ewasm.contract import verdict

    refusal = verdict(code, context.node.chain.rules)
    return {"ok": refusal is None, "error": None if refusal is None else {"text": str(refusal), **refusal.as_dict()}}


EWASM_METHODS: Final = (
    Method("ewasm_check", check, (Param("code", p.data),)),
    Method("ewasm_disassemble", disassemble, (Param("address", p.address), Param("block", p.block_ref, LATEST))),
    Method("ewasm_gasReport", gas_report, (Param("transactionHash", p.hash32),)),
)
