"""The Protocol that engines implement."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from ewasm.contract import Contract
from ewasm.eei import Frame
from ewasm.errors import MemoryAccess
from ewasm.rules import Rules

__all__ = [
    "ENGINE_NAMES",
    "NO_MEMORY",
    "Artifact",
    "Engine",
    "InliningEngine",
    "Instance",
    "RecallingEngine",
    "make_engine",
]


class Instance(Protocol):
    """A module with memory of its own, for one frame."""

    def run(self, entry: str) -> None:
        """Run an entry point ("main", "deploy"). `frame.particles` is exact when this returns or raises.

        Raises:
            ExceptionalHalt: The frame fails.
            FrameEnd: The frame called finish, revert or selfDestruct.
        """
        ...

    def close(self) -> None:
        """Give the memory back; `frame.memory` is `NO_MEMORY` from here on."""
        ...


class NoMemory:
    """Memory of a frame that has no instance, before it starts and after it ends: empty."""

    def read(self, offset: int, length: int) -> bytes:
        raise MemoryAccess(f"bytes {offset}..{offset + length} of a frame without memory")

    def write(self, offset: int, data: bytes) -> None:
        raise MemoryAccess(f"bytes {offset}..{offset + len(data)} of a frame without memory")

    def snapshot(self) -> bytes:
        return b""

    def size_bytes(self) -> int:
        return 0


NO_MEMORY = NoMemory()


class Artifact(Protocol):
    """A contract made ready to run; safe to share between threads, holds no state of any frame."""

    def instantiate(self, frame: Frame) -> Instance:
        """Make memory, globals and tables, set `frame.memory`, run the active segments.

        Raises:
            Trap: A segment does not fit.
        """
        ...


class Engine(Protocol):
    """Something that can compile and run contracts."""

    @property
    def name(self) -> str:
        """Stable name: "native", "interpreter", "cranelift", "winch"."""
        ...

    def compile(self, contract: Contract, rules: Rules) -> Artifact:
        """Make an artifact. What it does depends on (code, rules) only."""
        ...


@runtime_checkable
class RecallingEngine(Protocol):
    """An engine that finds contracts it compiled before, perhaps in another process."""

    def recall(self, code: bytes, rules: Rules) -> tuple[Contract, Artifact] | None:
        """The contract and its artifact, or None. Only code that passed the gate under `rules` is ever found."""
        ...


@runtime_checkable
class InliningEngine(Protocol):
    """An engine that runs some host functions inside the Wasm, where a tracer does not see them."""

    def traced(self) -> Engine:
        """The same engine with every host function outside."""
        ...


ENGINE_NAMES = ("native", "interpreter", "cranelift", "winch")


def make_engine(name: str, artifacts: Path | None = None) -> Engine:
    """Engine by name.

    Args:
        name: "native" runs on Wasmtime, in tiers; "cranelift" and "winch" on one of them; "interpreter" on none.
        artifacts: Folder to keep compiled contracts in; without it they are kept in memory only.

    Raises:
        ValueError: No such engine.
        UnusableFolder: See `ewasm.engine.store.ArtifactStore`.
    """
    if name not in ENGINE_NAMES:
        raise ValueError(f"no engine {name!r}; there are {', '.join(ENGINE_NAMES)}")
    if name == "interpreter":
        from ewasm.engine.interpreter import InterpreterEngine

        return InterpreterEngine()
    # Wasmtime is loaded only where it is wanted: it is the slowest import of a node that starts.
    from ewasm.engine.native import NativeEngine
    from ewasm.engine.store import ArtifactStore

    return NativeEngine(name, None if artifacts is None else ArtifactStore(artifacts))
