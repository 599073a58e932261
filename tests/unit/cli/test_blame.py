"""Refusals of what was compiled name functions as the source does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ewasm.cli.blame import named_refusal
from ewasm.cli.compilers import compile_source
from ewasm.cli.rust import NO_RUST, find_toolchain
from ewasm.contract import verdict
from ewasm.errors import ForbiddenModule
from ewasm.rules import EWASM_2026
from ewasm.wasm.decode import decode
from tests.unit.cli.command import ewasm

HALF_C = """// abi: function f()
#include "abi.h"
static __attribute__((noinline)) float half(uint32_t x) { return x * 0.5f; }
EWASM_EXPORT("main") void contract_main(void) { eth_finish(0, (uint32_t)half(selector())); }
"""
HALF_ZIG = """// abi: function f()
const ewasm = @import("ewasm");
noinline fn half(x: u32) f32 {
    return @as(f32, @floatFromInt(x)) * 0.5;
}
export fn main() void {
    ewasm.eei.ethereum.finish(&[_]u8{}, @intFromFloat(half(ewasm.eei.ethereum.getCallDataSize())));
}
"""
FLOAT = "f32 is a float type"


def source(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(("name", "text", "culprit"), [("one.c", HALF_C, "($half)"), ("one.zig", HALF_ZIG, ".half)")])
def test_build_names_the_functions_that_use_floats(name: str, text: str, culprit: str, tmp_path: Path) -> None:
    path = source(tmp_path, name, text)
    code, output, errors = ewasm("build", tmp_path)
    assert (code, output) == (1, "")
    assert errors.startswith(f"error: {path}: feature:float: {FLOAT} (code section, function ")
    assert culprit in errors
    assert "offset" not in errors


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("one.c", '#include "abi.h"\nEWASM_EXPORT("main") void contract_main(void) { REVERT("no"); }\n'),
        ("one.zig", 'const ewasm = @import("ewasm");\nexport fn main() void {\n    ewasm.refuseValue();\n}\n'),
        (
            "one.rs",
            '#![no_std]\n#![no_main]\n#[no_mangle]\nextern "C" fn main() {\n    ewasm::refuse_value()\n}\n',
        ),
    ],
)
def test_names_change_nothing_but_names(name: str, text: str, tmp_path: Path) -> None:
    if name.endswith(".rs") and find_toolchain() is None:
        pytest.skip(NO_RUST)
    path = source(tmp_path, name, text)
    plain, named = (decode(compile_source(path, names=names)) for names in (False, True))
    assert (plain.functions, plain.data, plain.imports) == (named.functions, named.data, named.imports)
    assert all("$" not in plain.describe_function(index) for index in range(len(plain.imports), 3))
    own = range(len(named.imports), len(named.imports) + len(named.functions))
    assert all("$" in named.describe_function(index) for index in own)


COUNT_C = """#include "abi.h"
static __attribute__((noinline)) void wait(uint32_t n) { while (n--) eth_getCallDataSize(); }
EWASM_EXPORT("main") void contract_main(void) { wait(selector()); eth_finish(0, 0); }
"""


def test_check_takes_sources_and_calls_functions_by_their_names(tmp_path: Path) -> None:
    path = source(tmp_path, "one.c", COUNT_C)
    built = json.loads(ewasm("check", path, "--json")[1])
    module = tmp_path / "one.wasm"
    module.write_bytes(compile_source(path))
    plain = json.loads(ewasm("check", module, "--json")[1])
    assert built["worst_case_gas"] == {"main": f"{plain['worst_case_gas']['main'][:-1]} ($wait))"}
    assert plain["worst_case_gas"]["main"].startswith("unbounded (loop in ")
    for facts in (built, plain):
        del facts["file"], facts["worst_case_gas"]
    assert built == plain
    assert sorted(tmp_path.iterdir()) == [path, module]


def test_check_of_a_source_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = source(tmp_path, "one.c", HALF_C)
    code, output, errors = ewasm("check", path)
    assert (code, output) == (1, "")
    assert errors.startswith(f"error: {path}: feature:float: {FLOAT} (code section, function ")
    assert "($half)" in errors
    path.write_text("int main(")
    assert ewasm("check", path)[2].startswith(f"error: {path} does not compile:\n")
    assert ewasm("check", tmp_path / "two.c")[2] == f"error: {tmp_path / 'two.c'}: No such file or directory\n"


def test_a_refusal_that_cannot_be_named_stays(tmp_path: Path) -> None:
    # What the source builds is a contract by now; the refusal was of something else.
    path = source(tmp_path, "one.wat", '(module (memory (export "memory") 1) (func (export "main")))')
    assert verdict(compile_source(path), EWASM_2026) is None
    error = ForbiddenModule("of another time", rule="start")
    assert named_refusal(path, error, EWASM_2026, []) is error
