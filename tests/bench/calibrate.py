"""`make calibrate`: does a gas buy the same time everywhere?

For each cost class there is a program that does little else (`ewasm.fuzz.workloads`). It runs metered on the native
engine; the table gives its nanoseconds for one gas against the median of all of them, and the price at which it would
stand at the median. The requirement is that none lies further than a factor of 3 from the median on the dear side of
time. On the cheap side lies what an optimizing compiler makes vanish.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ewasm.engine.native import NativeEngine
from ewasm.fuzz.calibration import ALL_PROGRAMS, FACTOR, measure_all, median_ns_per_gas
from ewasm.fuzz.timing import Stopwatch
from ewasm.metering.schedule import PARTICLES_PER_GAS
from ewasm.rules import EWASM_2026, RULES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", choices=RULES, default=EWASM_2026.name)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--only", action="append", help="names of programs, or how they begin")
    parser.add_argument("--out", type=Path, default=Path("build/calibration.json"))
    options = parser.parse_args()
    rules = RULES[options.rules]
    stopwatch = Stopwatch(rules, NativeEngine("cranelift"))
    chosen = [name for name in ALL_PROGRAMS if not options.only or name.startswith(tuple(options.only))]
    found = measure_all(stopwatch, options.repeats, chosen)
    median = median_ns_per_gas(found.values())
    table = Table(title=f"{rules.schedule.name}: median {median:.1f} ns a gas")
    for column in ("program", "class", "ns", "gas", "ns a gas", "of the median", "particles at the median"):
        table.add_column(column, justify="left" if column in ("program", "class") else "right")
    rows = {}
    for name, got in sorted(found.items(), key=lambda item: -item[1].ns_per_gas):
        relative = got.ns_per_gas / median
        wanted = got.ns / median * PARTICLES_PER_GAS
        rows[name] = {
            "class": ALL_PROGRAMS[name].cost_class,
            "ns": round(got.ns, 3),
            "gas": round(got.particles / PARTICLES_PER_GAS, 5),
            "ns_per_gas": round(got.ns_per_gas, 2),
            "of_median": round(relative, 3),
            "particles_at_median": round(wanted),
        }
        table.add_row(
            name, ALL_PROGRAMS[name].cost_class, f"{got.ns:.2f}", f"{got.particles / PARTICLES_PER_GAS:.4f}",
            f"{got.ns_per_gas:.1f}", f"{relative:.2f}" + (" !" if relative > FACTOR else ""), f"{wanted:.0f}",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 130).print(table)
    slow = [name for name, got in found.items() if got.ns_per_gas > FACTOR * median]
    print(f"{len(rows)} programs, {len(slow)} slower than {FACTOR:g} times the median a gas")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
