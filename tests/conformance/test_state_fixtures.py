"""fixtures/state: every file is what its source gives on every engine, keeps to the schema and passes the runner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from chain.fixtures.fill import fill
from chain.stack import run_with_stack
from chain.statetest import run_file
from ewasm.eei import bind
from ewasm.rules import EWASM_2026
from tests.engines import ENGINES

FIXTURES = Path(__file__).parents[2] / "fixtures"
FILES = sorted((FIXTURES / "state").glob("*.json"))
SOURCES = FIXTURES / "state" / "src"


def load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_is_what_its_source_gives_on_every_engine(path: Path) -> None:
    source = SOURCES / f"{path.stem}.yml"
    assert run_with_stack(lambda: fill(source, ENGINES)) == path.read_text(), "make fixtures"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_passes_the_runner(path: Path) -> None:
    results = run_with_stack(lambda: list(run_file(path, engine="native")))
    assert len(results) == sum(len(cases) for test in load(path).values() for cases in test["post"].values())
    assert [f"{r.name} {r.fork} {r.indexes}: {r.reason}" for r in results if not r.passed] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_keeps_to_the_schema(path: Path) -> None:
    jsonschema.Draft202012Validator(load(FIXTURES / "state-test.schema.json")).validate(load(path))


def test_every_source_has_its_file() -> None:
    with_cases = {path.stem for path in SOURCES.glob("*.yml") if "\ncases:" in path.read_text()}
    assert with_cases == {path.stem for path in FILES}


def test_there_are_three_hundred_fixtures_and_every_host_function_is_called_in_them() -> None:
    tests = [test for path in FILES for test in load(path).values()]
    assert len(tests) >= 300
    called = {
        checkpoint[1]
        for test in tests
        for cases in test["_ewasm"]["post"].values()
        for case in cases
        for checkpoint in case["checkpoints"]
    }
    assert {f"{module}.{name}" for module, name in bind(EWASM_2026)} - called == set()
