"""`make hostile`: what hostile programs take, against the bounds stated for them.

Each runs in a process of its own, with the gas of a whole block, on the native engine. Time is that of the block, all
that belongs to activation included; memory is what the process and its compilers grew by. The exit code is 1 if a bound
is passed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.hostile.cases import CASES, Case, block

MIB = 1 << 20
HANG_S = 300


def measure(case: Case) -> dict[str, float]:
    """Run one case in this process, which must be fresh: peaks of memory cannot be taken back."""
    from ewasm.contract import check
    from ewasm.engine import compiler
    from ewasm.engine.native import NativeEngine, winch_works
    from ewasm.fuzz.world import FakeHost, message
    from ewasm.rules import EWASM_2026
    from ewasm.vm import VM
    from tests.templates import module

    tiers = ("winch", "cranelift") if winch_works() else ("cranelift",)
    least = module('(memory (export "memory") 1) (func (export "main"))')
    for tier in tiers:
        VM(EWASM_2026, NativeEngine(tier)).execute(FakeHost(), message(), least)
    code = case.code
    before = _peaks()

    start = time.perf_counter()
    outcome = block(case, VM(EWASM_2026, NativeEngine("native")), case.block_gas)
    wall_s = time.perf_counter() - start
    if outcome.status != case.outcome:
        raise SystemExit(f"{case.name}: {outcome.status}, must be {case.outcome}")
    grown = {name: peak - before[name] for name, peak in _peaks().items()}

    start = time.perf_counter()
    contract = check(code, EWASM_2026)
    gate_s = time.perf_counter() - start
    start = time.perf_counter()
    prepared, _ = NativeEngine(tiers[0])._prepare(contract, EWASM_2026)
    instrument_s = time.perf_counter() - start
    compile_s = {}
    for tier in tiers:
        start = time.perf_counter()
        compiler.compile_module(tier, prepared)
        compile_s[tier] = time.perf_counter() - start
    return {
        "bytes": len(code),
        "wall_s": wall_s,
        "gas_used": outcome.gas_used,
        "memory_mib": (grown["self"] + max(grown[tier] for tier in tiers)) / MIB,
        "gate_us_byte": gate_s / len(code) * 1e6,
        "instrument_us_byte": instrument_s / len(code) * 1e6,
        **{f"{tier}_us_byte": seconds / len(code) * 1e6 for tier, seconds in compile_s.items()},
    }


def _peaks() -> dict[str, int]:
    """Highest resident size so far, in bytes, of this process and of its compilers."""
    from ewasm.engine.compiler import _children

    peaks = {"self": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    for tier, child in _children.items():
        peaks[tier] = 0
        if child.process is not None:
            status = Path(f"/proc/{child.process.pid}/status").read_text()
            peaks[tier] = next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) * 1024
    return peaks


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("names", nargs="*", help="cases, all unless given")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(CASES[options.names[0]])))
        return 0
    headings = ("case", "bytes", "block s", "of bound", "MiB", "of bound", "us/byte", "gate", "meter", "Winch")
    table = Table(*headings, "Cranelift")
    rows: dict[str, dict[str, Any]] = {}
    passed = True
    for name in options.names or CASES:
        case = CASES[name]
        command = [sys.executable, "-m", "tests.hostile", "--one", name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False)
        if done.returncode:
            print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            passed = False
            continue
        row = rows[name] = json.loads(done.stdout)
        row["of_wall"], row["of_memory"] = row["wall_s"] / case.wall_s, row["memory_mib"] / case.memory_mib
        passed = passed and row["of_wall"] <= 1 and row["of_memory"] <= 1
        parts = [row["gate_us_byte"], row["instrument_us_byte"], row.get("winch_us_byte", row["cranelift_us_byte"])]
        row["activation_us_byte"] = sum(parts)
        # Of a small module all but a few microseconds are what any module costs; by the byte it says nothing.
        shown = [f"{p:.2f}" for p in (sum(parts), *parts, row["cranelift_us_byte"])] if row["bytes"] > 10_000 else []
        table.add_row(
            name,
            f"{row['bytes']:,}",
            f"{row['wall_s']:.2f}",
            f"{row['of_wall']:.2f}",
            f"{row['memory_mib']:.0f}",
            f"{row['of_memory']:.2f}",
            *shown,
        )
        print(f"{name}: {row['wall_s']:.2f} s, {row['memory_mib']:.0f} MiB", file=sys.stderr)
    Console(width=150).print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
