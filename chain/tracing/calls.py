"""Trees of calls: callTracer, its flat form (parity's traces), and the selectors that were called (4byteTracer)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from chain.reverts import revert_reason
from chain.tracing.events import Entered, Exited, Observer
from chain.transaction import Tx
from chain.transition import BlockEnv, Executed

__all__ = ["Call", "CallTracer", "FlatCallTracer", "Place", "SelectorTracer", "flatten"]

REVERTED = "execution reverted"
# geth's words, or how they begin, and parity's.
_PARITY_ERRORS = (
    ("contract creation code storage out of gas", "Out of gas"),
    ("out of gas", "Out of gas"),
    ("max code size exceeded", "Out of gas"),
    ("invalid jump destination", "Bad jump destination"),
    (REVERTED, "Reverted"),
    ("return data out of bounds", "Out of bounds"),
    ("stack limit reached", "Out of stack"),
    ("invalid opcode:", "Bad instruction"),
    ("stack underflow", "Stack underflow"),
    ("write protection", "Mutable Call In Static Context"),
)


@dataclass(slots=True)
class Call:
    """A frame with what ran below it."""

    entered: Entered
    gas: int
    exited: Exited = field(default_factory=lambda: Exited(b"", 0))
    calls: list[Call] = field(default_factory=list)
    logs: list[dict[str, Any]] = field(default_factory=list)


class CallTree(Observer):
    """Builds the tree; the tracers below show it."""

    def __init__(self, *, only_top: bool = False, with_log: bool = False) -> None:
        self._only_top = only_top
        self._with_log = with_log
        self._stack: list[Call] = []
        self._gas_limit = 0
        self._log_count = 0
        self.top: Call | None = None

    def tx_start(self, state: Any, tx: Tx, env: BlockEnv) -> None:
        self._gas_limit = tx.gas

    def enter(self, event: Entered) -> None:
        # The whole transaction's gas, intrinsic gas included, stands at the top.
        call = Call(event, event.gas if self._stack else self._gas_limit)
        if not self._stack:
            self.top = call
        elif not self._only_top:
            self._stack[-1].calls.append(call)
        self._stack.append(call)

    def exit(self, event: Exited) -> None:
        self._stack.pop().exited = event

    def log(self, address: bytes, topics: tuple[int, ...], data: bytes) -> None:
        if not self._with_log or (self._only_top and len(self._stack) > 1):
            return
        here = self._stack[-1]
        here.logs.append(
            {
                "address": "0x" + address.hex(),
                "topics": [f"0x{topic:064x}" for topic in topics],
                "data": "0x" + data.hex(),
                "index": hex(self._log_count),
                "position": hex(len(here.calls)),
            }
        )
        self._log_count += 1

    def tx_end(self, state: Any, executed: Executed) -> None:
        if self.top is not None:
            # What the sender paid for: refunds and EIP-7623's floor included.
            last = self.top.exited
            self.top.exited = Exited(last.output, executed.gas_used, last.error)


class CallTracer(CallTree):
    """geth's callTracer; options onlyTopCall, withLog."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(only_top=bool(config.get("onlyTopCall")), with_log=bool(config.get("withLog")))

    def result(self, executed: Executed) -> Any:
        if self.top is None:
            return {}
        pieces: list[bytes] = []
        _write_call(self.top, pieces, failed=False)
        return orjson.Fragment(b"".join(pieces))


