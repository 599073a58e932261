"""Transaction data that creates a contract (PROTOCOL section 1, creation).

A module that exports `deploy` is sent as it is, with its constructor's arguments in a last custom section. Any other
contract needs an init module: one whose `main` returns the code to store.
"""

from __future__ import annotations

from ewasm.contract import ARGUMENTS_SECTION
from ewasm.wasm import opcodes as op
from ewasm.wasm.encode import encode
from ewasm.wasm.leb128 import write_unsigned
from ewasm.wasm.module import Data, Export, Function, Import, Module
from ewasm.wasm.types import FUNC, I32, MEMORY, PAGE_BYTES, FuncType, Limits, MemoryType

__all__ = ["with_arguments", "wrap_runtime"]


def with_arguments(module: bytes, arguments: bytes) -> bytes:
    """`module` followed by the custom section that carries `arguments` to its `deploy` function."""
    name = ARGUMENTS_SECTION.encode()
    body = write_unsigned(len(name)) + name + arguments
    return module + b"\0" + write_unsigned(len(body)) + body


def wrap_runtime(code: bytes) -> bytes:
    """An init module whose `main` returns `code`, for contracts without a `deploy` function (and for EVM code)."""
    pages = max(1, -(-len(code) // PAGE_BYTES))
    return encode(
        Module(
            types=(FuncType((I32, I32), ()), FuncType((), ())),
            imports=(Import("ethereum", "finish", FUNC, 0),),
            functions=(Function(1, (), ((op.I32_CONST, 0), (op.I32_CONST, len(code)), (op.CALL, 0), (op.END,))),),
            memories=(MemoryType(Limits(pages, pages)),),
            exports=(Export("main", FUNC, 1), Export("memory", MEMORY, 0)),
            data=(Data("active", 0, ((op.I32_CONST, 0), (op.END,)), code),),
        )
    )
