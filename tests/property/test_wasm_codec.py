"""The codec and the validator under arbitrary bytes, mutated modules and generated modules."""

from __future__ import annotations

from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewasm.errors import InvalidModule, MalformedModule
from ewasm.wasm import ALL_FEATURES, Module, ValidModule, decode, disassemble, encode, validate
from ewasm.wasm.decode import SECTION_ORDER
from tests import wasm_tools_cli
from tests.unit.wasm.build import HEADER, section

# What the generator and the other validator must not use, and what they may.
_OFF = (
    "simd relaxed-simd threads shared-everything-threads exceptions gc memory64 custom-page-sizes custom-descriptors "
    "compact-imports"
)
_ON = "bulk-memory reference-types multi-value tail-call extended-const wide-arithmetic saturating-float-to-int"
_SMITH = (
    *(f"--{name}-enabled=false" for name in _OFF.split()),
    *(f"--{name}-enabled=true" for name in _ON.split()),
    "--max-memories=2",
)
_FEATURES = "--features=-all,wasm2,-simd,floats,tail-call,wide-arithmetic,extended-const,multi-memory,mutable-global"

# A module with every kind of section, to be damaged.
_SAMPLE = """(module
  (type $t (func (param i32 i64) (result i64)))
  (import "ethereum" "finish" (func $finish (param i32 i32)))
  (import "env" "g" (global $g i32))
  (table 4 8 funcref)
  (memory (export "memory") 1 2)
  (global $sum (mut i64) (i64.const -7))
  (global i32 (i32.add (global.get $g) (i32.const 3)))
  (elem (i32.const 0) func $main $work)
  (elem declare func $finish)
  (func $main (export "main") (local i32 i32 i64)
    (local.set 2 (call $work (i32.const 5) (i64.const 0x123456789)))
    (block $out
      (loop $again
        (br_table $out $again 2 (local.tee 0 (i32.load16_u offset=40 align=1 (local.get 1))))))
    (drop (select (result funcref) (ref.null func) (ref.func $finish) (i32.const 1)))
    (memory.copy (i32.const 0) (i32.const 8) (i32.const 4))
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 2))
    (call_indirect (type $t) (i32.const 1) (i64.const 2) (i32.const 1))
    (global.set $sum (i64.rem_s (i64.const 9)))
    (call $finish (i32.const 0) (i32.const 32)))
  (func $work (type $t)
    (if (result i64) (local.get 0)
      (then (i64.mul_wide_u (local.get 1) (local.get 1)) (drop))
      (else (return_call $work (i32.const 1) (local.get 1)))))
  (data $d "\\00\\01\\02\\ff")
  (data (i32.const 16) "text"))"""


def malformed(data: bytes) -> MalformedModule | None:
    try:
        decode(data)
    except MalformedModule as error:
        return error
    return None


@cache
def sample() -> bytes:
    return wasm_tools_cli.parse(_SAMPLE)


def check(data: bytes) -> bool | None:
    """Whether `data` is valid; None if it is malformed. Nothing else may escape, whatever the bytes."""
    refusal = malformed(data)
    if refusal:
        assert refusal.reason
        assert refusal.offset is None or 0 <= refusal.offset <= len(data)
        return None
    module = decode(data)
    assert decode(encode(module)) == module
    assert encode(decode(encode(module))) == encode(module)
    disassemble(module)
    invalid: InvalidModule | None = None
    try:
        check_facts(validate(module, ALL_FEATURES))
    except InvalidModule as error:
        invalid = error
    assert invalid is None or invalid.offset is None or 0 <= invalid.offset <= len(data)
    return invalid is None


def check_facts(valid: ValidModule) -> None:
    assert len(valid.functions) == len(valid.module.functions)
    for facts, function in zip(valid.functions, valid.module.functions, strict=True):
        assert len(facts.heights) == len(function.body) == len(function.offsets)
        assert facts.heights[0] == 0
        assert facts.max_height == max(facts.heights) >= 0
        assert facts.heights[-1] in (-1, len(facts.type.results))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_module_or_malformed(data: bytes) -> None:
    check(data)
    check(HEADER + data)


@given(st.lists(st.tuples(st.sampled_from((0, *SECTION_ORDER)), st.binary(max_size=40)), max_size=6))
def test_any_sections_are_a_module_or_malformed(sections: list[tuple[int, bytes]]) -> None:
    ordered = sorted(sections, key=lambda item: (0, *SECTION_ORDER).index(item[0]))
    check(HEADER + b"".join(section(*item) for item in ordered))


@given(st.binary(max_size=120))
def test_any_body_is_a_module_or_malformed(code: bytes) -> None:
    body = b"\x01\x02\x7f" + code + b"\x0b"
    function = b"\x01" + bytes((len(body),)) + body
    sections = (section(1, "01600000"), section(3, "0100"), section(5, "010001"), section(10, function))
    check(HEADER + b"".join(sections))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(sample())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(8, len(data) - 1))
        match draw(st.sampled_from(("set", "flip", "cut", "insert", "truncate"))):
            case "set":
                data[at] = draw(st.integers(0, 255))
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[at]
            case "insert":
                data.insert(at, draw(st.integers(0, 255)))
            case _:
                del data[at:]
                break
    return bytes(data) if len(data) > 8 else HEADER


def test_sample_is_valid() -> None:
    assert check(sample()) is True


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_damaged_modules_get_the_verdict_of_another_validator(data: bytes) -> None:
    verdict = check(data)
    theirs = wasm_tools_cli.run("validate", _FEATURES, data=data)
    if (verdict is True) != (theirs.returncode == 0):
        # With one memory the core spec 2.0 has reserved bytes where multi-memory has an index.
        assert verdict is None
        error = malformed(data)
        assert error is not None
        assert error.reason in ("zero byte expected", "malformed memop flags"), (error, theirs.stderr)


def functions_without_runs(module: Module) -> list[object]:
    return [(function.type_index, function.body) for function in module.functions]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=30)
@given(st.binary(min_size=100, max_size=2000))
def test_generated_modules_are_valid_and_survive(seed: bytes) -> None:
    done = wasm_tools_cli.run("smith", *_SMITH, data=seed)
    if done.returncode:
        return  # The seed was too short for a module.
    assert check(done.stdout) is True
    module = decode(done.stdout)
    again = decode(wasm_tools_cli.parse(disassemble(module)))
    assert functions_without_runs(again) == functions_without_runs(module)
    assert (again.types, again.imports, again.exports, again.elements) == (
        module.types,
        module.imports,
        module.exports,
        module.elements,
    )
