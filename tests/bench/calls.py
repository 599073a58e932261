"""Whole calls: cold from disk, warm, nested in either machine; state as a chain holds it; EVM loops."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import wasmtime

from chain.blockchain import Blockchain, ChainConfig
from chain.forks import Fork
from chain.genesis import GenesisAccount, dev_genesis
from chain.records import CallRequest
from chain.store import MemoryStore
from ewasm.eei import bind
from ewasm.engine.native import NativeEngine
from ewasm.engine.store import ArtifactStore
from ewasm.fuzz.world import FakeHost, message
from ewasm.rules import EWASM_2026
from ewasm.vm import VM
from tests.bench.host_functions import LoopMachine, define_func, loop_text, new_frame
from tests.bench.measure import GAS, Row, Side, least_ns, row, runner

CONTRACT, OTHER, CALLEE = b"\xc0" * 20, b"\xc1" * 20, b"\xc2" * 20
EMPTY = bytes(wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "main")))'))
CALL_GAS = 1 << 34


def chain_with(machine: Any, **codes: bytes) -> Blockchain:
    names = {"contract": CONTRACT, "other": OTHER, "callee": CALLEE}
    accounts = {names[name]: GenesisAccount(balance=0, nonce=1, code=code) for name, code in codes.items()}
    genesis = dev_genesis(31337, Fork.PRAGUE, {}, accounts)
    return Blockchain.open(ChainConfig(), genesis, MemoryStore(), machine)


def caller(chain: Blockchain) -> Side:
    def run() -> None:
        outcome = chain.call(CallRequest(to=CONTRACT, gas=CALL_GAS))
        if not outcome.is_success:
            raise RuntimeError(f"the call failed: {outcome}")

    run()
    return run


def evm_call(code: bytes) -> Side:
    """A call of EVM code in py-evm."""
    return caller(chain_with(VM(EWASM_2026, "native"), contract=code))


def frames(repeats: int) -> dict[str, Row]:
    """Cold, warm and empty: what a frame costs when the contract does nothing."""
    warm = runner(EMPTY, NativeEngine("cranelift"))
    unlinked = runner(EMPTY, "interpreter")
    with tempfile.TemporaryDirectory() as folder:
        store = ArtifactStore(Path(folder) / "artifacts")
        VM(EWASM_2026, NativeEngine("cranelift", store)).execute(FakeHost(), message(gas=GAS), EMPTY)

        def cold() -> int:
            vm = VM(EWASM_2026, NativeEngine("cranelift", store))
            host, request = FakeHost(), message(gas=GAS)
            start = time.perf_counter_ns()
            vm.execute(host, request, EMPTY)
            return time.perf_counter_ns() - start

        cold()
        times = least_ns([_each(warm), cold, _each(unlinked), activation], repeats * 20)
    return {
        "empty main: warm / cold from disk": row(times[0], times[1], "frame"),
        "empty main: cold from disk / compiled anew": row(times[1], times[3], "frame"),
        "empty main: warm / interpreter": row(times[0], times[2], "frame"),
    }


def _each(frame: Side, count: int = 20) -> Side:
    """The mean of some frames in a row: between sides that compile, one alone meets cold caches."""

    def run() -> int:
        start = time.perf_counter_ns()
        for _ in range(count):
            frame()
        return (time.perf_counter_ns() - start) // count

    return run


def activation() -> int:
    vm = VM(EWASM_2026, NativeEngine("cranelift"))
    start = time.perf_counter_ns()
    vm.execute(FakeHost(), message(gas=GAS), EMPTY)
    return time.perf_counter_ns() - start


def nested(repeats: int) -> dict[str, Row]:
    """A thousand calls of an empty callee, from either machine into either."""
    count = 1_000
    wasm = bytes(
        wasmtime.wat2wasm(f"""(module
          (import "ethereum" "callStatic" (func $call (param i64 i32 i32 i32) (result i32)))
          (memory (export "memory") 1) (data (i32.const 0) "{"".join(f"{chr(92)}{b:02x}" for b in CALLEE)}")
          (func (export "main") (local $i i32) (loop $next
            (drop (call $call (i64.const 100000) (i32.const 0) (i32.const 0) (i32.const 0)))
            (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {count}))))))""")
    )
    # PUSH count; loop: JUMPDEST STATICCALL(100000, callee, no data) POP; count down
    evm = bytes.fromhex(f"61{count:04x}5b6000600060006000") + b"\x73" + CALLEE + bytes.fromhex("620186a0fa50")
    evm += bytes.fromhex("6001900380600357") + b"\x00"
    vm = VM(EWASM_2026, NativeEngine("cranelift"))
    stop = b"\x00"
    sides = [
        caller(chain_with(vm, contract=wasm, callee=EMPTY)),
        caller(chain_with(vm, contract=wasm, callee=stop)),
        caller(chain_with(vm, contract=evm, callee=EMPTY)),
        caller(chain_with(vm, contract=evm, callee=stop)),
    ]
    both, to_evm, to_wasm, plain = (t / count for t in least_ns(sides, max(3, repeats // 2)))
    return {
        "call Wasm -> Wasm / EVM -> EVM": row(both, plain, "call"),
        "call Wasm -> EVM / EVM -> EVM": row(to_evm, plain, "call"),
        "call EVM -> Wasm / EVM -> EVM": row(to_wasm, plain, "call"),
    }


def state(repeats: int) -> dict[str, Row]:
    """Warm state of a chain, the whole way: ours against `define_func` functions on the same host."""
    rows: dict[str, Row] = {}
    ours_count, count = 5_000, 1_000
    for name in ("storageLoad", "getSelfBalance", "transientLoad", "getExternalCodeSize"):
        entry = bind(EWASM_2026)["ethereum", name]
        code = bytes(wasmtime.wat2wasm(loop_text(entry, ours_count)))
        ours = caller(chain_with(VM(EWASM_2026, NativeEngine("cranelift")), contract=code))
        base = caller(chain_with(VM(EWASM_2026, NativeEngine("cranelift")), contract=EMPTY))
        machine = LoopMachine(entry, count)
        other = caller(chain_with(machine, contract=code))

        def api(run: Side = other, machine: LoopMachine = machine) -> int:
            run()
            return machine.spent_ns

        times = least_ns([ours, base, api], max(3, repeats // 2))
        rows[f"{name} on a chain, warm: ours / define_func"] = row(
            (times[0] - times[1]) / ours_count, times[2] / count, "call"
        )
    return rows


def evm_loops(repeats: int) -> dict[str, Row]:
    """x = x * x + i over 256 bits: Wasm with `bignum`, py-evm on the same chain, and revm."""
    vm = VM(EWASM_2026, NativeEngine("cranelift"))
    many, few = 60_000, 2_000
    sides = [
        runner(_wasm_loop(many), NativeEngine("cranelift")),
        caller(chain_with(vm, contract=_evm_loop(few))),
    ]
    revm = _revm(_evm_loop(many))
    if revm is not None:
        sides.append(revm)
    times = least_ns(sides, max(3, repeats // 2))
    rows = {"256-bit loop: ours / py-evm": row(times[0] / many, times[1] / few, "turn")}
    if revm is not None:
        rows["256-bit loop: ours / revm"] = row(times[0] / many, times[2] / many, "turn")
    return rows


def _wasm_loop(turns: int) -> bytes:
    return bytes(
        wasmtime.wat2wasm(f"""(module
          (import "bignum" "mul256" (func $mul (param i32 i32 i32)))
          (import "bignum" "add256" (func $add (param i32 i32 i32)))
          (memory (export "memory") 1) (data (i32.const 0) "\\03")
          (func (export "main") (local $i i32) (loop $next
            (call $mul (i32.const 0) (i32.const 0) (i32.const 0))
            (i32.store (i32.const 32) (local.get $i))
            (call $add (i32.const 0) (i32.const 32) (i32.const 0))
            (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {turns}))))))""")
    )


def _evm_loop(turns: int) -> bytes:
    # PUSH x PUSH i; loop: JUMPDEST DUP2 DUP1 MUL DUP2 ADD SWAP2 POP PUSH1 1 ADD DUP1 PUSH3 turns GT PUSH1 loop JUMPI
    return bytes.fromhex("60036000" + "5b" + "8180028101915060010180") + bytes.fromhex(f"62{turns:06x}1160045700")


def _revm(code: bytes) -> Side | None:
    """revm through its Python package, where that has a wheel."""
    try:
        import pyrevm
    except ImportError:
        return None
    evm = pyrevm.EVM(gas_limit=1 << 40)
    address, sender = "0x" + CONTRACT.hex(), "0x" + "aa" * 20
    evm.insert_account_info(address, pyrevm.AccountInfo(code=code))

    def run() -> None:
        evm.message_call(sender, address, gas=1 << 32)

    return run


def raw_host_call(repeats: int) -> dict[str, Row]:
    """The crossing by itself: the smallest host function that stays outside, and the same behind `define_func`."""
    entry = bind(EWASM_2026)["ethereum", "transientLoad"]
    count = 20_000
    ours = runner(bytes(wasmtime.wat2wasm(loop_text(entry, count))), NativeEngine("cranelift"))
    frame = new_frame(FakeHost(), message(gas=GAS), b"")
    times = least_ns([ours, define_func(entry, frame, 2_000)], max(3, repeats // 2))
    return {"transientLoad on an empty host: ours / define_func": row(times[0] / count, times[1] / 2_000, "call")}
