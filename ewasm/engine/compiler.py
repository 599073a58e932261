"""Compile in a child process (`ewasm.engine.compile_child`), one per tier, started when it is first needed.

A compiler works on what strangers wrote. In a process of its own it may hang, take memory or crash, and the node goes
on: the job fails, the child is replaced, and the caller falls back to another tier. The child costs 10 ms to start and
0.3 ms a module (see docs/DECISIONS.md), so nothing is compiled in the node's own process. It ends with its input, so it
never outlives the node, however that ended.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from wasmtime import _ffi

from ewasm.engine.compile_child import ANSWER, JOB

__all__ = [
    "BOUNDS",
    "TIERS",
    "Bounds",
    "CompileFailure",
    "Settings",
    "compile_and_run",
    "compile_module",
    "settings_of",
]

TIERS = ("winch", "cranelift")

Settings = tuple[tuple[str, str, int], ...]
"""Setters of Wasmtime's C API, the C type of their value, the value. As data, because two processes apply them."""

_STRATEGY = {"cranelift": 1, "winch": 2}
WASM_STACK_BYTES = 1 << 20
"""Stack that one contract frame may take. The height limit admits twice 16,384 values of 8 bytes, a quarter of it."""


def settings_of(tier: str) -> Settings:
    """Configuration of a tier: the features of the rule sets and what instrumentation adds, nothing else."""
    flags = {
        "wasm_multi_value": True,
        "wasm_bulk_memory": True,
        "wasm_reference_types": True,
        "wasm_tail_call": True,
        "wasm_wide_arithmetic": True,
        "wasm_multi_memory": True,
        "wasm_threads": False,
        "wasm_memory64": False,
        "wasm_relaxed_simd": False,
        "wasm_simd": False,
        # More threads would not end sooner what matters, the first run; and the next job waits for a free core.
        "parallel_compilation": False,
    }
    return (
        # wasmtime-py's setter knows the name of Cranelift only; the library behind it has both.
        ("wasmtime_config_strategy_set", "c_uint8", _STRATEGY[tier]),
        ("wasmtime_config_cranelift_opt_level_set", "c_uint8", 1),
        ("wasmtime_config_max_wasm_stack_set", "c_size_t", WASM_STACK_BYTES),
        *((f"wasmtime_config_{name}_set", "c_bool", int(value)) for name, value in flags.items()),
    )


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one compilation may take.

    Attributes:
        cpu_s: Processor seconds; the kernel ends the child at the next full second.
        memory_bytes: Address space of the child, its libraries included.
        wall_s: Until the parent gives up; far above `cpu_s`, for machines that are busy with other things.
    """

    cpu_s: int
    memory_bytes: int
    wall_s: float


BOUNDS = {
    # The worst module found within the limits takes 0.03 s in Winch and 3 s in Cranelift (`make hostile`).
    "winch": Bounds(cpu_s=2, memory_bytes=1 << 30, wall_s=30.0),
    "cranelift": Bounds(cpu_s=10, memory_bytes=2 << 30, wall_s=120.0),
}


class CompileFailure(Exception):
    """There is no artifact of this tier.

    Attributes:
        lasting: The module is to blame, as far as one can tell, and another try would be a waste: the compiler refused
            it, or ran into a bound or crashed on it. Otherwise no compiler could be started.
    """

    def __init__(self, reason: str, *, lasting: bool = True) -> None:
        super().__init__(reason)
        self.lasting = lasting


class _Child:
    """One compiler process and the lock of those who wait for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, settings: Settings, module: bytes, bounds: Bounds, export: str | None = None) -> bytes:
        with self.lock:
            try:
                process = self._started()
                return self._ask(process, settings, module, bounds, export)
            except BaseException:
                # Also for an interrupt: an answer that nobody read would be taken for the next job's.
                self.stop(kill=True)
                raise

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is not None and self.process.poll() is None:
            return self.process
        self.stop(kill=True)
        script = Path(__file__).with_name("compile_child.py")
        command = [sys.executable, "-I", "-S", str(script), str(_ffi.dll._name)]
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise CompileFailure(f"no compiler process: {error}", lasting=False) from error
        return self.process

    def _ask(
        self, process: subprocess.Popen[bytes], settings: Settings, module: bytes, bounds: Bounds, export: str | None
    ) -> bytes:
        memory_bytes = bounds.memory_bytes if export is None else None
        facts = {"config": settings, "cpu_s": bounds.cpu_s, "memory_bytes": memory_bytes, "run": export}
        job = json.dumps(facts).encode()
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the compiler process has no pipes")
        late = threading.Timer(bounds.wall_s, process.kill)
        late.daemon = True
        late.start()
        try:
            stdin.write(JOB.pack(len(job), len(module)) + job + module)
            stdin.flush()
            header = stdout.read(ANSWER.size)
            status, size = ANSWER.unpack(header) if len(header) == ANSWER.size else (0, 0)
            data = stdout.read(size)
        except OSError:
            header = data = b""  # it ended while it was being written to
            status, size = 0, 0
        finally:
            late.cancel()
        if not size or len(data) < size:
            process.kill()
            raise CompileFailure(f"the compiler ended with {_how(process.wait())}")
        if status:
            raise CompileRefusal(data.decode("utf-8", "replace"))
        return data

    def stop(self, *, kill: bool = False) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if kill:
            process.kill()
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        if process.stdout is not None:
            process.stdout.close()
        process.wait()


class CompileRefusal(CompileFailure):
    """The compiler says that it cannot compile this module."""


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"


_children = {tier: _Child() for tier in TIERS}


def _start_over() -> None:
    """A forked process must not speak into its parent's pipes, nor end the compilers of its parent."""
    for tier in TIERS:
        _inherited.append(_children[tier])
        _children[tier] = _Child()


_inherited: list[_Child] = []
"""Kept, since a `Popen` that goes away waits for a process that is no child of this one."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over)


@atexit.register
def _stop_all() -> None:
    for child in _children.values():
        child.stop(kill=True)


def compile_module(tier: str, module: bytes, bounds: Bounds | None = None) -> bytes:
    """Compile a module that has been validated; gives Wasmtime's serialized artifact.

    Blocks until the tier's child is done with jobs before this one, and with this one.

    Args:
        tier: "winch" or "cranelift".
        module: Instrumented, encoded.
        bounds: Those of the tier unless given.

    Raises:
        CompileFailure: No artifact; see there.
    """
    return _children[tier].run(settings_of(tier), module, bounds or BOUNDS[tier])


def compile_and_run(tier: str, module: bytes, export: str) -> int:
    """Have the child compile a module without imports and run an export of type () -> (i64); gives the result.

    Raises:
        CompileFailure: As `compile_module`, and where running it ends the child.
    """
    return int.from_bytes(_children[tier].run(settings_of(tier), module, BOUNDS[tier], export), "little")
