"""What contracts are written with: declarations of the host functions, and a layer of Solidity's ABI, per language.

`c/ewasm.h`, `zig/eei.zig`, `as/eei.ts` and `rust/src/eei.rs` are made from `ewasm.eei.table` by `ewasm.sdk.generate`;
`c/abi.h`, `zig/ewasm.zig`, `as/ewasm.ts` and the rest of `rust/src` are written by hand over them. `templates/` holds
what `ewasm new` starts from.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["FOLDER"]

FOLDER = Path(__file__).resolve().parent
