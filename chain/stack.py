"""Threads with a stack deep enough for 1,024 nested frames of contracts, EVM and Wasm in turns.

Every frame is some forty Python calls, several of them through C; the main thread's stack ends before the depth limit
of the protocol does. Memory is only reserved: a page is used when it is first touched.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["RECURSION_LIMIT", "STACK_BYTES", "allow_deep_recursion", "run_with_stack"]

STACK_BYTES = 512 * 1024 * 1024
RECURSION_LIMIT = 100_000

T = TypeVar("T")


def allow_deep_recursion() -> None:
    """Raise the interpreter's recursion limit to what the protocol's depth of calls takes."""
    if sys.getrecursionlimit() < RECURSION_LIMIT:
        sys.setrecursionlimit(RECURSION_LIMIT)


def run_with_stack(function: Callable[[], T], stack_bytes: int = STACK_BYTES) -> T:
    """Run `function` on a thread of its own with a deep stack; returns its result or raises its exception."""
    allow_deep_recursion()
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again below, on the caller's thread
            errors.append(error)

    previous = threading.stack_size(stack_bytes)
    try:
        thread = threading.Thread(target=body, name="deep-stack")
        thread.start()
    finally:
        threading.stack_size(previous)
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
