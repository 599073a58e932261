"""The contract gate: every rule of PROTOCOL section 1 refuses with name, place and hint; what is allowed passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import wasmtime

from ewasm.contract import check, is_wasm, split_arguments, verdict
from ewasm.errors import ForbiddenModule, InvalidModule, MalformedModule
from ewasm.rules import EWASM_2018, EWASM_2026, Limits, Rules
from ewasm.wasm import Module, decode, encode
from ewasm.wasm import opcodes as op
from ewasm.wasm.leb128 import write_unsigned
from ewasm.wasm.module import Export, Function
from ewasm.wasm.types import FUNC, MEMORY, FuncType, MemoryType
from ewasm.wasm.types import Limits as SizeLimits

MEMORY_AND_MAIN = '(memory (export "memory") 1) (func (export "main"))'


def wat(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(f"(module {text})"))


def custom(name: str, payload: bytes) -> bytes:
    body = write_unsigned(len(name)) + name.encode() + payload
    return b"\0" + write_unsigned(len(body)) + body


REFUSED = [
    ("no memory", '(func (export "main"))', "export", None, "no exported memory"),
    ("no main", '(memory (export "memory") 1)', "export", None, "no exported function named main"),
    ("main is no function", '(memory (export "memory") 1) (global (export "main") i32 i32.const 1)', "export", None, "main"),
    ("memory is no memory", '(func (export "memory")) (func (export "main"))', "export", None, "is not a memory"),
    ("main takes", '(memory (export "memory") 1) (func $go (export "main") (param i32))', "export", "$go", "() -> ()"),
    ("main gives", '(memory (export "memory") 1) (func (export "main") (result i32) i32.const 1)', "export", "0", "() -> ()"),
    ("main is imported", '(import "ethereum" "x" (func $m)) (memory (export "memory") 1) (export "main" (func $m))', "import", None, "unknown import"),
    ("another function", MEMORY_AND_MAIN + '(func (export "transfer"))', "export", None, "transfer"),
    ("mutable global", MEMORY_AND_MAIN + '(global (export "g") (mut i32) i32.const 1)', "export", None, "global"),
    ("i64 global", MEMORY_AND_MAIN + '(global (export "g") i64 i64.const 1)', "export", None, "global"),
    ("table", MEMORY_AND_MAIN + '(table (export "t") 1 funcref)', "export", None, "table"),
    ("memory twice", '(memory (export "memory") (export "again") 1) (func (export "main"))', "export", None, "again"),
    ("start", MEMORY_AND_MAIN + "(func $init) (start $init)", "start", None, "start function"),
    ("imported memory", '(import "ethereum" "memory" (memory 1)) (func (export "main"))', "import", None, "memory"),
    ("imported table", '(import "ethereum" "t" (table 1 funcref))' + MEMORY_AND_MAIN, "import", None, "table"),
    ("imported global", '(import "ethereum" "g" (global i32))' + MEMORY_AND_MAIN, "import", None, "global"),
    ("unknown module", '(import "env" "abort" (func))' + MEMORY_AND_MAIN, "import", None, "env.abort"),
    ("unknown function", '(import "ethereum" "getcaller" (func (param i32)))' + MEMORY_AND_MAIN, "import", None, "did you mean ethereum.getCaller"),
    ("debug off", '(import "debug" "print32" (func (param i32)))' + MEMORY_AND_MAIN, "import", None, "debug on"),
    ("wrong signature", '(import "ethereum" "getCaller" (func (param i64)))' + MEMORY_AND_MAIN, "import", None, "must be (i32) -> ()"),
    ("float opcode", MEMORY_AND_MAIN + "(func $price f32.const 1 drop)", "feature:float", "$price", "float"),
    ("float local", MEMORY_AND_MAIN + "(func (local f64))", "feature:float", "1", "float"),
    ("float parameter", MEMORY_AND_MAIN + "(func (param f32))", "feature:float", None, "float"),
    ("float global", MEMORY_AND_MAIN + "(global f64 f64.const 0)", "feature:float", None, "float"),
    ("float block", MEMORY_AND_MAIN + "(func unreachable block (result f32) unreachable end drop)", "feature:float", "1", "float"),
    ("float in dead code", MEMORY_AND_MAIN + "(func return f64.const 1 drop)", "feature:float", "1", "float"),
    ("simd", MEMORY_AND_MAIN + "(func v128.const i32x4 0 0 0 0 drop)", "feature:simd", None, "SIMD"),
    ("threads", MEMORY_AND_MAIN + "(func atomic.fence)", "feature:threads", None, "thread"),
    ("two memories", '(memory (export "memory") 1) (memory 1) (func (export "main"))', "feature:multi_memory", None, "memor"),
    ("two tables", MEMORY_AND_MAIN + "(table 1 funcref) (table 1 funcref)", "feature:multi_table", None, "table"),
    ("externref", MEMORY_AND_MAIN + "(table 1 externref)", "feature:externref", None, "externref"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rule", "function", "words"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refusals_name_rule_place_and_hint(text: str, rule: str, function: str | None, words: str) -> None:
    error = verdict(wat(text), EWASM_2026)
    assert error is not None
    assert error.rule == rule, error
    assert words.lower() in str(error).lower()
    if function is not None:
        assert error.function is not None
        assert function in error.function
    assert error.section is not None
    if rule.startswith("export") and "no exported" in str(error):
        return
    assert error.offset is not None
    assert 0 < error.offset < len(wat(text))
    assert error.hint


ALLOWED_2026 = [
    ("the least", MEMORY_AND_MAIN),
    ("deploy", MEMORY_AND_MAIN + '(func (export "deploy"))'),
    ("one function for both", '(memory (export "memory") 1) (func (export "main") (export "deploy"))'),
    ("linker globals", MEMORY_AND_MAIN + '(global (export "__heap_base") i32 i32.const 9)'),
    ("sign extension", MEMORY_AND_MAIN + "(func i32.const 1 i32.extend8_s drop)"),
    ("multi value", MEMORY_AND_MAIN + "(func (result i32 i32) i32.const 1 i32.const 2)"),
    ("bulk memory", MEMORY_AND_MAIN + "(func i32.const 0 i32.const 0 i32.const 0 memory.copy)"),
    ("funcref table", MEMORY_AND_MAIN + "(table 1 funcref) (func i32.const 0 table.get 0 drop)"),
    ("tail call", MEMORY_AND_MAIN + "(func return_call 0)"),
    ("wide arithmetic", MEMORY_AND_MAIN + "(func i64.const 1 i64.const 1 i64.mul_wide_u drop drop)"),
    ("extended constants", MEMORY_AND_MAIN + "(global i32 i32.const 1 i32.const 2 i32.add)"),
    ("every namespace", '(import "bignum" "add256" (func (param i32 i32 i32)))'
     '(import "crypto" "sha256" (func (param i32 i32 i32)))' + MEMORY_AND_MAIN),
]  # fmt: skip


@pytest.mark.parametrize("text", [a[1] for a in ALLOWED_2026], ids=[a[0] for a in ALLOWED_2026])
def test_allowed_in_2026(text: str) -> None:
    assert verdict(wat(text), EWASM_2026) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [(a[1], rule) for a, rule in zip(
        ALLOWED_2026,
        [None, "export", "export", "export", "feature:sign_extension", "feature:multi_value", "feature:bulk_memory",
         "feature:reference_types", "feature:tail_call", "feature:wide_arithmetic", "feature:extended_const", "import"],
        strict=True,
    )],
    ids=[a[0] for a in ALLOWED_2026],
)  # fmt: skip
def test_the_strict_interface_of_2018(text: str, rule: str | None) -> None:
    error = verdict(wat(text), EWASM_2018)
    assert (error.rule if error else None) == rule


def test_dispatch_looks_at_four_bytes_and_the_version_is_validated() -> None:
    assert is_wasm(b"\0asm")
    assert is_wasm(b"\0asm\2\0\0\0")
    assert not is_wasm(b"\0as")
    assert not is_wasm(b"")
    for code in (b"\0asm", b"\0asm\1\0\0", b"\0asm\2\0\0\0"):
        assert isinstance(verdict(code, EWASM_2026), MalformedModule)


def test_the_three_phases_have_three_errors() -> None:
    assert isinstance(verdict(wat(MEMORY_AND_MAIN)[:-1], EWASM_2026), MalformedModule)
    bad = Module(
        types=(FuncType((), ()),),
        functions=(Function(0, (), ((op.I32_ADD,), (op.END,))),),
        memories=(MemoryType(SizeLimits(1)),),
        exports=(Export("main", FUNC, 0), Export("memory", MEMORY, 0)),
    )
    error = verdict(encode(bad), EWASM_2026)
    assert isinstance(error, InvalidModule)
    assert "type mismatch" in error.reason
    assert isinstance(verdict(wat(""), EWASM_2026), ForbiddenModule)


# -- limits ------------------------------------------------------------------------------------------------------

SMALL = Limits(
    types=4,
    imports=3,
    functions=5,
    globals=3,
    data_segments=2,
    element_segments=2,
    parameters=3,
    results=2,
    locals=10,
    module_locals=12,
    body_bytes=60,
    blocks=6,
    nesting=4,
    operand_height=5,
    br_table_targets=7,
    table_entries=9,
    memory_pages=8,
)


def _repeat(text: str, count: int) -> str:
    return " ".join(text.replace("#", str(i)) for i in range(count))


# limit -> (the module with n of it, without what MEMORY_AND_MAIN already has)
AT_LIMIT = {
    "types": lambda n: MEMORY_AND_MAIN + _repeat("(type (func (param i32)))", n - 1),
    "imports": lambda n: _repeat('(import "ethereum" "getCaller" (func (param i32)))', n) + MEMORY_AND_MAIN,
    "functions": lambda n: MEMORY_AND_MAIN + _repeat("(func)", n - 1),
    "globals": lambda n: MEMORY_AND_MAIN + _repeat("(global i32 i32.const 0)", n),
    "data_segments": lambda n: MEMORY_AND_MAIN + _repeat('(data (i32.const 0) "x")', n),
    "element_segments": lambda n: MEMORY_AND_MAIN + "(table 1 funcref)" + _repeat("(elem (i32.const 0) 0)", n),
    "parameters": lambda n: MEMORY_AND_MAIN + f"(func (param {'i32 ' * n}))",
    "results": lambda n: MEMORY_AND_MAIN + f"(type (func (result {'i32 ' * n})))",
    "locals": lambda n: MEMORY_AND_MAIN + f"(func (local {'i32 ' * n}))",
    "module_locals": lambda n: (
        MEMORY_AND_MAIN + f"(func (local {'i32 ' * (n // 2)})) (func (local {'i32 ' * (n - n // 2)}))"
    ),
    "body_bytes": lambda n: MEMORY_AND_MAIN + f"(func {'nop ' * (n - 2)})",
    "blocks": lambda n: MEMORY_AND_MAIN + f"(func {'block end ' * n})",
    "nesting": lambda n: MEMORY_AND_MAIN + f"(func {'block ' * n} {'end ' * n})",
    "operand_height": lambda n: MEMORY_AND_MAIN + f"(func {'i32.const 0 ' * n} {'drop ' * n})",
    "br_table_targets": lambda n: MEMORY_AND_MAIN + f"(func i32.const 0 br_table {'0 ' * n} 0)",
    "table_entries": lambda n: MEMORY_AND_MAIN + f"(table {n} funcref)",
    "memory_pages": lambda n: f'(memory (export "memory") {n}) (func (export "main"))',
}


@pytest.mark.parametrize("name", AT_LIMIT)
def test_a_module_at_the_limit_passes_and_one_above_is_refused_by_name(name: str) -> None:
    rules: Rules = replace(EWASM_2026, limits=SMALL)
    limit = getattr(SMALL, name)
    assert verdict(wat(AT_LIMIT[name](limit)), rules) is None
    error = verdict(wat(AT_LIMIT[name](limit + 1)), rules)
    assert error is not None
    assert error.rule == f"limit:{name}"
    assert str(limit) in error.reason


def test_code_size_is_looked_at_first() -> None:
    rules = replace(EWASM_2026, limits=replace(EWASM_2026.limits, code_bytes=100))
    assert verdict(b"\0" * 100, rules).rule == "malformed"  # type: ignore[union-attr]
    assert verdict(b"\0" * 101, rules).rule == "limit:code_bytes"  # type: ignore[union-attr]


def test_the_limits_that_no_module_shows_are_those_of_runs_and_sizes() -> None:
    from dataclasses import fields

    assert {f.name for f in fields(Limits)} - set(AT_LIMIT) == {
        "code_bytes",
        "init_code_bytes",
        "stack_height",
        "live_pages",
    }


# -- constructor arguments ---------------------------------------------------------------------------------------


def test_arguments_are_the_payload_of_a_last_custom_section() -> None:
    base = wat(MEMORY_AND_MAIN + '(func (export "deploy"))')
    other = custom("note", b"x")
    cases = {
        base: (base, b""),
        base + custom("ewasm.args", b"1234"): (base, b"1234"),
        base + custom("ewasm.args", b""): (base, b""),
        base + other + custom("ewasm.args", b"12"): (base + other, b"12"),
        base + custom("ewasm.args", b"12") + other: (base + custom("ewasm.args", b"12") + other, b""),
    }
    for code, expected in cases.items():
        assert split_arguments(check(code, EWASM_2026)) == expected
        assert decode(code).exports == decode(base).exports
