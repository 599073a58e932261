"""Threads that work for the node, and the events it sends out.

Work is handed over as functions and runs in order of arrival, on a stack that is deep enough for 1,024 nested frames of
contracts. The thread that owns the chain also keeps the appointments of interval mining, so that no other ever writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

import structlog

from chain.stack import STACK_BYTES, allow_deep_recursion

__all__ = ["EVENT_KINDS", "Events", "NodeStopped", "Worker"]

EVENT_KINDS = frozenset({"newHeads", "logs", "newPendingTransactions", "syncing"})

P = ParamSpec("P")
R = TypeVar("R")

_log = structlog.get_logger("node")


class NodeStopped(Exception):
    """Work was handed to a node that is shutting down."""


class _Promise:
    """A future of an event loop, kept on another thread: one call into the loop, where a wrapped one takes three."""

    __slots__ = ("_future", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
        self._loop = loop
        self._future = future

    def set_running_or_notify_cancel(self) -> bool:
        return not self._future.cancelled()

    def set_result(self, result: Any) -> None:
        self._settle(self._future.set_result, result)

    def set_exception(self, error: BaseException) -> None:
        self._settle(self._future.set_exception, error)

    def _settle(self, settle: Callable[[Any], None], outcome: Any) -> None:
        def arrive() -> None:
            if not self._future.done():
                settle(outcome)

        # A loop that is closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(arrive)


class Worker:
    """Runs functions one after another on a thread of its own."""

    def __init__(self, name: str, stack_bytes: int = STACK_BYTES) -> None:
        self._name = name
        self._work: queue.SimpleQueue[tuple[Future[Any] | _Promise, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._stack_bytes = stack_bytes
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._unfinished = 0
        self._lock = threading.Lock()
        self._period_s = 0.0
        self._tick: Callable[[], None] | None = None
        self._due_s = 0.0

    def start(self) -> None:
        """Start the thread."""
        allow_deep_recursion()
        previous = threading.stack_size(self._stack_bytes)
        try:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        finally:
            threading.stack_size(previous)

    def stop(self, timeout_s: float | None = 30.0) -> None:
        """Finish the work at hand, refuse what comes after, and end the thread."""
        self._stopped = True
        self._work.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on this thread."""
        return threading.current_thread() is self._thread

    @property
    def backlog(self) -> int:
        """How many calls wait or run."""
        return self._unfinished

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Hand over a call; its result or exception arrives in the future.

        Raises:
            NodeStopped: The thread no longer takes work.
        """
        if self._stopped:
            raise NodeStopped("the node is shutting down")
        future: Future[R] = Future()
        with self._lock:
            self._unfinished += 1
        self._work.put((future, lambda: function(*args, **kwargs)))
        return future

    def submit_soon(self, function: Callable[..., R], *args: Any) -> asyncio.Future[R]:
        """As `submit`, called on an event loop, for a future of that loop.

        Raises:
            NodeStopped: The thread no longer takes work.
        """
        if self._stopped:
            raise NodeStopped("the node is shutting down")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        with self._lock:
            self._unfinished += 1
        self._work.put((_Promise(loop, future), lambda: function(*args)))
        return future

    def every(self, period_s: float, tick: Callable[[], None]) -> None:
        """Call `tick` on this thread each `period_s` seconds from now on; 0 stops that. Call it on this thread."""
        self._period_s = period_s
        self._tick = tick if period_s > 0 else None
        self._due_s = time.monotonic() + period_s

    def _run(self) -> None:
        while True:
            timeout = None if self._tick is None else max(0.0, self._due_s - time.monotonic())
            try:
                item = self._work.get(timeout=timeout)
            except queue.Empty:
                self._run_tick()
                continue
            if item is None:
                break
            future, function = item
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the result
                    future.set_exception(error)
            with self._lock:
                self._unfinished -= 1
            del future, function, item
            if self._tick is not None and time.monotonic() >= self._due_s:
                self._run_tick()
        self._refuse_the_rest()

    def _run_tick(self) -> None:
        tick = self._tick
        if tick is None:
            return
        # A slow block must not be followed by a burst of them.
        self._due_s = max(self._due_s + self._period_s, time.monotonic())
        try:
            tick()
        except Exception:  # noqa: BLE001 - the next appointment stands
            _log.exception("interval mining failed")

    def _refuse_the_rest(self) -> None:
        while True:
            try:
                item = self._work.get_nowait()
            except queue.Empty:
                return
            if item is not None and item[0].set_running_or_notify_cancel():
                item[0].set_exception(NodeStopped("the node is shutting down"))


class Events:
    """Listeners by kind. Events are sent on the chain's thread; listeners may come and go on any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, dict[int, Callable[[Any], None]]] = {kind: {} for kind in EVENT_KINDS}
        self._count = 0

    def listen(self, kind: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Call `listener` with each event of the kind; the function returned ends that."""
        with self._lock:
            self._count += 1
            identifier = self._count
            self._listeners[kind][identifier] = listener

        def cancel() -> None:
            with self._lock:
                self._listeners[kind].pop(identifier, None)

        return cancel

    def wanted(self, kind: str) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners[kind])

    def send(self, kind: str, event: Any) -> None:
        """Tell everybody who listens; a listener that fails does not stop the others."""
        with self._lock:
            listeners = list(self._listeners[kind].values())
        for listener in listeners:
            try:
                listener(event)
            except Exception:  # noqa: BLE001 - the chain goes on without this listener
                _log.exception("listener failed", kind=kind)
