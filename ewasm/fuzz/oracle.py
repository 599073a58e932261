"""Run the same frame on every engine and compare all that can be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from ewasm.contract import Contract
from ewasm.engine import Engine, make_engine
from ewasm.engine.base import InliningEngine
from ewasm.engine.cache import Activated
from ewasm.engine.native import NativeEngine, winch_works
from ewasm.fuzz.v8 import V8Engine, find_node
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Message, Result
from ewasm.rules import EWASM_2026, Rules
from ewasm.vm import VM

__all__ = [
    "CAMPAIGN_ENGINES",
    "Observation",
    "available_engines",
    "compare",
    "differences",
    "observe",
    "observer",
    "shared",
]

CAMPAIGN_ENGINES = ("interpreter", "winch", "cranelift", "v8")
"""The reference first; the others run the same instrumented bytes."""


def available_engines() -> tuple[str, ...]:
    """Engines of this machine, the reference first: the same instrumented module runs through Wasmtime's compilers."""
    return ("interpreter", "cranelift", *(["winch"] if winch_works() else []))


def campaign_engines() -> tuple[str, ...]:
    """Those of `CAMPAIGN_ENGINES` that this machine has."""
    absent = {name for name, works in (("winch", winch_works), ("v8", find_node)) if not works()}
    return tuple(name for name in CAMPAIGN_ENGINES if name not in absent)


@dataclass
class Recorder:
    """Tracer that keeps every host call with the gas around it."""

    calls: list[tuple[str, tuple[int, ...], int | None, int, int]] = field(default_factory=list)
    wants_steps: bool = False

    def frame_start(self, message: Message, code: bytes) -> None: ...

    def frame_end(self, message: Message, result: Result) -> None: ...

    def step(self, function: int, offset: int, opcode: int, stack: list[int], particles: int) -> None: ...

    def host_call(
        self, name: str, arguments: tuple[int, ...], result: int | None, particles_before: int, particles_after: int
    ) -> None:
        self.calls.append((name, arguments, result, particles_before, particles_after))


@dataclass(frozen=True)
class Observation:
    """All that can be seen of a frame.

    Attributes:
        inlined: The same frame where host functions run inside the Wasm as far as they can, for engines that do that;
            a tracer does not see those, so it has no calls.
    """

    result: Result
    calls: tuple[tuple[str, tuple[int, ...], int | None, int, int], ...]
    memory: bytes
    events: tuple[tuple[object, ...], ...]
    logs: tuple[object, ...]
    storage: tuple[object, ...]
    inlined: Observation | None = None


@cache
def shared(name: str) -> Engine:
    """One engine of each name for the process: what it makes depends on code and rules only."""
    if name == "v8":
        return V8Engine()
    if name == "cranelift":
        return NativeEngine("cranelift")
    return make_engine(name)


def observe(code: bytes, engine: str, rules: Rules = EWASM_2026, request: Message | None = None) -> Observation:
    """Run `code` (as init code if the message says so) on one engine against a fresh `FakeHost`."""
    return observer(code, engine, rules)(request or message())


def observer(
    code: bytes, engine: str, rules: Rules, contract: Contract | None = None
) -> Callable[[Message], Observation]:
    """A function that runs `code` on one engine, each time against a fresh `FakeHost`; compiled once.

    Args:
        code: What is run.
        engine: Name.
        rules: Rule set.
        contract: What the gate made of `code` under these rules, if that is known.

    The function raises `ewasm.fuzz.v8.NotComparable` where the engine lacks what the code needs.
    """
    known = shared(engine)
    if not isinstance(known, InliningEngine):
        return _observer(code, known, rules, contract, traced=True)
    traced = _observer(code, known.traced(), rules, contract, traced=True)
    inlined = _observer(code, known, rules, contract, traced=False)
    return lambda request: replace(traced(request), inlined=inlined(request))


def _observer(
    code: bytes, engine: Engine, rules: Rules, contract: Contract | None, *, traced: bool
) -> Callable[[Message], Observation]:
    seen: list[bytes] = []
    debug: list[str] = []
    vm = VM(rules, engine, observe_memory=seen.append, debug=debug.append)
    if contract is not None:
        vm.cache.get(code, lambda _: Activated(contract))

    def run(request: Message) -> Observation:
        seen.clear()
        debug.clear()
        recorder = Recorder()
        vm.tracer = recorder if traced else None
        host = FakeHost(is_static=request.is_static)
        result = (vm.create if request.is_create else vm.execute)(host, request, code)
        _must_be_compiled(vm.engine)
        return Observation(
            result=result,
            calls=tuple(recorder.calls),
            memory=seen[0] if seen else b"",
            events=tuple(host.events),
            logs=(*host.logs, *debug),
            storage=(*sorted(host.storage.items()), *sorted(host.transient.items())),
        )

    return run


def _must_be_compiled(engine: Engine) -> None:
    """Refuse to compare the interpreter with itself: that is what runs a module that a compiler fails on.

    Raises:
        RuntimeError: It failed, and why.
    """
    if isinstance(engine, NativeEngine) and engine.quarantine:
        _, why = engine.quarantine.popitem()
        raise RuntimeError(f"{engine.name} did not compile the module: {why}")


def differences(
    code: bytes,
    rules: Rules = EWASM_2026,
    request: Message | None = None,
    engines: tuple[str, ...] | None = None,
) -> list[str]:
    """What the engines (all there are, unless given) disagree on with the first; empty if nothing.

    A failed frame may stop anywhere after its last observation, so its memory, its status word and the split of its gas
    say nothing; that it failed, and the host calls up to there, must agree.
    """
    chosen = available_engines() if engines is None else engines
    reference, *others = (observe(code, engine, rules, request) for engine in chosen)
    return [
        f"{engine}: {found}"
        for engine, other in zip(chosen[1:], others, strict=True)
        for found in compare(reference, other)
    ]


def compare(reference: Observation, other: Observation) -> list[str]:
    """What two observations of one run disagree on."""
    found = []
    if other.inlined is not None:
        unseen = replace(other.inlined, calls=reference.calls)
        found += [f"with the prelude: {difference}" for difference in compare(reference, unseen)]
    if _consensus(reference.result) != _consensus(other.result):
        found.append(f"result: {reference.result} / {other.result}")
    if reference.calls != other.calls:
        found.append(_first_difference(reference.calls, other.calls))
    if reference.events != other.events or reference.logs != other.logs:
        found.append("state operations or logs")
    if reference.storage != other.storage:
        found.append("storage")
    if reference.result.is_success or reference.result.is_revert:
        if replace(reference.result, error=None) != replace(other.result, error=None):
            found.append(f"gas split: {reference.result} / {other.result}")
        if reference.memory != other.memory:
            found.append("memory")
    return found


def _consensus(result: Result) -> tuple[bool, bool, int, bytes]:
    return result.is_success, result.is_revert, result.gas_left, result.output


def _first_difference(left: tuple[object, ...], right: tuple[object, ...]) -> str:
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return f"host call {index}: {a} / {b}"
    return f"{len(left)} / {len(right)} host calls"
