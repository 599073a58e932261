"""`make bench`: ratios, never absolute promises.

Each row has both sides in one run. The table goes to the terminal, the rows to build/bench.json, a picture to docs/.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import calls, compute, host_functions
from tests.bench.chart import geomean, write_chart
from tests.bench.measure import Row

PARTS: dict[str, Callable[[int], dict[str, Row]]] = {
    "kernels": compute.kernels,
    "interpreters": compute.interpreters,
    "activation": compute.compile_times,
    "loops": calls.evm_loops,
    "host": host_functions.host_functions,
    "crossing": calls.raw_host_call,
    "state": calls.state,
    "frames": calls.frames,
    "nested": calls.nested,
}


def summary(rows: dict[str, Row]) -> list[str]:
    """Geometric means and worst cases over the kernels."""
    lines = []
    for suffix in ("metered / unmetered", "metered / native clang -O2", "Winch / Cranelift, metered"):
        found = {n: r["ratio"] for n, r in rows.items() if n.startswith("kernel ") and n.endswith(": " + suffix)}
        if found:
            worst = max(found, key=lambda name: found[name])
            mean = geomean(list(found.values()))
            lines.append(
                f"{suffix}: geomean {mean:.3f} of {len(found)}, worst {found[worst]:.3f} ({worst.split(':')[0]})"
            )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", choices=PARTS, action="append", help="measure these parts only; no picture then")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--chart", type=Path, default=Path("docs/bench.svg"))
    options = parser.parse_args()
    rows: dict[str, Row] = {}
    for name in options.only or PARTS:
        print(f"measuring {name}", file=sys.stderr)
        rows |= PARTS[name](options.repeats)
    table = Table(title="Ratios: ours / other, least of the repeats, for one unit")
    for column in ("row", "unit", "ours", "other", "ratio"):
        table.add_column(column, justify="left" if column in ("row", "unit") else "right")
    for name, row in rows.items():
        table.add_row(name, row["unit"], f"{row['ours_ns']:,} ns", f"{row['other_ns']:,} ns", f"{row['ratio']:.4g}")
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    for line in summary(rows):
        print(line)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(rows, indent=1) + "\n")
    if not options.only:
        write_chart(rows, options.chart)
    return 0


raise SystemExit(main())
