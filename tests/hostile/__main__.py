"""`make hostile`: what hostile programs take, against the bounds stated for them.

Each runs in a process of its own, with the gas of a whole block, on the native engine. Time is what the block takes of
a processor, all that belongs to activation included: on a quiet machine that is the wall clock's, and on a busy one it
does not show what others do. Memory is what the process and its compilers grew by. The exit code is 1 if a bound is
passed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.hostile.cases import CASES, Case, block

MIB = 1 << 20
REPEATS = 4
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
    before, busy = _peaks(), _busy_s()
    outcome = block(case, VM(EWASM_2026, NativeEngine("native")), case.block_gas)
    time_s = _busy_s() - busy
    if outcome.status != case.outcome:
        raise SystemExit(f"{case.name}: {outcome.status}, must be {case.outcome}")
    grown = {name: peak - before[name] for name, peak in _peaks().items()}

    contract = check(code, EWASM_2026)
    engine = NativeEngine(tiers[0])
    prepared, _ = engine._prepare(contract, EWASM_2026)
    gate_s = _each_s(lambda: check(code, EWASM_2026))
    instrument_s = _each_s(lambda: engine._prepare(contract, EWASM_2026))
    compile_s = {tier: _each_s(partial(compiler.compile_module, tier, prepared)) for tier in tiers}
    return {
        "bytes": len(code),
        "time_s": time_s,
        "gas_used": outcome.gas_used,
        "memory_mib": (grown["self"] + max(grown[tier] for tier in tiers)) / MIB,
        "gate_us_byte": gate_s / len(code) * 1e6,
        "instrument_us_byte": instrument_s / len(code) * 1e6,
        **{f"{tier}_us_byte": seconds / len(code) * 1e6 for tier, seconds in compile_s.items()},
    }


def _each_s(function: Callable[[], object]) -> float:
    """Processor time of one of several runs, in seconds; the compilers' is counted by the hundredth of a second."""
    before = _busy_s()
    for _ in range(REPEATS):
        function()
    return (_busy_s() - before) / REPEATS


def _busy_s() -> float:
    """Processor time so far of this process and of its compilers, in seconds."""
    from ewasm.engine.compiler import _children

    total = time.process_time()
    for child in _children.values():
        if child.process is not None:
            fields = Path(f"/proc/{child.process.pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


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
        row["of_wall"], row["of_memory"] = row["time_s"] / case.wall_s, row["memory_mib"] / case.memory_mib
        passed = passed and row["of_wall"] <= 1 and row["of_memory"] <= 1
        parts = [row["gate_us_byte"], row["instrument_us_byte"], row.get("winch_us_byte", row["cranelift_us_byte"])]
        row["activation_us_byte"] = sum(parts)
        # Of a small module all but a few microseconds are what any module costs; by the byte it says nothing.
        shown = [f"{p:.2f}" for p in (sum(parts), *parts, row["cranelift_us_byte"])] if row["bytes"] > 10_000 else []
        table.add_row(
            name,
            f"{row['bytes']:,}",
            f"{row['time_s']:.2f}",
            f"{row['of_wall']:.2f}",
            f"{row['memory_mib']:.0f}",
            f"{row['of_memory']:.2f}",
            *shown,
        )
        print(f"{name}: {row['time_s']:.2f} s, {row['memory_mib']:.0f} MiB", file=sys.stderr)
    Console(width=150).print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
