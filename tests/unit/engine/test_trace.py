"""The interpreter's trace: an event for each instruction, and nothing changed by it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import wasmtime

from ewasm.engine.interpreter import Machine
from ewasm.engine.predecode import TRACE
from ewasm.engine.runtime import WasmFunction, instantiate
from ewasm.errors import ExceptionalHalt
from ewasm.fuzz.oracle import Recorder
from ewasm.fuzz.strategies import OwnSource
from ewasm.fuzz.world import FakeHost
from ewasm.message import Message, Result
from ewasm.metering.schedule import FLAT, PARTICLES_PER_GAS
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM
from ewasm.wasm import opcodes as op
from ewasm.wasm.decode import decode
from ewasm.wasm.validate import validate

Event = tuple[int, int, int, tuple[object, ...], int]


@dataclass
class Steps(Recorder):
    """A tracer that keeps every step."""

    wants_steps: bool = True
    steps: list[Event] = field(default_factory=list)

    def step(self, function: int, offset: int, opcode: int, stack: list[int], particles: int) -> None:
        self.steps.append((function, offset, opcode, tuple(stack), particles))


def trace(text: str, *arguments: int, gas: int = 1_000) -> tuple[list[Event], list[int], int, bytes]:
    """Steps of the exported `f` at 1 gas an instruction; its results, gas used, and the module."""
    code = bytes(wasmtime.wat2wasm(text))
    valid = validate(decode(code), EWASM_2026.features)
    instance = instantiate(valid, [], FLAT, memory_pages=1, table_entries=10, stack_height=1_000)
    tracer = Steps()
    machine = Machine(gas * PARTICLES_PER_GAS, 1_000, tracer)
    function = instance.export("f")
    assert isinstance(function, WasmFunction)
    results: list[int] = []
    try:
        results = machine.invoke(function, arguments)
    except ExceptionalHalt:
        results = [-1]
    return tracer.steps, results, gas - machine.particles // PARTICLES_PER_GAS, code


def names(steps: list[Event]) -> str:
    return " ".join(op.OPCODES[opcode].text for _, _, opcode, _, _ in steps)


def test_a_step_says_function_offset_opcode_stack_and_gas() -> None:
    text = (
        '(module (func $g (param i32) (result i32) local.get 0) (func (export "f") (result i32) i32.const 7 call $g))'
    )
    steps, results, used, code = trace(text)
    assert (results, used) == ([7], 5)
    assert names(steps) == "i32.const call local.get end end"
    assert [s[0] for s in steps] == [1, 1, 0, 0, 1]
    assert [s[3] for s in steps] == [(), (7,), (), (7,), (7,)]
    assert [s[4] for s in steps] == [n * PARTICLES_PER_GAS for n in (1_000, 999, 998, 997, 996)]
    # The offset is the instruction's place in the module.
    assert all(code[offset] == opcode for _, offset, opcode, _, _ in steps)


BRANCHES = {
    "block br 0 nop end": "block br end",
    "block i32.const 1 br_if 0 nop end": "block i32.const br_if end",
    "block i32.const 0 br_if 0 nop end": "block i32.const br_if nop end end",
    "i32.const 1 if nop else unreachable end": "i32.const if nop else end",
    "i32.const 0 if unreachable else nop end": "i32.const if nop end end",
    "i32.const 0 if unreachable end": "i32.const if end",
    "block block i32.const 1 br_table 0 1 end unreachable end": "block block i32.const br_table end",
    "block block i32.const 0 br_table 0 1 end nop end": "block block i32.const br_table nop end end",
    "return": "return",
    "br 0": "br",
    "loop global.get 0 i32.eqz if i32.const 1 global.set 0 br 1 end end": (
        "loop global.get i32.eqz if i32.const global.set br loop global.get i32.eqz if end end"
    ),
}


@pytest.mark.parametrize("body", BRANCHES)
def test_every_instruction_that_runs_is_told_once_and_no_other(body: str) -> None:
    steps, results, used, _ = trace(f'(module (global (mut i32) (i32.const 0)) (func (export "f") {body}))')
    assert results == []
    assert names(steps) == BRANCHES[body]
    assert used == len(steps)


def test_an_instruction_that_cannot_be_paid_is_told_and_then_fails() -> None:
    steps, results, _, _ = trace('(module (func (export "f") nop nop nop nop))', gas=3)
    assert results == [-1]
    assert [s[4] // PARTICLES_PER_GAS for s in steps] == [3, 2, 1, 0]


def run(code: bytes, rules: Rules, request: Message, tracer: Recorder | None) -> tuple[Result, FakeHost, list[bytes]]:
    memory: list[bytes] = []
    host = FakeHost(is_static=request.is_static)
    vm = VM(rules, "interpreter", tracer=tracer, observe_memory=memory.append, debug=lambda _: None)
    return vm.execute(host, request, code), host, memory


@pytest.mark.parametrize("make", [lambda: None, Recorder, Steps], ids=["none", "host-calls", "steps"])
def test_a_trace_alters_neither_gas_nor_state(make: Callable[[], Recorder | None]) -> None:
    source = OwnSource()
    told = 0
    for seed in range(30):
        case = source.make(seed)
        tracer = make()
        assert run(case.code, case.rules, case.request, tracer) == run(case.code, case.rules, case.request, None)
        told += len(tracer.steps) if isinstance(tracer, Steps) else 0
    assert told > 20_000 or make is not Steps


def test_the_gas_of_a_run_is_the_sum_of_its_steps() -> None:
    """At 1 gas an instruction, gas falls by one from step to step, but where a function begins or the host charges."""
    text = """(module (func (export "f") (param i32) (result i32) (local i32)
      loop local.get 1 local.get 0 i32.add local.set 1 local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end
      local.get 1))"""
    steps, results, used, _ = trace(text, 9)
    assert results == [45]
    # One declared local is paid for at entry.
    assert used == len(steps) + FLAT.local // PARTICLES_PER_GAS
    gas = [s[4] for s in steps]
    assert {a - b for a, b in itertools.pairwise(gas)} == {PARTICLES_PER_GAS}


def test_a_run_that_is_not_stepped_through_knows_no_trace() -> None:
    code = bytes(wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "main") nop))'))
    valid = validate(decode(code), EWASM_2026.features)
    for tracer, traced in ((None, False), (Recorder(), False), (Steps(), True)):
        instance = instantiate(valid, [], FLAT, memory_pages=1, table_entries=1, stack_height=100)
        function = instance.functions[0]
        assert isinstance(function, WasmFunction)
        Machine(1 << 40, 100, tracer).invoke(function, ())
        assert all(step[0] != TRACE for step in function.steps)
        assert bool(function.traced_steps) is traced
