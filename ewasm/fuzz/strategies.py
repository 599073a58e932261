"""The generator as Hypothesis sees it: a strategy, and a source of cases by seed whose finds Hypothesis makes small.

Needs the package `hypothesis`, which nothing else of the VM does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase

from ewasm.fuzz.case import Case, own_case

__all__ = ["OwnSource", "cases"]

_BYTES = 16_384
_TRIES = 8


@cache
def _number(bound: int) -> st.SearchStrategy[int]:
    return st.integers(0, bound - 1)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Contracts that know host functions and gas, each with rules and a message."""
    return own_case(lambda bound: draw(_number(bound)) if bound > 1 else 0)


class _Enough(BaseException):
    """Ends a search; no failure of a test, so Hypothesis lets it through."""


class OwnSource:
    """Cases by seed: Hypothesis reads its choices from bytes that the seed makes."""

    name = "own"

    def __init__(self) -> None:
        # What runs of the test leave behind: their cases, and those that fail.
        self._made: list[Case] = []
        self._failing: list[Case] = []
        self._fails: Callable[[Case], bool] = lambda _: False
        self._tries = 1

        @settings(
            database=InMemoryExampleDatabase(),
            deadline=None,
            phases=(Phase.reuse, Phase.shrink),
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=tuple(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(cases())
        def test(case: Case) -> None:
            self._made.append(case)
            if len(self._made) > self._tries:
                raise _Enough
            if self._fails(case):
                self._failing.append(case)
                raise AssertionError

        self._test = test

    def make(self, seed: int) -> Case:
        """The case of a seed."""
        self._made.clear()
        self._feed(seed)
        if not self._made:
            raise RuntimeError(f"seed {seed} makes no case")
        return self._made[0]

    def close(self) -> None:
        """Nothing is held."""

    def _feed(self, seed: int) -> None:
        rng = Random(seed)
        for _ in range(_TRIES):
            # A case that takes more choices than Hypothesis allows is not made; the next bytes make another.
            if self._test.hypothesis.fuzz_one_input(rng.randbytes(_BYTES)) is not None:  # type: ignore[attr-defined]
                return

    def smaller(self, seed: int, fails: Callable[[Case], bool], max_tries: int = 300) -> Case:
        """The smallest case that Hypothesis finds from a seed's in so many tries, as long as it `fails`."""
        self._failing[:] = [self.make(seed)]
        self._fails, self._tries = fails, max_tries
        search: Any = self._test
        try:
            # The first finds the seed's case again, for the database; the search begins with what is there.
            try:
                self._feed(seed)
            except AssertionError:
                with suppress(AssertionError, _Enough):
                    search()
        finally:
            self._fails, self._tries = (lambda _: False), 1
        return min(self._failing, key=lambda case: len(case.code))
