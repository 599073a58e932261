"""WebAssembly itself: the core specification 2.0 without SIMD, plus tail calls, extended constants, wide arithmetic.

Bytes enter, a `ValidModule` leaves: `decode` (chapter 5) gives a `Module`, `validate` (chapter 3) a `ValidModule`;
`encode` and `disassemble` (chapter 6) are the ways back. `opcodes` is the table all of them derive from, `numerics` the
integer arithmetic of 4.3.2.

Nothing here knows of gas, contracts or Ethereum; of the rest of the project it imports `ewasm.errors` only.
"""

from ewasm.wasm.decode import decode
from ewasm.wasm.encode import encode
from ewasm.wasm.module import Module, ValidModule
from ewasm.wasm.text import disassemble
from ewasm.wasm.validate import ALL_FEATURES, CORE_2_0, validate

__all__ = ["ALL_FEATURES", "CORE_2_0", "Module", "ValidModule", "decode", "disassemble", "encode", "validate"]
