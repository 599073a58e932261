"""docs/eei.md: every host function, from the table, the price schedules and the rules of the SDK.

    python -m ewasm.sdk.reference > docs/eei.md

What the table cannot say stands here: which functions are an EVM opcode in EWASM_2026, and which conditions beside a
range outside memory make one fail. Prices come from the schedules alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ewasm.eei.table import TABLE, HostFunction
from ewasm.metering.schedule import PARTICLES_PER_GAS, HostPrice
from ewasm.rules import EWASM_2018, EWASM_2026, Rules
from ewasm.sdk.generate import NEVER_RETURN, declaration, parameters
from ewasm.wasm.types import I64, FuncType

__all__ = ["EVM_OPCODES", "markdown", "price_text"]

EVM_OPCODES = {
    "getExternalBalance": "BALANCE",
    "getSelfBalance": "SELFBALANCE",
    "getBlockHash": "BLOCKHASH",
    "externalCodeCopy": "EXTCODECOPY",
    "getExternalCodeSize": "EXTCODESIZE",
    "getExternalCodeHash": "EXTCODEHASH",
    "storageLoad": "SLOAD",
    "storageStore": "SSTORE",
    "transientLoad": "TLOAD",
    "transientStore": "TSTORE",
    "log": "LOG0 to LOG4",
    "call": "CALL",
    "callCode": "CALLCODE",
    "callDelegate": "DELEGATECALL",
    "callStatic": "STATICCALL",
    "create": "CREATE",
    "create2": "CREATE2",
    "selfDestruct": "SELFDESTRUCT",
}
"""Functions that are an opcode of the fork in force in EWASM_2026, and cost what it costs."""

FORKS = {
    "create2": "Constantinople",
    "getExternalCodeHash": "Constantinople",
    "getSelfBalance": "Istanbul",
    "transientLoad": "Cancun",
    "transientStore": "Cancun",
}
"""Since which fork those exist whose opcode is younger than Byzantium."""

_WITH_DATA = ("call", "callCode", "callDelegate", "callStatic", "create", "create2")
# Second parts of the prices of 2018, by the table's price class: (class in the schedule, when).
_ALSO_2018 = {
    "storage_store": (("storage_store_new", "to fill an empty slot"),),
    "log": (("log_topic", "a topic"),),
    "call": (("call_value", "with value"), ("call_new_account", "if that makes an account")),
    "selfdestruct": (("selfdestruct_new_account", "if the beneficiary does not exist"),),
}
_BUFFERS = {
    "callDataCopy": "call data",
    "codeCopy": "the code",
    "returnDataCopy": "the return data",
    "externalCodeCopy": "the account's code",
}
_FAILURES = {
    "useGas": "a negative amount",
    "log": "more than four topics",
    "call": "a negative amount of gas, value in a static frame",
    "callCode": "a negative amount of gas",
    "callDelegate": "a negative amount of gas",
    "callStatic": "a negative amount of gas",
}

_START = """\
<!-- Made by `make docs` from ewasm/eei/table.py and the schedules: do not edit. -->

# Host functions

What a contract can ask of the chain: {count} functions in {modules}. Imports must have
exactly the types below. EWASM_2018 has `ethereum` alone. `debug` exists only where the VM was given somewhere to write
(`ewasm.vm.VM(rules, debug=print)`); every node refuses a contract that imports it. The same declarations for the
languages: [C](../ewasm/sdk/c/ewasm.h), [Zig](../ewasm/sdk/zig/eei.zig), [AssemblyScript](../ewasm/sdk/as/eei.ts),
[Rust](../ewasm/sdk/rust/src/eei.rs).

* **Memory.** Every `i32` that names a place is a byte offset into the contract's memory. An `address` is 20 bytes and a
  `bytes32` 32, copied as they are (big-endian where they are numbers to the EVM); `u128` is 16 bytes and `u256` 32,
  little-endian. `out` is where the result is written.
* **Gas.** A word is 32 bytes, begun words count. Prices of EWASM_2026 are exact to a ten-thousandth of a gas. Where
  there is the name of an EVM opcode, the function costs what that opcode costs in the fork in force, warm and cold
  accesses, refunds and forwarded gas included, and memory costs nothing; before the fork that brings the opcode, the
  function fails. EWASM_2018 has one price on every fork.
* **Failure** ends the frame, takes all of its gas and undoes what it did; the caller sees 1. Every function fails
  where its price is more than the gas left (`out of gas`), and where a range it reads or writes leaves memory, also a
  range of length 0 (calls and creations read no range for 0 bytes of data). What else makes one fail stands with it.
