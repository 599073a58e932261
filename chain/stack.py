"""Threads with a stack deep enough for 1,024 nested frames of contracts, EVM and Wasm in turns.

Every frame is some forty Python calls, several of them through C; the main thread's stack ends before the depth limit
of the protocol does, and Python 3.12 lets C call C only 1,500 deep on one thread, whatever its stack. So the first
frames run on a thread made by `run_with_stack`, and every `FRAMES_PER_THREAD` frames the executor goes on with a fresh
thread (`on_fresh_thread`) while the one below it waits. Memory is only reserved: a page is used when it is touched.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = [
    "FRAMES_PER_THREAD",
    "RECURSION_LIMIT",
    "STACK_BYTES",
    "allow_deep_recursion",
    "logical_thread",
    "on_fresh_thread",
    "run_with_stack",
]

STACK_BYTES = 512 * 1024 * 1024
RECURSION_LIMIT = 100_000
FRAMES_PER_THREAD = 128
# A frame's Wasm may take up to a megabyte of it (`ewasm.engine.native`).
FRESH_STACK_BYTES = 192 * 1024 * 1024

T = TypeVar("T")


class _Origin(threading.local):
    """On whose behalf this thread runs; None for a thread of its own."""

    ident: int | None = None


_origin = _Origin()
_starting = threading.Lock()


def logical_thread() -> int:
    """The identity of the thread at the bottom: the same for all threads of one chain of nested frames.

    They wait for each other, so that what belongs to one thread (a database connection) may be used by all of them.
    """
    return _origin.ident or threading.get_ident()


def allow_deep_recursion() -> None:
    """Raise the interpreter's recursion limit to what the protocol's depth of calls takes."""
    if sys.getrecursionlimit() < RECURSION_LIMIT:
        sys.setrecursionlimit(RECURSION_LIMIT)


def run_with_stack(function: Callable[[], T], stack_bytes: int = STACK_BYTES) -> T:
    """Run `function` on a thread of its own with a deep stack; returns its result or raises its exception."""
    allow_deep_recursion()
    return _run(function, stack_bytes, None)


def on_fresh_thread(function: Callable[[], T]) -> T:
    """As `run_with_stack`, but the new thread counts as the caller's (`logical_thread`)."""
    return _run(function, FRESH_STACK_BYTES, logical_thread())


def _run(function: Callable[[], T], stack_bytes: int, origin: int | None) -> T:
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        _origin.ident = origin
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again below, on the caller's thread
            errors.append(error)

    thread = threading.Thread(target=body, name="deep-stack")
    # The size is the whole process's setting, so two threads must not start at once.
    with _starting:
        previous = threading.stack_size(stack_bytes)
        try:
            thread.start()
        finally:
            threading.stack_size(previous)
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
