"""Solidity to WebAssembly with solc 0.8.20, the last one that could, and with what it does wrong mended.

solc's own Ewasm output has wrong or missing opcodes (keccak256 traps, so mappings do; copies of call data; topics of
events; values and results of calls; shifts by 0) and no constructor arguments. So the way is:

1. solc makes Yul of the contract, optimized as for the EVM.
2. Constructor and contract become one Yul program that asks a flag which of them it is; arguments are read from call
   data, where `deploy` has them. Opcodes of no use here stand for those that solc has not: create for keccak256,
   difficulty for chainid.
3. solc translates that program, as assembly in the constructor of an empty contract, into WebAssembly text with names.
4. The functions that are wrong are replaced by those of sdk/solidity/mended.wat; `deploy` is added.

Not to be had: `new`, immutables, libraries that are linked, code hashes, the block's difficulty and base fee. Memory
ends at about 128 KiB.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ewasm.cli.wasm_opt import WASM_OPT_FLAGS
from ewasm.sdk import FOLDER

__all__ = ["NO_SOLC", "SOLC", "SolidityError", "compile_json", "compile_solidity", "find_solc", "solidity_abi"]

SOLC = "0.8.20"
NO_SOLC = f"no solc {SOLC}, the last with WebAssembly output; run: npm install solc@{SOLC}"
LIMIT_S = 120
# Steps after which the translation is still right (names and meaning: Solidity's documentation of the Yul optimizer).
STEPS = "dhfoDgvsTtulfus"
NEVER: tuple[str, ...] = (
    "loadimmutable",
    "setimmutable",
    "linkersymbol",
    "dataoffset",
    "datasize",
    "msize",
    "extcodehash",
    "basefee",
)
NEVER += ("create", "create2", "difficulty", "verbatim")
# Arithmetic through the host: solc's shifts are wrong at 0, and its division and products are slower than the host's.
BINARY = {name: f"{name}256" for name in ("shl", "shr", "sar", "mul", "div", "sdiv", "mod", "smod", "exp")}
MODULAR = {name: f"{name}256" for name in ("addmod", "mulmod")}
SCRATCH = 131072 - 128


class SolidityError(Exception):
    """The compiler refuses the source, or this way cannot have it."""


def find_solc(folders: Sequence[Path]) -> Path | None:
    """The folder with node_modules/solc of the right version: one of `folders` or above it."""
    if shutil.which("node") is None:
        return None
    for folder in folders:
        for place in (folder, *folder.parents):
            package = place / "node_modules" / "solc" / "package.json"
            if package.is_file() and json.loads(package.read_text())["version"] == SOLC:
                return place
    return None


def compile_json(solc: Path, name: str, text: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What solc's standard JSON says of the one contract in a source.

    Raises:
        SolidityError: As solc says it.
    """
    ask = {"language": "Solidity", "sources": {name: {"content": text}}, "settings": settings}
    command = ["node", str(FOLDER / "solidity" / "solc.js"), str(solc)]
    done = subprocess.run(command, input=json.dumps(ask), capture_output=True, text=True, check=False, timeout=LIMIT_S)
    if done.returncode != 0:
        raise SolidityError(f"solc does not run: {done.stderr.strip()}")
    answer = json.loads(done.stdout)
    errors = [error["formattedMessage"] for error in answer.get("errors", []) if error["severity"] == "error"]
    if errors:
        raise SolidityError("\n".join(errors)[:4000].rstrip())
    return dict(answer["contracts"][name])


def compile_solidity(source: Path, solc: Path, optimizer: Sequence[str]) -> bytes:
    """The module of the contract that is named as its file is, whatever the letters' case.

    Args:
        source: The file.
        solc: What find_solc found.
        optimizer: How to start wasm-opt.

    Raises:
        SolidityError: The source is refused, or wants what this way has not.
    """
    settings: dict[str, Any] = {
        "viaIR": True,
        "evmVersion": "london",
        "optimizer": {"enabled": True, "runs": 200},
        "metadata": {"appendCBOR": False},
        "debug": {"debugInfo": []},
        "outputSelection": {"*": {"*": ["irOptimized"]}},
    }
    found = compile_json(solc, source.name, source.read_text(), settings)
    program = _one_program(_named(found, source)["irOptimized"])
    wrapped = f"pragma solidity {SOLC};\ncontract W {{ constructor() payable {{ assembly {{\n{program}\n}} }} }}\n"
    details = dict.fromkeys(("inliner", "jumpdestRemover", "orderLiterals", "deduplicate", "cse"), False)
    settings = {
        "evmVersion": "london",
        "optimizer": {
            "enabled": True,
            "details": {
                **details,
                "peephole": False,
                "constantOptimizer": False,
                "yul": True,
                "yulDetails": {"optimizerSteps": STEPS},
            },
        },
        "outputSelection": {"*": {"*": ["ewasm.wast"]}},
    }
    text = compile_json(solc, "W.sol", wrapped, settings)["W"]["ewasm"]["wast"]
    return _assemble(_mend(text), optimizer)


