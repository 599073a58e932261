"""Build every contract from its source, byte for byte the same on every machine.

    python -m contracts.build              build all, write the .wasm, .bin and SHA256SUMS
    python -m contracts.build --verify     build all elsewhere and compare with what is committed
    python -m contracts.build --checksums  only compare the committed files with SHA256SUMS

C and Zig go through the `ziglang` package (the version that pyproject.toml pins), AssemblyScript through npm's
`assemblyscript` (the version of package.json, installed under build/npm-as/), Rust through Debian's rustc-web,
WebAssembly text through wasmtime, EVM assembly through `contracts.evm_assembler`. What a missing compiler would build
is left as it is committed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from importlib import metadata
from pathlib import Path

from contracts.evm_assembler import assemble, init_code
from ewasm.cli.compilers import CompileError, compile_source
from ewasm.cli.rust import find_toolchain
from ewasm.sdk import generate

FOLDER = Path(__file__).resolve().parent
SUMS = FOLDER / "SHA256SUMS"
NPM = FOLDER.parent / "build" / "npm-as"
ZIG = "0.17.0"
# With the library built from Debian's sources of it; other builds of the same version may carry another LLVM.
RUST = "1.96.0"
RUST_HINT = "run: apt-get install rustc-web rust-web-src"
NPM_HINT = "run: cp contracts/package.json build/npm-as/ && npm install --prefix build/npm-as"

# source -> what is built from it, both below contracts/
SOURCES = {
    "counter/counter.wat": "counter/counter.wasm",
    "crossvm/forwarder.c": "crossvm/forwarder.wasm",
    "crossvm/payer.easm": "crossvm/payer.bin",
    "erc20/erc20.c": "erc20/erc20.wasm",
    "erc20_as/erc20.ts": "erc20_as/erc20.wasm",
    "erc20_rust/erc20.rs": "erc20_rust/erc20.wasm",
    "erc20_zig/erc20.zig": "erc20_zig/erc20.wasm",
    "sha256/sha256.c": "sha256/sha256.wasm",
}


class BuildError(Exception):
    """A tool is missing, of another version, or refuses a source."""


def check_compiler() -> None:
    """Raise BuildError unless the pinned compiler is installed; another one would build other bytes."""
    try:
        version = metadata.version("ziglang")
    except metadata.PackageNotFoundError:
        version = "none"
    if version != ZIG:
        raise BuildError(f"ziglang {ZIG} is needed and {version} is installed; run: pip install ziglang=={ZIG}")


def has_assemblyscript() -> bool:
    """Whether the AssemblyScript compiler is installed under build/npm-as/, in the version of package.json."""
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]["assemblyscript"]
    installed = NPM / "node_modules" / "assemblyscript" / "package.json"
    return installed.is_file() and json.loads(installed.read_text())["version"] == wanted


def has_rust() -> bool:
    """Whether the pinned rustc is there, with the sources of its library."""
    toolchain = find_toolchain()
    return toolchain is not None and toolchain.version == RUST and toolchain.library is not None


def buildable() -> dict[str, str]:
    """SOURCES without those whose compiler is not installed."""
    missing = skipped()
    return {source: name for source, name in SOURCES.items() if Path(source).suffix not in missing}


def skipped() -> dict[str, str]:
    """Suffixes of sources that cannot be rebuilt here, and how to get their compilers."""
    there = {".ts": (has_assemblyscript(), NPM_HINT), ".rs": (has_rust(), RUST_HINT)}
    return {suffix: hint for suffix, (found, hint) in there.items() if not found}


def build(source: Path) -> bytes:
    """The bytes built from one source: hexadecimal init code for .easm, a module for all others."""
    if source.suffix == ".easm":
        return init_code(assemble(source.read_text())).hex().encode() + b"\n"
    try:
        return compile_source(source, asc_folders=[NPM])
    except CompileError as error:
        raise BuildError(str(error)) from None


def checksums(files: dict[str, bytes]) -> str:
    """The text of SHA256SUMS, as `sha256sum -c` reads it."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))


def committed() -> dict[str, bytes]:
    """What the checkout holds, by name; raises BuildError where a file is missing."""
    missing = [name for name in SOURCES.values() if not (FOLDER / name).is_file()]
    if missing:
        raise BuildError(f"not built yet: {', '.join(missing)}; run: make contracts")
    return {name: (FOLDER / name).read_bytes() for name in SOURCES.values()}


def verify_checksums() -> list[str]:
    """Names whose bytes are not those of SHA256SUMS (or whose line is missing or too much)."""
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in SUMS.read_text().splitlines())}
    actual = {name: hashlib.sha256(data).hexdigest() for name, data in committed().items()}
    return sorted(name for name in listed.keys() | actual.keys() if listed.get(name) != actual.get(name))


def verify_rebuild() -> list[str]:
    """Names whose committed bytes are not what their source builds to now."""
    check_compiler()
    there = committed()
    return [name for source, name in buildable().items() if build(FOLDER / source) != there[name]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts.build", description="Build the example contracts.")
    parser.add_argument("--verify", action="store_true", help="rebuild and compare with the committed files")
    parser.add_argument("--checksums", action="store_true", help="compare the committed files with SHA256SUMS")
    options = parser.parse_args()
    try:
        if options.checksums or options.verify:
            wrong = [f"contracts/{name}" for name in verify_checksums() + (verify_rebuild() if options.verify else [])]
            wrong += [f"ewasm/sdk/{name}" for name in generate.outdated()]
            for name in wrong:
                print(f"{name}: differs", file=sys.stderr)
            print(f"{len(SOURCES) + len(generate.generated())} files, {len(wrong)} differ")
            if options.verify:
                _tell_skipped()
            return 1 if wrong else 0
        check_compiler()
        generate.write()
        files = {name: build(FOLDER / source) for source, name in buildable().items()}
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
        print(f"{len(data):7,} bytes  contracts/{name}")
    _tell_skipped()
    SUMS.write_text(checksums(committed()))
    return 0


def _tell_skipped() -> None:
    hints = skipped()
    for source in SOURCES.keys() - buildable().keys():
        print(f"contracts/{source}: not rebuilt, {hints[Path(source).suffix]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
