"""Make a contract small that has some property, by leaving things out of it as long as it keeps the property."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ewasm.wasm import opcodes as op
from ewasm.wasm.decode import decode
from ewasm.wasm.encode import encode
from ewasm.wasm.module import Function, Instr, Module
from ewasm.wasm.types import I32

__all__ = ["shrink"]

_OPENERS = (op.BLOCK, op.LOOP, op.IF)


def shrink(code: bytes, keeps: Callable[[bytes], bool], max_tries: int = 2_000) -> bytes:
    """The smallest module found for which `keeps` still holds.

    Args:
        code: A module for which it holds.
        keeps: The property; it is handed modules that may not even validate and answers False for them.
        max_tries: How often it may be asked.
    """
    module = decode(code)
    tries = 0
    improved = True
    while improved and tries < max_tries:
        improved = False
        for smaller in _smaller(module):
            tries += 1
            if tries > max_tries:
                break
            if keeps(encode(smaller)):
                module, improved = smaller, True
                break
    return encode(module)


def _smaller(module: Module) -> Iterator[Module]:
    """Modules with something left out, the largest cuts first."""
    for index, function in enumerate(module.functions):
        trivial = _trivial(module, function)
        if len(function.body) > len(trivial.body):
            yield _with(module, index, trivial)
    sizes = sorted({n for f in module.functions for n in _halves(len(f.body))}, reverse=True)
    for size in sizes:
        for index, function in enumerate(module.functions):
            for start in range(0, len(function.body) - size, max(1, size // 2)):
                body = function.body[:start] + function.body[start + size :]
                yield _with(module, index, replace(function, body=body, offsets=()))
    for index, function in enumerate(module.functions):
        for start, end in _blocks(function.body):
            body = function.body[:start] + function.body[start + 1 : end] + function.body[end + 1 :]
            yield _with(module, index, replace(function, body=body, offsets=()))
    if module.data:
        for at, segment in enumerate(module.data):
            if segment.data:
                emptied = replace(segment, data=b"")
                yield replace(module, data=(*module.data[:at], emptied, *module.data[at + 1 :]))


def _halves(length: int) -> Iterator[int]:
    while length := length // 2:
        yield length


def _trivial(module: Module, function: Function) -> Function:
    results = module.types[function.type_index].results
    zeros: tuple[Instr, ...] = tuple((op.I32_CONST if t == I32 else op.I64_CONST, 0) for t in results)
    return replace(function, locals=(), body=(*zeros, (op.END,)), offsets=())


def _with(module: Module, index: int, function: Function) -> Module:
    return replace(module, functions=(*module.functions[:index], function, *module.functions[index + 1 :]))


def _blocks(body: tuple[Instr, ...]) -> Iterator[tuple[int, int]]:
    """Places of each opener and its end, where there is no else between."""
    openers: list[tuple[int, bool]] = []
    for index, instruction in enumerate(body):
        if instruction[0] in _OPENERS:
            openers.append((index, False))
        elif instruction[0] == op.ELSE:
            openers[-1] = openers[-1][0], True
        elif instruction[0] == op.END and openers:
            start, has_else = openers.pop()
            if not has_else:
                yield start, index
