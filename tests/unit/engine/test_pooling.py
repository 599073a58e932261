"""Instances in slots and beside them: the same results, clean memory, and never a frame refused for want of a slot."""

from __future__ import annotations

import threading

import pytest
import wasmtime

from ewasm.contract import Contract
from ewasm.engine.base import Artifact
from ewasm.engine.instance import Tier
from ewasm.engine.native import instrument_contract
from ewasm.engine.pooling import INSTANCES, can_reserve
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Result
from ewasm.metering.inject import ENTRY_PREFIX
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM
from ewasm.wasm.encode import encode


class Slotted:
    """An engine of one tier with so many slots."""

    name = "slotted"

    def __init__(self, slots: int) -> None:
        self.tier = Tier("winch", slots)

    def compile(self, contract: Contract, rules: Rules) -> Artifact:
        module = encode(instrument_contract(contract, rules).module)
        return self.tier.compile_here(module, rules, {name: ENTRY_PREFIX + name for name in contract.entries})


# Finishes with the first word of every page it has, then writes over all of them.
DIRTY = bytes(
    wasmtime.wat2wasm("""(module
  (import "ethereum" "finish" (func $finish (param i32 i32)))
  (memory (export "memory") 3)
  (func (export "main")
    (i32.store (i32.const 0)
      (i32.or (i32.load (i32.const 16)) (i32.or (i32.load (i32.const 70000)) (i32.load (i32.const 196604)))))
    (memory.fill (i32.const 4) (i32.const 0xff) (i32.const 196604))
    (call $finish (i32.const 0) (i32.const 4))))""")
)


@pytest.mark.skipif(not can_reserve(), reason="no room for slots in this process's address space")
@pytest.mark.parametrize("slots", [INSTANCES, 1, 0])
def test_memory_is_clean_each_time(slots: int) -> None:
    engine = Slotted(slots)
    assert engine.tier.slots == slots
    vm = VM(EWASM_2026, engine)
    for _ in range(5):
        result = vm.execute(FakeHost(), message(gas=10_000_000), DIRTY)
        assert (result.status.value, result.output) == ("SUCCESS", bytes(4))


class _Nesting(FakeHost):
    """A host whose every operation runs another frame of the same contract first, `depth` of them inside each other."""

    def __init__(self, vm: VM, code: bytes, depth: int) -> None:
        super().__init__()
        self.vm, self.code, self.depth = vm, code, depth
        self.results: list[Result] = []

    def evm(self, opcode: int, operands: tuple[int, ...], gas: int, data: bytes = b"") -> tuple[int, int]:
        if self.depth:
            self.depth -= 1
            self.results.append(self.vm.execute(self, message(gas=10_000_000), self.code))
        return super().evm(opcode, operands, gas, data)


RECURSIVE = bytes(
    wasmtime.wat2wasm("""(module
  (import "ethereum" "callStatic" (func $call (param i64 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "main")
    (if (i32.load (i32.const 8)) (then unreachable))
    (i32.store (i32.const 8) (i32.const 1))
    (drop (call $call (i64.const 1000000000) (i32.const 100) (i32.const 0) (i32.const 0)))
    (if (i32.ne (i32.load (i32.const 8)) (i32.const 1)) (then unreachable))))""")
)


def test_more_frames_than_slots() -> None:
    gas_used = []
    for slots in (INSTANCES, 3, 0):
        vm = VM(EWASM_2026, Slotted(slots))
        host = _Nesting(vm, RECURSIVE, depth=12)
        result = vm.execute(host, message(gas=1 << 40), RECURSIVE)
        assert result.is_success
        assert len(host.results) == 12
        assert all(r.is_success for r in host.results)
        gas_used.append(result.gas_used)
    assert len(set(gas_used)) == 1


def test_threads_share_the_slots() -> None:
    vm = VM(EWASM_2026, Slotted(2))
    results: list[Result] = []

    def work() -> None:
        results.extend(vm.execute(FakeHost(), message(gas=10_000_000), DIRTY) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 120
    assert {(r.status.value, r.output) for r in results} == {("SUCCESS", bytes(4))}


def test_what_does_not_fit_is_not_reserved() -> None:
    assert not can_reserve(1 << 20)
    assert Tier("winch", 1 << 20).slots == 0
