"""What engines differed on once, they agree on now: each file of fixtures/regressions, on every engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewasm.fuzz.campaign import examine
from ewasm.fuzz.oracle import campaign_engines
from ewasm.fuzz.regression import read_case
from tests.conftest import REPOSITORY

FILES = sorted((REPOSITORY / "fixtures/regressions").glob("*.wat"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_engines_agree_on_what_they_differed_on_once(file: Path) -> None:
    verdict = examine(read_case(file.read_text()), campaign_engines())
    assert verdict.reasons == ()
    assert verdict.outcome != "none"
    assert set(verdict.not_comparable) <= {"v8"}


def test_there_are_regressions() -> None:
    assert len(FILES) >= 3
