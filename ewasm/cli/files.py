"""Reading what users name and writing what they ask for, with errors that name the file."""

from __future__ import annotations

import binascii
import sys
from pathlib import Path

from ewasm.cli.output import Failure

__all__ = ["WASM_MAGIC", "read_bytes", "read_code", "read_module", "write_bytes"]

WASM_MAGIC = b"\0asm"


def read_bytes(file: Path) -> bytes:
    """The file's bytes; `-` is standard input."""
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise Failure(f"{file}: {error.strerror or error}") from None


def write_bytes(file: Path, data: bytes) -> None:
    """Write `data`; `-` is standard output."""
    if str(file) == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        file.write_bytes(data)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror or error}") from None


def assemble_text(file: Path, source: bytes) -> bytes:
    """WebAssembly text to a module."""
    from wasmtime import WasmtimeError, wat2wasm

    try:
        return bytes(wat2wasm(source))
    except (WasmtimeError, UnicodeDecodeError) as error:
        # The message is a picture over several lines; the first line and the place are enough here.
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        place = next((line.removeprefix("--> ").replace("<anon>:", "") for line in lines if line.startswith("-->")), "")
        raise Failure(f"{file}:{place}: {lines[0]}" if place else f"{file}: {lines[0]}") from None


def read_module(file: Path) -> bytes:
    """A module: `.wasm` as it is, `.wat` (or anything that begins like text of a module) assembled."""
    data = read_bytes(file)
    if file.suffix in (".wat", ".wast") or (not data.startswith(WASM_MAGIC) and data.lstrip()[:1] in (b"(", b";")):
        return assemble_text(file, data)
    return data


def read_code(file: Path) -> bytes:
    """Contract code of either kind: a module, or EVM code as bytes or (`.bin`, `.hex`) hexadecimal text."""
    if file.suffix in (".bin", ".hex", ".evm"):
        data = read_bytes(file)
        try:
            return binascii.unhexlify(b"".join(data.split()).removeprefix(b"0x"))
        except binascii.Error:
            return data
    return read_module(file)
