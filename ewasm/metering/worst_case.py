"""The most gas that a function can use, where that can be told without running it.

Control flow without loops is a graph without cycles, and its longest path is found in one walk. A loop that is branched
to, recursion, and a host function whose price depends on other contracts have no bound; the reason is given instead.
What is computed is an upper bound on the gas of a run that ends well: a trap takes all the gas there is. Lengths that
are not constants count as the largest memory that the module can have, since more would fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ewasm.metering.blocks import instruction_price, live_instructions, opcode_prices
from ewasm.metering.schedule import Schedule
from ewasm.wasm import opcodes as op
from ewasm.wasm.module import Instr, ValidModule
from ewasm.wasm.types import PAGE_BYTES

__all__ = ["HostBound", "Unbounded", "WorstCase", "constant_operands"]

HostBound = Callable[[int, Sequence[int | None], int], int]
"""(index of the imported function, its operands as far as they are constants, most bytes of memory) -> particles.

Raises `Unbounded` where there is no bound."""

_BYTE_MOVERS = frozenset({op.MEMORY_COPY, op.MEMORY_FILL, op.MEMORY_INIT})
_ENTRY_MOVERS = frozenset({op.TABLE_COPY, op.TABLE_FILL, op.TABLE_INIT})


class Unbounded(Exception):
    """There is no bound; the text is the reason, such as `loop in 3 ($transfer)`."""


@dataclass(slots=True)
class _Label:
    """An open block: the costliest way to its end so far (None while there is none), and for `if` the other arm."""

    opener: int
    to_end: int | None = None
    other: int | None = None


@dataclass
class WorstCase:
    """Bounds of a module's functions; each is computed once.

    Args:
        valid: The module.
        schedule: Prices.
        host: Bounds of host functions.
        max_pages: Most memory that rules admit, in pages.
    """

    valid: ValidModule
    schedule: Schedule
    host: HostBound
    max_pages: int
    _known: dict[int, int | Unbounded] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._prices = opcode_prices(self.schedule)
        memories = self.valid.memory_types
        limit = memories[0].limits.maximum if memories else 0
        self._max_bytes = (self.max_pages if limit is None else min(limit, self.max_pages)) * PAGE_BYTES
        self._tabled = self._referenced()

    def _referenced(self) -> frozenset[int]:
        """Functions that an indirect call can reach: those that the module takes a reference to."""
        module = self.valid.module
        bodies = [expression for element in module.elements for expression in element.init]
        bodies += [function.body for function in module.functions] + [item.init for item in module.globals]
        return frozenset(i[1] for body in bodies for i in body if i[0] == op.REF_FUNC)

    def function(self, index: int) -> int:
        """Most particles of a call of this function, its entry included, the `call` not.

        Raises:
            Unbounded: With the reason.
        """
        known = self._known.get(index)
        if known is None:
            if index in self._open:
                raise Unbounded(f"recursion through {self.valid.module.describe_function(index)}")
            self._open.add(index)
            try:
                known = self._walk(index)
            except Unbounded as reason:
                known = reason
            finally:
                self._open.discard(index)
            self._known[index] = known
        if isinstance(known, Unbounded):
            raise known
        return known

    def _walk(self, index: int) -> int:
        position = index - self.valid.imported_functions
        function = self.valid.module.functions[position]
        name = self.valid.module.describe_function(index)
        constants = constant_operands(self.valid, position)
        body = function.body
        most = 0
        cost: int | None = sum(count for count, _ in function.locals) * self.schedule.local
        labels = [_Label(-1)]
        for at, reached in live_instructions(body):
            instruction = body[at]
            code = instruction[0]
            if reached and cost is not None:
                cost += instruction_price(instruction, self._prices, self.schedule)
                cost += self._dynamic(instruction, constants.get(at, ()), name)
            if code in (op.BLOCK, op.LOOP, op.IF):
                labels.append(_Label(at, other=cost if code == op.IF else None))
            elif code == op.ELSE:
                label = labels[-1]
                label.to_end = _longer(label.to_end, cost if reached else None)
                cost, label.other = label.other, None
            elif code == op.END:
                label = labels.pop()
                cost = _longer(_longer(cost if reached else None, label.to_end), label.other)
            elif code in (op.BR, op.BR_IF, op.BR_TABLE):
                depths = (*instruction[1], instruction[2]) if code == op.BR_TABLE else (instruction[1],)
                for depth in depths:
                    label = labels[-1 - depth]
                    if label.opener >= 0 and body[label.opener][0] == op.LOOP:
                        raise Unbounded(f"loop in {name}")
                    label.to_end = _longer(label.to_end, cost)
                cost = cost if code == op.BR_IF else None
            elif code in (op.RETURN, op.UNREACHABLE, op.RETURN_CALL, op.RETURN_CALL_INDIRECT):
                most = max(most, cost or 0)
                cost = None
        return max(most, cost or 0)

    def _dynamic(self, instruction: Instr, operands: Sequence[int | None], name: str) -> int:
        """What an instruction costs beside its static price."""
        code = instruction[0]
        last = operands[-1] if operands else None
        if code in (op.CALL, op.RETURN_CALL):
            return self._call(instruction[1], operands)
        if code in (op.CALL_INDIRECT, op.RETURN_CALL_INDIRECT):
            wanted = self.valid.module.types[instruction[1]]
            callees = [i for i in self._tabled if self.valid.function_types[i] == wanted]
            return max((self._call(callee, ()) for callee in callees), default=0)
        if code == op.MEMORY_GROW:
            if last is None:
                raise Unbounded(f"memory.grow by no constant in {name}")
            return last * self.schedule.page_grown
        if code in _BYTE_MOVERS:
            return min(self._max_bytes if last is None else last, self._max_bytes) * self.schedule.byte_moved
        if code in _ENTRY_MOVERS or code == op.TABLE_GROW:
            if last is None:
                raise Unbounded(f"table instruction on a number of entries that is no constant in {name}")
            return last * self.schedule.entry_moved
        return 0

    def _call(self, callee: int, operands: Sequence[int | None]) -> int:
        if callee < self.valid.imported_functions:
            return self.host(callee, operands, self._max_bytes)
        return self.function(callee)


def _longer(one: int | None, other: int | None) -> int | None:
    """The larger of two costs; None is no way at all."""
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)


def constant_operands(valid: ValidModule, position: int) -> Mapping[int, tuple[int | None, ...]]:
    """Operands of the calls and of the instructions with a linear price in one function, as far as they are constants.

    Returns:
        Index of the instruction -> its operands, the first pushed first; None where the value is not known.
    """
    function, heights = valid.module.functions[position], valid.functions[position].heights
    values: dict[int, int] = {}
    found: dict[int, tuple[int | None, ...]] = {}
    for at, instruction in enumerate(function.body):
        code, height = instruction[0], heights[at]
        taken = _operand_count(valid, instruction)
        if height < 0 or taken is None:
            values.clear()
            continue
        if code in _WANTED:
            found[at] = tuple(values.get(slot) for slot in range(height - taken, height))
        values = {slot: value for slot, value in values.items() if slot < height - taken}
        if code in (op.I32_CONST, op.I64_CONST):
            values[height] = instruction[1]
    return found


_WANTED = _BYTE_MOVERS | _ENTRY_MOVERS | {op.CALL, op.RETURN_CALL, op.MEMORY_GROW, op.TABLE_GROW}
_TAKEN = {
    op.DROP: 1,
    op.SELECT: 3,
    op.SELECT_T: 3,
    op.LOCAL_GET: 0,
    op.LOCAL_SET: 1,
    op.LOCAL_TEE: 1,
    op.GLOBAL_GET: 0,
    op.GLOBAL_SET: 1,
    op.TABLE_GROW: 2,
}


def _operand_count(valid: ValidModule, instruction: Instr) -> int | None:
    """Operands that an instruction takes; None where control may go elsewhere."""
    code = instruction[0]
    if code in (op.CALL, op.RETURN_CALL):
        return len(valid.function_types[instruction[1]].params)
    if code in (op.CALL_INDIRECT, op.RETURN_CALL_INDIRECT):
        return len(valid.module.types[instruction[1]].params) + 1
    if code in _TAKEN:
        return _TAKEN[code]
    if code in (op.BLOCK, op.LOOP, op.IF, op.ELSE, op.END, op.BR, op.BR_IF, op.BR_TABLE, op.RETURN, op.UNREACHABLE):
        return None
    params = op.OPCODES[code].params
    return None if params is None else len(params)
