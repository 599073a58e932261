"""Commands that look at modules: check, wat, wasm, instrument; options, exit codes, clear errors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ewasm import __version__
from ewasm.wasm.decode import decode
from tests.unit.cli.command import ewasm

CONTRACTS = Path(__file__).parents[3] / "contracts"
COUNTER = CONTRACTS / "counter/counter.wasm"


def test_version() -> None:
    assert ewasm("--version") == (0, f"ewasm, version {__version__}\n", "")


def test_unknown_command_is_a_usage_error() -> None:
    code, _, errors = ewasm("frobnicate")
    assert code == 2
    assert "No such command" in errors


@pytest.mark.parametrize(
    "name", ["run", "check", "wat", "wasm", "instrument", "spectest", "statetest", "node", "deploy", "call", "send"]
)
def test_every_command_explains_itself(name: str) -> None:
    code, output, _ = ewasm(name, "--help")
    assert code == 0
    assert "Usage:" in output


def test_check_accepts_a_contract() -> None:
    code, output, _ = ewasm("check", COUNTER)
    assert code == 0
    assert output.startswith("ok ")


def test_check_answers_with_json() -> None:
    code, output, _ = ewasm("check", COUNTER, "--json")
    facts = json.loads(output)
    assert code == 0
    assert facts["ok"] is True
    assert facts["size_bytes"] == COUNTER.stat().st_size
    assert facts["exports"] == ["memory", "main"]


def test_check_names_rule_place_and_hint(tmp_path: Path) -> None:
    file = tmp_path / "float.wat"
    file.write_text('(module (memory (export "memory") 1) (func $pi (export "main") (drop (f32.const 3.14))))')
    code, output, errors = ewasm("check", file, "--json")
    facts = json.loads(output)
    assert code == 1
    assert facts["ok"] is False
    assert facts["error"]["offset"] > 0
    assert "f32" in facts["error"]["reason"]
    assert errors.startswith(f"error: {file}: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("memory", "most", "surcharge", "words", "hint"),
    [
        ("1", 1, 0, "memory 1 page, never more: each load costs no more than usual", None),
        ("1 16", 16, 0, "memory 1 page, at most 16: each load costs no more than usual", None),
        (
            "1",
            256,
            6,
            "memory 1 page, at most 256: each load costs 6 gas more",
            (
                "no maximum is declared; with one of 16 pages loads cost no more than usual: (memory 1 16), "
                "--max-memory=1048576 of wasm-ld, --maximumMemory 16 of asc"
            ),
        ),
        (
            "20 99",
            99,
            6,
            "memory 20 pages, at most 99: each load costs 6 gas more",
            (
                "a maximum of 99 pages is declared; with one of 32 pages loads cost 0.4 gas more: (memory 20 32), "
                "--max-memory=2097152 of wasm-ld, --maximumMemory 32 of asc"
            ),
        ),
        ("20 30", 30, 0.4, "memory 20 pages, at most 30: each load costs 0.4 gas more", None),
        ("40", 256, 6, "memory 40 pages, at most 256: each load costs 6 gas more", None),
    ],
)
def test_check_says_how_far_memory_reaches(
    memory: str, most: int, surcharge: float, words: str, hint: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "far.wat"
    first = int(memory.split(maxsplit=1)[0])
    grow = "(drop (memory.grow (i32.const 0)))" if most > first else ""
    file.write_text(f'(module (memory (export "memory") {memory}) (func (export "main") {grow}))')
    facts = json.loads(ewasm("check", file, "--no-deploy", "--json")[1])
    assert facts["memory"] == {
        "initial_pages": first,
        "most_pages": most,
        "load_surcharge_gas": surcharge,
        "hint": hint,
    }
    lines = [line.strip() for line in ewasm("check", file, "--no-deploy")[1].splitlines()]
    assert words in lines
    assert [line for line in lines if line.startswith("hint: ")] == ([f"hint: {hint}"] if hint else [])


def test_check_under_the_original_rules_refuses_newer_host_functions() -> None:
    code, output, errors = ewasm("check", "--rules", "2018", CONTRACTS / "erc20/erc20.wasm")
    assert (code, output) == (1, "")
    assert "unknown import" in errors


@pytest.mark.parametrize("data", [b"", b"\0", b"\0asm", b"\0asm\1\0\0\0\xff", b"hello"])
def test_check_refuses_what_is_no_module(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "broken.wasm"
    file.write_bytes(data)
    code, output, errors = ewasm("check", file)
    assert (code, output) == (1, "")
    assert errors.startswith(f"error: {file}: ")


def test_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    for command in (("check",), ("wat",), ("run",)):
        code, output, errors = ewasm(*command, tmp_path / "none.wasm")
        assert (code, output) == (1, "")
        assert errors == f"error: {tmp_path / 'none.wasm'}: No such file or directory\n"


def test_every_failure_speaks_json_where_asked(tmp_path: Path) -> None:
    for command in ("check", "run"):
        code, output, errors = ewasm(command, tmp_path / "none.wasm", "--json")
        assert code == 1
        assert json.loads(output) == {"ok": False, "error": {"message": errors.removeprefix("error: ").strip()}}


def test_folder_is_one_clear_line(tmp_path: Path) -> None:
    assert ewasm("check", tmp_path) == (1, "", f"error: {tmp_path}: Is a directory\n")


def test_rules_that_do_not_exist_are_a_usage_error() -> None:
    code, _, errors = ewasm("check", COUNTER, "--rules", "1999")
    assert code == 2
    assert "EWASM_2018, EWASM_2018_FLAT, EWASM_2026" in errors


def test_text_round_trip(tmp_path: Path) -> None:
    code, text, _ = ewasm("wat", COUNTER)
    assert code == 0
    (tmp_path / "counter.wat").write_text(text)
    assert ewasm("wasm", tmp_path / "counter.wat", "-o", tmp_path / "again.wasm")[0] == 0
    again, before = (decode(file.read_bytes()) for file in (tmp_path / "again.wasm", COUNTER))
    assert replace(again, customs=()) == replace(before, customs=())  # text has no names of locals


def test_text_with_an_error_names_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "bad.wat"
    file.write_text("(module\n  (frobnicate))")
    code, output, errors = ewasm("wasm", file, "-o", tmp_path / "out.wasm")
    assert (code, output) == (1, "")
    assert errors.startswith(f"error: {file}:2:4: ")
    assert not (tmp_path / "out.wasm").exists()


def test_assembling_a_binary_module_is_refused(tmp_path: Path) -> None:
    code, _, errors = ewasm("wasm", COUNTER, "-o", tmp_path / "out.wasm")
    assert code == 1
    assert "binary module already" in errors


def test_output_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    target = tmp_path / "no" / "such" / "folder.wasm"
    assert ewasm("instrument", COUNTER, "-o", target) == (1, "", f"error: {target}: No such file or directory\n")


def test_instrumented_module_counts_gas(tmp_path: Path) -> None:
    metered, free = tmp_path / "metered.wasm", tmp_path / "free.wasm"
    assert ewasm("instrument", COUNTER, "-o", metered)[0] == 0
    assert ewasm("instrument", COUNTER, "-o", free, "--schedule", "off")[0] == 0
    assert len(metered.read_bytes()) > len(free.read_bytes())
    assert "ewasm:main" in {export.name for export in decode(metered.read_bytes()).exports}


def test_schedule_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    code, _, errors = ewasm("instrument", COUNTER, "-o", tmp_path / "x.wasm", "--schedule", "cheap")
    assert code == 2
    assert "flat" in errors


def test_check_proves_the_metering_it_would_inject() -> None:
    code, output, _ = ewasm("check", COUNTER, "--prove", "--json")
    facts = json.loads(output)
    assert (code, facts["ok"]) == (0, True)
    assert facts["proved_functions"] == facts["functions"] > 0
    code, output, _ = ewasm("check", COUNTER, "--prove")
    assert "exact in" in output
