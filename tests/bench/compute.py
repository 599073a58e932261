"""Kernels in C: metered, unmetered, on both compilers, and as a native program of the same compiler; other machines."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import wasmtime

from ewasm.cli.compilers import C_FLAGS
from ewasm.engine.native import NativeEngine
from ewasm.metering.schedule import OFF
from ewasm.rules import EWASM_2026
from tests.bench.measure import Row, Side, least_ns, row, runner

KERNELS = Path(__file__).parent / "kernels"
# As contracts/ are linked, but with room for the kernels' arrays.
LINK = "--no-entry --strip-all --gc-sections --initial-memory=2097152 -z stack-size=16384 --stack-first"


def zig(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "ziglang", *arguments], check=True)


def build(source: Path, folder: Path) -> bytes:
    """Compile a kernel to WebAssembly with the pinned clang."""
    compiled, linked = folder / f"{source.stem}.o", folder / f"{source.stem}.wasm"
    zig("cc", *C_FLAGS, "-O2", "-c", "-o", str(compiled), str(source))
    zig("wasm-ld", *LINK.split(), "-o", str(linked), str(compiled))
    return linked.read_bytes()


def native(source: Path, folder: Path) -> Side:
    """Compile a kernel to a program of this machine with the same clang; it measures itself."""
    program = folder / source.stem
    zig("cc", "-O2", "-DNATIVE", "-o", str(program), str(source))

    def run() -> int:
        return int(subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout.split()[0])

    return run


def kernels(repeats: int) -> dict[str, Row]:
    """Each kernel metered on Cranelift against: no metering, the native program, and metered on Winch against it."""
    cranelift, winch = NativeEngine("cranelift"), NativeEngine("winch")
    unmetered = replace(EWASM_2026, schedule=replace(OFF, name="unmetered"))
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as folder:
        for source in sorted(KERNELS.glob("*.c")):
            code = build(source, Path(folder))
            sides = [
                runner(code, cranelift),
                runner(code, cranelift, unmetered),
                native(source, Path(folder)),
                runner(code, winch),
            ]
            metered, plain, machine, baseline = least_ns(sides, repeats)
            rows[f"kernel {source.stem}: metered / unmetered"] = row(metered, plain, "kernel")
            rows[f"kernel {source.stem}: metered / native clang -O2"] = row(metered, machine, "kernel")
            rows[f"kernel {source.stem}: Winch / Cranelift, metered"] = row(baseline, metered, "kernel")
    return rows


SMALL_TURNS = 3_000
SMALL_LOOP = f"""(module (memory (export "memory") 1) (func (export "main") (local $i i32) (local $x i64)
  (loop $next
    (local.set $x (i64.xor (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.extend_i32_u (local.get $i))))
    (i64.store (i32.and (local.get $i) (i32.const 4088)) (local.get $x))
    (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {SMALL_TURNS}))))))"""


def interpreters(repeats: int) -> dict[str, Row]:
    """Our two engines and pywasm, an interpreter in Python, on a small loop."""
    code = bytes(wasmtime.wat2wasm(SMALL_LOOP))
    sides = [runner(code, NativeEngine("cranelift")), runner(code, "interpreter"), pywasm(code)]
    ours, interpreter, other = (t / SMALL_TURNS for t in least_ns(sides, max(3, repeats // 3)))
    return {
        "loop of 16 instructions: ours / pywasm": row(ours, other, "turn"),
        "loop of 16 instructions: our interpreter / pywasm": row(interpreter, other, "turn"),
    }


def pywasm(code: bytes) -> Callable[[], None]:
    import pywasm as machine  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "loop.wasm"
        file.write_bytes(code)
        runtime = machine.core.Runtime()
        instance = runtime.instance_from_file(str(file))

    def run() -> None:
        runtime.invocate(instance, "main", [])

    return run


def compile_times(repeats: int) -> dict[str, Row]:
    """What a byte of contract costs until it has run once, by size, on both compilers."""
    rows: dict[str, Row] = {}
    for functions in (8, 80, 800):
        load = "(i32.load (i32.and (local.get 0) (i32.const 4095)))"
        body = f"(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 31)) {load}))" * 12
        text = "".join(f"(func $f{i} (param i32) (result i32) {body} (local.get 0))" for i in range(functions))
        calls = "".join(f"(drop (call $f{i} (i32.const {i})))" for i in range(functions))
        code = bytes(wasmtime.wat2wasm(f'(module (memory (export "memory") 1) {text} (func (export "main") {calls}))'))
        sides = [_activation(code, "winch"), _activation(code, "cranelift")]
        winch, cranelift = least_ns(sides, max(3, repeats // 2))
        rows[f"activation of {len(code):,} bytes: Winch / Cranelift"] = row(
            winch / len(code), cranelift / len(code), "byte"
        )
    return rows


def _activation(code: bytes, name: str) -> Side:
    def run() -> int:
        start = time.perf_counter_ns()
        runner(code, NativeEngine(name))
        return time.perf_counter_ns() - start

    run()
    return run
