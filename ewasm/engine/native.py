"""The native engine: the instrumented module on Wasmtime, in tiers that cannot change a result.

compile   instrument -> encode -> a compiler in a process of its own (`compiler`) -> load and link (`instance`)
run       `instance`

Winch compiles in one pass, so that no module can be a bomb for it; Cranelift makes code that runs faster. The engine
"native" starts a contract on Winch and has Cranelift compile it beside the node once it has been busy; "winch" and
"cranelift" stay with one. Where a compiler fails, hangs or dies on a module, that module is quarantined for that
compiler and runs on the next of winch, cranelift, interpreter. Verdict, gas and effects do not depend on any of this.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from functools import cache

import wasmtime

from ewasm.contract import Contract
from ewasm.eei import Frame
from ewasm.engine.base import Artifact, Instance
from ewasm.engine.collection import collection_paused
from ewasm.engine.compiler import CompileFailure, compile_and_run, compile_module
from ewasm.engine.instance import NativeArtifact, native_config, tier
from ewasm.engine.interpreter import InterpreterEngine
from ewasm.engine.store import ArtifactStore, Stored, artifact_key
from ewasm.metering import MeteredModule, instrument
from ewasm.prelude import link
from ewasm.rules import Rules
from ewasm.wasm.encode import encode

__all__ = ["NativeEngine", "TieredArtifact", "instrument_contract", "native_config", "winch_works"]

HOT_RUNS = 24
"""Runs after which Cranelift compiles a contract; $EWASM_HOT_RUNS, or the argument, says otherwise (0: never)."""
HOT_PARTICLES_PER_BYTE = 500_000
"""As much gas for instructions, by code byte, makes it hot sooner: running it on Winch has then cost more than
compiling it will (docs/DECISIONS.md)."""
_QUARANTINED = 4_096
"""Modules whose failure is remembered in memory."""


def instrument_contract(contract: Contract, rules: Rules) -> MeteredModule:
    """The module that the native engine compiles for a contract."""
    limits = rules.limits
    return instrument(
        contract.valid,
        rules.schedule.reaching(contract.most_pages),
        entries=contract.entries,
        memory_pages=limits.memory_pages,
        table_entries=limits.table_entries,
        stack_height=limits.stack_height,
    )


# Everything that instrumentation relies on, in one function: a loop, memory, calls of each kind, both features.
_SELF_TEST = """(module
  (memory 1) (table 1 1 funcref) (elem (i32.const 0) $step) (type $step_type (func (param i64 i64) (result i64)))
  (global $g (mut i64) (i64.const 0))
  (func $step (type $step_type)
    (if (result i64) (i64.eqz (local.get 1))
      (then (local.get 0))
      (else (return_call $step (i64.add (local.get 0) (local.get 1)) (i64.sub (local.get 1) (i64.const 1))))))
  (func $pair (param i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (i64.const 0x100000000)))
  (func (export "test") (result i64) (local $i i32) (local $high i64)
    (loop $again
      (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 3)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 10))))
    (call $pair (i64.const 0x700000000))
    (local.set $high) (global.set $g)
    (memory.copy (i32.const 16) (i32.const 8) (i32.const 8))
    (i64.add (i64.add (i64.load (i32.const 16)) (local.get $high))
      (call_indirect (type $step_type) (global.get $g) (i64.const 100) (i32.const 0)))))"""
_SELF_TEST_RESULT = 30 + 7 + 5_050


@cache
def winch_works() -> bool:
    """Whether Winch compiles what contracts use, and what it made runs. A library without it aborts its process, so it
    is the compiler's process that tries."""
    try:
        return compile_and_run("winch", bytes(wasmtime.wat2wasm(_SELF_TEST)), "test") == _SELF_TEST_RESULT
    except CompileFailure:
        return False


Prepared = tuple[bytes, dict[str, str]]
"""A module for a compiler, and what the host asks an instance of it for (`LinkedModule.exports`)."""


