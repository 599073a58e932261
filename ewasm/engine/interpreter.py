"""The interpreter: the original module, one instruction at a time, each paid for before it runs (core spec 4.4).

It is the specification of gas and the tracer. Values are unsigned ints; references are function instances or None.
There is no Python recursion: calls push an activation, so depth is bounded by the stack-height rule alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ewasm.contract import Contract
from ewasm.eei import Frame, HostEntry, invoke
from ewasm.engine import predecode as p
from ewasm.engine.base import NO_MEMORY
from ewasm.engine.runtime import (
    FunctionInstance,
    HostFunctionInstance,
    ModuleInstance,
    TableInstance,
    WasmFunction,
    instantiate,
)
from ewasm.errors import OutOfGas, StackExhausted, Trap
from ewasm.rules import Rules
from ewasm.trace import Tracer
from ewasm.wasm.types import PAGE_BYTES, FuncType

__all__ = ["InterpreterEngine", "Machine"]

_MASK32 = (1 << 32) - 1

Activation = tuple[WasmFunction, tuple[p.Step, ...], int, list[Any], int]
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
        limit = self.stack_height
        tracer = self.tracer
        callers: list[Activation] = []
        pop, push = stack.pop, stack.append

        # Enter the first function as a call would.
        callee: FunctionInstance = function
        height = 0
        pc = 0
        steps: tuple[p.Step, ...] = ()
        local: list[Any] = []
        base = 0
        current = function
        instance = function.instance
        memory = bytearray()
        entering = True
        try:
            while True:
                if entering:
                    # Call of a Wasm function (4.4.10): arguments become locals, the height counts, locals are paid.
                    assert isinstance(callee, WasmFunction)  # noqa: S101 - host functions never get here
                    height += callee.height
                    if height > limit:
                        raise StackExhausted
                    gas -= callee.entry_price
                    if gas < 0:
                        raise OutOfGas
                    count = len(callee.type.params)
                    base = len(stack) - count
                    local = stack[base:]
                    del stack[base:]
                    local += callee.local_defaults
                    current, steps, pc = callee, callee.decoded(), 0
                    instance = current.instance
                    memory = instance.memories[0].data if instance.memories else bytearray()
                    entering = False

                kind, price, a, b, c = steps[pc]
                if tracer is not None:
                    self._trace(tracer, current, pc, stack, gas)
                gas -= price
                if gas < 0:
                    raise OutOfGas
                pc += 1

                if kind == p.LOCAL_GET:
                    push(local[a])
                elif kind == p.CONST:
                    push(a)
                elif kind == p.BINARY:
                    right = pop()
                    push(a(pop(), right))
                elif kind == p.LOCAL_SET:
                    local[a] = pop()
                elif kind == p.LOAD:
                    address = pop() + a
                    end = address + b
                    if end > len(memory):
                        raise Trap("out of bounds memory access")
                    value = int.from_bytes(memory[address:end], "little")
                    if c is not None and value & c[0]:
                        value |= c[1]
                    push(value)
                elif kind == p.BR_IF:
                    if pop():
                        pc = a
                        _unwind(stack, b, base + c)
                elif kind == p.LOCAL_TEE:
                    local[a] = stack[-1]
                elif kind == p.STORE:
                    value = pop() & c
                    address = pop() + a
                    end = address + b
                    if end > len(memory):
                        raise Trap("out of bounds memory access")
                    memory[address:end] = value.to_bytes(b, "little")
                elif kind == p.UNARY:
                    push(a(pop()))
                elif kind == p.NOTHING:
                    pass
                elif kind == p.BR:
                    pc = a
                    _unwind(stack, b, base + c)
                elif kind in (p.END_FUNCTION, p.RETURN):
                    pc = len(steps)
                    if kind == p.RETURN:
                        _unwind(stack, len(current.type.results), base)
                elif kind == p.IF:
                    if not pop():
                        pc = a
                elif kind == p.ELSE:
                    pc = a
                elif kind == p.DROP:
                    pop()
                elif kind == p.SELECT:
                    condition, second = pop(), pop()
                    if not condition:
                        stack[-1] = second
                elif kind == p.GLOBAL_GET:
                    push(instance.globals[a].value)
                elif kind == p.GLOBAL_SET:
                    instance.globals[a].value = pop()
                elif kind == p.BR_TABLE:
                    pc, arity, label_height = a[min(pop(), b)]
                    _unwind(stack, arity, base + label_height)
                elif kind in (p.CALL, p.CALL_INDIRECT, p.RETURN_CALL, p.RETURN_CALL_INDIRECT):
                    if kind in (p.CALL, p.RETURN_CALL):
                        callee = instance.functions[a]
                    else:
                        callee = _indirect(instance.tables[b], pop(), instance.valid.module.types[a])
                    if isinstance(callee, HostFunctionInstance):
                        count = len(callee.type.params)
                        arguments = tuple(stack[len(stack) - count :])
                        del stack[len(stack) - count :]
                        self.particles = gas
                        try:
                            stack += callee.call(arguments)
                        finally:
                            gas = self.particles
                        if kind in (p.RETURN_CALL, p.RETURN_CALL_INDIRECT):
                            pc = len(steps)
                            _unwind(stack, len(current.type.results), base)
                    elif kind in (p.CALL, p.CALL_INDIRECT):
                        callers.append((current, steps, pc, local, base))
                        entering = True
                        continue
                    else:
                        # A tail call (tail-call proposal): the caller's frame is gone before the callee's begins.
                        _unwind(stack, len(callee.type.params), base)
                        height -= current.height
                        entering = True
                        continue
                elif kind == p.WIDE:
                    operands = stack[-b:]
                    del stack[-b:]
                    stack += a(*operands)
                elif kind == p.MEMORY_SIZE:
                    push(len(memory) // PAGE_BYTES)
                elif kind == p.MEMORY_GROW:
                    gas = _pay(gas, stack[-1], instance.schedule.page_grown)
                    push(instance.memories[a].grow(pop()))
                elif kind in (p.MEMORY_COPY, p.MEMORY_FILL, p.MEMORY_INIT):
                    gas = _pay(gas, stack[-1], instance.schedule.byte_moved)
                    _move_bytes(kind, a, instance, stack)
                elif kind == p.DATA_DROP:
                    instance.data[a] = b""
                elif kind == p.UNREACHABLE:
                    raise Trap("unreachable")
                elif kind == p.REF_NULL:
                    push(None)
                elif kind == p.REF_IS_NULL:
                    push(int(pop() is None))
                elif kind == p.REF_FUNC:
                    push(instance.functions[a])
                elif kind in _TABLE_KINDS:
                    if kind in _TABLE_MOVES:
                        gas = _pay(gas, stack[-1], instance.schedule.entry_moved)
                    _table_step(kind, a, b, instance, stack)
                elif kind == p.ELEM_DROP:
                    instance.elements[a] = []
                else:
                    raise RuntimeError(f"step kind {kind} in function {current.index}, step {pc - 1}")

                if pc == len(steps):
                    # Return (4.4.10): the results are on the stack, the caller goes on.
                    height -= current.height
                    if not callers:
                        return
                    current, steps, pc, local, base = callers.pop()
                    instance = current.instance
                    memory = instance.memories[0].data if instance.memories else bytearray()
        finally:
            self.particles = gas

    def _trace(self, tracer: Tracer, function: WasmFunction, pc: int, stack: list[Any], gas: int) -> None:
        valid = function.instance.valid
        source = valid.module.functions[function.index - valid.imported_functions]
        tracer.step(function.index, source.offsets[pc], source.body[pc][0], stack, gas)


_TABLE_MOVES = frozenset({p.TABLE_GROW, p.TABLE_FILL, p.TABLE_COPY, p.TABLE_INIT})
_TABLE_KINDS = _TABLE_MOVES | {p.TABLE_GET, p.TABLE_SET, p.TABLE_SIZE}


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
    if kind == p.MEMORY_INIT:
        data = instance.data[segment]
        if source + count > len(data):
            raise Trap("out of bounds memory access")
        memory.check(target, count)
        memory.data[target : target + count] = data[source : source + count]
    elif kind == p.MEMORY_COPY:
        memory.check(source, count)
        memory.check(target, count)
        memory.data[target : target + count] = memory.data[source : source + count]
    else:
        memory.check(target, count)
        memory.data[target : target + count] = bytes([source & 0xFF]) * count


def _table_step(kind: int, a: int, b: int, instance: ModuleInstance, stack: list[Any]) -> None:
    """Table instructions (4.4.6)."""
    pop = stack.pop
    if kind == p.TABLE_SIZE:
        stack.append(len(instance.tables[a].elements))
    elif kind == p.TABLE_GET:
        index = pop()
        instance.tables[a].check(index, 1)
        stack.append(instance.tables[a].elements[index])
    elif kind == p.TABLE_SET:
        value, index = pop(), pop()
        instance.tables[a].check(index, 1)
        instance.tables[a].elements[index] = value
    elif kind == p.TABLE_GROW:
        count, value = pop(), pop()
        table = instance.tables[a]
        old = len(table.elements)
        if old + count > table.maximum:
            stack.append(_MASK32)
        else:
            table.elements += [value] * count
            stack.append(old)
    elif kind == p.TABLE_FILL:
        count, value, start = pop(), pop(), pop()
        instance.tables[a].check(start, count)
        instance.tables[a].elements[start : start + count] = [value] * count
    elif kind == p.TABLE_COPY:
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

    def instantiate(self, frame: Frame) -> InterpreterInstance:
        return InterpreterInstance(self.contract, self.rules, frame)


class InterpreterInstance:
    def __init__(self, contract: Contract, rules: Rules, frame: Frame) -> None:
        self.contract = contract
        self.frame = frame
        self.machine = Machine(frame.particles, rules.limits.stack_height, frame.tracer)
        imports = [HostFunctionInstance(FuncType(e.row.params, e.row.results), self._host(e)) for e in contract.imports]
        self.instance = instantiate(
            contract.valid,
            imports,
            rules.schedule,
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
