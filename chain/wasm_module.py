"""Modules of the node's own that Wasmtime runs: arithmetic for precompiles, built from the C beside them.

`make contracts` builds them. They use the instructions of the wide-arithmetic proposal, and their memory does not grow.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from wasmtime import Config, Engine, Func, Instance, Memory, Module, Store

__all__ = ["WasmModule", "wasm_module"]


class WasmModule:
    """An instance of the module of that file in this folder, for one thread at a time."""

    def __init__(self, name: str) -> None:
        engine, module = _compiled(name)
        self._store = Store(engine)
        exports = Instance(self._store, module, []).exports(self._store)
        memory = exports["memory"]
        if not isinstance(memory, Memory):
            raise TypeError(f"{name}.wasm has other exports than its source")
        self._memory = memory
        self._functions = {name: found for name, found in exports.items() if isinstance(found, Func)}
        self._input = self.call("input")

    def call(self, name: str, *arguments: int) -> int:
        """What an exported function returns, 0 if that is nothing."""
        return int(self._functions[name](self._store, *arguments) or 0)

    def write(self, data: bytes) -> None:
        """Put bytes where the module looks for its input."""
        self._memory.write(self._store, data, self._input)

    def read(self, size: int) -> bytes:
        """The first bytes there."""
        return bytes(self._memory.read(self._store, self._input, self._input + size))


# Not one for each thread: deep calls run on threads that live as long as a frame.
_idle: dict[str, deque[WasmModule]] = defaultdict(deque)


@contextmanager
def wasm_module(name: str) -> Iterator[WasmModule]:
    """An instance that nobody else uses meanwhile. After an error it is not used again."""
    try:
        module = _idle[name].pop()
    except IndexError:
        module = WasmModule(name)
    yield module
    _idle[name].append(module)


@cache
def _compiled(name: str) -> tuple[Engine, Module]:
    config = Config()
    config.wasm_wide_arithmetic = True
    engine = Engine(config)
    return engine, Module(engine, Path(__file__).with_name(f"{name}.wasm").read_bytes())
