"""Every engine sees what fixtures/observations records."""

from __future__ import annotations

import pytest

from tests.engines import ENGINES
from tests.observations import FOLDER, Case, cases, text

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[case.path for case in CASES])
def test_observation_is_the_recorded_one(case: Case) -> None:
    recorded = (FOLDER / f"{case.path}.json").read_text()
    for engine in ENGINES:
        assert text(case, engine) == recorded, (
            f"{engine} differs from the fixture; after a wanted change: make fixtures"
        )


def test_there_is_no_file_without_a_case() -> None:
    assert {p.relative_to(FOLDER).with_suffix("").as_posix() for p in FOLDER.rglob("*.json")} == {c.path for c in CASES}
