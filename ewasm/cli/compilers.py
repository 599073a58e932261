"""Sources to modules, byte for byte the same wherever and whenever they are built.

C and Zig go through Zig (the package `ziglang`, else `zig` on the PATH), AssemblyScript through `asc`, Rust through
rustc and Zig's linker, Solidity through npm's solc and binaryen, WebAssembly text through wasmtime. The layers of
`ewasm.sdk` are found without being named:
`#include "abi.h"`, `@import("ewasm")`, `from "ewasm"`, `use ewasm::...`.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ewasm.cli.abi_text import abi_json, abi_lines, parse_item
from ewasm.cli.rust import NO_RUST, compile_rust, find_toolchain
from ewasm.cli.solidity import NO_SOLC, SolidityError, compile_solidity, find_solc, solidity_abi
from ewasm.cli.wasm_opt import NO_WASM_OPT, WASM_OPT_FLAGS, find_wasm_opt
from ewasm.sdk import FOLDER

__all__ = ["C_FLAGS", "SUFFIXES", "CompileError", "abi_of", "compile_source", "optimize"]

SUFFIXES = (".c", ".zig", ".rs", ".sol", ".ts", ".wat")

# MVP instructions only; nothing of a C library; only what EWASM_EXPORT names, and the memory, is exported.
# fmt: off
C_FLAGS = (
    "-target", "wasm32-freestanding", "-mcpu=mvp", "-std=c2x", "-Wall", "-Wextra", "-Werror", "-ffreestanding",
    "-fno-builtin", "-nostdlib", "-fvisibility=hidden", "-fno-sanitize=all", f"-I{FOLDER / 'c'}",
)
# As many pages as stack and data need, since each costs gas in every call. The stack grows down towards address 0, so
# an overflow traps instead of writing over data.
LINK_FLAGS = (
    "--no-entry", "--strip-all", "--gc-sections", "--max-memory=1048576",
    "-z", "stack-size=16384", "--stack-first",
)
ZIG_FLAGS = (
    "-target", "wasm32-freestanding", "-mcpu=mvp", "-fno-entry", "-fstrip", "--stack", "16384",
    "--max-memory=1048576",
)
ASC_FLAGS = (
    "--lib", str(FOLDER / "as"), "--runtime", "stub", "--use", "abort=~lib/ewasm/abort", "--disable", "bulk-memory",
    "--disable", "sign-extension", "--disable", "nontrapping-f2i", "--disable", "mutable-globals", "-O3z", "--noAssert",
    "--initialMemory", "1", "--maximumMemory", "16",
)
# fmt: on
# Small code is cheap to deploy; where arithmetic is the work, speed pays, and the source says `ewasm build: -O2`.
C_OPTIMIZE = "-Os"
NO_ZIG = "no Zig (it compiles C too); run: pip install ziglang"
NO_ASC = "no AssemblyScript compiler; run: npm install assemblyscript"


class CompileError(Exception):
    """A compiler is missing, or refuses a source."""


def zig_command() -> list[str]:
    """How to start Zig.

    Raises:
        CompileError: There is none; says how to get it.
    """
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang"]
    if (found := shutil.which("zig")) is not None:
        return [found]
    raise CompileError(NO_ZIG)


def asc_command(folders: Sequence[Path]) -> list[str]:
    """How to start asc: from node_modules of one of `folders` or above it, else from the PATH.

    Raises:
        CompileError: There is none; says how to get it.
    """
    for folder in folders:
        for place in (folder, *folder.parents):
            if (script := place / "node_modules" / "assemblyscript" / "bin" / "asc.js").is_file() and shutil.which(
                "node"
            ):
                return ["node", str(script)]
    if (found := shutil.which("asc")) is not None:
        return [found]
    raise CompileError(_and_node(NO_ASC))


def _and_node(missing: str) -> str:
    """What is missing, and Node.js where that is, too."""
    return (
        missing
        if shutil.which("node")
        else f"no Node.js; from https://nodejs.org, or the system's nodejs and npm; {missing}"
    )


def _run(command: Sequence[str], folder: Path, source: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CompileError(f"{source} does not compile:\n{done.stderr}{done.stdout}".rstrip())


def compile_source(source: Path, *, npm_folders: Sequence[Path] = (), names: bool = False) -> bytes:
    """The module built from one source.

    Args:
        source: A file whose suffix is one of SUFFIXES.
        npm_folders: Where to look for compilers from npm, besides the source's own folder.
        names: Leave the names of functions in, for messages: the same code otherwise. Solidity's are gone by then.

    Raises:
        CompileError: As it says.
    """
    stripped = ("--strip-all", "-fstrip") if names else ()
    link_flags = [flag for flag in LINK_FLAGS if flag not in stripped]
    source = source.resolve()
    if source.suffix == ".wat":
        return _text(source)
    if source.suffix == ".sol":
        return _solidity(source, [source.parent, *npm_folders])
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "contract.wasm")
        if source.suffix == ".c":
            zig, compiled = zig_command(), Path(scratch, "contract.o")
            optimize = _directive(source) or C_OPTIMIZE
            _run([*zig, "cc", *C_FLAGS, optimize, "-c", "-o", str(compiled), str(source)], Path(scratch), source)
            builtins, lazy = FOLDER / "c" / "builtins.c", Path(scratch, "builtins.o")
            _run([*zig, "cc", *C_FLAGS, C_OPTIMIZE, "-c", "-o", str(lazy), str(builtins)], Path(scratch), builtins)
            objects = [str(compiled), "--start-lib", str(lazy), "--end-lib"]
            _run([*zig, "wasm-ld", *link_flags, "-o", str(out), *objects], Path(scratch), source)
        elif source.suffix == ".zig":
            zig_flags = ["-fno-strip" if flag in stripped else flag for flag in ZIG_FLAGS]
            optimize = {"-O2": "ReleaseFast", "-O3": "ReleaseFast"}.get(_directive(source), "ReleaseSmall")
            exports = [f"--export={name}" for name in _zig_exports(source)]
            modules = ["--dep", "ewasm", f"-Mroot={source}", f"-Mewasm={FOLDER / 'zig' / 'ewasm.zig'}"]
            command = [*zig_command(), "build-exe", *zig_flags, "-O", optimize, *exports, f"-femit-bin={out}", *modules]
            _run(command, Path(scratch), source)
        elif source.suffix == ".rs":
            toolchain = find_toolchain()
            if toolchain is None:
                raise CompileError(NO_RUST)
            link = [*zig_command(), "wasm-ld", *link_flags]
            compile_rust(source, out, toolchain, link, _directive(source).removeprefix("-O"), _run)
        elif source.suffix == ".ts":
            asc = asc_command([source.parent, *npm_folders])
            # Paths as given end up in messages; a bare name is the same everywhere.
            _run([*asc, source.name, *ASC_FLAGS, *["--debug"] * names, "-o", str(out)], source.parent, source)
        else:
            raise CompileError(f"{source}: no compiler for {source.suffix or 'a file without an ending'}")
        return out.read_bytes()


def _text(source: Path) -> bytes:
    from wasmtime import WasmtimeError, wat2wasm

    try:
        return bytes(wat2wasm(source.read_text()))
    except (WasmtimeError, UnicodeDecodeError) as error:
        raise CompileError(f"{source} does not assemble:\n{str(error).replace('<anon>', source.name)}") from None


def _solidity(source: Path, folders: Sequence[Path]) -> bytes:
    solc, optimizer = find_solc(folders), find_wasm_opt(folders)
    missing = [text for found, text in ((solc, NO_SOLC), (optimizer, NO_WASM_OPT)) if found is None]
    if solc is None or optimizer is None:
        raise CompileError(_and_node("\n".join(missing)))
    try:
        return compile_solidity(source, solc, optimizer)
    except SolidityError as error:
        raise CompileError(f"{source} does not compile:\n{error}") from None


def abi_of(source: Path, npm_folders: Sequence[Path] = ()) -> str | None:
    """The text of the .json that a source's ABI comes to: from `abi:` lines, or from Solidity's compiler.

    Raises:
        CompileError: The compiler is missing, or refuses the source.
        AbiTextError: A line is no item of an ABI.
    """
    if source.suffix != ".sol":
        lines = abi_lines(source.read_text(encoding="utf-8", errors="replace"))
        return abi_json([parse_item(line) for line in lines]) if lines else None
    solc = find_solc([source.resolve().parent, *npm_folders])
    if solc is None:
        raise CompileError(_and_node(NO_SOLC))
    try:
        return abi_json(solidity_abi(source, solc))
    except SolidityError as error:
        raise CompileError(f"{source} does not compile:\n{error}") from None


def optimize(code: bytes, npm_folders: Sequence[Path]) -> bytes:
    """The module made smaller by wasm-opt.

    Raises:
        CompileError: It is not installed, or fails.
    """
    command = find_wasm_opt(npm_folders)
    if command is None:
        raise CompileError(_and_node(NO_WASM_OPT))
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch, "before.wasm"), Path(scratch, "after.wasm")
        before.write_bytes(code)
        _run([*command, *WASM_OPT_FLAGS, str(before), "-o", str(after)], Path(scratch), before)
        return after.read_bytes()


def _directive(source: Path) -> str:
    """The level of optimization that a comment `ewasm build: -O2` asks for, else nothing."""
    found = re.search(r"ewasm build: (-O[0-3sz])\b", source.read_text())
    return found[1] if found else ""


def _zig_exports(source: Path) -> list[str]:
    """Zig's linker wants the names of exports again."""
    found = re.findall(r"^export fn (\w+)\(", source.read_text(), re.MULTILINE)
    return sorted(set(found))
