"""The interpreter: the original module, one instruction at a time, each paid for before it runs (core spec 4.4).

It is the specification of gas and the tracer. Values are unsigned ints; references are function instances or None.
There is no Python recursion: calls push an activation, so depth is bounded by the stack-height rule alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ewasm.contract import Contract
from ewasm.eei import Frame, HostEntry, invoke
from ewasm.engine.base import NO_MEMORY
from ewasm.engine.predecode import (
    BINARY,
    BR,
    BR_IF,
    BR_TABLE,
    BYTE_MOVES,
    CALLS,
    CONST,
    DATA_DROP,
    DIRECT_CALLS,
    DROP,
    ELEM_DROP,
    ELSE,
    ENTER,
    GLOBAL_GET,
    GLOBAL_SET,
    IF,
    LEAVE,
    LEAVE_STEP,
    LOAD,
    LOCAL_GET,
    LOCAL_SET,
    LOCAL_TEE,
    MEMORY_COPY,
    MEMORY_GROW,
    MEMORY_INIT,
    MEMORY_SIZE,
    NOTHING,
    REF_FUNC,
    REF_IS_NULL,
    REF_NULL,
    SELECT,
    STORE,
    TABLE_COPY,
    TABLE_FILL,
    TABLE_GET,
    TABLE_GROW,
    TABLE_KINDS,
    TABLE_MOVES,
    TABLE_SET,
    TABLE_SIZE,
    TAIL_CALLS,
    TRACE,
    UNARY,
    UNREACHABLE,
    WIDE,
    Step,
)
from ewasm.engine.runtime import (
    FunctionInstance,
    HostFunctionInstance,
    ModuleInstance,
    TableInstance,
    WasmFunction,
    instantiate,
)
from ewasm.errors import OutOfGas, StackExhausted, Trap
from ewasm.metering.schedule import Schedule
from ewasm.rules import Rules
from ewasm.trace import Tracer
from ewasm.wasm.types import PAGE_BYTES, FuncType

__all__ = ["InterpreterEngine", "Machine"]

_MASK32 = (1 << 32) - 1

Activation = tuple[WasmFunction, tuple[Step, ...], int, list[Any], int]
"""A suspended caller: function, steps, next step, locals, operand base."""


class Machine:
    """One thread of execution: operand stack, gas, stack height.

    Attributes:
        particles: Gas left; exact whenever a host function runs and when `invoke` returns or raises.
    """

    def __init__(self, particles: int, stack_height: int, tracer: Tracer | None = None) -> None:
        self.particles = particles
        self.stack_height = stack_height
        self.tracer = tracer

    def invoke(self, function: FunctionInstance, arguments: tuple[Any, ...]) -> list[Any]:
        """Call a function and run until it returns (4.5.5).

        Raises:
            Trap, OutOfGas, StackExhausted: And what host functions raise.
        """
        if isinstance(function, HostFunctionInstance):
            return list(function.call(arguments))
        stack: list[Any] = list(arguments)
        self._run(function, stack)
        return stack

    def _run(self, function: WasmFunction, stack: list[Any]) -> None:
        gas = self.particles
        limit, tracer = self.stack_height, self.tracer
        told = tracer is not None and tracer.wants_steps
        pop, push, from_bytes = stack.pop, stack.append, int.from_bytes
        callers: list[Activation] = []
        height = 0
        # The outermost activation is no function's: it calls `function`, and leaves.
        steps: tuple[Step, ...] = ((ENTER, 0, function, 0, 0), LEAVE_STEP)
        local: list[Any] = []
        current, pc, base = function, 0, 0
        instance, memory = function.instance, _first_memory(function.instance)
        try:
            while True:
                kind, price, a, b, c = steps[pc]
                gas -= price
                if gas < 0:
                    raise OutOfGas
                pc += 1

                # Numeric instructions (4.4.1) and variable instructions (4.4.5)
                if kind == LOCAL_GET:
                    push(local[a])
                elif kind == CONST:
                    push(a)
                elif kind == BINARY:
                    right = pop()
                    push(a(pop(), right))
                elif kind == LOCAL_SET:
                    local[a] = pop()
                # Memory instructions (4.4.7): the effective address has 33 bits and does not wrap.
                elif kind == LOAD:
                    address = pop() + a
                    end = address + b
                    if end > len(memory):
                        raise Trap("out of bounds memory access")
                    value = from_bytes(memory[address:end], "little")
                    if c is not None and value & c[0]:
                        value |= c[1]
                    push(value)
                # Control instructions (4.4.8): a branch keeps the label's operands and drops what lies below them.
                elif kind == BR_IF:
                    if pop():
                        pc = a
                        if len(stack) - b > base + c:
                            _unwind(stack, b, base + c)
                elif kind == LOCAL_TEE:
                    local[a] = stack[-1]
                elif kind == STORE:
                    value = pop() & c
                    address = pop() + a
                    end = address + b
                    if end > len(memory):
                        raise Trap("out of bounds memory access")
                    memory[address:end] = value.to_bytes(b, "little")
                elif kind == UNARY:
                    push(a(pop()))
                elif kind == NOTHING:
                    pass
                elif kind == BR:
                    pc = a
                    if len(stack) - b > base + c:
                        _unwind(stack, b, base + c)
                elif kind == IF:
                    if not pop():
                        pc = a
                elif kind == ELSE:
                    pc = a
                # Parametric instructions (4.4.4)
                elif kind == DROP:
                    pop()
                elif kind == SELECT:
                    condition, second = pop(), pop()
                    if not condition:
                        stack[-1] = second
                elif kind == GLOBAL_GET:
                    push(instance.globals[a].value)
                elif kind == GLOBAL_SET:
                    instance.globals[a].value = pop()

                # Function calls (4.4.10)
                elif kind in CALLS:
                    callee: FunctionInstance
                    if kind in DIRECT_CALLS:
                        callee = instance.functions[a]
                    elif kind == ENTER:
                        callee = a
                    else:
                        callee = _indirect(instance.tables[b], pop(), instance.valid.module.types[a])
                    is_tail_call = kind in TAIL_CALLS
                    count = len(callee.type.params)
                    if isinstance(callee, HostFunctionInstance):
                        arguments = tuple(stack[len(stack) - count :])
                        del stack[len(stack) - count :]
                        self.particles = gas
                        try:
                            stack += callee.call(arguments)
                        finally:
                            gas = self.particles
                        if is_tail_call:
                            pc = len(steps) - 1
                            _unwind(stack, len(current.type.results), base)
                        continue
                    if is_tail_call:
                        # The caller's frame is gone before the callee's begins (tail-call proposal).
                        _unwind(stack, count, base)
                        height -= current.height
                    else:
                        callers.append((current, steps, pc, local, base))
                    # Arguments become locals, the height counts, locals are paid.
                    height += callee.height
                    if height > limit:
                        raise StackExhausted
                    gas -= callee.entry_price
                    if gas < 0:
                        raise OutOfGas
                    base = len(stack) - count
                    local = stack[base:]
                    del stack[base:]
                    local += callee.local_defaults
                    current, pc = callee, 0
                    steps = callee.decoded(traced=True) if told else callee.steps or callee.decoded()
                    if callee.instance is not instance:
                        instance, memory = callee.instance, _first_memory(callee.instance)
                elif kind == LEAVE:
                    # Return (4.4.10): the results are on the stack, the caller goes on.
                    if not callers:
                        return
                    height -= current.height
                    current, steps, pc, local, base = callers.pop()
                    if current.instance is not instance:
                        instance, memory = current.instance, _first_memory(current.instance)
                elif kind == TRACE:
                    self._tell(current, a, stack, gas)

                elif kind == BR_TABLE:
                    pc, arity, label_height = a[min(pop(), b)]
                    _unwind(stack, arity, base + label_height)
                elif kind == UNREACHABLE:
                    raise Trap("unreachable")
                # Memory instructions that are not loads and stores (4.4.7)
                elif kind == MEMORY_SIZE:
                    push(len(memory) // PAGE_BYTES)
                elif kind == MEMORY_GROW:
                    gas = _pay(gas, stack[-1], instance.schedule.page_grown)
                    push(instance.memories[a].grow(pop()))
                elif kind in BYTE_MOVES:
                    gas = _pay(gas, stack[-1], instance.schedule.byte_moved)
                    _move_bytes(kind, a, instance, stack)
                elif kind == DATA_DROP:
                    instance.data[a] = b""
                # Wide arithmetic (wide-arithmetic proposal)
                elif kind == WIDE:
                    operands = stack[-b:]
                    del stack[-b:]
                    stack += a(*operands)
                # Reference instructions (4.4.2)
                elif kind == REF_NULL:
                    push(None)
                elif kind == REF_IS_NULL:
                    push(int(pop() is None))
                elif kind == REF_FUNC:
                    push(instance.functions[a])
                # Table instructions (4.4.6)
                elif kind in TABLE_KINDS:
                    if kind in TABLE_MOVES:
                        gas = _pay(gas, stack[-1], instance.schedule.entry_moved)
                    _table_step(kind, a, b, instance, stack)
                elif kind == ELEM_DROP:
                    instance.elements[a] = []
                else:
                    raise RuntimeError(f"step kind {kind} in function {current.index}, step {pc - 1}")
        finally:
            self.particles = gas

    def _tell(self, function: WasmFunction, index: int, stack: list[Any], gas: int) -> None:
        """Tell the tracer of the instruction that comes next."""
        valid = function.instance.valid
        source = valid.module.functions[function.index - valid.imported_functions]
        if self.tracer is not None:
            self.tracer.step(function.index, source.offsets[index], source.body[index][0], stack, gas)


def _first_memory(instance: ModuleInstance) -> bytearray:
    """The bytes of memory 0; they stay the same object when the memory grows."""
    return instance.memories[0].data if instance.memories else bytearray()


def _unwind(stack: list[Any], arity: int, height: int) -> None:
    """Keep the top `arity` values and drop what lies between them and `height`."""
    if len(stack) > height + arity:
        del stack[height : len(stack) - arity]


def _pay(gas: int, units: int, price: int) -> int:
    gas -= units * price
    if gas < 0:
        raise OutOfGas
    return gas


def _indirect(table: TableInstance, index: int, wanted: FuncType) -> FunctionInstance:
    """The function that call_indirect reaches (4.4.10)."""
    if index >= len(table.elements):
        raise Trap("undefined element")
    function: FunctionInstance | None = table.elements[index]
    if function is None:
        raise Trap("uninitialized element")
    if function.type != wanted:
        raise Trap("indirect call type mismatch")
    return function


def _move_bytes(kind: int, segment: int, instance: ModuleInstance, stack: list[Any]) -> None:
    """memory.copy, memory.fill, memory.init (4.4.7)."""
    count, source, target = stack.pop(), stack.pop(), stack.pop()
    memory = instance.memories[0]
    if kind == MEMORY_INIT:
        data = instance.data[segment]
        if source + count > len(data):
            raise Trap("out of bounds memory access")
        memory.check(target, count)
        memory.data[target : target + count] = data[source : source + count]
    elif kind == MEMORY_COPY:
        memory.check(source, count)
        memory.check(target, count)
        memory.data[target : target + count] = memory.data[source : source + count]
    else:
        memory.check(target, count)
        memory.data[target : target + count] = bytes([source & 0xFF]) * count


def _table_step(kind: int, a: int, b: int, instance: ModuleInstance, stack: list[Any]) -> None:
    """Table instructions (4.4.6)."""
    pop = stack.pop
    if kind == TABLE_SIZE:
        stack.append(len(instance.tables[a].elements))
    elif kind == TABLE_GET:
        index = pop()
        instance.tables[a].check(index, 1)
        stack.append(instance.tables[a].elements[index])
    elif kind == TABLE_SET:
        value, index = pop(), pop()
        instance.tables[a].check(index, 1)
        instance.tables[a].elements[index] = value
    elif kind == TABLE_GROW:
        count, value = pop(), pop()
        table = instance.tables[a]
        old = len(table.elements)
        if old + count > table.maximum:
            stack.append(_MASK32)
        else:
            table.elements += [value] * count
            stack.append(old)
    elif kind == TABLE_FILL:
        count, value, start = pop(), pop(), pop()
        instance.tables[a].check(start, count)
        instance.tables[a].elements[start : start + count] = [value] * count
    elif kind == TABLE_COPY:
        count, source, target = pop(), pop(), pop()
        instance.tables[b].check(source, count)
        instance.tables[a].check(target, count)
        instance.tables[a].elements[target : target + count] = instance.tables[b].elements[source : source + count]
    else:
        count, source, target = pop(), pop(), pop()
        segment = instance.elements[a]
        if source + count > len(segment):
            raise Trap("out of bounds table access")
        instance.tables[b].check(target, count)
        instance.tables[b].elements[target : target + count] = segment[source : source + count]


# -- contracts ---------------------------------------------------------------------------------------------------


class InterpreterEngine:
    """The interpreter as an engine for contracts."""

    name = "interpreter"

    def compile(self, contract: Contract, rules: Rules) -> InterpreterArtifact:
        return InterpreterArtifact(contract, rules)


class InterpreterArtifact:
    def __init__(self, contract: Contract, rules: Rules) -> None:
        self.contract = contract
        self.rules = rules
        self.schedule = rules.schedule.reaching(contract.most_pages)

    def instantiate(self, frame: Frame) -> InterpreterInstance:
        return InterpreterInstance(self.contract, self.rules, self.schedule, frame)


class InterpreterInstance:
    def __init__(self, contract: Contract, rules: Rules, schedule: Schedule, frame: Frame) -> None:
        self.contract = contract
        self.frame = frame
        self.machine = Machine(frame.particles, rules.limits.stack_height, frame.tracer)
        imports = [HostFunctionInstance(FuncType(e.row.params, e.row.results), self._host(e)) for e in contract.imports]
        self.instance = instantiate(
            contract.valid,
            imports,
            schedule,
            memory_pages=rules.limits.memory_pages,
            table_entries=rules.limits.table_entries,
            stack_height=rules.limits.stack_height,
        )
        memory = self.instance.memories[0]
        memory.ceiling = frame.page_ceiling
        frame.memory = memory

    def _host(self, entry: HostEntry) -> Callable[[tuple[Any, ...]], list[Any]]:
        frame, machine = self.frame, self.machine

        def call(arguments: tuple[Any, ...]) -> list[Any]:
            frame.particles = machine.particles
            try:
                result = invoke(frame, entry, arguments)
            finally:
                machine.particles = frame.particles
            return [] if result is None else [result]

        return call

    def run(self, entry: str) -> None:
        self.machine.particles = self.frame.particles
        try:
            self.machine.invoke(self.instance.functions[self.contract.entries[entry]], ())
        finally:
            self.frame.particles = self.machine.particles

    def close(self) -> None:
        self.frame.memory = NO_MEMORY
