"""The Protocol that engines implement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ewasm.contract import Contract
from ewasm.eei import Frame
from ewasm.errors import MemoryAccess
from ewasm.rules import Rules

__all__ = ["ENGINE_NAMES", "NO_MEMORY", "Artifact", "Engine", "Instance", "make_engine"]


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
        """Stable name, part of artifact keys: "interpreter", "native", "winch"."""
        ...

    def compile(self, contract: Contract, rules: Rules) -> Artifact:
        """Make an artifact. What it does depends on (code, rules) only."""
        ...


def _interpreter() -> Engine:
    from ewasm.engine.interpreter import InterpreterEngine

    return InterpreterEngine()


def _native() -> Engine:
    # Wasmtime is loaded only where it is wanted: it is the slowest import of a node that starts.
    from ewasm.engine.native import NativeEngine

    return NativeEngine()


def _winch() -> Engine:
    from ewasm.engine.native import NativeEngine

    return NativeEngine("winch")


_ENGINES: dict[str, Callable[[], Engine]] = {"native": _native, "interpreter": _interpreter, "winch": _winch}
ENGINE_NAMES = tuple(_ENGINES)


def make_engine(name: str) -> Engine:
    """Engine by name.

    Raises:
        ValueError: No such engine.
    """
    if name not in _ENGINES:
        raise ValueError(f"no engine {name!r}; there are {', '.join(ENGINE_NAMES)}")
    return _ENGINES[name]()
