"""The prelude against the same functions in Python: the interpreter, which never uses the prelude, is the reference."""

from __future__ import annotations

from functools import cache

import pytest
import wasmtime
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ewasm.contract import Contract
from ewasm.eei.crypto import keccak
from ewasm.eei.table import TABLE, HostFunction
from ewasm.engine.base import Artifact
from ewasm.engine.instance import tier
from ewasm.engine.native import NativeEngine, instrument_contract
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Message, Result, TxContext
from ewasm.prelude import link, load_prelude
from ewasm.prelude.environment import _HEAD_END, _transaction_part
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM
from ewasm.wasm import opcodes as op
from ewasm.wasm.encode import encode
from ewasm.wasm.module import Module
from ewasm.wasm.types import I64

MAX = (1 << 256) - 1
LINKED = load_prelude().functions
ROWS = {f"{row.module}.{row.name}": row for row in TABLE if f"{row.module}.{row.name}" in LINKED}
BIGNUM = sorted(name for name in ROWS if name.startswith("bignum."))
MEMORY = 65_536


class Inlined:
    """One compiler with the prelude, with or without wide arithmetic in it."""

    def __init__(self, name: str, *, wide: bool) -> None:
        self.name = name
        self.wide = wide

    def compile(self, contract: Contract, rules: Rules) -> Artifact:
        linked = link(instrument_contract(contract, rules), rules.schedule, wide=self.wide)
        assert self.wide or not uses_wide(linked.module)
        return tier(self.name).compile_here(encode(linked.module), rules, linked.exports)


def uses_wide(module: Module) -> bool:
    wide = {op.I64_ADD128, op.I64_SUB128, op.I64_MUL_WIDE_S, op.I64_MUL_WIDE_U}
    return any(i[0] in wide for f in module.functions for i in f.body)


def call_text(row: HostFunction) -> str:
    """Call a function with arguments from the first words of memory, give its result and what it could write."""
    params = " ".join("i64" if t == I64 else "i32" for t in row.params)
    result = f"(result {'i64' if row.results[0] == I64 else 'i32'})" if row.results else ""
    arguments = " ".join(f"({'i64' if t == I64 else 'i32'}.load (i32.const {8 * i}))" for i, t in enumerate(row.params))
    call = f"(call $f {arguments})"
    if row.results:
        call = f"({'i64' if row.results[0] == I64 else 'i32'}.store (i32.const 1016) {call})"
    copy = "" if row.name == "callDataCopy" else '(import "ethereum" "callDataCopy" (func $copy (param i32 i32 i32)))'
    name = "$f" if row.name == "callDataCopy" else "$copy"
    return f"""(module (import "{row.module}" "{row.name}" (func $f (param {params}) {result}))
      {copy} (import "ethereum" "finish" (func $finish (param i32 i32))) (memory (export "memory") 1)
      (func (export "main")
        (call {name} (i32.const 0) (i32.const 0) (i32.const 512))
        {call}
        (call $finish (i32.const 0) (i32.const 1024))))"""


@cache
def caller(name: str) -> bytes:
    return bytes(wasmtime.wat2wasm(call_text(ROWS[name])))


ENGINES: dict[str, VM] = {
    "interpreter": VM(EWASM_2026, "interpreter"),
    "cranelift": VM(EWASM_2026, Inlined("cranelift", wide=True)),
    "winch": VM(EWASM_2026, Inlined("winch", wide=True)),
    "without wide arithmetic": VM(EWASM_2026, Inlined("winch", wide=False)),
}


def run(name: str, request: Message, tx: TxContext | None = None) -> dict[str, Result]:
    results = {}
    for engine, vm in ENGINES.items():
        host = FakeHost()
        if tx is not None:
            host.tx = tx
        results[engine] = vm.execute(host, request, caller(name))
    return results


def assert_agreement(name: str, request: Message, tx: TxContext | None = None) -> Result:
    results = run(name, request, tx)
    reference = results.pop("interpreter")
    for engine, result in results.items():
        # The sentence may differ; the status word may not, since it says which rule was broken.
        assert (engine, result.status, result.gas_left, result.gas_eei, result.output) == (
            engine,
            reference.status,
            reference.gas_left,
            reference.gas_eei,
            reference.output,
        )
    return reference


EDGES = sorted(
    {0, 1, 2, 7, 8, 9, 30, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 257, MAX, MAX - 1}
    | {(1 << n) + d for n in (31, 32, 63, 64, 96, 127, 128, 160, 191, 192, 224, 255) for d in (-1, 0, 1)}
)
WORDS = st.sampled_from([0, 1, 2, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF])
NUMBERS = st.one_of(
    st.sampled_from(EDGES),
    st.integers(0, MAX),
    # Words of extreme values are what makes the guesses of the long division wrong.
    st.lists(WORDS, min_size=8, max_size=8).map(lambda words: sum(w << (32 * i) for i, w in enumerate(words))),
    st.integers(0, 300),
)
# Numbers stand at 64, 96, .. 160 of memory; results and operands may overlap in any way.
PLACES = st.one_of(st.sampled_from([64, 96, 128, 160]), st.integers(56, 200))


