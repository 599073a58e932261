"""The curve alt_bn128 for the precompiles of EIP-196 and EIP-197, bytes to bytes, as WebAssembly.

The module beside this file is built from bn128.c (`make contracts`). Each function raises ValueError for an input that
its precompile fails on.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

from wasmtime import Config, Engine, Func, Instance, Memory, Module, Store

__all__ = ["PAIR_BYTES", "add", "mul", "pairing_check"]

PAIR_BYTES = 192
MOST_PAIRS = 16
"""As many as the module takes at a time."""
MALFORMED = "a number is not below the modulus, or a point not on its curve or not in its subgroup"


def add(data: bytes) -> bytes:
    """The sum of two points. What is missing of 128 bytes is zeros, what is too much is left out."""
    return _point("add", data[:128].ljust(128, b"\0"))


def mul(data: bytes) -> bytes:
    """A point times a number. What is missing of 96 bytes is zeros, what is too much is left out."""
    return _point("mul", data[:96].ljust(96, b"\0"))


def pairing_check(data: bytes) -> bytes:
    """Whether the product of pairings is 1, in pairs of 192 bytes, as many as there are."""
    if len(data) % PAIR_BYTES:
        raise ValueError(f"{len(data)} bytes are not a multiple of {PAIR_BYTES}")
    runner = _runner()
    runner.call("start")
    for at in range(0, len(data), PAIR_BYTES * MOST_PAIRS):
        part = data[at : at + PAIR_BYTES * MOST_PAIRS]
        runner.write(part)
        if not runner.call("pairs", len(part) // PAIR_BYTES):
            raise ValueError(MALFORMED)
    return runner.call("finish").to_bytes(32, "big")


def _point(name: str, data: bytes) -> bytes:
    runner = _runner()
    runner.write(data)
    if not runner.call(name):
        raise ValueError(MALFORMED)
    return runner.read(64)


class _Runner(threading.local):
    """An instance of the module for each thread: a store belongs to one."""

    def __init__(self) -> None:
        engine, module = _module()
        self._store = Store(engine)
        exports = Instance(self._store, module, []).exports(self._store)
        memory = exports["memory"]
        if not isinstance(memory, Memory):
            raise TypeError("the module has other exports than its source")
        self._memory = memory
        self._functions = {name: found for name, found in exports.items() if isinstance(found, Func)}
        self._input = self.call("input")

    def call(self, name: str, *arguments: int) -> int:
        return int(self._functions[name](self._store, *arguments) or 0)

    def write(self, data: bytes) -> None:
        self._memory.write(self._store, data, self._input)

    def read(self, size: int) -> bytes:
        return bytes(self._memory.read(self._store, self._input, self._input + size))


@cache
def _runner() -> _Runner:
    return _Runner()


@cache
def _module() -> tuple[Engine, Module]:
    config = Config()
    config.wasm_wide_arithmetic = True
    engine = Engine(config)
    return engine, Module(engine, Path(__file__).with_suffix(".wasm").read_bytes())
