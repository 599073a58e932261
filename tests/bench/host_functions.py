"""Host functions: ours in a loop, against the same Python functions behind wasmtime-py's `define_func`, and opcodes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import wasmtime

from ewasm.eei import Frame, HostEntry, bind
from ewasm.engine.base import NO_MEMORY
from ewasm.engine.native import NativeEngine
from ewasm.fuzz.world import FakeHost, message
from ewasm.host import Host
from ewasm.message import Message, Result
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM
from ewasm.wasm.types import I64
from tests.bench.measure import GAS, Row, Side, least_ns, row

INPUT = bytes(range(1, 129))
COUNT_INLINED, COUNT_OUTSIDE, COUNT_API = 200_000, 20_000, 2_000

# Arguments for one call in the loop; operands stand in memory at 64, 96 and 128.
_ARGUMENTS = {
    "ethereum.useGas": "(i64.const 1)",
    "ethereum.callDataCopy": "(i32.const 0) (i32.const 32) (i32.const 32)",
    "ethereum.codeCopy": "(i32.const 0) (i32.const 8) (i32.const 32)",
    "ethereum.returnDataCopy": "(i32.const 0) (i32.const 0) (i32.const 0)",
    "ethereum.getBlobHash": "(i32.const 9) (i32.const 0)",
    "ethereum.getBlockHash": "(i64.const 1) (i32.const 0)",
    "ethereum.getExternalBalance": "(i32.const 64) (i32.const 0)",
    "ethereum.getExternalCodeSize": "(i32.const 64)",
    "ethereum.getExternalCodeHash": "(i32.const 64) (i32.const 0)",
    "ethereum.externalCodeCopy": "(i32.const 64) (i32.const 0) (i32.const 0) (i32.const 0)",
    "ethereum.storageLoad": "(i32.const 64) (i32.const 0)",
    "ethereum.storageStore": "(i32.const 64) (i32.const 96)",
    "ethereum.transientLoad": "(i32.const 64) (i32.const 0)",
    "ethereum.transientStore": "(i32.const 64) (i32.const 96)",
    "ethereum.log": "(i32.const 0) (i32.const 32) (i32.const 1) (i32.const 64)" + " (i32.const 0)" * 3,
    "crypto.keccak256": "(i32.const 64) (i32.const 32) (i32.const 0)",
    "crypto.sha256": "(i32.const 64) (i32.const 32) (i32.const 0)",
}
_NOT_IN_A_LOOP = {
    "finish",
    "revert",
    "selfDestruct",
    "call",
    "callCode",
    "callDelegate",
    "callStatic",
    "create",
    "create2",
}
_OPCODES = {
    "add256": 0x01, "mul256": 0x02, "sub256": 0x03, "div256": 0x04, "sdiv256": 0x05, "mod256": 0x06, "smod256": 0x07,
    "addmod256": 0x08, "mulmod256": 0x09, "exp256": 0x0A, "signextend256": 0x0B, "lt256": 0x10, "gt256": 0x11,
    "slt256": 0x12, "sgt256": 0x13, "eq256": 0x14, "iszero256": 0x15, "and256": 0x16, "or256": 0x17, "xor256": 0x18,
    "not256": 0x19, "byte256": 0x1A, "shl256": 0x1B, "shr256": 0x1C, "sar256": 0x1D,
}  # fmt: skip


def rows_to_measure() -> list[HostEntry]:
    return [entry for entry in bind(EWASM_2026).values() if entry.row.name not in _NOT_IN_A_LOOP]


def loop_text(entry: HostEntry, count: int) -> str:
    """Calls the function `count` times."""
    row_ = entry.row
    params = " ".join("i64" if t == I64 else "i32" for t in row_.params)
    result = f"(result {'i64' if row_.results[0] == I64 else 'i32'})" if row_.results else ""
    # Operands of bignum at 64, 96, 128; a result goes to 0.
    inputs = [64, 96, 128][: len(row_.params) - (0 if row_.results else 1)]
    places = [*inputs, 0] if not row_.results else inputs
    default = " ".join(f"(i32.const {p})" for p in (places if row_.module == "bignum" else [0] * len(row_.params)))
    call = f"(call $f {_ARGUMENTS.get(entry.name, default)})"
    call = f"(drop {call})" if row_.results else call
    numbers = (
        "\\ff\\fe\\fd\\fc\\fb\\fa\\f9\\f8" * 4
        + "\\35\\01\\02\\03\\04\\05\\06\\87" * 4
        + "\\f1\\02\\03\\84\\05\\06\\07\\48" * 4
    )
    if row_.name in ("shl256", "shr256", "sar256", "byte256", "signextend256"):
        numbers = "\\05" + "\\00" * 31 + numbers[96:]
    if row_.name == "exp256":
        numbers = numbers[:96] + "\\ff\\ff" + "\\00" * 30 + numbers[192:]
    return f"""(module (import "{row_.module}" "{row_.name}" (func $f (param {params}) {result}))
      (memory (export "memory") 1) (data (i32.const 64) "{numbers}")
      (func (export "main") (local $i i32) (loop $next {call}
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {count}))))))"""


class ApiMemory:
    """The contract's memory through wasmtime-py."""

    def __init__(self, store: wasmtime.Store, memory: wasmtime.Memory) -> None:
        self.store, self.memory = store, memory

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self.memory.read(self.store, offset, offset + length))

    def write(self, offset: int, data: bytes) -> None:
        self.memory.write(self.store, data, offset)

    def snapshot(self) -> bytes:
        return bytes(self.memory.read(self.store))

    def size_bytes(self) -> int:
        return self.memory.data_len(self.store)


