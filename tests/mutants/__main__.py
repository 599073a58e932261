"""`make mutants`: break the VM in as many ways as `table` has, and see that each is found.

Every mutant is a copy of `ewasm/` in a folder of its own. The campaign runs on it as `ewasm fuzz` would, until the
first case that differs; then once more without the proof of metering, so that it shows what comparing engines alone
finds. Mistakes in what all engines share go to the golden observations instead. The exit code is 1 if one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.mutants.table import MUTANTS, REPOSITORY, Mutant

ENGINES = ("interpreter", "cranelift")
CASE_S = 60
"""Most seconds a case. A module whose loops do not look at the counter runs for ever; that is a find."""


def first_difference(cases: int, *, with_proof: bool) -> dict[str, Any]:
    """The first case on which the VM of this very process does not agree with itself."""
    from ewasm.fuzz import campaign

    if not with_proof:
        vars(campaign)["prove"] = lambda *_, **__: None
    sources = campaign.make_sources(campaign.SOURCES)
    try:
        signal.alarm(CASE_S)
        for seed, _, verdict in campaign.run_campaign(range(cases), sources, ENGINES):
            signal.alarm(CASE_S)
            if verdict.reasons:
                return {"case": seed + 1, "reason": verdict.reasons[0]}
    finally:
        for source in sources:
            source.close()
    return {"case": None}


def first_observation() -> dict[str, Any]:
    """The first golden observation that the VM of this very process does not make."""
    from tests.observations import FOLDER, cases, text

    for number, case in enumerate(cases(), 1):
        if (FOLDER / f"{case.path}.json").read_text() != text(case, ENGINES[0]):
            return {"case": number, "reason": f"observation {case.path}"}
    return {"case": None}


def found(mutant: Mutant, scratch: Path, *arguments: str) -> dict[str, Any]:
    """Run one search on a scratch copy that has the mutant in it."""
    environment = {**os.environ, "PYTHONPATH": str(scratch)}
    command = [sys.executable, "-m", "tests.mutants", "--one", *arguments]
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == -signal.SIGALRM:
        return {"case": "?", "reason": "does not end"}
    if done.returncode:
        return {"case": "?", "reason": f"{mutant.name}: {(done.stderr.strip().splitlines() or ['ended'])[-1]}"}
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def scratch_copy(folder: Path) -> None:
    """The repository, of which `ewasm/` is a copy and everything else a link."""
    for path in REPOSITORY.iterdir():
        if path.name != "ewasm":
            (folder / path.name).symlink_to(path)
    shutil.copytree(REPOSITORY / "ewasm", folder / "ewasm", ignore=shutil.ignore_patterns("__pycache__"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names of mutants, all unless given")
    parser.add_argument("--cases", type=int, default=400, help="cases of a campaign (default: 400)")
    parser.add_argument("--one", choices=("proof", "engines", "observations"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        if options.one == "observations":
            print(json.dumps(first_observation()))
        else:
            print(json.dumps(first_difference(options.cases, with_proof=options.one == "proof")))
        return 0
    table = Table("mutant", "file", "found by", "at case", "without the proof")
    missed = 0
    for mutant in MUTANTS:
        if options.names and not any(name in mutant.name for name in options.names):
            continue
        with tempfile.TemporaryDirectory(prefix="ewasm-mutant-") as name:
            scratch = Path(name)
            scratch_copy(scratch)
            broken = scratch / mutant.file
            broken.write_text(mutant.applied(broken.read_text()))
            searches = ("observations",) if mutant.shared else ("proof", "engines")
            seen = [found(mutant, scratch, search, "--cases", str(options.cases)) for search in searches]
        missed += seen[0]["case"] is None
        cells = [f"{s['case']}: {s['reason'][:60]}" if s["case"] is not None else "not found" for s in seen]
        table.add_row(mutant.name, mutant.file, *_row(seen))
        print(f"{mutant.name}: {' | '.join(cells)}", file=sys.stderr, flush=True)
    Console(width=150).print(table)
    print(f"{len(table.rows)} mutants, {missed} not found")
    return 1 if missed else 0


def _row(seen: list[dict[str, Any]]) -> tuple[str, str, str]:
    first, *rest = seen
    if first["case"] is None:
        by = "nothing"
    elif "not proven" in first["reason"]:
        by = "the proof"
    else:
        by = "observations" if not rest else "engines"
    return by, str(first["case"] or "-"), str(rest[0]["case"] or "-") if rest else ""


if __name__ == "__main__":
    sys.exit(main())