def arguments(places: list[int], numbers: list[int]) -> bytes:
    head = b"".join(p.to_bytes(8, "little") for p in places).ljust(64, b"\0")
    return (head + b"".join(n.to_bytes(32, "little") for n in numbers)).ljust(512, b"\xa5")


@pytest.mark.parametrize("name", BIGNUM)
@settings(max_examples=60, deadline=None)
@given(places=st.lists(PLACES, min_size=4, max_size=4), numbers=st.lists(NUMBERS, min_size=4, max_size=4))
@example(places=[64, 64, 64, 64], numbers=[MAX, MAX, MAX, MAX])
@example(places=[64, 96, 128, 160], numbers=[1 << 255, MAX, 0, 0])
@example(places=[64, 96, 128, 160], numbers=[MAX, (1 << 255) + 1, (1 << 128) + 1, 7])
@example(places=[64, 96, 128, 160], numbers=[(1 << 255) | (1 << 32), (1 << 128) - 1, 0xFFFFFFFF, 7])
def test_arithmetic_is_pythons(name: str, places: list[int], numbers: list[int]) -> None:
    request = message(gas=10_000_000, input_data=arguments(places, numbers))
    assert assert_agreement(name, request).is_success


@pytest.mark.parametrize("name", BIGNUM)
def test_every_pair_of_edges(name: str) -> None:
    count = len(ROWS[name].params)
    for a in EDGES[::2]:
        for b in EDGES[1::4]:
            request = message(gas=10_000_000, input_data=arguments([64, 96, 128, 160], [a, b, a ^ b | 3, 0][:count]))
            results = {engine: ENGINES[engine].execute(FakeHost(), request, caller(name)) for engine in SHORT}
            assert len({(r.status, r.gas_left, r.output) for r in results.values()}) == 1, (hex(a), hex(b), results)


SHORT = ("interpreter", "cranelift")


