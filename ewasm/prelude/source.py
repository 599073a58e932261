"""The prelude's text, parsed once a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ewasm.wasm.decode import decode
from ewasm.wasm.module import Module
from ewasm.wasm.types import FUNC, GLOBAL

__all__ = ["Prelude", "load_prelude", "prelude_text"]

_FILES = ("layout", "context", "bignum", "division", "keccak", "plain")


@dataclass(frozen=True)
class Prelude:
    """The prelude as a module of its own.

    Attributes:
        module: Its memory 0 stands for the contract's, its memory 1 is the environment.
        functions: "module.name" of a host function -> index of the function that does it.
        layout: Name of a place in the environment -> its address; also the codes of failures.
    """

    module: Module
    functions: Mapping[str, int]
    layout: Mapping[str, int]


def prelude_text() -> str:
    """The whole prelude as one module in the text format."""
    folder = resources.files("ewasm.prelude")
    parts = [(folder / f"{name}.wat").read_text(encoding="utf-8") for name in _FILES]
    return "(module\n" + "\n".join(parts) + ")\n"


@cache
def load_prelude() -> Prelude:
    """Parse and index the prelude."""
    # Only the native engine needs it, so the parser inside Wasmtime is at hand.
    from wasmtime import wat2wasm

    module = decode(bytes(wat2wasm(prelude_text())))
    return Prelude(
        module=module,
        functions={e.name: e.index for e in module.exports if e.kind == FUNC},
        layout={e.name: module.globals[e.index].init[0][1] for e in module.exports if e.kind == GLOBAL},
    )
