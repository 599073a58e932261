"""The `flat` schedule against the metering contract of the 2018 testnet (conformance/sentinel-2018)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ewasm.contract import verdict
from ewasm.fuzz.oracle import observe
from ewasm.metering.schedule import FLAT
from ewasm.rules import EWASM_2018
from tests.engines import ENGINES

RULES = replace(EWASM_2018, schedule=FLAT)

# The sentinel charges a whole block when it is entered, and gives nothing back when a branch leaves it early. Gas here
# is what was executed, so it is less by the instructions that were jumped over.
JUMPED_OVER = {
    "block_br": 3,  # nop, nop, end
    "br_table": 2,  # nop, end
    "callee": 1,  # end behind return
}
# What the sentinel let through and the contract interface refuses, with our rule.
REFUSED = {
    "float": "feature:float",
    "float_load_only": "feature:float",
    "start": "start",
    "extra_export": "export",
    "big_memory": "limit:memory_pages",
    "debug_import": "import",
    "create_import_i64": "import",
}
# It injected an invalid helper for memory.grow, so there is no total to compare.
NO_TRACE = {"memgrow"}


@pytest.fixture(scope="module")
def vectors(conformance: Path) -> dict[str, dict[str, object]]:
    items = json.loads((conformance / "sentinel-2018" / "sentinel_vectors.json").read_text())
    return {item["name"]: item for item in items}


def test_totals_are_the_sentinels_less_what_was_jumped_over(vectors: dict[str, dict[str, object]]) -> None:
    compared = 0
    for name, vector in vectors.items():
        trace = vector.get("useGas_trace")
        if name in REFUSED or name in NO_TRACE or not isinstance(trace, list):
            continue
        code = bytes.fromhex(str(vector["input"])[2:])
        used_by_hand = 5 if name == "imports_usegas" else 0
        for engine in ENGINES:
            result = observe(code, engine, RULES).result
            assert result.is_success, (name, engine, result.error)
            assert result.gas_instructions == sum(trace) - used_by_hand - JUMPED_OVER.get(name, 0), (name, engine)
        compared += 1
    assert compared == 12


def test_what_the_sentinel_should_have_refused_is_refused(vectors: dict[str, dict[str, object]]) -> None:
    for name, rule in REFUSED.items():
        error = verdict(bytes.fromhex(str(vectors[name]["input"])[2:]), RULES)
        assert error is not None, name
        assert error.rule == rule, (name, error)
