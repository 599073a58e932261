"""The integer assertions of i32.wast and i64.wast, on `ewasm.wasm.numerics` alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewasm.errors import Trap
from ewasm.wasm.numerics import BINARY, UNARY
from ewasm.wasm.opcodes import BY_TEXT
from tests.wasm_tools_cli import script


@pytest.mark.parametrize("type_", ["i32", "i64"])
def test_integer_operations_agree_with_the_core_tests(type_: str, conformance: Path, tmp_path: Path) -> None:
    checked = 0
    for command in script(conformance / "wasm-spec-2.0" / f"{type_}.wast", tmp_path):
        if command["type"] not in ("assert_return", "assert_trap"):
            continue
        code = BY_TEXT[f"{type_}.{command['action']['field']}"].code
        arguments = [int(argument["value"]) % (1 << int(type_[1:])) for argument in command["action"]["args"]]
        got: int | str
        try:
            got = UNARY[code](*arguments) if code in UNARY else BINARY[code](*arguments)
        except Trap as trap:
            got = trap.text
        if command["type"] == "assert_trap":
            assert got == command["text"], command
        else:
            (expected,) = command["expected"]
            assert got == int(expected["value"]) % (1 << int(expected["type"][1:])), command
        checked += 1
    assert checked > 350
