"""`debug`: lines for the node's log and the trace. Importable only where the node runs with debug on; costs no gas.

What one frame may print is bounded, since nobody pays for it.
"""

from __future__ import annotations

from ewasm.eei.frame import Frame

MAX_LINE_BYTES = 4_096
MAX_FRAME_BYTES = 65_536


def print32(frame: Frame, value: int) -> None:
    _print(frame, f"{value} (0x{value:x})")


def print64(frame: Frame, value: int) -> None:
    _print(frame, f"{value} (0x{value:x})")


def print_mem(frame: Frame, offset: int, length: int) -> None:
    _print_bytes(frame, frame.memory.read(offset, length), as_text=True)


def print_mem_hex(frame: Frame, offset: int, length: int) -> None:
    _print_bytes(frame, frame.memory.read(offset, length), as_text=False)


def print_storage(frame: Frame, key: int) -> None:
    _print_bytes(frame, _stored(frame, key), as_text=True)


def print_storage_hex(frame: Frame, key: int) -> None:
    _print_bytes(frame, _stored(frame, key), as_text=False)


def _stored(frame: Frame, key: int) -> bytes:
    """Looks without warming the slot: a look must not change what the next access costs."""
    return frame.host.get_storage(frame.message.recipient, frame.memory.read(key, 32))


def _print_bytes(frame: Frame, data: bytes, *, as_text: bool) -> None:
    shown = data[:MAX_LINE_BYTES]
    text = shown.decode("utf-8", "backslashreplace") if as_text else "0x" + shown.hex()
    _print(frame, text + (f"... ({len(data)} bytes)" if len(data) > MAX_LINE_BYTES else ""))


def _print(frame: Frame, line: str) -> None:
    if frame.debug is None or frame.debug_bytes > MAX_FRAME_BYTES:
        return
    frame.debug_bytes += len(line) + 1
    frame.debug(line if frame.debug_bytes <= MAX_FRAME_BYTES else "... (this frame prints no more)")
