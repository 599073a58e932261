"""`ewasm new` and `ewasm build`."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import pytest

from ewasm.cli import compilers
from ewasm.cli.projects import LANGUAGES
from tests.unit.cli.command import ewasm

ANSWER = """(module (import "ethereum" "finish" (func $finish (param i32 i32))) (memory (export "memory") 1)
  (data (i32.const 0) "*") (func (export "main") (call $finish (i32.const 0) (i32.const 1))))"""
needs_zig = pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed")


def contract(folder: Path, name: str, text: str) -> Path:
    """A source with an ABI beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / name
    source.write_text(text)
    source.with_suffix(".json").write_text("[]")
    return source


@pytest.mark.parametrize("lang", LANGUAGES)
def test_new_project_is_whole(lang: str, tmp_path: Path) -> None:
    code, output, errors = ewasm("new", tmp_path / "below" / "Purse", "--lang", lang)
    assert (code, errors) == (0, "")
    assert "ewasm build" in output
    files = {path.name: path.read_text() for path in (tmp_path / "below" / "Purse").iterdir()}
    assert {"Purse.json", "README.md", "test_Purse.py", ".gitignore"} < set(files)
    assert [item["name"] for item in json.loads(files["Purse.json"]) if item["type"] == "event"] == ["NumberChanged"]
    assert not [name for name, text in files.items() if "@NAME@" in text or "@GET@" in text]
    compile(files["test_Purse.py"], "test_Purse.py", "exec")


def test_new_refuses_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "purse").mkdir()
    code, output, errors = ewasm("new", tmp_path / "purse", "--lang", "c")
    assert (code, output) == (1, "")
    assert errors == f"error: {tmp_path / 'purse'}: File exists\n"


@pytest.mark.parametrize("name", ["1st", "a-b", "a b", ".x"])
def test_new_refuses_names_that_are_none(name: str, tmp_path: Path) -> None:
    assert ewasm("new", tmp_path / name, "--lang", "c")[0] == 2
    assert not (tmp_path / name).exists()


def test_build_takes_a_tree_and_passes_over_packages(tmp_path: Path) -> None:
    contract(tmp_path / "a", "one.wat", ANSWER)
    contract(tmp_path / "b" / "c", "two.wat", ANSWER)
    contract(tmp_path / "node_modules", "three.wat", ANSWER)
    contract(tmp_path / ".hidden", "four.wat", ANSWER)
    (tmp_path / "part.wat").write_text("no contract: there is no ABI beside it")
    code, output, _ = ewasm("build", tmp_path, "--json")
    facts = json.loads(output)
    assert (code, facts["ok"]) == (0, True)
    names = ["a/one.wasm", "b/c/two.wasm"]
    assert [item["module"] for item in facts["contracts"]] == [str(tmp_path / name) for name in names]
    digest = hashlib.sha256((tmp_path / "a/one.wasm").read_bytes()).hexdigest()
    assert (tmp_path / "SHA256SUMS").read_text() == "".join(f"{digest}  {name}\n" for name in names)


def test_verify_notices_another_byte_and_writes_nothing(tmp_path: Path) -> None:
    contract(tmp_path, "one.wat", ANSWER)
    module = tmp_path / "one.wasm"
    assert ewasm("build", tmp_path, "--verify")[0] == 1
    assert not module.exists()
    assert ewasm("build", tmp_path)[0] == 0
    assert ewasm("build", tmp_path, "--verify")[0] == 0
    module.write_bytes(module.read_bytes() + b"\0\1\0")
    code, _, errors = ewasm("build", tmp_path, "--verify")
    assert (code, errors) == (1, f"error: not what the sources build: {module}\n")
    assert module.read_bytes().endswith(b"\0\1\0")


def test_build_prints_the_refusal_of_the_gate(tmp_path: Path) -> None:
    source = contract(tmp_path, "one.wat", ANSWER.replace('"main"', '"start"'))
    code, output, errors = ewasm("build", tmp_path, "--json")
    assert code == 1
    assert errors.startswith(f"error: {source}: export: no exported function named main")
    assert json.loads(output)["error"]["rule"] == "export"
    assert not (tmp_path / "one.wasm").exists()


def test_build_prints_what_the_assembler_says(tmp_path: Path) -> None:
    source = contract(tmp_path, "one.wat", "(module\n  (func frob))")
    code, _, errors = ewasm("build", tmp_path)
    assert code == 1
    assert errors.startswith(f"error: {source} does not assemble:\n")
    assert "one.wat:2:9" in errors
    assert "Traceback" not in errors


@needs_zig
@pytest.mark.parametrize(("name", "text"), [("one.c", "int x = y;\n"), ("one.zig", "export fn main() void { y(); }\n")])
def test_build_prints_what_the_compiler_says(name: str, text: str, tmp_path: Path) -> None:
    source = contract(tmp_path, name, text)
    code, _, errors = ewasm("build", tmp_path)
    assert code == 1
    assert errors.startswith(f"error: {source} does not compile:\n")
    assert "undeclared identifier" in errors


def test_two_sources_of_one_module_are_refused(tmp_path: Path) -> None:
    contract(tmp_path, "one.wat", ANSWER)
    contract(tmp_path, "one.c", "")
    code, _, errors = ewasm("build", tmp_path)
    assert (code, errors) == (1, f"error: {tmp_path / 'one.wasm'}: would be built from two sources\n")


def test_nothing_to_build_is_a_clear_line(tmp_path: Path) -> None:
    assert "no contracts" in ewasm("build", tmp_path)[2]
    assert "no such folder" in ewasm("build", tmp_path / "none")[2]


def test_missing_compilers_are_named_with_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    for name, hint in (
        ("one.c", "pip install ziglang"),
        ("one.zig", "pip install ziglang"),
        ("one.ts", "npm install"),
        ("two.ts", "nodejs.org"),
    ):
        folder = tmp_path / name[4:]
        contract(folder, name, "")
        code, _, errors = ewasm("build", folder)
        assert code == 1
        assert hint in errors
        assert errors.count("\n") == 1


@needs_zig
def test_c_is_optimized_as_its_comment_asks(tmp_path: Path) -> None:
    text = '#include "abi.h"\nEWASM_EXPORT("main") void contract_main(void) { REVERT("no"); }\n'
    small = compilers.compile_source(contract(tmp_path, "small.c", text))
    fast = compilers.compile_source(contract(tmp_path, "fast.c", "/* ewasm build: -O3 */\n" + text))
    assert len(fast) > len(small)
