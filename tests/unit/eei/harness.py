"""Contracts of one host call: the call's arguments as literals, its result and some memory as output."""

from __future__ import annotations

from dataclasses import replace

import wasmtime

from ewasm.eei import TABLE
from ewasm.fuzz.oracle import shared
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Message, Result
from ewasm.metering.schedule import OFF
from ewasm.rules import EWASM_2018, EWASM_2026, Rules
from ewasm.vm import VM
from ewasm.wasm.types import I32
from tests.engines import ENGINES

# Instructions are free here, so that `gas_used` is what host functions charged.
RULES_2018 = EWASM_2018
RULES_2026 = replace(EWASM_2026, schedule=OFF)
NAMES = {I32: "i32", 0x7E: "i64"}
ROWS = {f"{row.module}.{row.name}": row for row in TABLE}
PAGE = 65_536


def declaration(name: str) -> str:
    """Import of a host function as `$name`, by its row."""
    row = ROWS[name]
    params = " ".join(NAMES[t] for t in row.params)
    results = " ".join(NAMES[t] for t in row.results)
    signature = (f"(param {params}) " if params else "") + (f"(result {results})" if results else "")
    return f'(import "{row.module}" "{row.name}" (func ${row.name} {signature}))'


def call_text(name: str, *arguments: int) -> str:
    row = ROWS[name]
    pushes = " ".join(f"{NAMES[t]}.const {a}" for t, a in zip(row.params, arguments, strict=True))
    return f"{pushes} call ${row.name}"


def program(name: str, arguments: tuple[int, ...], data: bytes = b"", out: tuple[int, int] = (0, 32)) -> bytes:
    """Call `name`, then finish with its result (8 bytes little-endian, zero if it has none) and `out` of memory."""
    row = ROWS[name]
    imports = {name, "ethereum.finish"}
    offset, length = out
    keep = ""
    if row.results:
        keep = "i64.extend_i32_u" if row.results[0] == I32 else ""
        keep += " local.set 0"
    body = f"{call_text(name, *arguments)} {keep} i32.const {offset - 8} local.get 0 i64.store"
    text = "".join(f"\\{byte:02x}" for byte in data)
    wat = f"""(module {" ".join(declaration(i) for i in sorted(imports))} (memory (export "memory") 1)
      (data (i32.const 0) "{text}")
      (func (export "main") (local i64) {body} i32.const {offset - 8} i32.const {length + 8} call $finish))"""
    return bytes(wasmtime.wat2wasm(wat))


def run(
    name: str,
    *arguments: int,
    data: bytes = b"",
    out: tuple[int, int] = (1032, 32),
    rules: Rules = RULES_2026,
    request: Message | None = None,
    host: FakeHost | None = None,
) -> tuple[Result, int, bytes, FakeHost]:
    """Run one host call on every engine, see that they agree, and return (result, its value, memory, host)."""
    code = program(name, arguments, data, out)
    request = request or message()
    results = []
    for engine in ENGINES:
        used = _copy(host or FakeHost())
        used.is_static = request.is_static
        results.append((VM(rules, shared(engine)).execute(used, request, code), used))
    (first, used), *others = results
    for other, _ in others:
        assert replace(first, error=None, status=other.status) == replace(other, error=None), (first, other)
    return first, int.from_bytes(first.output[:8], "little"), first.output[8:], used


def _copy(host: FakeHost) -> FakeHost:
    return FakeHost(
        tx=host.tx,
        balances=dict(host.balances),
        codes=dict(host.codes),
        storage=dict(host.storage),
        return_data=host.return_data,
    )
