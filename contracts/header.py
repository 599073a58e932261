"""include/ewasm.h: the table of host functions, as C declarations.

The table knows types and, at the end of each row's sentence, what the parameters are: `(key bytes32, out bytes32)`.
"""

from __future__ import annotations

import re

from ewasm.eei.table import TABLE, HostFunction
from ewasm.wasm.types import I64

__all__ = ["header"]

PREFIXES = {"ethereum": "eth", "bignum": "bignum", "crypto": "crypto", "debug": "debug"}
NEVER_RETURN = {"finish", "revert", "selfDestruct"}
# What an i32 holds if not a number: where something lies in memory.
POINTERS = {"out", "address", "key", "data", "init", "salt", "a", "b", "m", "topic1", "topic2", "topic3", "topic4"}

START = """\
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


def _parameters(row: HostFunction) -> list[tuple[str, str]]:
    """(name, what it is) of each parameter."""
    if not row.params:
        return []
    groups = re.findall(r"\(([^()]*)\)", row.doc)
    parts = [part.strip() for part in groups[-1].split(",")] if groups else []
    if parts and parts[-1] == "four topic pointers":
        parts[-1:] = ["topic1", "topic2", "topic3", "topic4"]
    if len(parts) != len(row.params):
        raise ValueError(f"{row.module}.{row.name}: {len(row.params)} parameters, but its text names {parts}")
    return [(part.split(" ")[0], part) for part in parts]


def _declaration(row: HostFunction) -> str:
    parameters = []
    for (name, meaning), kind in zip(_parameters(row), row.params, strict=True):
        if kind == I64:
            parameters.append(f"uint64_t {name}")
        elif name in POINTERS or meaning.endswith((" u128", " bytes32")):
            written = name == "out"
            parameters.append(f"{'' if written else 'const '}void *{'init_code' if name == 'init' else name}")
        else:
            parameters.append(f"uint32_t {name}")
    result = "void" if not row.results else "uint64_t" if row.results[0] == I64 else "uint32_t"
    never = "_Noreturn " if row.name in NEVER_RETURN else ""
    return (
        f"/* {row.doc} */\n"
        f'EWASM_IMPORT("{row.module}", "{row.name}")\n'
        f"{never}{result} {PREFIXES[row.module]}_{row.name}({', '.join(parameters) or 'void'});\n"
    )


def header() -> str:
    """The text of include/ewasm.h."""
    parts = [START]
    module = ""
    for row in TABLE:
        if row.module != module:
            module = row.module
            parts.append(f"/* ---- module {module} ---- */\n")
        parts.append(_declaration(row))
    parts.append("#endif\n")
    return "\n".join(parts)