def solidity_abi(source: Path, solc: Path) -> list[dict[str, Any]]:
    """The ABI of that contract, as the compiler has it.

    Raises:
        SolidityError: The source is refused.
    """
    found = compile_json(solc, source.name, source.read_text(), {"outputSelection": {"*": {"*": ["abi"]}}})
    return list(_named(found, source)["abi"])


def _named(found: dict[str, Any], source: Path) -> dict[str, Any]:
    names = [name for name in found if name.lower() == source.stem.lower()]
    if len(names) != 1:
        raise SolidityError(f"{source}: no contract named {source.stem}, but {', '.join(found) or 'none'}")
    return dict(found[names[0]])


# ---- Yul ----


def _block(text: str, start: int) -> tuple[str, int]:
    """The text between the brace at or behind `start` and its partner, and where that is."""
    opening = text.index("{", start)
    depth, position, quoted = 0, opening, False
    while True:
        char = text[position]
        if quoted:
            position += char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return text[opening + 1 : position], position
        position += 1


def _one_program(ir: str) -> str:
    """Constructor and contract as one piece of assembly."""
    ir = re.sub(r"/\*.*?\*/", "", ir, flags=re.DOTALL)
    ir = re.sub(r"^\s*///?.*$", "", ir, flags=re.MULTILINE)
    start = re.search(r'object "(\w+)" \{\s*code', ir)
    inner = re.search(r'object "(\w+_deployed)" \{\s*code', ir)
    if start is None or inner is None:
        raise SolidityError("solc's intermediate code is not what is expected: no object and its _deployed")
    creation, _ = _block(ir, start.end())
    runtime, _ = _block(ir, inner.end())
    name = re.escape(start[1])
    # The last of a constructor: give back the code. Here the code is there already.
    creation = re.sub(rf'datasize\("{name}(_deployed)?"\)|dataoffset\("{name}_deployed"\)', "0", creation)
    creation = creation.replace("codesize()", "calldatasize()").replace("codecopy(", "calldatacopy(")
    bare = re.sub(r'"[^"]*"', "", creation + runtime)
    if wanted := [word for word in NEVER if re.search(rf"\b{word}\w*\(", bare)]:
        raise SolidityError(f"needs {', '.join(wanted)}, which WebAssembly by way of solc {SOLC} has not")
    program = f"switch mload(0) case 0 {{ {runtime} }} default {{ mstore(0, 0) {creation} }}"
    changes = (
        (r"\bmemoryguard\((\w+)\)", r"\1"),
        (r"\bselfbalance\(\)", "balance(address())"),
        (r"\bchainid\(\)", "difficulty()"),
        (r"\bkeccak256\(", "create(0, "),
        # In assembly these endings are kept for variables of Solidity.
        (r"\b(\w+_(?:slot|offset))\b", r"\1_"),
    )
    pieces = re.split(r'("(?:[^"\\]|\\.)*")', program)
    for pattern, new in changes:
        pieces[::2] = [re.sub(pattern, new, piece) for piece in pieces[::2]]
    return "".join(pieces)


# ---- WebAssembly text ----


def _operation(name: str, host: str, operands: int) -> str:
    """A function of 256-bit numbers that asks the host."""
    letters = "abm"[:operands]
    params = "".join(f" (param ${x}{n} i64)" for x in letters for n in range(1, 5))
    puts = "\n".join(
        f"    (call $_put_le (i32.add (global.get $_scratch) (i32.const {32 * index}))"
        f" (local.get ${x}1) (local.get ${x}2) (local.get ${x}3) (local.get ${x}4))"
        for index, x in enumerate(letters)
    )
    places = " ".join(f"(i32.add (global.get $_scratch) (i32.const {32 * index}))" for index in range(operands))
    return (
        f"(func ${name}{params} (result i64)\n{puts}\n"
        f"    (call $_{host} {places} (global.get $_scratch))\n    (call $_get_le (global.get $_scratch)))\n"
    )