def define_func(entry: HostEntry, frame: Frame, count: int) -> Callable[[], Any]:
    """The same loop on wasmtime-py with the same Python function behind `define_func`; runs it."""
    store = wasmtime.Store()
    module = wasmtime.Module(store.engine, bytes(wasmtime.wat2wasm(loop_text(entry, count))))
    linker = wasmtime.Linker(store.engine)
    kinds = {I64: wasmtime.ValType.i64}
    signature = wasmtime.FuncType(
        [kinds.get(t, wasmtime.ValType.i32)() for t in entry.row.params],
        [kinds.get(t, wasmtime.ValType.i32)() for t in entry.row.results],
    )
    linker.define_func(
        entry.row.module, entry.row.name, signature, lambda *arguments: entry.function(frame, *arguments)
    )
    exports = linker.instantiate(store, module).exports(store)
    frame.memory = ApiMemory(store, exports["memory"])  # type: ignore[arg-type]
    main = exports["main"]
    return lambda: main(store)  # type: ignore[operator]


def new_frame(host: Host, request: Message, code: bytes, rules: Rules = EWASM_2026) -> Frame:
    return Frame(
        rules=rules,
        host=host,
        message=request,
        code=code,
        particles=1 << 62,
        input_data=request.input_data,
        memory=NO_MEMORY,
        prices=rules.schedule.host,
        tx=host.tx,
    )


def _ours(entry: HostEntry, count: int) -> Side:
    vm = VM(EWASM_2026, NativeEngine("cranelift"))
    code = bytes(wasmtime.wat2wasm(loop_text(entry, count)))
    request = message(gas=GAS, input_data=INPUT)

    def run() -> None:
        result = vm.execute(FakeHost(), request, code)
        if not result.is_success:
            raise RuntimeError(f"{entry.name}: {result.status}, {result.error}")

    run()
    return run


def host_functions(repeats: int) -> dict[str, Row]:
    """Every host function that can be called in a loop, against `define_func`; 256-bit ones against py-evm's opcode."""
    from ewasm.prelude import load_prelude

    rows: dict[str, Row] = {}
    evm = evm_opcodes(repeats)
    for entry in rows_to_measure():
        inlined = entry.name in load_prelude().functions
        count = COUNT_INLINED if inlined else COUNT_OUTSIDE
        frame = new_frame(FakeHost(), message(gas=GAS, input_data=INPUT), b"\0" * 64)
        sides = [_ours(entry, count), define_func(entry, frame, COUNT_API)]
        ours, other = least_ns(sides, max(3, repeats // 2))
        rows[f"{entry.name}: ours / define_func"] = row(ours / count, other / COUNT_API, "call")
        if entry.row.name in evm:
            rows[f"{entry.name}: ours / py-evm opcode"] = row(ours / count, evm[entry.row.name], "call")
    return rows


def evm_opcodes(repeats: int) -> dict[str, float]:
    """Nanoseconds of each opcode in py-evm: a row of them with operands, less the same row without them."""
    from tests.bench.calls import evm_call

    numbers = (0x48070605840302F1 * ((1 << 192) + 1), 0x8706050403020135 * ((1 << 128) + 1), (1 << 255) + 977)
    count = 150
    found = {}
    for name, opcode in _OPCODES.items():
        operands = 1 if name in ("not256", "iszero256") else 3 if name.startswith(("addmod", "mulmod")) else 2
        values = list(numbers[:operands])
        if name in ("shl256", "shr256", "sar256", "byte256", "signextend256"):
            values[-1] = 5
        if name == "exp256":
            values[0] = 0xFFFF
        push = b"".join(b"\x7f" + v.to_bytes(32, "big") for v in values)
        with_op = (push + bytes([opcode]) + b"\x50") * count
        without = (push + b"\x50" * operands) * count
        worked, idle = least_ns([evm_call(with_op), evm_call(without)], max(3, repeats // 2))
        # One POP instead of as many as there are operands.
        pop = 0 if operands == 1 else (operands - 1) * _pop_ns()
        found[name] = (worked - idle) / count + pop
    return found


def _pop_ns() -> float:
    from tests.bench.calls import evm_call

    count = 400
    pushes, both = least_ns([evm_call(b"\x60\x00" * count), evm_call(b"\x60\x00" * count + b"\x50" * count)], 3)
    return (both - pushes) / count


class LoopMachine:
    """A machine for a chain whose contracts all run `define_func` loops on the chain's own host."""

    def __init__(self, entry: HostEntry, count: int) -> None:
        self.entry = entry
        self.count = count
        self.rules = EWASM_2026
        self.spent_ns = 0

    def execute(self, host: Host, request: Message, code: bytes) -> Result:
        frame = new_frame(host, dataclasses.replace(request, gas=GAS), code)
        run = define_func(self.entry, frame, self.count)
        start = time.perf_counter_ns()
        run()
        self.spent_ns = time.perf_counter_ns() - start
        from ewasm.message import Status

        return Result(status=Status.SUCCESS, gas_left=request.gas // 2, gas_used=request.gas - request.gas // 2)

    def create(self, host: Host, request: Message, init_code: bytes) -> Result:
        raise NotImplementedError

    def check(self, code: bytes) -> None:
        return None
