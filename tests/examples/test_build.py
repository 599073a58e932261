"""`ewasm build`: trees of contracts, ABIs from sources, other folders, wasm-opt, and what is missing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ewasm.cli import compilers, rust
from ewasm.cli.projects import build
from ewasm.contract import check
from ewasm.rules import EWASM_2026

WAT = """
;; abi: function number() pure returns (uint256)
(module
  (import "ethereum" "finish" (func $finish (param i32 i32)))
  (memory (export "memory") 1 1)
  (func $unused (result i32) (i32.add (i32.const 1) (i32.const 2)))
  (func (export "main") (i32.store8 (i32.const 31) (i32.const 42)) (call $finish (i32.const 0) (i32.const 32))))
"""
SOLIDITY = (
    "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.20;\ncontract Odd { uint256 public number = 7; }\n"
)


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(build, [str(argument) for argument in arguments])
    return done.exit_code, done.output + (str(done.exception) if done.exception else "")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("one", "deep/two"):
        source = tmp_path / "tree" / f"{name}.wat"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(WAT)
    (tmp_path / "tree" / "library.wat").write_text("(module)")
    return tmp_path / "tree"


def test_tree_is_built_with_abis_and_sums(tree: Path) -> None:
    assert run(tree)[0] == 0
    names = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())
    built = ["deep/two.json", "deep/two.wasm", "one.json", "one.wasm"]
    assert names == sorted(["SHA256SUMS", "deep/two.wat", "library.wat", "one.wat", *built])
    assert json.loads((tree / "one.json").read_text())[0]["name"] == "number"
    for line in (tree / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tree / name).read_bytes()).hexdigest() == digest
    code, text = run(tree, "--verify")
    assert (code, "2 of 2 rebuilt byte for byte" in text) == (0, True)
    (tree / "one.json").write_text("[]")
    code, text = run(tree, "--verify")
    assert code == 1
    assert "one.json" in text
    assert "two" not in text.split("not what the sources build")[1]


def test_other_folder_gets_the_same_tree(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(tree, "--out", out)[0] == 0
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert names == ["SHA256SUMS", "deep/two.json", "deep/two.wasm", "one.json", "one.wasm"]
    assert not (tree / "one.wasm").exists()
    assert run(tree, "--out", out, "--verify")[0] == 0


def test_wrong_line_of_an_abi_is_named(tree: Path) -> None:
    (tree / "one.wat").write_text(WAT.replace("uint256", "uint7"))
    code, text = run(tree)
    assert code == 1
    assert "one.wat: abi: function number() pure returns (uint7): uint7 is no type" in text


def test_missing_compilers_say_how_to_get_them(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilers, "find_toolchain", lambda: None)
    monkeypatch.setattr(compilers, "find_solc", lambda _: None)
    monkeypatch.setattr(compilers, "find_wasm_opt", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    wanted = {
        ".rs": "rustup target add wasm32v1-none",
        ".sol": "npm install solc@0.8.20\nno wasm-opt; run: npm install binaryen",
        ".ts": "npm install assemblyscript",
        ".c": "pip install ziglang",
        ".zig": "pip install ziglang",
    }
    for ending, hint in wanted.items():
        source = tree / f"contract{ending}"
        source.write_text("// abi: fallback()\n")
        with pytest.raises(compilers.CompileError) as error:
            compilers.compile_source(source)
        assert hint in str(error.value)
    with pytest.raises(compilers.CompileError, match="npm install binaryen"):
        compilers.optimize(b"", [])


def test_rust_is_looked_for_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rust.find_toolchain.cache_clear()
    monkeypatch.setenv("RUSTC", str(tmp_path / "nothing"))
    try:
        assert rust.find_toolchain() is None
    finally:
        rust.find_toolchain.cache_clear()


@pytest.mark.npm
def test_wasm_opt_makes_it_smaller_and_solidity_has_its_own_abi(tree: Path, npm_as: Path) -> None:
    (tree / "node_modules").symlink_to(npm_as / "node_modules")
    (tree / "odd.sol").write_text(SOLIDITY)
    assert run(tree)[0] == 0
    before = (tree / "one.wasm").stat().st_size
    [item] = json.loads((tree / "odd.json").read_text())
    assert (item["name"], item["stateMutability"]) == ("number", "view")
    check((tree / "odd.wasm").read_bytes(), EWASM_2026)
    (tree / "odd.sol").unlink()
    assert run(tree, "--wasm-opt")[0] == 0
    assert (tree / "one.wasm").stat().st_size < before
    assert run(tree, "--wasm-opt", "--verify")[0] == 0
    assert run(tree, "--verify")[0] == 1
