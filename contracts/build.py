"""Build every contract from its source, byte for byte the same on every machine.

    python -m contracts.build              build all, write the .wasm, .bin and SHA256SUMS
    python -m contracts.build --verify     build all elsewhere and compare with what is committed
    python -m contracts.build --checksums  only compare the committed files with SHA256SUMS

C goes through the compiler and linker of the `ziglang` package (the version that pyproject.toml pins), WebAssembly
text through wasmtime, EVM assembly through `contracts.evm_assembler`.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from contracts.evm_assembler import assemble, init_code
from contracts.header import header

FOLDER = Path(__file__).resolve().parent
SUMS = FOLDER / "SHA256SUMS"
HEADER = FOLDER / "include" / "ewasm.h"
ZIG = "0.17.0"

# source -> what is built from it, both below contracts/
SOURCES = {
    "counter/counter.wat": "counter/counter.wasm",
    "crossvm/forwarder.c": "crossvm/forwarder.wasm",
    "crossvm/payer.easm": "crossvm/payer.bin",
    "erc20/erc20.c": "erc20/erc20.wasm",
    "sha256/sha256.c": "sha256/sha256.wasm",
}

# MVP instructions only; nothing of a C library; only what EWASM_EXPORT names, and the memory, is exported.
# fmt: off
COMPILE = [
    "-target", "wasm32-freestanding", "-mcpu=mvp", "-std=c2x", "-Wall", "-Wextra", "-Werror", "-ffreestanding",
    "-fno-builtin", "-nostdlib", "-fvisibility=hidden", "-fno-sanitize=all",
]
# Small code is cheap to deploy; where arithmetic is the work, speed pays.
OPTIMIZE = {"sha256/sha256.c": "-O2"}
OPTIMIZE_DEFAULT = "-Os"
# Two pages: the stack grows down towards address 0, so an overflow traps instead of writing over data.
LINK = [
    "--no-entry", "--strip-all", "--gc-sections", "--initial-memory=131072", "--max-memory=131072",
    "-z", "stack-size=16384", "--stack-first",
]
# fmt: on


class BuildError(Exception):
    """A tool is missing, of another version, or refuses a source."""


def _zig(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "ziglang", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"zig {arguments[0]} {arguments[-1]} failed:\n{done.stderr}{done.stdout}")


def check_compiler() -> None:
    """Raise BuildError unless the pinned compiler is installed; another one would build other bytes."""
    try:
        version = metadata.version("ziglang")
    except metadata.PackageNotFoundError:
        version = "none"
    if version != ZIG:
        raise BuildError(f"ziglang {ZIG} is needed and {version} is installed; run: pip install ziglang=={ZIG}")


def build(source: Path) -> bytes:
    """The bytes built from one source: a module for .c and .wat, hexadecimal init code for .easm."""
    if source.suffix == ".wat":
        from wasmtime import wat2wasm

        return bytes(wat2wasm(source.read_text()))
    if source.suffix == ".easm":
        return init_code(assemble(source.read_text())).hex().encode() + b"\n"
    with tempfile.TemporaryDirectory() as scratch:
        compiled, linked = Path(scratch, "contract.o"), Path(scratch, "contract.wasm")
        optimize = OPTIMIZE.get(source.relative_to(FOLDER).as_posix(), OPTIMIZE_DEFAULT)
        _zig("cc", *COMPILE, optimize, "-c", "-o", str(compiled), str(source))
        _zig("wasm-ld", *LINK, "-o", str(linked), str(compiled))
        return linked.read_bytes()


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
    return [name for source, name in SOURCES.items() if build(FOLDER / source) != there[name]]


def verify_header() -> list[str]:
    """The header's name if it is not what the table of host functions says now."""
    return [] if HEADER.read_text() == header() else [HEADER.relative_to(FOLDER).as_posix()]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts.build", description="Build the example contracts.")
    parser.add_argument("--verify", action="store_true", help="rebuild and compare with the committed files")
    parser.add_argument("--checksums", action="store_true", help="compare the committed files with SHA256SUMS")
    options = parser.parse_args()
    try:
        if options.checksums or options.verify:
            wrong = verify_checksums() + verify_header() + (verify_rebuild() if options.verify else [])
            for name in wrong:
                print(f"contracts/{name}: differs", file=sys.stderr)
            print(f"{len(SOURCES) + 1} files, {len(wrong)} differ")
            return 1 if wrong else 0
        check_compiler()
        HEADER.write_text(header())
        files = {name: build(FOLDER / source) for source, name in SOURCES.items()}
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
        print(f"{len(data):7,} bytes  contracts/{name}")
    SUMS.write_text(checksums(files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
