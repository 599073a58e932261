"""Tiers: a contract moves from Winch to Cranelift, or off a compiler that fails on it, and none of it can be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import wasmtime

from chain.blockchain import Blockchain, ChainConfig
from chain.forks import Fork
from chain.genesis import GenesisAccount, dev_genesis
from chain.store import MemoryStore
from ewasm.contract import Contract
from ewasm.engine import native
from ewasm.engine.compiler import CompileFailure, compile_module
from ewasm.engine.native import NativeEngine, TieredArtifact, wait_for_background, winch_works
from ewasm.engine.store import ArtifactStore
from ewasm.errors import ModuleError
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Kind, Result
from ewasm.metering.schedule import SCHEDULES
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM
from tests.unit.chain.support import ALICE, CHAIN_ID, ETHER, tx

needs_winch = pytest.mark.skipif(not winch_works(), reason="this Wasmtime has no Winch")


@cache
def busy(turns: int = 50) -> bytes:
    """Loops, stores, logs what it counted and finishes with it."""
    return bytes(
        wasmtime.wat2wasm(f"""(module
          (import "ethereum" "finish" (func $finish (param i32 i32)))
          (import "ethereum" "log" (func $log (param i32 i32 i32 i32 i32 i32 i32)))
          (memory (export "memory") 1)
          (func (export "main") (local $i i32)
            (loop $again
              (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get $i)))
              (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {turns}))))
            (call $log (i32.const 0) (i32.const 4) (i32.const 0)
              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            (call $finish (i32.const 0) (i32.const 4))))""")
    )


def run(vm: VM, code: bytes | None = None) -> tuple[Result, list[object]]:
    host = FakeHost()
    return vm.execute(host, message(), code or busy()), [*host.logs, *host.events]


def expected(rules: Rules = EWASM_2026) -> tuple[Result, list[object]]:
    return run(VM(rules, "interpreter"))


def artifact_of(vm: VM, code: bytes | None = None) -> TieredArtifact:
    artifact = vm.cache.get(code or busy(), vm._new_entry).artifact
    assert isinstance(artifact, TieredArtifact)
    return artifact


def failing(*tiers: str, lasting: bool = True) -> Callable[[str, bytes], bytes]:
    """`compile_module`, with compilers that fail."""

    def attempt(tier: str, module: bytes) -> bytes:
        if tier in tiers:
            raise CompileFailure("made to fail", lasting=lasting)
        return compile_module(tier, module)

    return attempt


@needs_winch
def test_a_contract_starts_on_winch_and_moves_to_cranelift_after_some_runs() -> None:
    vm = VM(EWASM_2026, NativeEngine("native", hot_runs=3, background=False))
    tiers = []
    for _ in range(5):
        assert run(vm) == expected()
        tiers.append(artifact_of(vm).tier)
    assert tiers == ["winch", "winch", "cranelift", "cranelift", "cranelift"]


@needs_winch
def test_a_contract_that_uses_much_gas_moves_sooner() -> None:
    vm = VM(EWASM_2026, NativeEngine("native", hot_runs=1_000, background=False))
    run(vm, busy(100))
    assert artifact_of(vm, busy(100)).tier == "winch"
    run(vm, busy(100_000))
    assert artifact_of(vm, busy(100_000)).tier == "cranelift"


@needs_winch
def test_moving_happens_beside_the_runs() -> None:
    vm = VM(EWASM_2026, NativeEngine("native", hot_runs=1))
    assert run(vm) == expected()
    wait_for_background()
    assert artifact_of(vm).tier == "cranelift"
    assert run(vm) == expected()


@needs_winch
def test_hot_runs_of_zero_stay_on_winch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EWASM_HOT_RUNS", "0")
    vm = VM(EWASM_2026, NativeEngine("native", background=False))
    for _ in range(native.HOT_RUNS + 2):
        run(vm)
    assert artifact_of(vm).tier == "winch"


@needs_winch
def test_a_failed_frame_counts_as_a_run() -> None:
    code = bytes(wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "main") unreachable))'))
    vm = VM(EWASM_2026, NativeEngine("native", hot_runs=2, background=False))
    results = [run(vm, code) for _ in range(3)]
    assert artifact_of(vm, code).tier == "cranelift"
    assert results[0] == results[2]
    assert not results[0][0].is_success


# -- quarantine --------------------------------------------------------------------------------------------------


@needs_winch
@pytest.mark.parametrize(
    ("broken", "tier"), [(("winch",), "cranelift"), (("winch", "cranelift"), "interpreter"), ((), "winch")]
)
def test_a_module_that_a_compiler_fails_on_runs_on_the_next(
    monkeypatch: pytest.MonkeyPatch, broken: tuple[str, ...], tier: str
) -> None:
    monkeypatch.setattr(native, "compile_module", failing(*broken))
    vm = VM(EWASM_2026, NativeEngine("native", hot_runs=0))
    assert run(vm) == expected()
    assert artifact_of(vm).tier == tier


@pytest.mark.parametrize("name", ["cranelift", *(["winch"] if winch_works() else [])])
def test_an_engine_of_one_tier_falls_back_to_the_interpreter(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(native, "compile_module", failing("winch", "cranelift"))
    vm = VM(EWASM_2026, NativeEngine(name))
    assert run(vm) == expected()
    assert artifact_of(vm).tier == "interpreter"


@needs_winch
def test_where_cranelift_fails_a_busy_contract_stays_on_winch_and_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def attempt(tier: str, module: bytes) -> bytes:
        asked.append(tier)
        return failing("cranelift")(tier, module)

    monkeypatch.setattr(native, "compile_module", attempt)
    engine = NativeEngine("native", hot_runs=1, background=False)
    vm = VM(EWASM_2026, engine)
    for _ in range(4):
        assert run(vm) == expected()
    assert artifact_of(vm).tier == "winch"
    again = VM(EWASM_2026, engine)
    assert run(again) == expected()
    assert run(again) == expected()
    assert asked == ["winch", "cranelift", "winch"]
    assert list(engine.quarantine.values()) == ["made to fail"]


@needs_winch
def test_quarantine_is_kept_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(native, "compile_module", failing("winch"))
    run(VM(EWASM_2026, NativeEngine("native", ArtifactStore(tmp_path), hot_runs=0)))
    monkeypatch.undo()
    for path in tmp_path.glob("*.artifact"):
        path.unlink()
    vm = VM(EWASM_2026, NativeEngine("native", ArtifactStore(tmp_path), hot_runs=0))
    assert run(vm) == expected()
    assert artifact_of(vm).tier == "cranelift"


def test_where_no_compiler_process_starts_the_module_is_compiled_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "compile_module", failing("cranelift", lasting=False))
    engine = NativeEngine("cranelift")
    vm = VM(EWASM_2026, engine)
    assert run(vm) == expected()
    assert artifact_of(vm).tier == "cranelift"
    assert engine.quarantine == {}


def test_a_verdict_does_not_depend_on_compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = bytes(wasmtime.wat2wasm('(module (memory (export "memory") 1))'))
    verdicts = []
    for broken in ((), ("winch", "cranelift")):
        monkeypatch.setattr(native, "compile_module", failing(*broken))
        vm = VM(EWASM_2026, NativeEngine("native"))
        assert isinstance(vm.check(busy()), Contract)
        with pytest.raises(ModuleError) as caught:
            vm.check(refused)
        verdicts.append((str(caught.value), run(vm, refused)))
    assert verdicts[0] == verdicts[1]


# -- disk --------------------------------------------------------------------------------------------------------


def never(*_: object) -> bytes:
    raise AssertionError("nothing should be compiled or checked")


@pytest.mark.parametrize("schedule", ["EWASM_2026", "flat", "off"])
@pytest.mark.parametrize("name", ["cranelift", *(["winch", "native"] if winch_works() else [])])
def test_a_contract_is_found_on_disk_and_neither_checked_nor_compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, schedule: str
) -> None:
    rules = replace(EWASM_2026, schedule=SCHEDULES[schedule])
    first = run(VM(rules, NativeEngine(name, ArtifactStore(tmp_path))))
    assert first == expected(rules)
    monkeypatch.setattr(native, "compile_module", never)
    monkeypatch.setattr("ewasm.vm.check", never)
    vm = VM(rules, NativeEngine(name, ArtifactStore(tmp_path)))
    assert run(vm) == first
    assert artifact_of(vm).tier == ("winch" if name == "native" else name)


@needs_winch
def test_the_fastest_artifact_on_disk_is_taken(tmp_path: Path) -> None:
    run(VM(EWASM_2026, NativeEngine("native", ArtifactStore(tmp_path), hot_runs=1, background=False)))
    assert len(list(tmp_path.glob("*.artifact"))) == 2
    vm = VM(EWASM_2026, NativeEngine("native", ArtifactStore(tmp_path)))
    assert run(vm) == expected()
    assert artifact_of(vm).tier == "cranelift"


@pytest.mark.parametrize("arguments", [None, b"", b"seven"])
def test_a_contract_from_disk_can_be_created_from_again(tmp_path: Path, arguments: bytes | None) -> None:
    code = bytes(
        wasmtime.wat2wasm("""(module
          (import "ethereum" "getCallDataSize" (func $size (result i32)))
          (import "ethereum" "log" (func $log (param i32 i32 i32 i32 i32 i32 i32)))
          (memory (export "memory") 1) (func (export "main"))
          (func (export "deploy") (i32.store (i32.const 0) (call $size))
            (call $log (i32.const 0) (i32.const 4) (i32.const 0)
              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))""")
    )
    section = b"" if arguments is None else b"\0" + bytes([11 + len(arguments), 10]) + b"ewasm.args" + arguments
    seen = []
    for machine in (VM(EWASM_2026, NativeEngine("cranelift", ArtifactStore(tmp_path))) for _ in range(2)):
        for _ in range(2):
            host = FakeHost()
            seen.append((machine.create(host, replace(message(), kind=Kind.CREATE), code + section), host.events))
    assert all(one == seen[0] for one in seen)
    result, events = seen[0]
    assert result.is_success
    assert result.output == code
    assert len(arguments or b"").to_bytes(4, "little") in events[0]


def test_a_damaged_artifact_is_compiled_again(tmp_path: Path) -> None:
    run(VM(EWASM_2026, NativeEngine("cranelift", ArtifactStore(tmp_path))))
    (path,) = tmp_path.glob("*.artifact")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert run(VM(EWASM_2026, NativeEngine("cranelift", ArtifactStore(tmp_path)))) == expected()
    assert path.read_bytes()[:8] == whole[:8]
    assert ArtifactStore(tmp_path).load(bytes.fromhex(path.stem)) is not None


def test_an_artifact_of_another_configuration_is_compiled_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = ArtifactStore(tmp_path)
    run(VM(EWASM_2026, NativeEngine("cranelift", store)))
    (path,) = tmp_path.glob("*.artifact")
    key = bytes.fromhex(path.stem)
    stored = store.load(key)
    assert stored is not None
    store.save(key, replace(stored, compiled=b"\x7fELF of another machine"))
    assert run(VM(EWASM_2026, NativeEngine("cranelift", store))) == expected()
    mended = store.load(key)
    assert mended is not None
    assert len(mended.compiled) == len(stored.compiled)


# -- a chain -----------------------------------------------------------------------------------------------------


COUNTER = """(module
  (import "ethereum" "storageLoad" (func $load (param i32 i32)))
  (import "ethereum" "storageStore" (func $store (param i32 i32)))
  (import "ethereum" "getGasLeft" (func $gas (result i64)))
  (memory (export "memory") 1)
  (func (export "main")
    (call $load (i32.const 0) (i32.const 32))
    (i64.store (i32.const 32) (i64.add (i64.load (i32.const 32)) (i64.const 1)))
    (i64.store (i32.const 40) (call $gas))
    (call $store (i32.const 0) (i32.const 32))))"""


@needs_winch
def test_roots_of_a_chain_do_not_depend_on_tiers_swaps_or_caches(tmp_path: Path) -> None:
    """The counter stores the gas it has left, so any difference of gas is one of state."""
    engines: dict[str, list[VM]] = {
        "interpreter": [VM(EWASM_2026, "interpreter")],
        "winch": [VM(EWASM_2026, NativeEngine("winch"))],
        "cranelift": [VM(EWASM_2026, NativeEngine("cranelift"))],
        "swap in the middle": [VM(EWASM_2026, NativeEngine("native", hot_runs=3, background=False))],
        "another machine for each block": [
            VM(EWASM_2026, NativeEngine("native", ArtifactStore(tmp_path), hot_runs=2, background=False))
            for _ in range(6)
        ],
    }
    roots = {name: _roots(machines) for name, machines in engines.items()}
    assert len(roots["interpreter"]) == 6
    assert len(set(roots["interpreter"])) == 6
    for name, found in roots.items():
        assert found == roots["interpreter"], name


def _roots(machines: list[VM]) -> list[bytes]:
    """State roots of six blocks with two calls each, on these machines in turn."""
    contract = bytes.fromhex("c0de" * 10)
    genesis = dev_genesis(
        CHAIN_ID,
        Fork.PRAGUE,
        {ALICE: 1_000 * ETHER},
        {contract: GenesisAccount(code=bytes(wasmtime.wat2wasm(COUNTER)))},
    )
    chain = Blockchain.open(ChainConfig(), genesis, MemoryStore(), machines[0])
    roots = []
    for number in range(6):
        chain.machine = machines[number % len(machines)]
        built = chain.build_block([tx(2 * number + i, to=contract) for i in range(2)], timestamp=1_000 + 12 * number)
        assert [receipt.status for receipt in chain.receipts(built.block.hash)] == [1, 1]
        roots.append(built.block.header.state_root)
    return roots