class NativeEngine:
    """Wasmtime.

    Args:
        name: "native" for both tiers; "winch" or "cranelift" for one.
        store: Artifacts on disk, found there by this process or another before.
        prelude: Whether host functions that need no chain state run inside the Wasm. A tracer does not see those.
        hot_runs: Runs after which Cranelift compiles a contract, 0 for never; see `HOT_RUNS`.
        background: False has it compile at once, before the next run: for tests.

    Raises:
        RuntimeError: "winch" was asked for and this build of Wasmtime has none that works.
    """

    def __init__(
        self,
        name: str = "cranelift",
        store: ArtifactStore | None = None,
        *,
        prelude: bool = True,
        hot_runs: int | None = None,
        background: bool = True,
    ) -> None:
        if name == "winch" and not winch_works():
            raise RuntimeError("the installed Wasmtime does not compile with Winch on this machine")
        self.name = name
        # What is on disk has the prelude in it.
        self.store = store if prelude else None
        self.prelude = prelude
        self.hot_runs = int(os.environ.get("EWASM_HOT_RUNS", HOT_RUNS)) if hot_runs is None else hot_runs
        self.background = background
        self.quarantine: dict[bytes, str] = {}
        """Key of an artifact that cannot be made -> why."""

    def traced(self) -> NativeEngine:
        """The same tiers, where every host function is the host's."""
        return NativeEngine(self.name, prelude=False, hot_runs=self.hot_runs, background=self.background)

    def tiers(self) -> tuple[str, ...]:
        """Compilers to try, the first to activate with."""
        if self.name != "native":
            return (self.name,)
        return ("winch", "cranelift") if winch_works() else ("cranelift",)

    def compile(self, contract: Contract, rules: Rules) -> TieredArtifact:
        prepared: list[Prepared] = []
        for name in self.tiers():
            made = self.build(name, contract, rules, prepared)
            if made is not None:
                contract.let_go()
                return TieredArtifact(self, contract, rules, name, made)
        return TieredArtifact(self, contract, rules, "interpreter", InterpreterEngine().compile(contract, rules))

    def recall(self, code: bytes, rules: Rules) -> tuple[Contract, TieredArtifact] | None:
        """A contract that was compiled before, from disk, the fastest tier first; None if there is none.

        Only code that passed the gate is there, so it does not pass it again.
        """
        if self.store is None:
            return None
        for name in reversed(self.tiers()):
            stored = self.store.load(artifact_key(code, rules, name))
            if stored is None:
                continue
            try:
                loaded = tier(name).load(stored.compiled, rules, stored.exports)
            except RuntimeError:  # made on another processor; what is compiled now takes its place
                continue
            contract = Contract.recalled(code, rules, stored.facts)
            return contract, TieredArtifact(self, contract, rules, name, loaded)
        return None

    def _prepare(self, contract: Contract, rules: Rules) -> Prepared:
        with collection_paused():
            metered = instrument_contract(contract, rules)
            if self.prelude:
                linked = link(metered, rules.schedule.reaching(contract.most_pages))
                return encode(linked.module), linked.exports
            return encode(metered.module), dict(metered.entries)

    def build(self, name: str, contract: Contract, rules: Rules, prepared: list[Prepared]) -> NativeArtifact | None:
        """Artifact of one tier, from disk or from the compiler; None if the module is in quarantine there.

        Args:
            name: Tier.
            contract: What to compile.
            rules: Rule set.
            prepared: Holds the instrumented module for the next tier, once it has been made.
        """
        key = artifact_key(contract.code, rules, name)
        if key in self.quarantine or (self.store is not None and self.store.is_refused(key)):
            return None
        if not prepared:
            prepared.append(self._prepare(contract, rules))
        module, exports = prepared[0]
        try:
            compiled = compile_module(name, module)
        except CompileFailure as failure:
            if not failure.lasting:
                return tier(name).compile_here(module, rules, exports)
            self._set_aside(key, str(failure))
            return None
        if self.store is not None:
            self.store.save(key, Stored(exports, contract.facts, compiled))
        return tier(name).load(compiled, rules, exports)

    def _set_aside(self, key: bytes, reason: str) -> None:
        while len(self.quarantine) >= _QUARANTINED:
            del self.quarantine[next(iter(self.quarantine))]
        self.quarantine[key] = reason
        if self.store is not None:
            self.store.refuse(key, reason)


class TieredArtifact:
    """A contract on one tier, that moves to Cranelift when it has been busy on Winch.

    The move is one assignment: frames that run keep what they run on, the next one takes the new artifact.

    Attributes:
        tier: "winch", "cranelift", or "interpreter" where no compiler takes the module.
    """

    __slots__ = ("_contract", "_current", "_engine", "_particles_left", "_rules", "_runs_left", "tier")

    def __init__(self, engine: NativeEngine, contract: Contract, rules: Rules, tier: str, current: Artifact) -> None:
        self._engine = engine
        self._contract = contract
        self._rules = rules
        self._current = current
        self.tier = tier
        self._runs_left = engine.hot_runs
        self._particles_left = HOT_PARTICLES_PER_BYTE * len(contract.code)
        if tier == "winch" and engine.name == "native" and engine.hot_runs and isinstance(current, NativeArtifact):
            current.on_close = self._ran

    def instantiate(self, frame: Frame) -> Instance:
        return self._current.instantiate(frame)

    def _ran(self, particles: int) -> None:
        self._runs_left -= 1
        self._particles_left -= particles
        if self._runs_left > 0 and self._particles_left > 0:
            return
        if isinstance(self._current, NativeArtifact):
            self._current.on_close = None
        if self._engine.background:
            _in_background(self._speed_up)
        else:
            self._speed_up()

    def _speed_up(self) -> None:
        made = self._engine.build("cranelift", self._contract, self._rules, [])
        self._contract.let_go()
        if made is not None:
            self._current = made
            self.tier = "cranelift"


# One thread for the process: it waits for the compiler, which is the one that works.
_jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
_starting = threading.Lock()
_worker: threading.Thread | None = None


def _in_background(job: Callable[[], None]) -> None:
    global _worker
    _jobs.put(job)
    with _starting:
        if _worker is None or not _worker.is_alive():
            _worker = threading.Thread(target=_work, name="tier-up", daemon=True)
            _worker.start()


def _work() -> None:
    while True:
        _jobs.get()()


def wait_for_background() -> None:
    """Return when every job given so far is done: for tests."""
    done = threading.Event()
    _in_background(done.set)
    done.wait()
