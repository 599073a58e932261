"""Metered blocks: runs of instructions that are executed together or not at all, up to an observation.

A block begins where control can arrive (function entry, a branched-to loop, after `else`, after an `end` that something
jumps to) or where it can leave (after a conditional branch), and after each instruction at which gas can be seen: a
call, because the callee may end the frame, and memory.grow. Its charge is made before its first instruction. A trap in
the middle takes all gas, so having charged for what follows it is not observable.

`loop` is charged on each entry, the back edges included: a branch to a loop executes the `loop` instruction again
(core spec 4.4.8). An `else` reached from above costs `else` and skips the `end`; a branch out of a block skips it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ewasm.metering.schedule import Schedule
from ewasm.wasm import opcodes as op
from ewasm.wasm.module import Expr, Function, Instr

__all__ = ["MeteredBlocks", "instruction_price", "live_instructions", "metered_blocks", "opcode_prices"]

_OPENERS = frozenset({op.BLOCK, op.LOOP, op.IF})
_ENDS_CONTROL = frozenset({op.BR, op.BR_TABLE, op.RETURN, op.UNREACHABLE, op.RETURN_CALL, op.RETURN_CALL_INDIRECT})
_OBSERVED = frozenset({op.CALL, op.CALL_INDIRECT, op.MEMORY_GROW})
_CONTROL = _OPENERS | {op.END, op.BR, op.BR_IF, op.BR_TABLE}
# Only an `else` or `end` can stand where control does not fall into it; everything else just adds up.
_BOUNDS = _CONTROL | _ENDS_CONTROL | _OBSERVED | {op.ELSE}


@dataclass(frozen=True, slots=True)
class MeteredBlocks:
    """Charges of one function.

    Attributes:
        charges: Index of a block's first instruction -> particles. The entry charge stands at 0; a free block is
            absent.
        checks: Indices at which the counter must be compared with zero beside being charged: loop heads.
    """

    charges: dict[int, int]
    checks: frozenset[int]


def opcode_prices(schedule: Schedule) -> dict[int, int]:
    """Opcode -> particles, for every row of the table.

    Raises:
        KeyError: A cost class has no price.
    """
    return {code: schedule.opcodes[row.cost_class] for code, row in op.OPCODES.items()}


def instruction_price(instruction: Instr, prices: dict[int, int], schedule: Schedule) -> int:
    """Static price of one instruction: its opcode's, and for br_table its targets'."""
    price = prices[instruction[0]]
    if instruction[0] == op.BR_TABLE:
        price += schedule.branch_target * len(instruction[1])
    return price


def live_instructions(body: Expr) -> Iterator[tuple[int, bool]]:
    """Walk a body without the code that follows an unconditional branch in the same block.

    Yields:
        (index, reached): `reached` is False only for an `else` or `end` that control does not fall into.
    """
    dead = False
    dead_nesting = 0
    for index, instruction in enumerate(body):
        code = instruction[0]
        if dead:
            if code in _OPENERS:
                dead_nesting += 1
            elif code == op.END and dead_nesting:
                dead_nesting -= 1
            elif code in (op.END, op.ELSE) and not dead_nesting:
                dead = False
                yield index, False
        else:
            yield index, True
            dead = code in _ENDS_CONTROL


def _targeted_labels(body: Expr, live: Sequence[tuple[int, bool]]) -> frozenset[int]:
    """Indices of the block, loop or if instructions that a live branch names (-1 stands for the function itself)."""
    targets: set[int] = set()
    labels = [-1]
    for index, _ in live:
        instruction = body[index]
        code = instruction[0]
        if code not in _CONTROL:
            continue
        if code in _OPENERS:
            labels.append(index)
        elif code == op.END:
            labels.pop()
        elif code in (op.BR, op.BR_IF):
            targets.add(labels[-1 - instruction[1]])
        elif code == op.BR_TABLE:
            targets.update(labels[-1 - depth] for depth in instruction[1])
            targets.add(labels[-1 - instruction[2]])
    return frozenset(targets)


def metered_blocks(
    function: Function,
    local_count: int,
    prices: dict[int, int],
    schedule: Schedule,
    live: Sequence[tuple[int, bool]] | None = None,
) -> MeteredBlocks:
    """Split a function into metered blocks.

    Args:
        function: The function.
        local_count: Its declared locals, parameters not counted: paid for at entry.
        prices: `opcode_prices(schedule)`.
        schedule: For the linear parts that are static.
        live: `live_instructions` of the body, where that is at hand.
    """
    body = function.body
    live = list(live_instructions(body)) if live is None else live
    targeted = _targeted_labels(body, live)
    charges: dict[int, int] = {}
    checks: set[int] = set()
    openers: list[int] = []
    start, cost = 0, local_count * schedule.local

    def close(next_start: int) -> None:
        nonlocal start, cost
        if cost:
            charges[start] = charges.get(start, 0) + cost
        start, cost = next_start, 0

    for index, reached in live:
        instruction = body[index]
        code = instruction[0]
        if code not in _BOUNDS:
            cost += prices[code]
            continue
        price = instruction_price(instruction, prices, schedule)
        if code == op.LOOP and index in targeted:
            close(index + 1)
            checks.add(index + 1)
        if reached:
            cost += price
        if code in _OPENERS:
            openers.append(index)
        if code == op.END:
            opener = openers.pop() if openers else None
            joins = (
                opener is not None and body[opener][0] != op.LOOP and (opener in targeted or body[opener][0] == op.IF)
            )
            if joins or not reached:
                close(index + 1)
        elif code in _ENDS_CONTROL or code in _OBSERVED or code in (op.IF, op.ELSE, op.BR_IF):
            close(index + 1)
    close(len(body))
    return MeteredBlocks(charges, frozenset(checks))
