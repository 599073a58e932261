"""Trace events: what an observer of a run is told. A tracer never alters gas or state."""

from __future__ import annotations

from typing import Protocol

from ewasm.message import Message, Result

__all__ = ["Tracer"]


class Tracer(Protocol):
    """Receiver of events. Gas is in particles."""

    @property
    def wants_steps(self) -> bool:
        """Whether `step` is to be called, asked when a frame starts: one that is not stepped through pays nothing."""
        ...

    def frame_start(self, message: Message, code: bytes) -> None:
        """A Wasm frame begins."""
        ...

    def frame_end(self, message: Message, result: Result) -> None:
        """The Wasm frame that began last ends."""
        ...

    def step(self, function: int, offset: int, opcode: int, stack: list[int], particles: int) -> None:
        """The interpreter is about to run an instruction.

        Args:
            function: Index in the module's function index space.
            offset: Byte offset of the instruction in the module.
            opcode: Code of the opcode table.
            stack: The live operand stack (of the whole frame); not to be kept or changed.
            particles: Gas left before the instruction is paid for.
        """
        ...

    def host_call(
        self, name: str, arguments: tuple[int, ...], result: int | None, particles_before: int, particles_after: int
    ) -> None:
        """A host function returned (or ended the frame: then `result` is None).

        Args:
            name: "ethereum.storageLoad", for example.
            arguments: Unsigned.
            result: What it returned.
            particles_before: Gas left when it was called.
            particles_after: Gas left when it was done.
        """
        ...
