"""What only contracts in Wasm have: the namespace `ewasm`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from chain.records import BlockRecord
from chain.requests import LATEST, BlockRef
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import Refusal
from chain.rpc.formats import data
from chain.rpc.methods_debug import NO_OPTIONS, trace_options
from chain.rpc.params import Param
from chain.tracing.options import TraceOptions
from chain.tracing.replay import trace_transaction

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


def trace(context: Context, tx_hash: bytes, options: TraceOptions) -> Any:
    """ewasm_traceTransaction: the Wasm instructions that a mined transaction ran: function, offset, opcode, stack, gas.

    debug_traceTransaction with the tracer wasmTracer; options limit, disableStack, timeout.
    """
    return trace_transaction(context.node.chain, *_mined(context, tx_hash), replace(options, tracer="wasmTracer"))


def profile(context: Context, tx_hash: bytes, options: TraceOptions) -> Any:
    """ewasm_profile: where a mined transaction's Wasm instructions and their gas went, by opcode and by function.

    The dearest first; gas in particles (ten-thousandths), host functions counted with the call that reaches them.
    """
    return trace_transaction(context.node.chain, *_mined(context, tx_hash), replace(options, tracer="profileTracer"))


def _mined(context: Context, tx_hash: bytes) -> tuple[BlockRecord, int]:
    found = context.node.chain.transaction(tx_hash)
    if found is None:
        raise Refusal("transaction not found")
    return found


_OPTIONS = Param("options", trace_options, NO_OPTIONS)

EWASM_METHODS: Final = (
    Method("ewasm_check", check, (Param("code", p.data),), where="call"),
    Method(
        "ewasm_disassemble",
        disassemble,
        (Param("address", p.address), Param("block", p.block_ref, LATEST)),
        where="call",
    ),
    Method("ewasm_gasReport", gas_report, (Param("transactionHash", p.hash32),), where="call"),
    Method("ewasm_profile", profile, (Param("transactionHash", p.hash32), _OPTIONS), where="call"),
    Method("ewasm_traceTransaction", trace, (Param("transactionHash", p.hash32), _OPTIONS), where="call"),
)
