"""What became of a transaction, for people: status, revert reason, decoded events, where the gas went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ewasm.cli.abi import plain_value, read_abi
from ewasm.cli.files import WASM_MAGIC
from ewasm.cli.output import console
from ewasm.cli.rpc import Rpc, RpcError

if TYPE_CHECKING:
    from chain.forks import Fork
    from chain.testing.abi import Abi
    from ewasm.rules import Rules

__all__ = ["explained", "gas_parts", "load_abi", "receipt_facts", "show_facts"]

DEPOSIT_BYTE = 200


def load_abi(file: Path | None) -> Abi | None:
    """The ABI in a file, to decode with."""
    from chain.testing.abi import Abi

    return None if file is None else Abi.parse(read_abi(file))


def explained(error: RpcError, abi: Abi | None) -> RpcError:
    """A revert with what its data mean where the ABI knows them."""
    from chain.testing.abi import explain_revert

    if error.code != 3 or not isinstance(error.data, str):
        return error
    text = explain_revert(bytes.fromhex(error.data.removeprefix("0x")), abi)
    if text is None:
        return error
    return RpcError(error.method, {**error.error, "message": f"execution reverted: {text}"})


def receipt_facts(rpc: Rpc, receipt: dict[str, Any], abi: Abi | None) -> dict[str, Any]:
    """What people want of a receipt, with the split of its gas where the node tells."""
    facts: dict[str, Any] = {
        "transaction": receipt["transactionHash"],
        "status": "success" if receipt["status"] == "0x1" else "failure",
        "block": int(receipt["blockNumber"], 16),
        "gas_used": int(receipt["gasUsed"], 16),
    }
    split = rpc.try_call("ewasm_gasReport", receipt["transactionHash"])
    if isinstance(split, dict):
        facts |= {"gas_instructions": split.get("gasInstructions"), "gas_eei": split.get("gasEei")}
        if split.get("error"):
            facts["error"] = split["error"]
    if facts["status"] != "success":
        reason = _revert_of(rpc, receipt["transactionHash"], abi)
        if reason is not None:
            facts["reason"] = reason
    facts["logs"] = [_log_facts(log, abi) for log in receipt["logs"]]
    return facts


def _revert_of(rpc: Rpc, transaction: str, abi: Abi | None) -> str | None:
    """Why a mined transaction reverted, where the node can trace."""
    from chain.testing.abi import explain_revert

    try:
        frame = rpc.try_call("debug_traceTransaction", transaction, {"tracer": "callTracer"})
    except RpcError:
        return None
    if not isinstance(frame, dict) or frame.get("error") != "execution reverted":
        return None
    return explain_revert(bytes.fromhex(str(frame.get("output", "0x")).removeprefix("0x")), abi)


def _log_facts(log: dict[str, Any], abi: Abi | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"address": log["address"], "topics": log["topics"], "data": log["data"]}
    if abi is not None:
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        event = abi.decode_log(bytes.fromhex(log["address"][2:]), topics, bytes.fromhex(log["data"][2:]))
        if event is not None:
            facts |= {"event": event.name, "args": {name: plain_value(value) for name, value in event.args.items()}}
    return facts


def gas_parts(rpc: Rpc, receipt: dict[str, Any], data: bytes) -> dict[str, int]:
    """Where a transaction's gas went, in whole gas; the parts add up to what it used.

    What remains as `other` is gas of EVM frames and precompiles and what EIP-7623's floor adds, less refunds; it may
    be negative.

    Args:
        rpc: The node.
        receipt: As JSON-RPC has it.
        data: Of the transaction.
    """
    from chain.transaction import Tx, intrinsic_gas

    fork, rules = _fork_and_rules(rpc)
    created = receipt.get("contractAddress")
    to = None if created is not None else bytes(20)
    tx = Tx(type=0, chain_id=1, nonce=0, gas=0, to=to, value=0, data=data, sender=bytes(20))
    zeros = data.count(0)
    calldata = 4 * zeros + (16 if fork >= fork.ISTANBUL else 68) * (len(data) - zeros)
    parts = {"base": intrinsic_gas(tx, fork) - calldata, "calldata": calldata}
    split = rpc.try_call("ewasm_gasReport", receipt["transactionHash"]) or {}
    frames = int(split.get("gasInstructions") or 0)
    if created is not None:
        code = bytes.fromhex(str(rpc.call("eth_getCode", created, receipt["blockNumber"])).removeprefix("0x"))
        activation = rules.activation_gas(data) if data.startswith(WASM_MAGIC) else 0
        if code.startswith(WASM_MAGIC) and not data.startswith(code):
            activation += rules.activation_gas(code)
        if data.startswith(WASM_MAGIC):
            # The frame of a module pays for activation, so the node counts it with the frame's instructions.
            activation = min(activation, frames)
            frames -= activation
        parts |= {"activation": activation, "deposit": DEPOSIT_BYTE * len(code)}
    parts |= {"instructions": frames, "host functions": int(split.get("gasEei") or 0)}
    parts["other"] = int(receipt["gasUsed"], 16) - sum(parts.values())
    return parts


def _fork_and_rules(rpc: Rpc) -> tuple[Fork, Rules]:
    """Of the node: its fork where it tells, and the rules that go with it."""
    from chain.errors import InvalidGenesis
    from chain.forks import Fork, parse_fork
    from ewasm.rules import EWASM_2018_FLAT, EWASM_2026

    told = rpc.try_call("anvil_nodeInfo")
    name = told.get("hardFork") if isinstance(told, dict) else None
    try:
        fork = parse_fork(str(name)) if name else Fork.PRAGUE
    except InvalidGenesis:
        fork = Fork.PRAGUE
    return fork, EWASM_2026 if fork >= Fork.PRAGUE else EWASM_2018_FLAT


def show_facts(facts: dict[str, Any]) -> None:
    """One fact a line."""
    out = console()
    for name, value in facts.items():
        if name == "logs":
            for log in value:
                if "event" in log:
                    given = ", ".join(f"{key}={item}" for key, item in log["args"].items())
                    out.print(f"  event of {log['address']}: {log['event']}({given})", markup=False)
                else:
                    out.print(f"  log of {log['address']}: {' '.join(log['topics'])} {log['data']}", markup=False)
        elif name == "gas_report":
            out.print("gas report", markup=False)
            for part, gas in value.items():
                out.print(f"  {part:15} {gas:>12,}", markup=False)
        else:
            out.print(f"{name:17} {format(value, ',') if name.startswith('gas') else value}", markup=False)
