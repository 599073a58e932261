"""WebAssembly text with repetitions, for fixtures that are large but not long.

`{COUNT|text}` is the text COUNT times, with its index in place of each `#`; COUNT is a number, `n`, or `n-1` and the
like. `{n}` is the number itself. Repetitions nest; a `#` belongs to the innermost.
"""

from __future__ import annotations

import re

import wasmtime

__all__ = ["expand", "module"]

_INNERMOST = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")
_COUNT = re.compile(r"(n|\d+)(?:([-+*/%])(\d+))?")


def expand(text: str, n: int = 0) -> str:
    """The text with its repetitions written out.

    Raises:
        ValueError: A count that is none.
    """
    while found := _INNERMOST.search(text):
        count, repeated = _count(found[1], n), found[2]
        new = str(count) if repeated is None else "".join(repeated.replace("#", str(i)) for i in range(count))
        text = text[: found.start()] + new + text[found.end() :]
    return text


def _count(expression: str, n: int) -> int:
    parts = _COUNT.fullmatch(expression.strip())
    if parts is None:
        raise ValueError(f"{expression!r} is not a count")
    left = n if parts[1] == "n" else int(parts[1])
    right = int(parts[3] or 0)
    match parts[2]:
        case "-":
            return left - right
        case "+":
            return left + right
        case "*":
            return left * right
        case "/":
            return left // right
        case "%":
            return left % right
    return left


def module(text: str, n: int = 0) -> bytes:
    """The binary module of an expanded text, which lacks the outermost `(module`."""
    return bytes(wasmtime.wat2wasm(f"(module {expand(text, n)})"))
