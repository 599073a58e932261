"""A proof, module by module, that injected charges are exact (PROTOCOL section 3).

`prove` walks a rewritten function and its original side by side and never looks at how the rewriting was done: it knows
the phrases that may be put in, and follows one number, what has been charged less what has been executed. That number
must not depend on the path by which a point is reached, and must be zero wherever gas can be seen: at calls, at
memory.grow and at every way out. Beside that: function entries and branched-to loops compare the counter with zero;
charges that depend on an operand stand directly before their instruction; every function takes the counter as its last
parameter and gives it back as its last result.
What is left when the phrases are taken out must be the original, instruction by instruction.

Together with the interpreter, which pays for one instruction at a time, this makes two independent statements of what a
module costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ewasm.errors import EwasmError
from ewasm.metering.inject import GAS_EXPORT, PAGES_EXPORT, STACK_EXPORT, MeteredModule
from ewasm.metering.schedule import Schedule
from ewasm.metering.stack_height import counted_heights
from ewasm.wasm import opcodes as op
from ewasm.wasm.module import EMPTY_BLOCK, Expr, Instr, ValidModule
from ewasm.wasm.types import I32, I64, FuncType

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
    counters = exports[GAS_EXPORT], exports[STACK_EXPORT], exports[PAGES_EXPORT]
    if schedule.is_free:
        return 0
    for index, (before, after) in enumerate(zip(module.imports, rewritten.imports, strict=True)):
        if isinstance(before.type, int) and not _is_extended(valid, metered, before.type, after.type):
            raise Unproven(f"import {index}", None, "it does not take and give the counter")
    for index, function in enumerate(module.functions):
        walk = _Walk(valid, metered, schedule, index, counters, heights[index])
        walk.run(function.body, rewritten.functions[index].body)
    _prove_entries(valid, metered)
    return len(module.functions)


def _prove_entries(valid: ValidModule, metered: MeteredModule) -> None:
    """An entry point is the function it was; tables hold the functions they held."""
    original = {e.name: e.index for e in valid.module.exports}
    exported = {e.name: e.index for e in metered.module.exports}
    for name, export in metered.entries.items():
        if exported[export] != original[name]:
            raise Unproven(name, None, "the entry point is another function")
    for before, after in zip(valid.module.elements, metered.module.elements, strict=True):
        if before.init != after.init:
            raise Unproven("element segment", None, "it refers to another function")


def _is_extended(valid: ValidModule, metered: MeteredModule, before: int, after: object) -> bool:
    """Whether type `after` of the rewritten module is type `before` of the original with the counter at both ends."""
    known = valid.module.types[before]
    extended = FuncType((*known.params, I64), (*known.results, I64))
    return isinstance(after, int) and metered.module.types[after] == extended


class _Walk:
    """One function: the original's live instructions against the rewritten body."""

    def __init__(
        self,
        valid: ValidModule,
        metered: MeteredModule,
        schedule: Schedule,
        index: int,
        counters: tuple[int, int, int],
        height: int,
    ) -> None:
        known = valid.functions[index]
        self.valid = valid
        self.metered = metered
        self.schedule = schedule
        self.name = valid.module.describe_function(valid.imported_functions + index)
        self.gas = len(known.type.params)
        self.operand = len(known.local_types) + 1
        self.gas_global, self.stack_global, self.pages_global = counters
        self.height = height
        self.locals = len(known.local_types) - len(known.type.params)
        self.type_indices = valid.module.functions[index].type_index, metered.module.functions[index].type_index
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
        while self.peek((op.LOCAL_GET, self.gas)) and self._charges_follow():
            self.at += 1
            compared = self.take_subtraction() or compared
        return compared

    def _charges_follow(self) -> bool:
        """Whether the counter is read to be charged or compared, not to be handed over."""
        following = self.body[self.at + 1] if self.at + 1 < len(self.body) else ()
        return following[:1] == (op.I64_CONST,) or following == (op.LOCAL_TEE, self.gas)

    def take_hand_over(self) -> None:
        self.expect("the counter is not handed over", (op.LOCAL_GET, self.gas))

    def take_leave(self) -> None:
        """What settles both counters before the function is left."""
        self.take_height_back()
        self.take_hand_over()

    def take_height_back(self) -> None:
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
        if self.extra != ((1, I32),) or not _is_extended(self.valid, self.metered, *self.type_indices):
            raise self.fail("it does not take and give the counter")
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
        self.expect("the counter is not read at entry", (op.LOCAL_GET, self.gas))
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
        self.take_hand_over()
        self.expect(
            "the way out of gas does not say so and trap",
            (op.GLOBAL_SET, self.gas_global),
            (op.UNREACHABLE,),
            (op.END,),
        )
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
            elif code in (op.LOCAL_GET, op.LOCAL_SET, op.LOCAL_TEE):
                # The counter stands between the parameters and the declared locals.
                local = instruction[1]
                self.expect("another local", (code, local if local < self.gas else local + 1))
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
        self.take_callee(instruction)
        self.take_subtraction()

    def take_callee(self, instruction: Instr) -> None:
        """The counter, then the same function, or the same table with the type that has the counter."""
        if instruction[0] not in (op.CALL_INDIRECT, op.RETURN_CALL_INDIRECT):
            self.take_hand_over()
            self.expect("another call", instruction)
            return
        # The place in the table is the last operand of all.
        self.expect("the place in the table does not step aside", (op.LOCAL_SET, self.operand))
        self.take_hand_over()
        self.expect("the place in the table does not come back", (op.LOCAL_GET, self.operand))
        found = self.body[self.at] if self.at < len(self.body) else ()
        code, type_index, table = instruction
        if len(found) != 3 or not _is_extended(self.valid, self.metered, type_index, found[1]):
            raise self.fail("a callee that does not take and give the counter")
        self.expect("another call", (code, found[1], table))

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
        self.take_height_back()
        self.take_callee(instruction)

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
        if code == op.MEMORY_GROW:
            self.expect(
                "the memory of the transaction is not held to its limit",
                (op.MEMORY_SIZE, instruction[1]),
                (op.GLOBAL_GET, self.pages_global),
                (op.I32_GT_U,),
                (op.IF, EMPTY_BLOCK),
                (op.UNREACHABLE,),
                (op.END,),
            )


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
