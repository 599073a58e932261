"""A proof, module by module, that injected charges are exact (PROTOCOL section 3).

`prove` walks a rewritten function and its original side by side and never looks at how the rewriting was done: it knows
the phrases that may be put in, and follows one number, what has been charged less what has been executed. That number
must not depend on the path by which a point is reached, and must be zero wherever gas can be seen: at calls, at
memory.grow and at every way out. Beside that: function entries and branched-to loops compare the counter with zero;
charges that depend on an operand stand directly before their instruction; the counter is where a callee looks for it.
What is left when the phrases are taken out must be the original, instruction by instruction.

Together with the interpreter, which pays for one instruction at a time, this makes two independent statements of what a
module costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ewasm.errors import EwasmError
from ewasm.metering.inject import GAS_EXPORT, STACK_EXPORT, MeteredModule
from ewasm.metering.schedule import Schedule
from ewasm.metering.stack_height import counted_heights
from ewasm.wasm import opcodes as op
from ewasm.wasm.module import EMPTY_BLOCK, Expr, Instr, ValidModule
from ewasm.wasm.types import I32, I64

__all__ = ["Unproven", "prove"]

_OPENERS = (op.BLOCK, op.LOOP, op.IF)
_LEAVES = (op.BR, op.BR_TABLE, op.RETURN, op.UNREACHABLE, op.RETURN_CALL, op.RETURN_CALL_INDIRECT)
_BYTES_MOVED = (op.MEMORY_COPY, op.MEMORY_FILL, op.MEMORY_INIT)
_ENTRIES_MOVED = (op.TABLE_COPY, op.TABLE_FILL, op.TABLE_INIT, op.TABLE_GROW)


class Unproven(EwasmError):
    """A rewritten function could not be shown to charge what its original costs.

    Args:
        function: The function, as messages name it.
        instruction: Index in the original's body, or None.
        reason: What does not hold.
    """

    def __init__(self, function: str, instruction: int | None, reason: str) -> None:
        place = "" if instruction is None else f", instruction {instruction}"
        super().__init__(f"function {function}{place}: {reason}")
        self.function = function
        self.instruction = instruction
        self.reason = reason


@dataclass(slots=True)
class _Label:
    """A label of the original.

    Attributes:
        opcode: block, loop or if; block for the function's own.
        balance: What every way to where it leads must have; None while no way is known.
        arm: For `if`: the balance that both arms begin with.
        checked: For `loop`: whether the counter is compared directly behind it.
        has_else: For `if`.
    """

    opcode: int
    balance: int | None = None
    arm: int | None = None
    checked: bool = False
    has_else: bool = False


def prove(valid: ValidModule, metered: MeteredModule, schedule: Schedule, *, stack_height: int) -> int:
    """Show that `metered` charges what `valid` costs under `schedule`.

    Args:
        stack_height: Limit of the stack rule, as it was given to the injector.

    Returns:
        How many functions were shown.

    Raises:
        Unproven: Something does not hold.
    """
    module, rewritten = valid.module, metered.module
    exports = {e.name: e.index for e in rewritten.exports}
    heights = counted_heights(valid, stack_height)
    counters = exports[GAS_EXPORT], exports[STACK_EXPORT]
    if schedule.is_free:
        return 0
    for index, function in enumerate(module.functions):
        walk = _Walk(valid, metered, schedule, index, counters, heights[index])
        walk.run(function.body, rewritten.functions[index].body)
    _prove_entries(valid, metered, counters[0])
    return len(module.functions)


def _prove_entries(valid: ValidModule, metered: MeteredModule, gas: int) -> None:
    """An entry point takes the counter in, calls, and gives it back; tables hold the functions they held."""
    imported = valid.imported_functions
    original = {e.name: e.index for e in valid.module.exports}
    exported = {e.name: e.index for e in metered.module.exports}
    for name, export in metered.entries.items():
        body = metered.module.functions[exported[export] - imported].body
        call = body[2] if len(body) == 5 else ()
        wanted = ((op.LOCAL_GET, 0), (op.GLOBAL_SET, gas), call, (op.GLOBAL_GET, gas), (op.END,))
        is_call = call[:1] == (op.CALL,) and _stands_for(valid, metered, original[name], call[1], gas)
        if body != wanted or not is_call:
            raise Unproven(name, None, "the entry point does not hand over the counter")
    for before, after in zip(valid.module.elements, metered.module.elements, strict=True):
        for old, new in zip(before.init, after.init, strict=True):
            if old[0][0] != op.REF_FUNC:
                same = old == new
            else:
                same = new[0][0] == op.REF_FUNC and _stands_for(valid, metered, old[0][1], new[0][1], gas)
            if not same:
                raise Unproven("element segment", None, "it refers to another function")


class _Walk:
    """One function: the original's live instructions against the rewritten body."""

    def __init__(
        self,
        valid: ValidModule,
        metered: MeteredModule,
        schedule: Schedule,
        index: int,
        counters: tuple[int, int],
        height: int,
    ) -> None:
        known = valid.functions[index]
        self.valid = valid
        self.metered = metered
        self.schedule = schedule
        self.name = valid.module.describe_function(valid.imported_functions + index)
        self.gas = len(known.local_types)
        self.operand = self.gas + 1
        self.gas_global, self.stack_global = counters
        self.height = height
        self.locals = len(known.local_types) - len(known.type.params)
        self.results = known.type.results
        self.extra = metered.module.functions[index].locals[len(valid.module.functions[index].locals) :]
        self.body: Expr = ()
        self.at = 0
        self.original: int | None = None
        self.labels: list[_Label] = []
        self.balance: int | None = 0

    # -- reading the rewritten body ------------------------------------------------------------------------------

    def fail(self, reason: str) -> Unproven:
        return Unproven(self.name, self.original, reason)

    def peek(self, *instructions: Instr) -> bool:
        return self.body[self.at : self.at + len(instructions)] == instructions

    def take(self, *instructions: Instr) -> bool:
        found = self.peek(*instructions)
        if found:
            self.at += len(instructions)
        return found

    def expect(self, reason: str, *instructions: Instr) -> None:
        if not self.take(*instructions):
            raise self.fail(reason)

    @property
    def stop(self) -> int:
        return len(self.labels) - 1

    def take_constant(self, *following: Instr) -> int | None:
        """`i64.const c` followed by the given instructions: c."""
        if self.at < len(self.body) and self.body[self.at][0] == op.I64_CONST:
            found: int = self.body[self.at][1]
            if self.body[self.at + 1 : self.at + 1 + len(following)] == following:
                self.at += 1 + len(following)
                return found
        return None

    def take_comparison(self) -> bool:
        return self.take((op.I64_CONST, 0), (op.I64_LT_S,), (op.BR_IF, self.stop))

    def take_subtraction(self) -> bool:
        """The counter is on the stack: subtract perhaps, put it in its local, compare perhaps. Returns if compared."""
        charged = self.take_constant((op.I64_SUB,)) or 0
        if self.balance is not None:
            self.balance += charged
        if self.take((op.LOCAL_SET, self.gas)):
            return False
        self.expect("the counter is read and not written back", (op.LOCAL_TEE, self.gas))
        if not self.take_comparison():
            raise self.fail("the counter is kept on the stack and not compared")
        return True

    def take_charges(self) -> bool:
        """Any charges that stand here. Returns whether one compared the counter with zero."""
        compared = False
        spill = (op.LOCAL_GET, self.gas), (op.GLOBAL_SET, self.gas_global)
        while self.peek((op.LOCAL_GET, self.gas)) and not self.peek(*spill) and not self._at_host_call():
            self.at += 1
            compared = self.take_subtraction() or compared
        return compared

    def _at_host_call(self) -> bool:
        following = self.body[self.at + 1] if self.at + 1 < len(self.body) else ()
        return following[:1] == (op.CALL,) and following[1] < self.valid.imported_functions

    def take_spill(self) -> None:
        self.expect(
            "the counter is not in its global for the callee",
            (op.LOCAL_GET, self.gas),
            (op.GLOBAL_SET, self.gas_global),
        )

    def take_reload(self) -> None:
        self.expect("the counter is not taken back from the callee", (op.GLOBAL_GET, self.gas_global))
        self.take_subtraction()

    def take_leave(self) -> None:
        """What settles both counters before the function is left."""
        self.take_spill()
        if self.height:
            stack = self.stack_global
            self.expect(
                "the stack height is not given back",
                (op.GLOBAL_GET, stack),
                (op.I32_CONST, self.height),
                (op.I32_ADD,),
                (op.GLOBAL_SET, stack),
            )

    # -- the walk ------------------------------------------------------------------------------------------------

    def run(self, original: Expr, rewritten: Expr) -> None:
        self.body = rewritten
        if self.extra != ((1, I64), (1, I32)):
            raise self.fail("the counter has no local of its own")
        self.labels = [_Label(op.BLOCK, None)]
        self.balance = -self.locals * self.schedule.local
        self.take_prologue()
        for index, instruction, alive in _live(original):
            self.original = index
            if not alive:
                self.balance = None
            elif self.take_charges() and self.balance is None:
                raise self.fail("a charge in dead code")
            if index == len(original) - 1:
                break
            self.step(instruction)
        self.original = None
        self.take_epilogue(original[-1])

    def take_prologue(self) -> None:
        opening = self.body[:2]
        if len(opening) < 2 or opening[0][0] != op.BLOCK or opening[1] != (op.BLOCK, EMPTY_BLOCK):
            raise self.fail("no blocks to leave by")
        self.at = 2
        self.expect("the counter is not read at entry", (op.GLOBAL_GET, self.gas_global))
        if not self.take_subtraction():
            raise self.fail("the counter is not compared at entry")
        if self.height:
            stack = self.stack_global
            self.expect(
                "the stack height is not counted",
                (op.GLOBAL_GET, stack),
                (op.I32_CONST, self.height),
                (op.I32_SUB,),
                (op.LOCAL_TEE, self.operand),
                (op.GLOBAL_SET, stack),
                (op.LOCAL_GET, self.operand),
                (op.I32_CONST, 0),
                (op.I32_LT_S,),
                (op.BR_IF, 0),
            )

    def take_epilogue(self, end: Instr) -> None:
        self.pay(end)
        self.settle_at(self.labels[0], "the end of the function")
        self.expect("the function does not leave by $exit", (op.BR, 1), (op.END,))
        self.take_spill()
        self.expect("the way out of gas does not trap", (op.UNREACHABLE,), (op.END,))
        self.take_leave()
        self.expect("something stands behind the end", (op.END,))
        if self.at != len(self.body):
            raise self.fail("something stands behind the end")
        if self.labels[0].balance not in (0, None):
            raise self.fail(f"off by {self.labels[0].balance} particles when it returns")

    def pay(self, instruction: Instr) -> None:
        """The original executes `instruction`."""
        if self.balance is not None:
            price = self.schedule.opcodes[op.OPCODES[instruction[0]].cost_class]
            if instruction[0] == op.BR_TABLE:
                price += self.schedule.branch_target * len(instruction[1])
            self.balance -= price

    def observe(self, what: str) -> None:
        """Gas can be seen here, unless no way leads here."""
        if self.balance not in (0, None):
            raise self.fail(f"off by {self.balance} particles at {what}")

    def settle_at(self, label: _Label, what: str) -> None:
        """Control goes to `label` with the balance there is."""
        if self.balance is None:
            return
        if label is self.labels[0] and self.balance != 0:
            raise self.fail(f"off by {self.balance} particles at {what}")
        if label.balance is None:
            label.balance = self.balance
        elif label.balance != self.balance:
            raise self.fail(f"{self.balance} particles here, {label.balance} on another way to the same place")

    def branch(self, depth: int) -> int:
        """Check the balance of a branch; returns the depth it must have in the rewritten body."""
        label = self.labels[-1 - depth]
        if label.opcode == op.LOOP and not label.checked:
            raise self.fail("a branch back to a loop that does not compare the counter")
        self.settle_at(label, "a branch out of the function")
        return depth + 1 if label is self.labels[0] else depth

    def step(self, instruction: Instr) -> None:
        code = instruction[0]
        if code in (op.END, op.ELSE):
            self.step_end(instruction)
        elif code in _OPENERS:
            self.step_open(instruction)
        else:
            self.pay(instruction)
            if code in (op.BR, op.BR_IF):
                self.expect("another branch", (code, self.branch(instruction[1])))
            elif code == op.BR_TABLE:
                targets = tuple(self.branch(depth) for depth in instruction[1])
                self.expect("another br_table", (code, targets, self.branch(instruction[2])))
            elif code == op.RETURN:
                self.settle_at(self.labels[0], "a return")
                self.expect("another return", (op.BR, len(self.labels)))
            elif code in (op.CALL, op.CALL_INDIRECT):
                self.step_call(instruction)
            elif code in (op.RETURN_CALL, op.RETURN_CALL_INDIRECT):
                self.step_tail_call(instruction)
            elif code == op.REF_FUNC:
                self.expect("another reference", (code, self.thunk_of(instruction[1])))
            else:
                self.step_plain(instruction)
        if code in _LEAVES:
            self.balance = None

    def step_open(self, instruction: Instr) -> None:
        label = _Label(instruction[0])
        if label.opcode == op.LOOP:
            # A branch back executes `loop` again, so the balance at its label is the one before it is paid.
            label.balance = self.balance
        self.pay(instruction)
        label.arm = self.balance
        self.expect("another block", instruction)
        self.labels.append(label)
        if label.opcode == op.LOOP:
            label.checked = self.take_charges()

    def step_end(self, instruction: Instr) -> None:
        label = self.labels[-1]
        self.pay(instruction)
        self.expect("another end of a block", instruction)
        if label.opcode != op.LOOP:
            self.settle_at(label, "an end")
        if instruction[0] == op.ELSE:
            label.has_else = True
            self.balance = label.arm
            return
        self.labels.pop()
        if label.opcode == op.IF and not label.has_else:
            # A condition that is false goes on behind the end.
            self.balance = label.arm
            self.settle_at(label, "an if without else")
        if label.opcode != op.LOOP:
            self.balance = label.balance

    def step_call(self, instruction: Instr) -> None:
        self.observe("a call")
        if instruction[0] == op.CALL and instruction[1] < self.valid.imported_functions:
            self.expect("a host function that is not given the counter", (op.LOCAL_GET, self.gas), instruction)
            self.take_subtraction()
            return
        self.take_spill()
        self.expect("another call", instruction)
        self.take_reload()

    def step_tail_call(self, instruction: Instr) -> None:
        self.observe("a tail call")
        if instruction[0] == op.RETURN_CALL and instruction[1] < self.valid.imported_functions:
            self.expect(
                "a tail call of a host function that does not call and leave",
                (op.LOCAL_GET, self.gas),
                (op.CALL, instruction[1]),
                (op.LOCAL_SET, self.gas),
                (op.BR, len(self.labels)),
            )
            return
        self.take_leave()
        self.expect("another tail call", instruction)

    def step_plain(self, instruction: Instr) -> None:
        code = instruction[0]
        unit = 0
        if code == op.MEMORY_GROW:
            self.observe("memory.grow")
            unit = self.schedule.page_grown
        elif code in _BYTES_MOVED:
            unit = self.schedule.byte_moved
        elif code in _ENTRIES_MOVED:
            unit = self.schedule.entry_moved
        if unit:
            self.expect(
                "its operand is not charged for",
                (op.LOCAL_TEE, self.operand),
                (op.LOCAL_GET, self.gas),
                (op.LOCAL_GET, self.operand),
                (op.I64_EXTEND_I32_U,),
                (op.I64_CONST, unit),
                (op.I64_MUL,),
                (op.I64_SUB,),
                (op.LOCAL_TEE, self.gas),
                (op.I64_CONST, 0),
                (op.I64_LT_S,),
                (op.BR_IF, self.stop),
            )
        self.expect("another instruction", instruction)

    def thunk_of(self, index: int) -> int:
        """What a reference to `index` must be in the rewritten module."""
        found = self.body[self.at][1] if self.at < len(self.body) and self.body[self.at][0] == op.REF_FUNC else -1
        if not _stands_for(self.valid, self.metered, index, found, self.gas_global):
            raise self.fail("a reference to another function")
        return int(found)


