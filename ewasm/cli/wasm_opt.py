"""Binaryen's wasm-opt, where it is installed: npm's `binaryen` (AssemblyScript brings it along), or the system's."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

__all__ = ["NO_WASM_OPT", "WASM_OPT_FLAGS", "find_wasm_opt"]

NO_WASM_OPT = "no wasm-opt; run: npm install binaryen"
# Instructions of the MVP alone, as the compilers are told; no names.
WASM_OPT_FLAGS = ("--mvp-features", "-Oz", "--strip-debug", "--strip-producers", "--strip-target-features")


def find_wasm_opt(folders: Sequence[Path]) -> list[str] | None:
    """How to start it: from node_modules of one of `folders` or above it, else from the PATH."""
    for folder in folders:
        for place in (folder, *folder.parents):
            script = place / "node_modules" / "binaryen" / "bin" / "wasm-opt"
            if script.is_file() and shutil.which("node"):
                return ["node", str(script)]
    found = shutil.which("wasm-opt")
    return [found] if found else None
