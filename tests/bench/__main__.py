"""`make bench`: ratios, never absolute promises.

The sides of a ratio take turns within one run, and each counts with its least time.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import wasmtime
from rich.console import Console
from rich.table import Table

from ewasm.cli.compilers import C_FLAGS
from ewasm.engine.native import NativeEngine
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Message
from ewasm.metering.schedule import OFF
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM

KERNELS = Path(__file__).parent / "kernels"
# As contracts/ are linked, but with room for the kernels' arrays.
LINK = "--no-entry --strip-all --gc-sections --initial-memory=2097152 -z stack-size=16384 --stack-first"
GAS = 1 << 40

Row = dict[str, float | str]


def build(source: Path, folder: Path) -> bytes:
    """Compile a kernel with the pinned clang."""
    compiled, linked = folder / f"{source.stem}.o", folder / f"{source.stem}.wasm"
    for arguments in (
        ["cc", *C_FLAGS, "-O2", "-c", "-o", str(compiled), str(source)],
        ["wasm-ld", *LINK.split(), "-o", str(linked), str(compiled)],
    ):
        subprocess.run([sys.executable, "-m", "ziglang", *arguments], check=True)
    return linked.read_bytes()


def minimum_ns(sides: list[Callable[[], None]], repeats: int) -> list[int]:
    """Least time of each side; they take turns, so that a slow phase of the machine meets all of them."""
    best = [sys.maxsize] * len(sides)
    for _ in range(repeats):
        for index, side in enumerate(sides):
            start = time.perf_counter_ns()
            side()
            best[index] = min(best[index], time.perf_counter_ns() - start)
    return best


def runner(code: bytes, rules: Rules, engine: NativeEngine) -> Callable[[], None]:
    vm = VM(rules, engine)
    request: Message = message(gas=GAS)

    def run() -> None:
        result = vm.execute(FakeHost(), request, code)
        if not result.is_success:
            raise RuntimeError(f"kernel failed: {result.status}, {result.error}")

    run()
    return run


def kernels(repeats: int) -> dict[str, Row]:
    """Metered against unmetered, same engine."""
    engine = NativeEngine()
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as folder:
        for source in sorted(KERNELS.glob("*.c")):
            code = build(source, Path(folder))
            metered = runner(code, EWASM_2026, engine)
            plain = runner(code, replace(EWASM_2026, schedule=replace(OFF, name="unmetered")), engine)
            ours, other = minimum_ns([metered, plain], repeats)
            rows[f"kernel {source.stem}: metered / unmetered"] = _row(ours, other)
    return rows


def host_call(repeats: int) -> dict[str, Row]:
    """A raw host call against a host function of wasmtime-py, each called 20,000 times by the same loop."""
    count = 20_000
    loop = f"""(module (import "ethereum" "getCaller" (func $f (param i32))) (memory (export "memory") 1)
      (func (export "main") (local i32) (loop (call $f (i32.const 0))
        (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const {count}))))))"""
    code = bytes(wasmtime.wat2wasm(loop))
    ours = runner(code, EWASM_2026, NativeEngine())
    store = wasmtime.Store()
    module = wasmtime.Module(store.engine, code)
    memory: list[wasmtime.Memory] = []

    def get_caller(offset: int) -> None:
        memory[0].write(store, bytes(20), offset)

    linker = wasmtime.Linker(store.engine)
    linker.define_func("ethereum", "getCaller", wasmtime.FuncType([wasmtime.ValType.i32()], []), get_caller)
    instance = linker.instantiate(store, module)
    exports = instance.exports(store)
    memory.append(exports["memory"])  # type: ignore[arg-type]
    main = exports["main"]
    left, right = minimum_ns([ours, lambda: main(store)], repeats)  # type: ignore[operator]
    return {"getCaller in a loop: ours / define_func": _row(left / count, right / count)}


def activation(repeats: int) -> dict[str, Row]:
    """Warm call of an empty contract against what activating it took."""
    code = bytes(wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "main")))'))
    engine = NativeEngine()
    warm = runner(code, EWASM_2026, engine)
    cold_vm = [VM(EWASM_2026, engine)]

    def cold() -> None:
        cold_vm[0] = VM(EWASM_2026, engine)
        cold_vm[0].execute(FakeHost(), message(gas=GAS), code)

    left, right = minimum_ns([warm, cold], repeats * 20)
    return {"empty main: warm call / first call": _row(left, right)}


def _row(ours: float, other: float) -> Row:
    return {"ours_ns": round(ours, 1), "other_ns": round(other, 1), "ratio": round(ours / other, 4), "unit": "ns"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    options = parser.parse_args()
    rows = kernels(options.repeats) | host_call(options.repeats) | activation(options.repeats)
    table = Table(title="Ratios: ours / other, least of the repeats")
    for column in ("row", "ours", "other", "ratio"):
        table.add_column(column, justify="left" if column == "row" else "right")
    for name, row in rows.items():
        table.add_row(name, f"{row['ours_ns']:,} ns", f"{row['other_ns']:,} ns", f"{row['ratio']:.3f}")
    Console().print(table)
    ratios = [float(row["ratio"]) for name, row in rows.items() if name.startswith("kernel")]
    geomean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    Console().print(f"metered / unmetered over {len(ratios)} kernels: geomean {geomean:.3f}, worst {max(ratios):.3f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
