"""BLAKE2b's compression function F with any number of rounds (RFC 7693, section 3.2), the precompile of EIP-152.

A round costs 1 gas, and in Python takes 25 us: the gas of one block would be a quarter of an hour. So the rounds run
as WebAssembly, in some tens of nanoseconds each. The module is made from the text below, with the ten permutations of
the message written out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cache

from wasmtime import Config, Engine, Func, Instance, Memory, Module, Store, wat2wasm

__all__ = ["compress"]

_IV = (
    0x6A09E667F3BCC908,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
    0x9B05688C2B3E6C1F,
    0x1F83D9ABFB41BD6B,
    0x5BE0CD19137E2179,
)
_SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
_MIXES = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
_MASK = (1 << 64) - 1
# Memory: sixteen words of state, then sixteen of the message.
_MESSAGE = 128


def compress(rounds: int, h: bytes, m: bytes, t: tuple[int, int], final: bool) -> bytes:
    """F.

    Args:
        rounds: 0 to 2^32 - 1; 12 in BLAKE2b.
        h: 64 bytes, the state.
        m: 128 bytes, a block of the message.
        t: How many bytes were hashed so far, low and high half.
        final: Whether this is the last block.

    Returns:
        64 bytes, the new state.
    """
    words = [int.from_bytes(h[at : at + 8], "little") for at in range(0, 64, 8)]
    v = [*words, *_IV]
    v[12] ^= t[0]
    v[13] ^= t[1]
    if final:
        v[14] ^= _MASK
    v = _mixed(rounds, v, m)
    return b"".join((words[n] ^ v[n] ^ v[n + 8]).to_bytes(8, "little") for n in range(8))


class _Runner:
    """An instance of the module, for one thread at a time."""

    def __init__(self) -> None:
        engine, module = _module()
        self.store = Store(engine)
        exports = Instance(self.store, module, []).exports(self.store)
        memory, run = exports["memory"], exports["run"]
        if not isinstance(memory, Memory) or not isinstance(run, Func):
            raise TypeError("the module has other exports than its text")
        self.memory = memory
        self.run = run


# Not one for each thread: deep calls run on threads that live as long as a frame.
_idle: deque[_Runner] = deque()


def _mixed(rounds: int, v: list[int], m: bytes) -> list[int]:
    """The working vector after some rounds."""
    try:
        runner = _idle.pop()
    except IndexError:
        runner = _Runner()
    runner.memory.write(runner.store, b"".join(word.to_bytes(8, "little") for word in v) + m, 0)
    runner.run(runner.store, rounds - (1 << 32) if rounds >> 31 else rounds)
    state = runner.memory.read(runner.store, 0, _MESSAGE)
    _idle.append(runner)
    return [int.from_bytes(state[at : at + 8], "little") for at in range(0, _MESSAGE, 8)]


@cache
def _module() -> tuple[Engine, Module]:
    engine = Engine(Config())
    return engine, Module(engine, bytes(wat2wasm(_text())))


def _text() -> str:
    """The module: `run` does as many rounds as it is told on the vector in memory."""
    lines = ['(module (memory (export "memory") 1)', '(func (export "run") (param $n i32)']
    lines += [f"(local $v{n} i64)" for n in range(16)]
    lines += [f"(local.set $v{n} (i64.load (i32.const {8 * n})))" for n in range(16)]
    lines.append("(block $done (loop $again")
    for row in _SIGMA:
        lines.append("(br_if $done (i32.eqz (local.get $n))) (local.set $n (i32.sub (local.get $n) (i32.const 1)))")
        for number, mix in enumerate(_MIXES):
            lines += _mix(*mix, row[2 * number], row[2 * number + 1])
    lines.append("(br $again)))")
    lines += [f"(i64.store (i32.const {8 * n}) (local.get $v{n}))" for n in range(16)]
    return "\n".join([*lines, "))"])


def _mix(a: int, b: int, c: int, d: int, x: int, y: int) -> Iterator[str]:
    """RFC 7693's G."""
    for word, first, second in ((x, 32, 24), (y, 16, 63)):
        loaded = f"(i64.load (i32.const {_MESSAGE + 8 * word}))"
        yield f"(local.set $v{a} (i64.add (i64.add (local.get $v{a}) (local.get $v{b})) {loaded}))"
        yield f"(local.set $v{d} (i64.rotr (i64.xor (local.get $v{d}) (local.get $v{a})) (i64.const {first})))"
        yield f"(local.set $v{c} (i64.add (local.get $v{c}) (local.get $v{d})))"
        yield f"(local.set $v{b} (i64.rotr (i64.xor (local.get $v{b}) (local.get $v{c})) (i64.const {second})))"
