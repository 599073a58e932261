"""The table of host functions as declarations: c/ewasm.h, zig/eei.zig, as/eei.ts, rust/src/eei.rs.

    python -m ewasm.sdk.generate           write them
    python -m ewasm.sdk.generate --verify  compare them with the table

The table knows types and, at the end of each row's sentence, what the parameters are: `(key bytes32, out bytes32)`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

from ewasm.eei.table import TABLE, HostFunction
from ewasm.sdk import FOLDER
from ewasm.wasm.types import I64

__all__ = ["declaration", "generated", "header", "outdated", "parameters", "rust", "typescript", "write", "zig"]

PREFIXES = {"ethereum": "eth", "bignum": "bignum", "crypto": "crypto", "debug": "debug"}
NEVER_RETURN = {"finish", "revert", "selfDestruct"}
# What an i32 holds if not a number: where something lies in memory.
TOPICS = ("topic1", "topic2", "topic3", "topic4")
POINTERS = {"out", "address", "key", "data", "init", "salt", "a", "b", "m", *TOPICS}

C_START = """\
/* What a contract can ask of its host. Made by `make contracts` from ewasm/eei/table.py: do not edit.
 *
 * An address is 20 bytes, a bytes32 (hash, storage key or value, topic) 32 bytes, copied as they are. Numbers in memory
 * are little-endian: a u128 16 bytes (value, balance, gas price), a u256 32 bytes. `out` is where a result is written.
 */
#ifndef EWASM_H
#define EWASM_H

#include <stdint.h>

typedef struct {
    uint8_t at[32];
} u256;

#define EWASM_EXPORT(name) __attribute__((export_name(name)))
#define EWASM_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
"""

LINES_START = """\
{0} What a contract can ask of its host. Made by `make contracts` from ewasm/eei/table.py: do not edit.
{0}
{0} An address is 20 bytes, a bytes32 (hash, storage key or value, topic) 32 bytes, copied as they are. Numbers in
{0} memory are little-endian: a u128 16 bytes (value, balance, gas price), a u256 32 bytes. `out` is where a result is
{0} written.
"""


def parameters(row: HostFunction) -> list[tuple[str, str, int]]:
    """(name, "out", "in", "topic" or "number", type) of each parameter."""
    if not row.params:
        return []
    groups = re.findall(r"\(([^()]*)\)", row.doc)
    parts = [part.strip() for part in groups[-1].split(",")] if groups else []
    if parts and parts[-1] == "four topic pointers":
        parts[-1:] = TOPICS
    if len(parts) != len(row.params):
        raise ValueError(f"{row.module}.{row.name}: {len(row.params)} parameters, but its text names {parts}")
    found = []
    for part, kind in zip(parts, row.params, strict=True):
        name = part.split(" ")[0]
        role = "number"
        if kind != I64 and (name in POINTERS or part.endswith((" u128", " bytes32"))):
            role = "out" if name == "out" else "topic" if name in TOPICS else "in"
        found.append(("init_code" if name == "init" else name, role, kind))
    return found


def declaration(row: HostFunction) -> str:
    """How C declares it."""
    kinds = {"out": "void *", "in": "const void *", "topic": "const void *"}
    names = ", ".join(
        kinds.get(role, "uint64_t " if kind == I64 else "uint32_t ") + name for name, role, kind in parameters(row)
    )
    result = "void" if not row.results else "uint64_t" if row.results[0] == I64 else "uint32_t"
    never = "_Noreturn " if row.name in NEVER_RETURN else ""
    return f"{never}{result} {PREFIXES[row.module]}_{row.name}({names or 'void'})"


def _c(row: HostFunction) -> str:
    return f'/* {row.doc} */\nEWASM_IMPORT("{row.module}", "{row.name}")\n{declaration(row)};\n'


def _zig(row: HostFunction) -> str:
    kinds = {"out": "[*]u8", "in": "[*]const u8", "topic": "?[*]const u8"}
    names = ", ".join(
        f"{name}: {kinds.get(role, 'u64' if kind == I64 else 'u32')}" for name, role, kind in parameters(row)
    )
    result = "void" if not row.results else "u64" if row.results[0] == I64 else "u32"
    if row.name in NEVER_RETURN:
        result = "noreturn"
    return f'    /// {row.doc}\n    pub extern "{row.module}" fn {row.name}({names}) {result};\n'


def _rust(row: HostFunction) -> str:
    kinds = {"out": "*mut u8", "in": "*const u8", "topic": "*const u8"}
    names = ", ".join(
        f"{name}: {kinds.get(role, 'u64' if kind == I64 else 'u32')}" for name, role, kind in parameters(row)
    )
    result = "" if not row.results else " -> u64" if row.results[0] == I64 else " -> u32"
    if row.name in NEVER_RETURN:
        result = " -> !"
    return f"        /// {row.doc}\n        pub fn {row.name}({names}){result};\n"


def _typescript(row: HostFunction) -> str:
    names = ", ".join(
        f"{name}: {'usize' if role != 'number' else 'u64' if kind == I64 else 'u32'}"
        for name, role, kind in parameters(row)
    )
    result = "void" if not row.results else "u64" if row.results[0] == I64 else "u32"
    return (
        f"/** {row.doc} */\n"
        f'// @ts-ignore: decorator\n@external("{row.module}", "{row.name}")\n'
        f"export declare function {PREFIXES[row.module]}_{row.name}({names}): {result};\n"
    )


def _text(
    start: str, declare: Callable[[HostFunction], str], opening: str, closing: str = "", last: str | None = None
) -> str:
    """The start, then each module of the table between its opening and its closing line."""
    parts, module = [start], ""
    for row in TABLE:
        if row.module != module:
            if module and closing:
                parts.append(closing)
            module = row.module
            parts.append(opening.format(module))
        parts.append(declare(row))
    if closing:
        parts.append(closing)
    if last is not None:
        parts.append(last)
    return "\n".join(parts)


def header() -> str:
    """The text of c/ewasm.h."""
    return _text(C_START, _c, "/* ---- module {} ---- */\n", last="#endif\n")


def zig() -> str:
    """The text of zig/eei.zig."""
    text = _text(LINES_START.format("//!"), _zig, "pub const {} = struct {{", "};\n")
    return text.replace(";\n\n};", ";\n};").rstrip("\n") + "\n"


def rust() -> str:
    """The text of rust/src/eei.rs."""
    opening = 'pub mod {0} {{\n    #[link(wasm_import_module = "{0}")]\n    unsafe extern "C" {{'
    start = LINES_START.format("//!") + "#![allow(non_snake_case)]\n"
    text = _text(start, _rust, opening, "    }\n}\n")
    return text.replace(";\n\n    }", ";\n    }").replace("{\n\n", "{\n").rstrip("\n") + "\n"


def typescript() -> str:
    """The text of as/eei.ts."""
    return _text(LINES_START.format("//"), _typescript, "// ---- module {} ----\n")


def generated() -> dict[str, str]:
    """Text of each generated file, by its name below ewasm/sdk/."""
    return {"c/ewasm.h": header(), "zig/eei.zig": zig(), "as/eei.ts": typescript(), "rust/src/eei.rs": rust()}


def outdated() -> list[str]:
    """Names of generated files that are not what the table says now."""
    return [
        name
        for name, text in generated().items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text() != text
    ]


def write() -> None:
    """Write every generated file."""
    for name, text in generated().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--verify"]:
        sys.exit(f"differs from the table: {', '.join(outdated())}" if outdated() else 0)
    write()
