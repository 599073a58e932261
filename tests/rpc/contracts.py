"""A small EVM contract, assembled by hand, for tests that need logs, storage and reverts of every kind."""

from __future__ import annotations

__all__ = ["CREATION", "TOPIC", "call_data"]

TOPIC = "0x" + "00" * 31 + "aa"


def _push(value: int | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    return bytes([0x5F + len(raw)]) + raw


def _error(text: bytes) -> bytes:
    """Revert with Error(text); the text fits one word."""
    return (
        _push(bytes.fromhex("08c379a0") + bytes(28)) + _push(0) + b"\x52"
        + _push(32) + _push(4) + b"\x52"
        + _push(len(text)) + _push(36) + b"\x52"
        + _push(text.ljust(32, b"\0")) + _push(68) + b"\x52"
        + _push(100) + _push(0) + b"\xfd"
    )  # fmt: skip


# The first byte of call data chooses; what is called for starts at the second.
_ACTIONS = {
    1: _push(0x2A) + _push(0) + b"\x55\x00",  # store 42 in slot 0
    # Log the word that follows.
    2: _push(1) + b"\x35" + _push(0) + b"\x52" + _push(int(TOPIC, 16)) + _push(32) + _push(0) + b"\xa1\x00",
    3: _error(b"no luck"),
    4: _push(bytes.fromhex("4e487b71") + bytes(28)) + _push(0) + b"\x52" + _push(0x11) + _push(4) + b"\x52"
    + _push(36) + _push(0) + b"\xfd",  # Panic(0x11)
    5: _push(0) + _push(0) + b"\xfd",  # revert without data
    6: b"\xfe",  # invalid opcode
    7: _push(0) + b"\x54" + _push(0) + b"\x52" + _push(32) + _push(0) + b"\xf3",  # return slot 0
    # Call itself to store 42, with all the gas but a 64th, and fail if that fails.
    8: _push(1) + _push(0) + b"\x53" + _push(0) * 2 + _push(1) + _push(0) * 2
    + b"\x30\x5a\xf1\x15" + _push(0) + b"\x57\x00",
    9: b"\x42" + _push(0) + b"\x52" + _push(32) + _push(0) + b"\xf3",  # return the timestamp
    10: _push(0) + _push(0) + b"\x55\x00",  # clear slot 0, which earns a refund
}  # fmt: skip


def _runtime() -> bytes:
    head_size = 6 + 8 * len(_ACTIONS) + 1
    head, body = _push(0) + b"\x35" + _push(248) + b"\x1c", b""
    for number, code in _ACTIONS.items():
        target = head_size + len(body)
        head += b"\x80" + _push(number) + b"\x14" + b"\x61" + target.to_bytes(2, "big") + b"\x57"
        body += b"\x5b" + code
    head += b"\x00"
    assert len(head) == head_size, (len(head), head_size)
    return head + body


_CODE = _runtime()
CREATION = (
    b"\x61" + len(_CODE).to_bytes(2, "big") + b"\x80" + _push(0x0C) + _push(0) + b"\x39" + _push(0) + b"\xf3" + _CODE
)


def call_data(action: int, word: int = 0) -> str:
    """Call data for an action, with one word behind it."""
    return f"0x{action:02x}{word:064x}"
