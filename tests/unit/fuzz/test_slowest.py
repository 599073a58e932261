"""The search for programs that take long for their gas: what it makes runs, and what it says is what it measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from ewasm.contract import check
from ewasm.fuzz import calibration, slowest
from ewasm.fuzz.calibration import ALL_PROGRAMS, measure_all, median_ns_per_gas
from ewasm.fuzz.oracle import shared
from ewasm.fuzz.slowest import Candidate, program_of, search
from ewasm.fuzz.timing import Measured, Stopwatch
from ewasm.fuzz.workloads import Program
from ewasm.fuzz.world import FakeHost, message
from ewasm.metering.schedule import EWASM_2026 as SCHEDULE
from ewasm.rules import EWASM_2026
from ewasm.vm import VM
from tests.unit.cli.command import ewasm


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch(EWASM_2026, shared("winch"))


def test_every_opcode_and_host_price_that_is_measured_has_a_program() -> None:
    timed = {program.cost_class for program in ALL_PROGRAMS.values()}
    by_rows = set(SCHEDULE.opcodes) | set(SCHEDULE.host) | {"page_grown", "table_initial"}
    assert timed <= by_rows
    # What compiles to nothing, ends a run, is measured as another (stores as store32), or takes the fork's price.
    assert {"add32", "div64", "load32", "call_indirect", "bignum_mulmod", "keccak256", "finish"} <= timed


@pytest.mark.parametrize("name", sorted(ALL_PROGRAMS))
def test_a_program_is_a_contract(name: str) -> None:
    program = ALL_PROGRAMS[name]
    assert check(program.module(), EWASM_2026).entries
    assert check(program.module(empty=True), EWASM_2026).entries


def test_a_body_costs_what_its_instructions_do(stopwatch: Stopwatch) -> None:
    body = Program("add32", "local.get $x local.get $y i32.add local.set $x ", turns=500)
    prices = SCHEDULE.opcodes
    want = 2 * prices["local_get"] + prices["add32"] + prices["local_set"]
    # Whole gas is what a run reports, so the mean is off by one gas at most.
    assert abs(stopwatch.body(body, 1).particles - want) <= 2 * 10_000 / (500 * body.copies)


def test_a_program_that_fails_is_named(stopwatch: Stopwatch) -> None:
    with pytest.raises(RuntimeError, match="unreachable"):
        stopwatch.body(Program(None, "unreachable "), 1)


@pytest.mark.parametrize("fragment", dict.fromkeys(slowest._FRAGMENTS), ids=lambda f: f.__name__)
def test_fragments_of_every_kind_run_to_their_end(fragment: Callable[[Random, int], str]) -> None:
    rng = Random(7)
    vm = VM(EWASM_2026, shared("interpreter"))
    for pages in (1, 17):
        parts = tuple(fragment(rng, pages) for _ in range(12))
        code = program_of(Candidate(parts, pages), 3).module()
        result = vm.execute(FakeHost(), message(gas=1 << 30), code)
        assert result.is_success, result.error


def test_a_seed_makes_the_same_programs(stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch) -> None:
    # Time decides who is bred, so it is one that depends on the program alone.
    def by_size(self: Stopwatch, program: Program, repeats: int) -> Measured:
        return Measured(float(len(program.body)), 1.0)

    monkeypatch.setattr(Stopwatch, "body", by_size)
    first = list(search(3, 60, stopwatch))
    assert first == list(search(3, 60, stopwatch))
    assert first != list(search(4, 60, stopwatch))
    # It breeds: the last are slower than the first.
    assert max(c.ns_per_gas for c in first[30:]) > max(c.ns_per_gas for c in first[:24])


def few(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {name: ALL_PROGRAMS[name] for name in ("add32", "mul64", "div_u32")}
    monkeypatch.setattr(calibration, "ALL_PROGRAMS", chosen)
    monkeypatch.setattr(calibration.measure_all, "__defaults__", (tuple(chosen),))


def test_median_is_over_all(stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    found = measure_all(stopwatch, 1)
    assert list(found) == ["add32", "mul64", "div_u32"]
    assert median_ns_per_gas([Measured(1, 10_000), Measured(5, 10_000), Measured(9, 10_000)]) == 5


def test_the_command_says_how_many_are_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    options = ("fuzz", "--objective", "time-per-gas", "--cases", 3, "--seed", 9, "--out", tmp_path)
    monkeypatch.setattr(calibration, "FACTOR", 1e9)
    code, output, _ = ewasm(*options)
    assert (code, output.splitlines()[-1]) == (0, "3 programs, 0 slower than 1e+09 times the median")
    monkeypatch.setattr(calibration, "FACTOR", -1e9)
    code, output, _ = ewasm(*options, "--json")
    facts = json.loads(output)
    assert (code, facts["programs"], facts["slow"]) == (1, 3, 3)
    assert check(assembled(Path(facts["written"][0]).read_text()), EWASM_2026).entries


def assembled(text: str) -> bytes:
    import wasmtime

    return bytes(wasmtime.wat2wasm(text))


def test_engines_are_no_choice_where_time_is_measured() -> None:
    code, _, errors = ewasm("fuzz", "--objective", "time-per-gas", "--engines", "winch,interpreter")
    assert code == 2
    assert "goes with --objective difference" in errors
