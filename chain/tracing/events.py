"""What a tracer is told, and the bounds it works within."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

from chain.refusals import Refused
from chain.transaction import Tx
from chain.transition import BlockEnv, Executed

__all__ = ["Entered", "Exited", "Limits", "Observer", "TooLarge", "TraceTimeout"]

MAX_TRACE_BYTES: Final = 64 * 1024 * 1024
MAX_FRAMES: Final = 250_000
DEADLINE_EVERY: Final = 256
"""Events between two looks at the clock."""


class TraceTimeout(Refused):
    """The trace took longer than it was given."""


class TooLarge(Refused):
    """The trace holds more than an answer may."""


@dataclass(slots=True)
class Limits:
    """Time and size that one request has, over all its transactions.

    Attributes:
        timeout_s: Seconds from now.
        bytes_left: Of recorded JSON.
        frames_left: Calls and creations.
    """

    timeout_s: float
    bytes_left: int = MAX_TRACE_BYTES
    frames_left: int = MAX_FRAMES
    events: int = 0
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.timeout_s

    def tick(self) -> None:
        """Count an event.

        Raises:
            TraceTimeout: The time is up.
        """
        self.events += 1
        if self.events % DEADLINE_EVERY == 0:
            self.check_time()

    def check_time(self) -> None:
        """Raise TraceTimeout if the time is up."""
        if time.monotonic() > self.deadline:
            raise TraceTimeout(
                f"execution timeout: tracing took more than {self.timeout_s:g} s; give it a longer timeout"
            )

    def record(self, size_bytes: int) -> None:
        """Count what is kept for the answer.

        Raises:
            TooLarge: It is too much.
        """
        self.bytes_left -= size_bytes
        if self.bytes_left < 0:
            raise TooLarge(
                f"the trace is larger than {MAX_TRACE_BYTES >> 20} MiB: set limit, leave out stack or memory, "
                "or take another tracer"
            )

    def enter(self, size_bytes: int) -> None:
        """Count a frame with its input."""
        self.check_time()
        self.frames_left -= 1
        if self.frames_left < 0:
            raise TooLarge(f"the trace has more than {MAX_FRAMES} frames")
        self.record(size_bytes)


@dataclass(frozen=True, slots=True)
class Entered:
    """A call, a creation or a self-destruction begins.

    Attributes:
        kind: Name of the EVM opcode that starts it.
        depth: 0 for the transaction's own frame.
        sender: 20 bytes: who calls; in a DELEGATECALL the contract that delegates.
        to: 20 bytes: whose code is called, the new contract's address, or the beneficiary.
        value: Wei; None where the opcode has none.
        is_wasm: Whether the code that runs is a Wasm module.
        is_precompile: Whether `to` is a precompiled contract.
    """

    kind: str
    depth: int
    sender: bytes
    to: bytes
    input_data: bytes
    gas: int
    value: int | None
    is_wasm: bool = False
    is_precompile: bool = False


@dataclass(frozen=True, slots=True)
class Exited:
    """How it ended; `error` is None on success, in geth's words otherwise."""

    output: bytes
    gas_used: int
    error: str | None = None


class Observer:
    """Does nothing at each event; a tracer overrides what it needs.

    Attributes:
        opcodes: EVM opcodes it wants `step` for; None for all of them, empty for none.
        wants_wasm_steps: Run Wasm on the interpreter and report each instruction.
        wants_host_calls: Report host functions.
    """

    opcodes: frozenset[int] | None = frozenset()
    wants_wasm_steps: bool = False
    wants_host_calls: bool = False

    def tx_start(self, state: Any, tx: Tx, env: BlockEnv) -> None:
        """A transaction is about to run: nothing is paid yet."""

    def tx_end(self, state: Any, executed: Executed) -> None:
        """It has run; fees are settled."""

    def enter(self, event: Entered) -> None:
        """A frame begins."""

    def exit(self, event: Exited) -> None:
        """The frame that began last ends."""

    def step(self, frame: Any, pc: int, op: int, gas: int, refund: int) -> None:
        """An EVM opcode is about to run: in EVM code, or (`pc` -1) for a host function of a Wasm frame.

        Args:
            frame: The frame's computation; not to be changed.
            pc: Position in the code.
            op: Opcode byte.
            gas: Gas left before it is paid for.
            refund: The transaction's refund counter.
        """

    def step_cost(self, cost: int, error: str | None) -> None:
        """What the last `step` cost: gas given to a callee included, gas given to a creation not (as in geth)."""

    def log(self, address: bytes, topics: tuple[int, ...], data: bytes) -> None:
        """A log entry."""

    def wasm_step(self, function: int, offset: int, opcode: int, stack: list[Any], particles: int) -> None:
        """The interpreter is about to run an instruction of the innermost Wasm frame."""

    def wasm_end(self, gas_left: int, failed: bool) -> None:
        """The innermost Wasm frame's code ended, before `exit`."""

    def host_call(
        self, name: str, arguments: tuple[int, ...], result: int | None, particles_before: int, particles_after: int
    ) -> None:
        """A host function returned."""

    def result(self, executed: Executed) -> Any:
        """The answer for a transaction that has ended: JSON."""
        return {}
