"""In-memory cache of what the gate and the compiler made of code.

Keyed by the code's bytes; one cache serves one (rules, engine). Verdicts are kept as well as artifacts: a contract that
is refused is refused again without work. Bounded by count and by bytes of code; the least recently used goes first. An
artifact takes three of the 65,530 mappings that Linux gives a process, and 24 KiB, or six times its code if that is
more; a contract that was never run still has its module, some fifty times the room of its code.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict, deque
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
    """Least-recently-used map from code to `Activated` or the error that refused it.

    Beside it stands what the transaction at hand has called, however many that are: only the first call of a contract
    in a transaction is priced as cold. Were the next to compile it again, going round among more contracts than the
    cache holds would cost milliseconds a call for a warm call's gas.

    Args:
        max_entries: Most entries.
        max_bytes: Most bytes of code; the transaction at hand may hold twice as many on top.
        max_fresh_bytes: Most bytes of code whose modules are held until they are first run; they are made again after.
    """

    def __init__(self, max_entries: int = 4_096, max_bytes: int = 32 << 20, max_fresh_bytes: int = 2 << 20) -> None:
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.max_fresh_bytes = max_fresh_bytes
        self._entries: OrderedDict[bytes, Activated | ModuleError] = OrderedDict()
        self._bytes = 0
        self._fresh: deque[Contract] = deque()
        self._fresh_bytes = 0
        self._transaction = _Transaction(object(), {}, 0)
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
                found = copy.copy(error)
            self._put(code, found)
        if isinstance(found, ModuleError):
            # What is raised holds on to the frames that it passes, a transaction's state among them: a copy of its own
            # for each that asks, which goes when they are done, and none that threads would share.
            raise copy.copy(found)
        return found

    def of_transaction(self, transaction: object, code: bytes, make: Callable[[bytes], Activated]) -> Activated:
        """`get` for a frame of `transaction`, which is any object that its frames share and no other's."""
        # Threads that take turns only lose what they would find here.
        here = self._transaction
        if here.key is not transaction:
            here = self._transaction = _Transaction(transaction, {}, 2 * self.max_bytes)
        found = here.called.get(code)
        if found is None:
            found = self.get(code, make)
            here.bytes_left -= len(code)
            if here.bytes_left >= 0:
                here.called[code] = found
        return found

    def _put(self, code: bytes, entry: Activated | ModuleError) -> None:
        with self._lock:
            if code not in self._entries:
                self._bytes += len(code)
            self._entries[code] = entry
            while len(self._entries) > 1 and (len(self._entries) > self.max_entries or self._bytes > self.max_bytes):
                old, _ = self._entries.popitem(last=False)
                self._bytes -= len(old)
            if isinstance(entry, Activated):
                self._fresh.append(entry.contract)
                self._fresh_bytes += len(code)
            while len(self._fresh) > 1 and self._fresh_bytes > self.max_fresh_bytes:
                contract = self._fresh.popleft()
                self._fresh_bytes -= len(contract.code)
                contract.let_go()


@dataclass(slots=True)
class _Transaction:
    """What one transaction has called, as far as there is room for it."""

    key: object
    called: dict[bytes, Activated]
    bytes_left: int
