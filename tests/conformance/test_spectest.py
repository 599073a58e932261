"""Core spec test scripts on every engine, as they are and after injection."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from ewasm.cli.output import Failure
from ewasm.cli.spectest import lacking
from ewasm.spectest import Report, open_store, run_script
from tests.conftest import REPOSITORY
from tests.wasm_tools_cli import script

OWN = sorted((REPOSITORY / "fixtures/spec").glob("*.wast"))
ENGINES = ("interpreter", "cranelift", "winch", "v8")
VARIANTS = [
    pytest.param(engine, instrumented, id=f"{engine}{'-instrumented' if instrumented else ''}")
    for engine in ENGINES
    for instrumented in (False, True)
]

# Winch has no externref, so it refuses 15 of the 576 modules without floats.
FEWER = {"winch": {"module": 15, "action": 3, "assert_return": 132, "assert_trap": 21, "assert_unlinkable": 6}}
PASSED = {
    "module": 576,
    "action": 118,
    "assert_return": 7_151,
    "assert_trap": 2_006,
    "assert_exhaustion": 11,
    "assert_invalid": 1_477,
    "assert_malformed": 719,
    "assert_unlinkable": 83,
    "assert_uninstantiable": 34,
}


@cache
def without(engine: str) -> frozenset[str]:
    """Features that an engine lacks here; skips the test where it does not work."""
    try:
        return lacking(engine)
    except Failure as failure:
        pytest.skip(str(failure))


@pytest.fixture(scope="module")
def scripts(conformance: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path]]:
    """The 90 scripts, each made into commands and modules in a folder of its own."""
    prepared = []
    for wast in sorted((conformance / "wasm-spec-2.0").glob("*.wast")):
        folder = tmp_path_factory.mktemp(wast.stem)
        script(wast, folder)
        prepared.append((wast.stem, folder))
    return prepared


@cache
def run(folder: Path, engine: str, instrumented: bool) -> Report:
    store = open_store(engine, instrumented=instrumented, without=without(engine))
    commands = json.loads((folder / "script.json").read_text())["commands"]
    return run_script(commands, lambda name: (folder / name).read_bytes(), store)


def failures(name: str, report: Report) -> list[str]:
    return [f"{name}:{o.line}: {o.kind}: {o.reason}" for o in report.outcomes if o.verdict == "failed"]


@pytest.mark.parametrize(("engine", "instrumented"), VARIANTS)
def test_every_module_without_floats_does_what_the_core_tests_say(
    engine: str, instrumented: bool, scripts: list[tuple[str, Path]]
) -> None:
    wrong: list[str] = []
    passed: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for name, folder in scripts:
        report = run(folder, engine, instrumented)
        wrong += failures(name, report)
        passed += report.kinds("passed")
        refused += report.refusals()
    assert not wrong, "\n".join(wrong)
    fewer = FEWER.get(engine, {}) if "externref" in without(engine) else {}
    assert passed == {kind: count - fewer.get(kind, 0) for kind, count in PASSED.items()}
    assert refused == {"float": 15_241} | ({"externref": 177} if fewer else {})


# Calls into modules whose instantiation failed, through tables that they had filled by then: their counters are out of
# reach, so what runs there is not in the sum.
UNCOUNTED = {("linking", 275), ("linking", 288), ("linking", 453)}


@pytest.mark.parametrize(("engine", "least"), [("cranelift", 7_250), ("winch", 7_120), ("v8", 7_250)])
def test_injected_gas_is_the_interpreters_gas_at_the_end_of_every_call(
    engine: str, least: int, scripts: list[tuple[str, Path]]
) -> None:
    compared = 0
    wrong: list[str] = []
    for name, folder in scripts:
        expected = run(folder, "interpreter", False).outcomes
        found = run(folder, engine, True).outcomes
        for one, other in zip(expected, found, strict=True):
            if other.particles is None or (name, one.line) in UNCOUNTED:
                continue
            compared += 1
            if one.particles != other.particles:
                wrong.append(f"{name}:{one.line}: {one.particles} particles, {other.particles} on {engine}")
    assert not wrong, "\n".join(wrong)
    assert compared >= least


@pytest.mark.parametrize("wast", OWN, ids=lambda path: path.stem)
@pytest.mark.parametrize(("engine", "instrumented"), VARIANTS)
def test_own_scripts_pass(engine: str, instrumented: bool, wast: Path, tmp_path: Path) -> None:
    script(wast, tmp_path)
    commands = json.loads((tmp_path / "script.json").read_text())
    if engine == "interpreter" and instrumented:
        # Six seconds of the interpreter for what the other variants show already.
        commands["commands"] = [c for c in commands["commands"] if "1000000" not in str(c.get("action"))]
        (tmp_path / "script.json").write_text(json.dumps(commands))
    report = run(tmp_path, engine, instrumented)
    assert not failures(wast.stem, report)
    refused = report.refusals()
    # A V8 without wide arithmetic refuses what needs it, and says so.
    assert set(refused) <= without(engine)
    assert report.count("passed") + refused.total() >= {"tail-call": 81, "wide-arithmetic": 740}[wast.stem]