@pytest.mark.parametrize("name", sorted(ROWS))
@settings(max_examples=15, deadline=None)
@given(
    places=st.lists(
        st.one_of(
            st.sampled_from([0, 1, 4, 31, 32, 64, MEMORY - 33, MEMORY - 32, MEMORY - 31, MEMORY - 20, MEMORY - 16]),
            st.sampled_from([MEMORY - 8, MEMORY - 1, MEMORY, MEMORY + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
            st.integers(0, 600),
        ),
        min_size=4,
        max_size=4,
    ),
    gas=st.one_of(st.just(10_000_000), st.integers(0, 900)),
    value=st.sampled_from([0, 1, (1 << 128) - 1, 1 << 128, MAX]),
)
def test_bounds_and_prices(name: str, places: list[int], gas: int, value: int) -> None:
    request = message(gas=gas, input_data=arguments(places, [3, 5, 7, 11]), value=value)
    assert_agreement(name, request)


@pytest.mark.parametrize("gas", [0, 1, 42, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 461_168_601_842_738, 9_999_000])
def test_use_gas(gas: int) -> None:
    data = gas.to_bytes(8, "little").ljust(512, b"\0")
    assert_agreement("ethereum.useGas", message(gas=10_000_000, input_data=data))


@pytest.mark.parametrize("hashes", [0, 1, 6, 100])
def test_transaction_fields(hashes: int) -> None:
    tx = TxContext(
        origin=b"\x01" * 20,
        gas_price=(1 << 128) - 1,
        coinbase=b"\x02" * 20,
        number=(1 << 64) + 5,
        timestamp_s=(1 << 63) + 1,
        gas_limit=(1 << 64) - 1,
        difficulty=MAX - 3,
        prev_randao=bytes(range(32)),
        chain_id=1 << 200,
        base_fee=MAX,
        blob_base_fee=MAX - 1,
        blob_hashes=tuple(bytes([i % 251]) * 32 for i in range(hashes)),
    )
    for name in sorted(n for n in ROWS if n.startswith("ethereum.get")):
        for first in (0, 5, 99, 100, 200):
            request = message(gas=1_000_000, input_data=arguments([first, 512, 0, 0], [1]), value=1 << 100)
            assert_agreement(name, request, tx)


@pytest.mark.parametrize("size", [0, 1, 64_000, 65_535, 65_536, 200_000, 3_000_000])
def test_large_buffers(size: int) -> None:
    """Buffers beyond the environment's first page; the last byte of each is copied, and one too many."""
    for extra in (0, 1):
        text = f"""(module
          (import "ethereum" "getCallDataSize" (func $size (result i32)))
          (import "ethereum" "callDataCopy" (func $copy (param i32 i32 i32)))
          (import "ethereum" "codeCopy" (func $code (param i32 i32 i32)))
          (import "ethereum" "getCodeSize" (func $code_size (result i32)))
          (import "ethereum" "finish" (func $finish (param i32 i32))) (memory (export "memory") 64)
          (func (export "main")
            (call $copy (i32.const 16) (i32.const 0) (i32.add (call $size) (i32.const {extra})))
            (call $code (i32.const 4) (i32.const 0) (i32.const 8))
            (i32.store (i32.const 0) (call $code_size))
            (call $finish (i32.const 0) (i32.add (call $size) (i32.const 16)))))"""
        code = bytes(wasmtime.wat2wasm(text))
        request = message(gas=100_000_000, input_data=bytes(i % 253 for i in range(size)))
        results = [vm.execute(FakeHost(), request, code) for vm in ENGINES.values()]
        assert len({(r.status, r.gas_left, r.gas_eei, r.output) for r in results}) == 1
        assert results[0].is_success == (extra == 0)


def test_the_layout_is_what_the_host_writes() -> None:
    layout = load_prelude().layout
    names = ["address", "caller", "value", "origin", "coinbase", "gas_price", "difficulty", "prev_randao", "chain_id"]
    names += ["base_fee", "blob_base_fee", "gas_limit"]
    assert [layout[name] for name in names] == list(range(0, 32 * len(names), 32))
    assert (layout["number"], layout["timestamp"]) == (layout["gas_limit"] + 8, layout["gas_limit"] + 16)
    tx = FakeHost().tx
    end = layout["origin"] + len(_transaction_part(tx))
    buffers = [layout[name] for name in ("blob_hashes", "call_data", "code", "return_data")]
    assert buffers == list(range(end, end + _HEAD_END.size, 8))
    assert layout["spent"] == buffers[-1] + 8
    assert layout["buffers"] % 8 == 0


def test_what_is_in_the_prelude_needs_no_state() -> None:
    assert {ROWS[name].topic for name in ROWS} == {"gas", "context", "data", "bignum", "crypto"}
    assert not any(row.mutates for row in ROWS.values())
    left_out = {r.name for r in TABLE if r.topic in ("gas", "context", "data", "bignum")} - {
        r.name for r in ROWS.values()
    }
    assert left_out == set()


def test_only_what_is_imported_is_linked() -> None:
    vm = VM(EWASM_2026, "interpreter")
    contract = vm.check(caller("bignum.add256"))
    linked = link(instrument_contract(contract, EWASM_2026), EWASM_2026.schedule)
    assert linked.buffers == {"call_data"}
    assert len(linked.module.functions) < 10
    assert uses_wide(linked.module)
    alone = vm.check(bytes(wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "main")))')))
    metered = instrument_contract(alone, EWASM_2026)
    assert link(metered, EWASM_2026.schedule).module == metered.module


def test_a_reference_to_a_host_function_is_one_to_the_prelude() -> None:
    code = bytes(
        wasmtime.wat2wasm("""(module
          (type $t (func (param i32)))
          (import "ethereum" "getCaller" (func $caller (type $t)))
          (import "ethereum" "finish" (func $finish (param i32 i32)))
          (memory (export "memory") 1) (table 1 1 funcref) (elem (i32.const 0) $caller)
          (func $tail (param i32) (return_call $caller (local.get 0)))
          (func (export "main")
            (call_indirect (type $t) (i32.const 0) (i32.const 0))
            (call $tail (i32.const 32))
            (call $finish (i32.const 0) (i32.const 64))))""")
    )
    results = [vm.execute(FakeHost(), message(gas=1_000_000), code) for vm in ENGINES.values()]
    assert len({(r.status, r.gas_left, r.gas_eei, r.output) for r in results}) == 1
    assert results[0].output[:20] == results[0].output[32:52] == message().sender


def test_a_tracer_sees_every_host_call() -> None:
    from ewasm.fuzz.oracle import Recorder

    recorder = Recorder()
    VM(EWASM_2026, NativeEngine("winch"), tracer=recorder).execute(
        FakeHost(), message(gas=1_000_000, input_data=bytes(512)), caller("bignum.add256")
    )
    assert [call[0] for call in recorder.calls] == ["ethereum.callDataCopy", "bignum.add256", "ethereum.finish"]


@pytest.mark.parametrize("length", [*range(9), *range(130, 142), 255, 271, 272, 273, 407, 408, 409, 1_000, 10_000])
def test_keccak(length: int) -> None:
    text = f"""(module
      (import "ethereum" "callDataCopy" (func $copy (param i32 i32 i32)))
      (import "crypto" "keccak256" (func $keccak (param i32 i32 i32)))
      (import "ethereum" "finish" (func $finish (param i32 i32))) (memory (export "memory") 1)
      (func (export "main")
        (call $copy (i32.const 3) (i32.const 0) (i32.const {length}))
        (call $keccak (i32.const 3) (i32.const {length}) (i32.const 20000))
        (call $keccak (i32.const 20000) (i32.const 32) (i32.const 20032))
        (call $keccak (i32.const {MEMORY - length}) (i32.const {length}) (i32.const 20064))
        (call $finish (i32.const 20000) (i32.const 96))))"""
    code = bytes(wasmtime.wat2wasm(text))
    data = bytes((i * 37 + length) % 256 for i in range(length))
    results = [vm.execute(FakeHost(), message(gas=1_000_000, input_data=data), code) for vm in ENGINES.values()]
    assert len({(r.status, r.gas_left, r.gas_eei, r.output) for r in results}) == 1
    assert results[1].output[:32] == keccak(data)