def _stands_for(valid: ValidModule, metered: MeteredModule, index: int, found: int, gas: int) -> bool:
    """Whether `found` in the rewritten module is `index` of the original: itself, or a thunk for a host function."""
    imported = valid.imported_functions
    if index >= imported:
        return found == index
    if found < len(valid.function_types) or found - imported >= len(metered.module.functions):
        return False
    arguments = tuple((op.LOCAL_GET, i) for i in range(len(valid.function_types[index].params)))
    thunk = (*arguments, (op.GLOBAL_GET, gas), (op.CALL, index), (op.GLOBAL_SET, gas), (op.END,))
    return metered.module.functions[found - imported].body == thunk


def _live(body: Expr) -> Iterator[tuple[int, Instr, bool]]:
    """Instructions that control can reach in the sense of validation; False for an `end` or `else` only jumped to."""
    nesting_of_dead = -1
    for index, instruction in enumerate(body):
        code = instruction[0]
        if nesting_of_dead >= 0:
            if code in _OPENERS:
                nesting_of_dead += 1
            elif code == op.END and nesting_of_dead > 0:
                nesting_of_dead -= 1
            elif code in (op.END, op.ELSE) and nesting_of_dead == 0:
                nesting_of_dead = -1
                yield index, instruction, False
            continue
        yield index, instruction, True
        if code in _LEAVES:
            nesting_of_dead = 0
