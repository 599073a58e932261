"""In-memory cache of what the gate and the compiler made of code.

Keyed by the code's bytes; one cache serves one (rules, engine). Verdicts are kept as well as artifacts: a contract that
is refused is refused again without work. Bounded by count and by bytes of code; the least recently used goes first. A
contract that was never run still has its module, which takes some fifty times the room of its code.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from ewasm.contract import Contract
from ewasm.engine.base import Artifact
from ewasm.errors import ModuleError

__all__ = ["Activated", "ArtifactCache"]


@dataclass(slots=True)
class Activated:
    """A contract and, once it was first run, its artifact."""

    contract: Contract
    artifact: Artifact | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def ready(self, build: Callable[[Contract], Artifact]) -> Artifact:
        """The artifact, built at most once also when several threads ask."""
        if self.artifact is None:
            with self.lock:
                if self.artifact is None:
                    self.artifact = build(self.contract)
        return self.artifact


class ArtifactCache:
    """Least-recently-used map from code to `Activated` or the error that refused it."""

    def __init__(self, max_entries: int = 1_024, max_bytes: int = 16 << 20) -> None:
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self._entries: OrderedDict[bytes, Activated | ModuleError] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, code: bytes, make: Callable[[bytes], Activated]) -> Activated:
        """The entry for `code`, made by `make` if it is new.

        Raises:
            ModuleError: `make` refuses it, now or earlier.
        """
        with self._lock:
            found = self._entries.get(code)
            if found is not None:
                self._entries.move_to_end(code)
        if found is None:
            try:
                found = make(code)
            except ModuleError as error:
                found = error
            self._put(code, found)
        if isinstance(found, ModuleError):
            raise found.with_traceback(None)
        return found

    def _put(self, code: bytes, entry: Activated | ModuleError) -> None:
        with self._lock:
            if code not in self._entries:
                self._bytes += len(code)
            self._entries[code] = entry
            while len(self._entries) > 1 and (len(self._entries) > self.max_entries or self._bytes > self.max_bytes):
                old, _ = self._entries.popitem(last=False)
                self._bytes -= len(old)
