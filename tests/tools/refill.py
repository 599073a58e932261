"""`make fixtures`: rewrite everything under fixtures/ that is filled by running something."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chain.fixtures.fill import fill
from chain.stack import run_with_stack
from tests.observations import FOLDER, cases, text

STATE = Path(__file__).resolve().parents[2] / "fixtures" / "state"


def main() -> int:
    refill_observations()
    run_with_stack(refill_state_tests)
    return 0


def refill_state_tests() -> None:
    sources = [path for path in sorted((STATE / "src").glob("*.yml")) if "\ncases:" in path.read_text()]
    changed = 0
    for source in sources:
        target = STATE / f"{source.stem}.json"
        new = fill(source)
        if not target.exists() or target.read_text() != new:
            target.write_text(new)
            changed += 1
    stale = set(STATE.glob("*.json")) - {STATE / f"{source.stem}.json" for source in sources}
    for path in stale:
        path.unlink()
    print(f"{len(sources)} files of state tests, {changed} rewritten, {len(stale)} removed")


def refill_observations() -> None:
    wanted = {FOLDER / f"{case.path}.json": case for case in cases()}
    changed = 0
    for path, case in wanted.items():
        new = text(case, "interpreter")
        if not path.exists() or path.read_text() != new:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new)
            changed += 1
    stale = [path for path in FOLDER.rglob("*.json") if path not in wanted]
    for path in stale:
        path.unlink()
    print(f"{len(wanted)} observations, {changed} rewritten, {len(stale)} removed")


if __name__ == "__main__":
    sys.exit(main())
