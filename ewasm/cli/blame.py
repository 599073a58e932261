"""Refusals of built modules in the source's words: modules carry no names, so they are built once more with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ewasm.cli.compilers import CompileError, compile_source
from ewasm.errors import ModuleError
from ewasm.rules import Rules
from ewasm.wasm.module import Module

__all__ = ["culprits", "named_refusal"]

FLOAT = "feature:float"
MOST_NAMED = 5


def named_refusal(source: Path, error: ModuleError, rules: Rules, npm_folders: Sequence[Path]) -> ModuleError:
    """What `error` is, said of the same module with the names of its functions.

    Args:
        source: What was built.
        error: Why the gate refuses it.
        rules: The gate's.
        npm_folders: Where compilers from npm may be.

    Returns:
        An error of the same rule; `error` itself where names cannot be had.
    """
    from ewasm.contract import check
    from ewasm.wasm.decode import decode

    try:
        code = compile_source(source, npm_folders=npm_folders, names=True)
        module = decode(code)
    except (CompileError, ModuleError):
        return error
    try:
        check(code, rules)
    except ModuleError as found:
        if found.rule != error.rule:
            return error
        # A place in bytes that nobody has says nothing.
        found.offset = None
        if found.function is None and found.rule == FLOAT and (names := list(culprits(module))):
            found.function = ", ".join(names[:MOST_NAMED]) + (" and others" if len(names) > MOST_NAMED else "")
            found.section = "code"
        return found
    return error


def culprits(module: Module) -> Iterator[str]:
    """Functions that have to do with floats, as they are called in messages."""
    from ewasm.wasm.opcodes import OPCODES
    from ewasm.wasm.types import F32, F64

    floats = {row.code for row in OPCODES.values() if row.feature == "float"}
    imported = sum(isinstance(item.type, int) for item in module.imports)
    for index, function in enumerate(module.functions):
        signature = module.types[function.type_index]
        kinds = {*signature.params, *signature.results, *(kind for _, kind in function.locals)}
        if kinds & {F32, F64} or any(code[0] in floats for code in function.body):
            yield module.describe_function(imported + index)