def _replacements() -> tuple[dict[str, str], str]:
    """Functions by name, and those that they use."""
    text = (FOLDER / "solidity" / "mended.wat").read_text()
    pieces = re.split(r"^;; -- (\w+) --$", text, flags=re.MULTILINE)
    parts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    helpers = parts.pop("helpers")
    parts |= {name: _operation(name, host, 2) for name, host in BINARY.items()}
    parts |= {name: _operation(name, host, 3) for name, host in MODULAR.items()}
    return parts, helpers


def _import(name: str) -> str:
    from ewasm.eei.table import TABLE
    from ewasm.wasm.types import I64

    row = next(row for row in TABLE if row.name == name and row.module != "debug")
    params = "".join(" i64" if kind == I64 else " i32" for kind in row.params)
    result = f" (result {'i64' if row.results[0] == I64 else 'i32'})" if row.results else ""
    return f'(import "{row.module}" "{name}" (func $_{name} (param{params}){result}))'


def _mend(wast: str) -> str:
    """solc's text with its own functions replaced, `deploy` added, and room for scratch."""
    body = re.sub(r"^\s*;;.*$", "", wast, flags=re.MULTILINE)
    body = re.sub(r"\((?:datasize|dataoffset) \"\w+\"\)", "(i64.const 0)", body)
    body = re.sub(r"\(memory \$memory \(export \"memory\"\) \d+\)", '(memory $memory (export "memory") 2 2)', body)
    start, *functions = re.split(r"\n(?=\(func \$)", body)
    replacements, helpers = _replacements()
    functions[-1] = functions[-1].rstrip().removesuffix(")")
    kept = []
    for function in functions:
        found = re.match(r"\(func \$(\w+)", function)
        kept.append(replacements.get(found[1], function) if found else function)
    used = "".join(kept)
    wanted = set(re.findall(r"\(call \$(_\w+)", used))
    own = _needed(helpers, wanted)
    wanted |= set(re.findall(r"\(call \$(_\w+)", own))
    imports = sorted(name[1:] for name in wanted if f"(func ${name} " not in helpers)
    start = start.replace("(module", "(module\n" + "\n".join(_import(name) for name in imports), 1)
    # The flag lies where the program's mload(0) finds it.
    deploy = '(func (export "deploy") (i32.store8 (i32.const 64) (i32.const 1)) (call $main))'
    # Results but the first travel in the first mutable globals, however solc names them.
    travel = re.findall(r"\(global (\$\S+) \(mut i64\)", start)
    declared = [f"(global $_spare{n} (mut i64) (i64.const 0))" for n in range(len(travel), 3)]
    travel += [f"$_spare{n}" for n in range(len(travel), 3)]
    scratch = f"(global $_scratch i32 (i32.const {SCRATCH}))"
    text = "\n".join((start, scratch, *declared, used, own, deploy, ")"))
    for name, place in zip(("$_second", "$_third", "$_fourth"), travel, strict=False):
        text = text.replace(f"{name})", f"{place})").replace(f"{name} ", f"{place} ")
    return text


def _needed(helpers: str, wanted: set[str]) -> str:
    """The helpers that are wanted, and those that they want."""
    parts = {
        match[1]: piece
        for piece in re.split(r"\n(?=\(func)", helpers)
        if (match := re.match(r"\(func \$(\w+)", piece.strip()))
    }
    done: dict[str, str] = {}
    todo = [name for name in parts if name in wanted]
    while todo:
        name = todo.pop()
        done[name] = parts[name]
        todo += [other for other in re.findall(r"\(call \$(_\w+)", parts[name]) if other in parts and other not in done]
    return "\n".join(done[name] for name in parts if name in done)


def _assemble(text: str, optimizer: Sequence[str]) -> bytes:
    """The module without its names, made small: solc's has four local variables for each of the source's."""
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch, "before.wat"), Path(scratch, "after.wasm")
        before.write_text(text)
        command = [*optimizer, *WASM_OPT_FLAGS, str(before), "-o", str(after)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
        if done.returncode != 0:
            raise SolidityError(f"the mended text does not assemble:\n{done.stderr.strip()}")
        return after.read_bytes()
