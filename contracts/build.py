"""Build the example contracts; the same bytes on every machine.

    python -m contracts.build              build all, write SHA256SUMS
    python -m contracts.build --verify     build all elsewhere and compare with what is committed
    python -m contracts.build --checksums  only compare the committed files with SHA256SUMS

C and Zig go through the `ziglang` package (the version that pyproject.toml pins), AssemblyScript and Solidity through
npm (the versions of package.json, installed under build/npm-as/), Vyper through the `vyper` package, Rust through
Debian's rustc-web, WebAssembly text through wasmtime, EVM assembly through `contracts.evm_assembler`. What a missing
compiler would build is left as it is committed. The node's own module, of precompiles, is built along with them.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from contracts import evm_compilers
from contracts.evm_assembler import assemble, init_code
from ewasm.cli.abi_text import AbiTextError
from ewasm.cli.compilers import C_FLAGS, CompileError, abi_of, compile_source, zig_command
from ewasm.cli.rust import find_toolchain
from ewasm.cli.solidity import SolidityError
from ewasm.sdk import generate

FOLDER = Path(__file__).resolve().parent
SUMS = FOLDER / "SHA256SUMS"
NPM = FOLDER.parent / "build" / "npm-as"
ZIG = "0.17.0"
# With the library built from Debian's sources of it; other builds of the same version may carry another LLVM.
RUST = "1.96.0"
VYPER = "0.4.3"
NPM_HINT = "run: cp contracts/package.json build/npm-as/ && npm install --prefix build/npm-as"

# What is built -> from what, both below contracts/. A .wasm is a module, a .bin EVM init code in hexadecimal (of the
# contract that is named as the file is).
ARTIFACTS = {
    "../chain/bn128.wasm": "../chain/bn128.c",
    "../chain/p256.wasm": "../chain/p256.c",
    "bn128/bn128.wasm": "bn128/bn128.c",
    "counter/counter.wasm": "counter/counter.wat",
    "crossvm/forwarder.wasm": "crossvm/forwarder.c",
    "crossvm/payer.bin": "crossvm/payer.easm",
    "erc20/erc20.wasm": "erc20/erc20.c",
    "erc20_as/erc20.wasm": "erc20_as/erc20.ts",
    "erc20_rust/erc20.wasm": "erc20_rust/erc20.rs",
    "erc20_solidity/erc20.bin": "erc20_solidity/erc20.sol",
    "erc20_solidity/erc20.wasm": "erc20_solidity/erc20.sol",
    "erc20_zig/erc20.wasm": "erc20_zig/erc20.zig",
    "erc721/erc721.wasm": "erc721/erc721.rs",
    "evm/clones.bin": "evm/clones.vy",
    "evm/relay.bin": "evm/relay.sol",
    "evm/root.bin": "evm/roots.sol",
    "evm/roots.bin": "evm/roots.sol",
    "evm/token.bin": "evm/token.vy",
    "exchange/exchange.wasm": "exchange/exchange.zig",
    "factory/factory.wasm": "factory/factory.c",
    "multisig/multisig.wasm": "multisig/multisig.ts",
    "proxy/counter_by.wasm": "proxy/counter_by.zig",
    "proxy/proxy.wasm": "proxy/proxy.c",
    "reentrancy/attacker.bin": "reentrancy/attacker.sol",
    "reentrancy/attacker.wasm": "reentrancy/attacker.sol",
    "reentrancy/bank.bin": "reentrancy/bank.sol",
    "reentrancy/bank.wasm": "reentrancy/bank.sol",
    "sha256/sha256.wasm": "sha256/sha256.c",
    "sha256/sha256_as.wasm": "sha256/sha256_as.ts",
    "sha256/sha256_rust.wasm": "sha256/sha256_rust.rs",
    "sha256/sha256_zig.wasm": "sha256/sha256_zig.zig",
    "wrc20/wrc20.wasm": "wrc20/wrc20.c",
}


# ABIs that follow from a source: its `abi:` lines, or what its compiler says. The others are written by hand.
ABIS = {
    "bn128/bn128.json": "bn128/bn128.c",
    "erc721/erc721.json": "erc721/erc721.rs",
    "evm/clones.json": "evm/clones.vy",
    "evm/roots.json": "evm/roots.sol",
    "evm/token.json": "evm/token.vy",
    "exchange/exchange.json": "exchange/exchange.zig",
    "factory/factory.json": "factory/factory.c",
    "multisig/multisig.json": "multisig/multisig.ts",
    "proxy/counter_by.json": "proxy/counter_by.zig",
    "proxy/proxy.json": "proxy/proxy.c",
    "reentrancy/attacker.json": "reentrancy/attacker.sol",
    "reentrancy/bank.json": "reentrancy/bank.sol",
}
ARTIFACTS |= ABIS


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


def has_npm(*packages: str) -> bool:
    """Whether npm packages are installed under build/npm-as/, in the versions of package.json."""
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    files = [(NPM / "node_modules" / name / "package.json", wanted[name]) for name in packages]
    return all(file.is_file() and json.loads(file.read_text())["version"] == version for file, version in files)


def has_rust() -> bool:
    """Whether the pinned rustc is there, with the sources of its library."""
    toolchain = find_toolchain()
    return toolchain is not None and toolchain.version == RUST and toolchain.library is not None


def skipped() -> dict[str, str]:
    """Endings of sources that cannot be rebuilt here, and how to get their compilers."""
    vyper = importlib.util.find_spec("vyper") is not None and metadata.version("vyper") == VYPER
    there = {
        ".rs": (has_rust(), "run: apt-get install rustc-web rust-web-src"),
        ".sol": (has_npm("solc", "binaryen"), NPM_HINT),
        ".ts": (has_npm("assemblyscript"), NPM_HINT),
        ".vy": (vyper, f"run: pip install vyper=={VYPER}"),
    }
    return {ending: hint for ending, (found, hint) in there.items() if not found}


def buildable() -> dict[str, str]:
    """ARTIFACTS without those whose compiler is not installed."""
    missing = skipped()
    return {name: source for name, source in ARTIFACTS.items() if Path(source).suffix not in missing}


def build(name: str) -> bytes:
    """The bytes of an artifact: hexadecimal init code for .bin, a module for .wasm, an ABI for .json."""
    source = FOLDER / ARTIFACTS[name]
    try:
        if source.parent.name == "chain":
            return precompile_module(source)
        if name.endswith(".wasm"):
            return compile_source(source, npm_folders=[NPM])
        if name.endswith(".json"):
            text = evm_compilers.vyper_abi(source) if source.suffix == ".vy" else abi_of(source, [NPM])
            return (text or "").encode()
        if source.suffix == ".easm":
            code = init_code(assemble(source.read_text())).hex()
        elif source.suffix == ".vy":
            code = evm_compilers.vyper(source)
        else:
            code = evm_compilers.solidity(source, Path(name).stem, NPM)
    except (CompileError, SolidityError, AbiTextError) as error:
        raise BuildError(f"{source}: {error}") from None
    return code.encode() + b"\n"


def precompile_module(source: Path) -> bytes:
    """A part of the node that Wasmtime runs: no contract, so with wide arithmetic and without limits on memory."""
    zig = zig_command()
    flags = [flag.replace("-mcpu=mvp", "-mcpu=mvp+wide_arithmetic+bulk_memory") for flag in C_FLAGS]
    with tempfile.TemporaryDirectory() as scratch:
        link = ["--no-entry", "--strip-all", "--gc-sections", "-z", "stack-size=65536", "--stack-first"]
        for command in (
            [*zig, "cc", *flags, "-O2", "-c", "-o", "module.o", str(source)],
            [*zig, "wasm-ld", *link, "-o", "module.wasm", "module.o"],
        ):
            done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise BuildError(f"{source} does not compile:\n{done.stderr}{done.stdout}".rstrip())
        return Path(scratch, "module.wasm").read_bytes()


def checksums(files: dict[str, bytes]) -> str:
    """The text of SHA256SUMS, as `sha256sum -c` reads it."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))


