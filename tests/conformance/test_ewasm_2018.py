"""The state tests of the original interface: every root and every logs hash, on both engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from chain.stack import run_with_stack
from chain.statetest import CaseResult, run_file
from ewasm.rules import EWASM_2018
from ewasm.vm import VM

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("engine", ["interpreter", "native", "winch", "cranelift"])
def test_state_tests_of_2018(conformance: Path, engine: str) -> None:
    machine = VM(EWASM_2018, engine=engine)
    files = sorted((conformance / "ewasm-2018" / "json").rglob("*.json"))
    if not files:
        pytest.skip("no state tests of 2018 in the conformance data")

    def run() -> list[CaseResult]:
        return [result for path in files for result in run_file(path, machine=machine)]

    results = run_with_stack(run)
    assert len(results) >= len(files)
    assert [f"{result.name}: {result.reason}" for result in results if not result.passed] == []
