"""`make fixtures`: rewrite everything under fixtures/ that is filled by running something."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.observations import FOLDER, cases, text


def main() -> int:
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