* **Static.** Functions marked *changes state* fail in a static call (and below one).
* **Far memory.** Under EWASM_2026 a contract that may have more than {far_pages} pages of memory pays more for
  `bignum`, `keccak256` and `sha256`: {far}.
"""


def price_text(price: HostPrice) -> str:
    """A price in gas: `0.4 + 0.25 a word`."""
    parts = [(price.base, ""), (price.per_word, " a word"), (price.per_byte, " a byte")]
    shown = [_gas(particles) + unit for particles, unit in parts if particles]
    return " + ".join(shown) or "0"


def _gas(particles: int) -> str:
    whole, rest = divmod(particles, PARTICLES_PER_GAS)
    return f"{whole:,}" + (f".{rest:04d}".rstrip("0") if rest else "")


def _price_2026(row: HostFunction) -> str:
    opcode = EVM_OPCODES.get(row.name) if row.module == "ethereum" else None
    prices = EWASM_2026.schedule.host
    if row.name == "useGas":
        return "the amount"
    if opcode is None:
        text = price_text(prices[row.price])
        return text.replace("a byte", "a byte of b") if row.price == "bignum_exp" else text
    text = f"as {opcode}"
    if row.name in _WITH_DATA:
        text += f" + {price_text(prices['call_data'])} of data"
    return text


def _price_2018(row: HostFunction) -> str:
    prices = EWASM_2018.schedule.host
    if row.name == "useGas":
        return "the amount"
    parts = [price_text(prices[row.price])]
    parts += [f"{price_text(prices[name])} {when}" for name, when in _ALSO_2018.get(row.price, ())]
    return " + ".join(parts)


def _is_in(row: HostFunction, rules: Rules) -> bool:
    return row.since <= rules.interface and (row.module in rules.namespaces or row.module == "debug")


def _failures(row: HostFunction) -> Iterator[str]:
    if row.mutates:
        yield "a static frame"
    if "out u128" in row.doc:
        yield "a number of more than 128 bits"
    if row.name in _BUFFERS:
        yield f"a range beyond the end of {_BUFFERS[row.name]}"
    if row.name in _FAILURES:
        yield _FAILURES[row.name]


def _result(row: HostFunction) -> str:
    if row.name in NEVER_RETURN:
        return "does not come back"
    if not row.results:
        return "nothing"
    return "`i64`" if row.results[0] == I64 else "`i32`"


def _section(row: HostFunction) -> Iterator[str]:
    yield f"### {row.module}.{row.name}\n"
    yield f"{row.doc}\n"
    yield f"```c\n{declaration(row)};\n```\n"
    names = ", ".join(f"{name} `{'i64' if kind == I64 else 'i32'}`" for name, _, kind in parameters(row))
    yield f"* Type `{FuncType(row.params, row.results)}`; takes {names or 'nothing'}; result: {_result(row)}"
    gas = f"* Gas: {_price_2026(row)}"
    since = f"; since {FORKS[row.name]}" if row.name in FORKS else ""
    yield gas + (f"; EWASM_2018: {_price_2018(row)}" if _is_in(row, EWASM_2018) else f"; not in EWASM_2018{since}")
    failures = ", ".join(_failures(row))
    yield f"* Fails with: {failures or 'nothing more'}" + ("; *changes state*" if row.mutates else "")
    yield ""


def _far() -> tuple[int, str]:
    rows = EWASM_2026.schedule.far_memory
    texts = [f"{_gas(more)} gas a call beyond {pages} pages" for pages, more in rows]
    return rows[0][0] if rows else EWASM_2026.limits.memory_pages, ", ".join(texts) or "nothing"


def markdown() -> str:
    """The text of docs/eei.md."""
    modules: dict[str, list[HostFunction]] = {}
    for row in TABLE:
        modules.setdefault(row.module, []).append(row)
    far_pages, far = _far()
    count = sum(len(rows) for name, rows in modules.items() if name != "debug")
    known = [f"`{name}`" for name in modules if name != "debug"]
    listed = ", ".join(known[:-1]) + f" and {known[-1]}"
    lines = [_START.format(count=count, modules=listed, far_pages=far_pages, far=far)]
    lines += ["| module | functions |", "|---|---|"]
    for name, rows in modules.items():
        links = ", ".join(f"[{row.name}](#{row.module}{row.name.lower()})" for row in rows)
        lines.append(f"| `{name}` | {links} |")
    lines.append("")
    for name, rows in modules.items():
        lines.append(f"## {name}\n")
        for row in rows:
            lines += _section(row)
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
