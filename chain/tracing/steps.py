"""The step logger: each EVM opcode in geth's struct log, and each Wasm instruction beside them.

A Wasm step has the keys of a struct log (`pc` is the byte offset in the module, `op` the instruction, `gas` whole gas,
`stack` the operand stack of the frame) and two of its own: `function`, an index of the module's function index space,
and `particles`, the exact gas left in ten-thousandths. Its cost is what the gas was down by when the frame's next step
began, so that a host function's is its whole price and a call's includes what the callee used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from chain.tracing.events import Entered, Exited, Limits, Observer
from chain.tracing.frames import stack_words
from chain.tracing.names import SLOAD, SSTORE, op_name
from chain.tracing.options import TraceOptions
from chain.transition import Executed
from ewasm.metering.schedule import PARTICLES_PER_GAS

__all__ = ["StepLogger", "wasm_op_names"]


@dataclass(slots=True)
class _Frame:
    """A frame under way.

    Attributes:
        open: Index of its last step, whose cost is not known yet.
        storage: Slots that the contract touched in the transaction so far; shared by its frames.
        particles: Gas left at the last Wasm step.
    """

    depth: int
    address: bytes
    is_wasm: bool
    open: int | None = None
    particles: int = 0


class StepLogger(Observer):
    """One transaction's steps.

    Args:
        options: What to show, and how many.
        limits: Time and size of the request.
        evm: Record EVM opcodes.
        wasm: Record Wasm instructions.
    """

    def __init__(self, options: TraceOptions, limits: Limits, *, evm: bool = True, wasm: bool = True) -> None:
        self.options = options
        self.limits = limits
        self.opcodes = None if evm else frozenset()
        self.wants_wasm_steps = wasm
        self._evm = evm
        self._steps: list[dict[str, Any] | bytes] = []
        self._frames: list[_Frame] = []
        self._storage: dict[bytes, dict[str, str]] = {}

    def enter(self, event: Entered) -> None:
        self._frames.append(_Frame(event.depth + 1, event.to, event.is_wasm))

    def exit(self, event: Exited) -> None:
        self._frames.pop()

    def _full(self) -> bool:
        return bool(self.options.limit) and len(self._steps) >= self.options.limit

    def step(self, frame: Any, pc: int, op: int, gas: int, refund: int) -> None:
        here = self._frames[-1]
        if pc < 0:
            return
        here.open = None
        if self._full():
            return
        entry: dict[str, Any] = {"pc": pc, "op": op_name(op), "gas": gas, "gasCost": 0, "depth": here.depth}
        if refund > 0:
            entry["refund"] = refund
        options = self.options
        words = stack_words(frame)
        if not options.disable_stack:
            entry["stack"] = [hex(word) for word in words]
        if options.enable_return_data and frame.return_data:
            entry["returnData"] = "0x" + bytes(frame.return_data).hex()
        if options.enable_memory and len(frame._memory):
            memory = bytes(frame._memory.read_bytes(0, len(frame._memory)))
            self.limits.record(2 * len(memory))
            entry["memory"] = [f"0x{memory[i : i + 32].hex()}" for i in range(0, len(memory), 32)]
        if not options.disable_storage and op in (SLOAD, SSTORE) and len(words) > (op == SSTORE):
            slots = self._storage.setdefault(frame.msg.storage_address, {})
            key = words[-1]
            value = words[-2] if op == SSTORE else frame.state.get_storage(frame.msg.storage_address, key)
            slots[f"0x{key:064x}"] = f"0x{value:064x}"
            entry["storage"] = dict(sorted(slots.items()))
        here.open = len(self._steps)
        self._steps.append(entry)

    def step_cost(self, cost: int, error: str | None) -> None:
        here = self._frames[-1]
        if here.is_wasm or here.open is None:
            return
        entry = self._steps[here.open]
        if isinstance(entry, dict):
            entry["gasCost"] = cost
            if error is not None:
                entry["error"] = error
            self._close(here.open, entry)

    def wasm_step(self, function: int, offset: int, opcode: int, stack: list[Any], particles: int) -> None:
        here = self._frames[-1]
        self._wasm_cost(here, particles)
        if self._full():
            here.open = None
            return
        entry: dict[str, Any] = {
            "pc": offset,
            "op": wasm_op_names().get(opcode, f"opcode {opcode:#x}"),
            "gas": particles // PARTICLES_PER_GAS,
            "gasCost": 0,
            "depth": here.depth,
            "function": function,
            "particles": particles,
        }
        if not self.options.disable_stack:
            entry["stack"] = [hex(item) if isinstance(item, int) else "0x0" for item in stack]
        here.open, here.particles = len(self._steps), particles
        self._steps.append(entry)

    def wasm_end(self, gas_left: int, failed: bool) -> None:
        here = self._frames[-1]
        # A frame that failed loses all its gas: that is no instruction's price.
        self._wasm_cost(here, here.particles if failed else gas_left * PARTICLES_PER_GAS)

    def _wasm_cost(self, here: _Frame, particles: int) -> None:
        if here.open is None:
            return
        entry = self._steps[here.open]
        if isinstance(entry, dict):
            # In whole gas, so that costs add up to what the frame used.
            entry["gasCost"] = max(here.particles // PARTICLES_PER_GAS - particles // PARTICLES_PER_GAS, 0)
            self._close(here.open, entry)
        here.open = None

    def _close(self, position: int, entry: dict[str, Any]) -> None:
        """Keep a finished step as JSON: a tenth of what the objects take."""
        raw = orjson.dumps(entry)
        self.limits.record(len(raw))
        self._steps[position] = raw

    def result(self, executed: Executed) -> dict[str, Any]:
        shown = executed.output if executed.success or executed.reverted else b""
        return {
            "gas": executed.gas_used,
            "failed": not executed.success,
            "returnValue": "0x" + shown.hex(),
            "structLogs": [orjson.Fragment(raw) if isinstance(raw, bytes) else raw for raw in self._steps],
        }


@cache
def wasm_op_names() -> dict[int, str]:
    """Instructions by opcode, in the spelling of WebAssembly text."""
    from ewasm.wasm.opcodes import OPCODES

    return {code: row.text for code, row in OPCODES.items()}
