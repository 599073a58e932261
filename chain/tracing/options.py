"""What a client may say about a trace: geth's TraceConfig and TraceCallConfig."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["DEFAULT_TIMEOUT_S", "MAX_TIMEOUT_S", "TraceOptions", "parse_duration"]

DEFAULT_TIMEOUT_S: Final = 5.0
MAX_TIMEOUT_S: Final = 60.0

_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """How to trace.

    Attributes:
        tracer: Name of a tracer, or "" for the step logger.
        config: The tracer's own options.
        timeout_s: For the whole request, seconds.
        disable_stack: Step logger: leave the stack out.
        disable_storage: Step logger: leave storage out.
        enable_memory: Step logger: show memory.
        enable_return_data: Step logger: show the last call's output.
        limit: Step logger: record at most this many steps; 0 for all.
    """

    tracer: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = DEFAULT_TIMEOUT_S
    disable_stack: bool = False
    disable_storage: bool = False
    enable_memory: bool = False
    enable_return_data: bool = False
    limit: int = 0


def parse_duration(text: str) -> float:
    """Seconds of a duration in Go's notation: "5s", "300ms", "1m30s".

    Raises:
        ValueError: It is none, is not positive, or is longer than `MAX_TIMEOUT_S`.
    """
    total, end = 0.0, 0
    for match in _PART.finditer(text):
        if match.start() != end:
            break
        total += float(match[1]) * _UNITS[match[2]]
        end = match.end()
    if not text or end != len(text):
        raise ValueError(f"not a duration such as 5s or 300ms: {text[:50]!r}")
    if not 0 < total <= MAX_TIMEOUT_S:
        raise ValueError(f"a timeout is more than 0 and at most {MAX_TIMEOUT_S:g} s")
    return total