def _write_call(call: Call, out: list[bytes], *, failed: bool) -> None:
    """Append a frame's JSON in pieces: nested objects would reach the encoder's depth before the protocol's.

    Logs of frames that failed, or stand below one that did, did not happen.
    """
    entered, exited = call.entered, call.exited
    failed = failed or exited.error is not None
    created_nothing = exited.error is not None and entered.kind.startswith("CREATE")
    shown: dict[str, Any] = {
        "from": "0x" + entered.sender.hex(),
        "gas": hex(call.gas),
        "gasUsed": hex(exited.gas_used),
    }
    if not created_nothing:
        shown["to"] = "0x" + entered.to.hex()
    shown["input"] = "0x" + entered.input_data.hex()
    if exited.output:
        shown["output"] = "0x" + exited.output.hex()
    if exited.error is not None:
        shown["error"] = exited.error
        reason = revert_reason(exited.output) if exited.error == REVERTED else None
        if reason:
            shown["revertReason"] = reason
    if call.logs and not failed:
        shown["logs"] = call.logs
    if entered.value is not None:
        shown["value"] = hex(entered.value)
    shown["type"] = entered.kind
    raw = orjson.dumps(shown)
    if not call.calls:
        out.append(raw)
        return
    out.append(raw[:-1] + b',"calls":[')
    for number, child in enumerate(call.calls):
        if number:
            out.append(b",")
        _write_call(child, out, failed=failed)
    out.append(b"]}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a transaction stands; all None for one that stands nowhere."""

    block_hash: bytes | None = None
    block_number: int | None = None
    tx_hash: bytes | None = None
    tx_index: int | None = None


class FlatCallTracer(CallTree):
    """geth's flatCallTracer, and what trace_transaction answers; options includePrecompiles, convertParityErrors."""

    def __init__(self, config: Mapping[str, Any], place: Place) -> None:
        super().__init__()
        self._precompiles = bool(config.get("includePrecompiles"))
        self._parity_errors = bool(config.get("convertParityErrors"))
        self._place = place

    def result(self, executed: Executed) -> Any:
        if self.top is None:
            return []
        return list(flatten(self.top, self._place, precompiles=self._precompiles, parity_errors=self._parity_errors))


def flatten(
    call: Call, place: Place, path: tuple[int, ...] = (), *, precompiles: bool = False, parity_errors: bool = True
) -> Iterator[dict[str, Any]]:
    """The frame and all below it, in the order in which they began."""
    children = [
        child
        for child in call.calls
        if precompiles or not (child.entered.is_precompile and child.entered.kind in ("CALL", "STATICCALL"))
    ]
    shown = _flat_json(call)
    error = call.exited.error
    if error is not None:
        shown["error"] = _parity_words(error) if parity_errors else error
        if error != REVERTED:
            shown.pop("result", None)
    shown["subtraces"] = len(children)
    shown["traceAddress"] = list(path)
    shown["blockHash"] = None if place.block_hash is None else "0x" + place.block_hash.hex()
    shown["blockNumber"] = place.block_number or 0
    shown["transactionHash"] = None if place.tx_hash is None else "0x" + place.tx_hash.hex()
    shown["transactionPosition"] = place.tx_index or 0
    yield shown
    for number, child in enumerate(children):
        yield from flatten(child, place, (*path, number), precompiles=precompiles, parity_errors=parity_errors)


def _parity_words(error: str) -> str:
    for geth, parity in _PARITY_ERRORS:
        if error.startswith(geth):
            return parity
    return error


def _flat_json(call: Call) -> dict[str, Any]:
    entered, exited = call.entered, call.exited
    if entered.kind == "SELFDESTRUCT":
        return {
            "action": {
                "address": "0x" + entered.sender.hex(),
                "balance": hex(entered.value or 0),
                "refundAddress": "0x" + entered.to.hex(),
            },
            "type": "suicide",
        }
    action = {
        "from": "0x" + entered.sender.hex(),
        "gas": hex(call.gas),
        "value": hex(entered.value or 0),
    }
    result = {"gasUsed": hex(exited.gas_used)}
    if entered.kind.startswith("CREATE"):
        action["init"] = "0x" + entered.input_data.hex()
        if entered.kind == "CREATE2":
            action["creationMethod"] = "create2"
        if exited.error is None:
            result["address"] = "0x" + entered.to.hex()
        result["code"] = "0x" + exited.output.hex()
        return {"action": action, "result": result, "type": "create"}
    action |= {
        "to": "0x" + entered.to.hex(),
        "callType": entered.kind.lower(),
        "input": "0x" + entered.input_data.hex(),
    }
    result["output"] = "0x" + exited.output.hex()
    return {"action": action, "result": result, "type": "call"}


class SelectorTracer(Observer):
    """geth's 4byteTracer: how often each selector was called with how many bytes behind it."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def enter(self, event: Entered) -> None:
        if len(event.input_data) < 4 or event.is_precompile:
            return
        if event.depth == 0 or event.kind in ("CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"):
            key = f"0x{event.input_data[:4].hex()}-{len(event.input_data) - 4}"
            self._counts[key] = self._counts.get(key, 0) + 1

    def result(self, executed: Executed) -> Any:
        return self._counts