def committed() -> dict[str, bytes]:
    """What the checkout holds, by name; raises BuildError where a file is missing."""
    missing = [name for name in ARTIFACTS if not (FOLDER / name).is_file()]
    if missing:
        raise BuildError(f"not built yet: {', '.join(missing)}; run: make contracts")
    return {name: (FOLDER / name).read_bytes() for name in ARTIFACTS}


def verify_checksums() -> list[str]:
    """Names whose bytes are not those of SHA256SUMS (or whose line is missing or too much)."""
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in SUMS.read_text().splitlines())}
    actual = {name: hashlib.sha256(data).hexdigest() for name, data in committed().items()}
    return sorted(name for name in listed.keys() | actual.keys() if listed.get(name) != actual.get(name))


def verify_rebuild() -> list[str]:
    """Names whose committed bytes are not what their source builds to now."""
    check_compiler()
    there = committed()
    return [name for name in buildable() if build(name) != there[name]]


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
            print(f"{len(ARTIFACTS) + len(generate.generated())} files, {len(wrong)} differ")
            if options.verify:
                _tell_skipped()
            return 1 if wrong else 0
        check_compiler()
        generate.write()
        files = {name: build(name) for name in buildable()}
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
    for name in ARTIFACTS.keys() - buildable().keys():
        print(f"contracts/{name}: not rebuilt, {hints[Path(ARTIFACTS[name]).suffix]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
