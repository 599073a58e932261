"""What a contract says when it reverts: Solidity's `Error(string)` and `Panic(uint256)`."""

from __future__ import annotations

__all__ = ["PANICS", "revert_message", "revert_reason"]

_ERROR = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")

# The words are geth's: clients show them, and some match them.
PANICS = {
    0x00: "generic panic",
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}


def revert_reason(output: bytes) -> str | None:
    """The reason inside revert data, or None where it follows neither form.

    Args:
        output: What the contract returned: 4 bytes of selector and ABI-encoded arguments.
    """
    selector, body = output[:4], output[4:]
    if selector == _PANIC and len(body) >= 32:
        code = int.from_bytes(body[:32], "big")
        return PANICS.get(code, f"unknown panic code: {code:#x}")
    if selector != _ERROR or len(body) < 64:
        return None
    offset = int.from_bytes(body[:32], "big")
    if offset + 32 > len(body):
        return None
    size = int.from_bytes(body[offset : offset + 32], "big")
    text = body[offset + 32 : offset + 32 + size]
    if len(text) != size:
        return None
    return text.decode("utf-8", "replace")


def revert_message(output: bytes) -> str:
    """The error message clients parse: `execution reverted`, with the reason if there is one."""
    reason = revert_reason(output)
    return "execution reverted" if reason is None else f"execution reverted: {reason}"
