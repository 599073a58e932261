"""The table of mutants fits the code, and a few of them, quick ones, are found (`make mutants` runs them all)."""

from __future__ import annotations

import pytest

from tests.mutants.table import MUTANTS, REPOSITORY


def test_every_mutant_still_has_its_place_in_the_code() -> None:
    for mutant in MUTANTS:
        text = (REPOSITORY / mutant.file).read_text()
        assert mutant.applied(text) != text
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40


def test_a_mutant_whose_place_is_gone_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"a wrong price of one opcode: .* has 0 times"):
        MUTANTS[0].applied("nothing")
