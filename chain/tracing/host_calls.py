"""hostTracer: what Wasm contracts asked of the world, call by call, in the order in which the calls ended.

An entry names the host function, its arguments and result as unsigned numbers, and the gas before and after it in
particles (ten-thousandths), so that their difference is its price. Where it ran an EVM operation of the fork in force,
`operation` has its name, operands and price in whole gas; where that started another contract, `frame` holds what
this one did in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from chain.tracing.events import Entered, Exited, Limits, Observer
from chain.tracing.frames import stack_words
from chain.tracing.names import op_name, operands
from chain.transition import Executed

__all__ = ["HostTracer"]

ENTRY_BYTES = 300

# JSON in pieces that nest as the frames do: joining it at each level would cost the depth over again.
Piece: TypeAlias = "bytes | list[Piece]"
Pieces: TypeAlias = "list[Piece]"


@dataclass(slots=True)
class _Frame:
    entered: Entered
    calls: list[Piece] = field(default_factory=list)
    inner: list[Piece] = field(default_factory=list)
    operation: dict[str, Any] | None = None


class HostTracer(Observer):
    """Frames with their host calls; EVM frames are there with the Wasm frames below them."""

    opcodes = None
    wants_host_calls = True

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._stack: list[_Frame] = []
        self._top: Pieces = [b"{}"]

    def enter(self, event: Entered) -> None:
        self._stack.append(_Frame(event))

    def exit(self, event: Exited) -> None:
        frame = self._stack.pop()
        entered = frame.entered
        shown: dict[str, Any] = {
            "type": entered.kind,
            "code": "wasm" if entered.is_wasm else "evm",
            "from": "0x" + entered.sender.hex(),
            "to": "0x" + entered.to.hex(),
            "gas": entered.gas,
            "gasUsed": event.gas_used,
        }
        if event.error is not None:
            shown["error"] = event.error
        pieces: Pieces = [orjson.dumps(shown)[:-1]]
        if entered.is_wasm:
            pieces += [b',"hostCalls":', _array(frame.calls)]
        if frame.inner:
            pieces += [b',"frames":', _array(frame.inner)]
        pieces.append(b"}")
        self._limits.record(len(pieces[0]))
        if self._stack:
            self._stack[-1].inner.append(pieces)
        else:
            self._top = pieces

    def step(self, frame: Any, pc: int, op: int, gas: int, refund: int) -> None:
        if pc >= 0:
            return
        words = stack_words(frame)
        count = operands(op)
        given = words[-count:][::-1] if count else []
        self._stack[-1].operation = {"op": op_name(op), "operands": [hex(word) for word in given], "gasCost": 0}

    def step_cost(self, cost: int, error: str | None) -> None:
        operation = self._stack[-1].operation
        if operation is not None:
            operation["gasCost"] = cost
            if error is not None:
                operation["error"] = error

    def host_call(
        self, name: str, arguments: tuple[int, ...], result: int | None, particles_before: int, particles_after: int
    ) -> None:
        frame = self._stack[-1]
        self._limits.record(ENTRY_BYTES)
        entry: dict[str, Any] = {
            "name": name,
            "args": [hex(argument) for argument in arguments],
            "result": None if result is None else hex(result),
            "particlesBefore": particles_before,
            "particlesAfter": particles_after,
        }
        if frame.operation is not None:
            entry["operation"], frame.operation = frame.operation, None
        raw = orjson.dumps(entry)
        frame.calls.append([raw[:-1], b',"frame":', frame.inner.pop(0), b"}"] if frame.inner else raw)

    def result(self, executed: Executed) -> Any:
        return orjson.Fragment(b"".join(_flat(self._top)))


def _array(items: Sequence[Piece]) -> Pieces:
    pieces: Pieces = [b"["]
    for number, item in enumerate(items):
        pieces += [b",", item] if number else [item]
    pieces.append(b"]")
    return pieces


def _flat(pieces: Pieces) -> Iterator[bytes]:
    """The bytes of a tree, in order; in a loop, because it may be as deep as calls are."""
    waiting: list[Piece] = [pieces]
    while waiting:
        piece = waiting.pop()
        if isinstance(piece, bytes):
            yield piece
        else:
            waiting.extend(reversed(piece))
