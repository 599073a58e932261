"""The table of host functions: unique, complete, implemented with the arity it states."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import replace

import pytest
from eth_hash.auto import keccak

from ewasm.eei import TABLE, bind
from ewasm.fuzz.world import OWN, FakeHost, message
from ewasm.rules import EWASM_2018, EWASM_2026, Rules
from ewasm.vm import VM
from ewasm.wasm.types import I32
from tests.unit.eei.harness import RULES_2026, program, run

WITH_DEBUG = replace(EWASM_2026, namespaces=EWASM_2026.namespaces | {"debug"})


def test_rows_are_unique() -> None:
    assert len({row.key for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    ("rules", "count"), [(EWASM_2018, 33), (EWASM_2026, 33 + 10 + 25 + 2), (WITH_DEBUG, 33 + 10 + 25 + 2 + 6)]
)
def test_rule_sets_have_the_functions_of_their_time(rules: Rules, count: int) -> None:
    assert len(bind(rules)) == count


@pytest.mark.parametrize("rules", [EWASM_2018, WITH_DEBUG], ids=["2018", "2026"])
def test_implementations_take_what_the_row_says(rules: Rules) -> None:
    for entry in bind(rules).values():
        parameters = inspect.signature(entry.function).parameters
        assert len(parameters) == 1 + len(entry.row.params), entry.name


def test_hashes() -> None:
    data = bytes(range(100))
    result, _, memory, _ = run("crypto.keccak256", 0, 100, 1032, data=data)
    assert (memory, result.gas_used) == (keccak(data), 30 + 6 * 4)
    result, _, memory, _ = run("crypto.sha256", 0, 100, 1032, data=data)
    assert (memory, result.gas_used) == (hashlib.sha256(data).digest(), 60 + 12 * 4)
    assert run("crypto.keccak256", 0, 0, 1032)[2] == keccak(b"")
    assert not run("crypto.keccak256", 65_530, 7, 1032)[0].is_success


def test_debug_prints_without_gas_and_within_bounds() -> None:
    lines: list[str] = []
    host = FakeHost(storage={(OWN, bytes(32)): b"stored".ljust(32, b"\0")})
    for name, arguments, expected in (
        ("print32", (7,), "7 (0x7)"),
        ("print64", (-1,), f"{2**64 - 1} (0x{2**64 - 1:x})"),
        ("printMem", (64, 5), "hello"),
        ("printMemHex", (64, 2), "0x6865"),
        ("printStorage", (0,), "stored" + "\0" * 26),
        ("printStorageHex", (0,), "0x" + b"stored".hex() + "00" * 26),
    ):
        for engine in ("interpreter", "native"):
            lines.clear()
            code = program(f"debug.{name}", arguments, bytes(64) + b"hello", (1032, 32))
            result = VM(RULES_2026, engine, debug=lines.append).execute(host, message(), code)
            assert (result.gas_used, lines) == (0, [expected]), name


def test_debug_is_refused_where_the_node_has_it_off() -> None:
    result = VM(RULES_2026).execute(FakeHost(), message(), program("debug.print32", (1,), b"", (1032, 32)))
    assert result.error is not None
    assert "debug on" in result.error


def test_types_are_integers() -> None:
    assert {t for row in TABLE for t in (*row.params, *row.results)} <= {I32, 0x7E}
