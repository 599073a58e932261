"""eth_simulateV1."""

from __future__ import annotations

from typing import Any, Final

from chain.requests import LATEST, BlockRef
from chain.reverts import revert_message
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import RpcError
from chain.rpc.formats import block_json, data, log_json
from chain.rpc.params import Param
from chain.simulate import (
    MAX_CALLS,
    REVERTED,
    VM_ERROR,
    SimulatedBlock,
    SimulatedCall,
    Simulation,
    SimulationBlock,
    SimulationRefused,
    simulate,
)

__all__ = ["SIMULATE_METHODS"]

# Generous, so that the simulation itself says what is too many.
MAX_BLOCK_ITEMS = 10_000


def simulate_v1(context: Context, request: Simulation, ref: BlockRef) -> list[dict[str, Any]]:
    """eth_simulateV1."""
    node = context.node
    try:
        blocks = simulate(node.chain, node.block(ref), request)
    except SimulationRefused as error:
        raise RpcError(error.code, str(error)) from None
    return [_block_json(item, full=request.full_transactions) for item in blocks]


def _block_json(item: SimulatedBlock, *, full: bool) -> dict[str, Any]:
    return {**block_json(item.block, full=full), "calls": [_call_json(call) for call in item.calls]}


def _call_json(call: SimulatedCall) -> dict[str, Any]:
    executed = call.executed
    result: dict[str, Any] = {
        "returnData": data(executed.output if executed.success else b""),
        "logs": [log_json(item) for item in call.logs],
        "gasUsed": hex(executed.gas_used),
        "maxUsedGas": hex(executed.max_gas_used),
        "status": hex(int(executed.success)),
    }
    if executed.reverted:
        message = revert_message(executed.output)
        result["error"] = {"message": message, "code": REVERTED, "data": data(executed.output)}
    elif not executed.success:
        result["error"] = {"message": executed.error, "code": VM_ERROR}
    return result


def _block(value: Any) -> SimulationBlock:
    fields = p.raw_object(value)
    parsers = {
        "blockOverrides": ("block", p.block_overrides),
        "stateOverrides": ("accounts", p.state_overrides),
        "calls": ("calls", p.list_of(p.tx_request, MAX_CALLS)),
    }
    values = {
        attribute: p.field(name, parse, fields[name])
        for name, (attribute, parse) in parsers.items()
        if fields.get(name) is not None
    }
    return SimulationBlock(**values)


def _simulation(value: Any) -> Simulation:
    fields = p.raw_object(value)
    blocks = fields.get("blockStateCalls")
    flags = {
        attribute: p.field(name, p.boolean, fields[name])
        for name, attribute in (
            ("traceTransfers", "log_ether"),
            ("validation", "validation"),
            ("returnFullTransactions", "full_transactions"),
        )
        if fields.get(name) is not None
    }
    parse = p.list_of(_block, MAX_BLOCK_ITEMS)
    return Simulation(() if blocks is None else p.field("blockStateCalls", parse, blocks), **flags)


SIMULATE_METHODS: Final = (
    Method(
        "eth_simulateV1",
        simulate_v1,
        (Param("payload", _simulation), Param("block", p.block_ref, LATEST)),
        where="call",
    ),
)
