"""Small modules for tests, byte by byte."""

from __future__ import annotations

from ewasm.wasm.leb128 import write_unsigned

HEADER = b"\0asm\1\0\0\0"


def section(id_: int, content: bytes | str) -> bytes:
    data = bytes.fromhex(content) if isinstance(content, str) else content
    return bytes((id_,)) + write_unsigned(len(data)) + data


def binary(*sections: bytes) -> bytes:
    return HEADER + b"".join(sections)


def with_body(code: bytes | str, *, locals_: str = "00", before: bytes = b"", after: bytes = b"") -> bytes:
    """A module with one function of type () -> () whose body is `locals_` and `code`."""
    body = bytes.fromhex(locals_) + (bytes.fromhex(code) if isinstance(code, str) else code)
    function = b"\x01" + write_unsigned(len(body)) + body
    return binary(section(1, "01600000"), section(3, "0100"), before, section(10, function), after)
