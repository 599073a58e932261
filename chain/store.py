"""The node's database: a mapping of bytes to bytes and a log of trie nodes, written in one commit a block.

Writes gather in memory and reach the files together, so that a kill at any moment leaves whole blocks. The owner reads
its own pending writes through `Store.writer`; every other thread reads what is committed through `Store.reader`.

Two files: SQLite's holds blocks, receipts, transactions, code and where the roots of tries are, by key; the log
(`chain.node_log`) holds the tries' nodes. The log is written and synchronised first, the mapping says how far it
counts. Databases of version 1 hold nodes by hash in the mapping; they are read as they are, and go on in the log.

Measured against lmdb with 60 rows of 300 bytes a commit: commit 0.90 ms (median; 6.0 at the 99th percentile, when the
log is folded in) against 0.85 (1.2); a read past the cache 5 us against 0.8. A block costs milliseconds, so neither
shows, and lmdb must be told in advance how large the file may ever grow.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from chain.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked, StoreMismatch, StoreReadOnly
from chain.node_log import FIRST, NodeCache, NodeLog, place_of, record_among
from chain.stack import logical_thread

__all__ = [
    "DATABASE_NAME",
    "FORMAT_VERSION",
    "NOWHERE",
    "KeyValue",
    "MemoryStore",
    "SqliteRows",
    "SqliteStore",
    "Store",
]

FORMAT_VERSION = "2"
# Formats that are read as they are and become the present one.
OLDER_VERSIONS = frozenset({"1"})
DATABASE_NAME = "chain.sqlite"
LOG_NAME = "nodes.log"
LOCK_NAME = "LOCK"
END_KEY = b"m/log"
# Where a view that cannot be written would write: beyond every log.
NOWHERE = place_of(1 << 45)
CACHED_BYTES = 8 * 1024 * 1024
SPILLED_BYTES = 12 * 1024 * 1024
# What a row costs in a dictionary beside its value.
ROW_BYTES = 200


class KeyValue(Protocol):
    """The mapping that py-evm's database seam takes, and the log of trie nodes beside it.

    Attributes:
        cache: Committed nodes, decoded.
        settled: Places from here on are not committed; what refers to them may come to nothing.
        next_place: Where the next record will stand.
    """

    @property
    def cache(self) -> NodeCache: ...

    @property
    def settled(self) -> int: ...

    @property
    def next_place(self) -> int: ...

    @property
    def log(self) -> NodeLog:
        """What is committed."""
        ...

    def record(self, place: int, key: bytes) -> bytes:
        """The record at a place of the log.

        Args:
            key: 32 bytes, the hash of the node.

        Raises:
            StoreCorrupt: There is none, or it is another's.
        """
        ...

    def append(self, place: int, records: Sequence[bytes]) -> None:
        """Put records behind the others, the first at `place`, which `next_place` was."""
        ...

    def after_commit(self, what: Callable[[], None]) -> None:
        """Call a function once what was written is committed; never, if that does not happen."""
        ...

    def __getitem__(self, key: bytes) -> bytes: ...

    def __setitem__(self, key: bytes, value: bytes) -> None: ...

    def __delitem__(self, key: bytes) -> None: ...

    def __contains__(self, key: object) -> bool: ...

    def get(self, key: bytes) -> bytes | None: ...


class Store(Protocol):
    """One owner writes; any thread reads what is committed."""

    @property
    def writer(self) -> KeyValue:
        """The owner's view: committed rows under its own pending writes."""
        ...

    @property
    def reader(self) -> KeyValue:
        """Committed rows, for any thread."""
        ...

    def commit(self) -> None:
        """Make the pending writes durable, all or none."""
        ...

    def rollback(self) -> None:
        """Forget the pending writes."""
        ...

    def identify(self, facts: Mapping[str, str]) -> None:
        """Write the facts into a new store, or compare them with those of an old one.

        Raises:
            StoreMismatch: The store belongs to another chain.
        """
        ...

    def close(self) -> None: ...


class _Pending:
    """The owner's view of a store."""

    def __init__(self, committed: _ReadOnly) -> None:
        self.committed = committed
        self.writes: dict[bytes, bytes | None] = {}
        self._records: list[bytes] = []
        self._size = 0
        self._waiting: list[Callable[[], None]] = []

    @property
    def cache(self) -> NodeCache:
        return self.committed.cache

    @property
    def settled(self) -> int:
        return self.committed.settled

    @property
    def next_place(self) -> int:
        return self.committed.settled + place_of(self._size)

    @property
    def log(self) -> NodeLog:
        return self.committed.log

    def record(self, place: int, key: bytes) -> bytes:
        if place < self.committed.settled:
            return self.committed.record(place, key)
        return record_among(self._records, place - self.committed.settled, key)

    def append(self, place: int, records: Sequence[bytes]) -> None:
        if place != self.next_place:
            raise StoreError("two states were written into one database at once")
        self._records += records
        self._size += sum(map(len, records))

    def after_commit(self, what: Callable[[], None]) -> None:
        self._waiting.append(what)

    @property
    def records(self) -> Sequence[bytes]:
        """The pending part of the log."""
        return self._records

    def forget(self) -> None:
        """Drop what was written."""
        self.writes.clear()
        self._records.clear()
        self._size = 0
        self._waiting.clear()

    def done(self) -> None:
        """What was written is committed."""
        waiting = list(self._waiting)
        self.forget()
        for what in waiting:
            what()

    def get(self, key: bytes) -> bytes | None:
        if key in self.writes:
            return self.writes[key]
        return self.committed.get(key)

    def __getitem__(self, key: bytes) -> bytes:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.writes[key] = value

    def __delitem__(self, key: bytes) -> None:
        self.writes[key] = None

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self.get(key) is not None


class _ReadOnly:
    """Base of the committed views: looks up through `get`, refuses to write."""

    def __init__(self, log: NodeLog) -> None:
        self.cache = NodeCache()
        self.log = log
        self.settled = place_of(log.end)

    def record(self, place: int, key: bytes) -> bytes:
        return self.log.read(place, key)

    @property
    def next_place(self) -> int:
        return NOWHERE

    def append(self, place: int, records: Sequence[bytes]) -> None:  # noqa: ARG002 - there is nothing to append to
        raise StoreError("this view of the database cannot be written")

    def after_commit(self, what: Callable[[], None]) -> None:  # noqa: ARG002 - there is no commit
        raise StoreError("this view of the database cannot be written")

    def get(self, key: bytes) -> bytes | None:
        raise NotImplementedError

    def __getitem__(self, key: bytes) -> bytes:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise StoreError("this view of the database cannot be written")

    def __delitem__(self, key: bytes) -> None:
        raise StoreError("this view of the database cannot be written")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self.get(key) is not None


class _Missing:
    """There is no row, which differs from a deleted one."""


_MISSING = _Missing()


class _Rows(_ReadOnly):
    """Rows in a dictionary, and from `SPILLED_BYTES` on in a file without a name that ends with the process.

    A node in memory keeps every block and state it ever had; its memory must not grow with them.
    """

    def __init__(self, spilled_bytes: int) -> None:
        super().__init__(NodeLog(spilled_bytes=spilled_bytes // 2))
        self._limit = spilled_bytes // 2
        self._guard = threading.Lock()
        self._file: sqlite3.Connection | None = None
        self._bytes = 0
        # None stands for a row of the file that was deleted.
        self._rows: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        value = self._rows.get(key, _MISSING)
        if not isinstance(value, _Missing):
            return value
        if self._file is None:
            return None
        with self._guard:
            # Between the two looks the row may have come back into a new dictionary.
            value = self._rows.get(key, _MISSING)
            if not isinstance(value, _Missing):
                return value
            row = self._file.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def merge(self, writes: Mapping[bytes, bytes | None]) -> None:
        """Take over writes; those of value None delete."""
        for key, value in writes.items():
            if value is None and self._file is None:
                self._rows.pop(key, None)
                continue
            self._rows[key] = value
            self._bytes += ROW_BYTES + len(value or b"")
        if self._bytes > self._limit:
            self._spill()

    def _spill(self) -> None:
        with self._guard:
            if self._file is None:
                self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
                self._file.execute("PRAGMA journal_mode = OFF")
                self._file.execute("PRAGMA cache_size = -8192")
                self._file.execute("CREATE TABLE kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
            puts = [(key, value) for key, value in self._rows.items() if value is not None]
            deletes = [(key,) for key, value in self._rows.items() if value is None]
            self._file.execute("BEGIN")
            # In order of keys, as the file's tree has them.
            self._file.executemany("INSERT OR REPLACE INTO kv VALUES (?, ?)", sorted(puts))
            self._file.executemany("DELETE FROM kv WHERE key = ?", deletes)
            self._file.execute("COMMIT")
            self._rows = {}
            self._bytes = 0

    def close(self) -> None:
        with self._guard:
            if self._file is not None:
                self._file.close()
                self._file = None
        self.log.close()


class MemoryStore:
    """A store that ends with the process."""

    def __init__(self, spilled_bytes: int = SPILLED_BYTES) -> None:
        self._rows = _Rows(spilled_bytes)
        self._pending = _Pending(self._rows)
        self._facts: dict[str, str] = {}

    @property
    def writer(self) -> KeyValue:
        return self._pending

    @property
    def reader(self) -> KeyValue:
        return self._rows

    def commit(self) -> None:
        self._rows.log.append(self._pending.records)
        self._rows.settled = place_of(self._rows.log.end)
        self._rows.merge(self._pending.writes)
        self._pending.done()

    def rollback(self) -> None:
        self._pending.forget()

    def identify(self, facts: Mapping[str, str]) -> None:
        _compare(self._facts, facts, "memory")
        self._facts.update(facts)

    def close(self) -> None:
        self._rows.close()


class SqliteRows(_ReadOnly):
    """Committed rows of the file, one connection a thread, with a bounded cache of rows that never change.

    A thread that got the number of one that ended gets its connection too, so there are no more than threads at once.
    Keys of 32 bytes are hashes of their values (code, nodes of version 1), or of what stands at a place of the log; so
    a cached row cannot go stale.
    """

    def __init__(self, path: Path, log: NodeLog) -> None:
        super().__init__(log)
        self._path = path
        self._connections: dict[int, sqlite3.Connection] = {}
        self._guard = threading.Lock()
        self._cache: dict[bytes, bytes] = {}
        self._cached_bytes = 0

    def connection(self) -> sqlite3.Connection:
        ident = logical_thread()
        found = self._connections.get(ident)
        if found is None:
            found = _connect(self._path)
            with self._guard:
                self._connections[ident] = found
        return found

    def get(self, key: bytes) -> bytes | None:
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        try:
            row = self.connection().execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
        except sqlite3.DatabaseError as error:
            raise _typed(error, self._path) from error
        if row is None:
            return None
        value = bytes(row[0])
        if len(key) == 32:
            self._cached_bytes += ROW_BYTES + len(value)
            if self._cached_bytes > CACHED_BYTES:
                self._cache = {}
                self._cached_bytes = 0
            self._cache[key] = value
        return value

    def close(self) -> None:
        with self._guard:
            for connection in self._connections.values():
                with contextlib.suppress(sqlite3.Error):
                    connection.close()
            self._connections.clear()
        self.log.close()


class SqliteStore:
    """A store in `directory`/chain.sqlite and `directory`/nodes.log, held by one process at a time.

    The log of nodes is synchronised, then SQLite's write-ahead log: what `commit` returned from survives kill -9 and a
    loss of power. Where the process ends between the two, the log is longer than it counts, and written over.

    Raises:
        StoreReadOnly, StoreLocked, StoreCorrupt, StoreMismatch: See `chain.errors`.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / DATABASE_NAME
        with contextlib.ExitStack() as opened:
            self._lock = opened.enter_context(_lock(directory))
            self._connection = opened.enter_context(contextlib.closing(_connect(self.path)))
            _prepare(self._connection, self.path)
            log = NodeLog(directory / LOG_NAME, _end_of_log(self._connection, self.path))
            opened.pop_all()
        self._rows = SqliteRows(self.path, log)
        self._pending = _Pending(self._rows)

    @property
    def writer(self) -> KeyValue:
        return self._pending

    @property
    def reader(self) -> KeyValue:
        return self._rows

    def commit(self) -> None:
        writes = self._pending.writes
        log, appended = self._rows.log, self._pending.records
        if not writes and not appended:
            self._pending.done()
            return
        if appended:
            log.append(appended)
            self._rows.settled = place_of(log.end)
            try:
                log.sync()
                self._write({**writes, END_KEY: log.end.to_bytes(8, "big")})
            except BaseException:
                # Whether the files count what was just appended is not known; so it is never written over.
                self._pending.forget()
                raise
        else:
            self._write(writes)
        self._pending.done()

    def _write(self, writes: Mapping[bytes, bytes | None]) -> None:
        puts = [(key, value) for key, value in writes.items() if value is not None]
        deletes = [(key,) for key, value in writes.items() if value is None]
        with _transaction(self._connection, self.path):
            self._connection.executemany("INSERT OR REPLACE INTO kv VALUES (?, ?)", puts)
            self._connection.executemany("DELETE FROM kv WHERE key = ?", deletes)

    def rollback(self) -> None:
        self._pending.forget()

    def identify(self, facts: Mapping[str, str]) -> None:
        try:
            known = dict(self._connection.execute("SELECT name, value FROM meta").fetchall())
        except sqlite3.DatabaseError as error:
            raise _typed(error, self.path) from error
        if known.get("format") in OLDER_VERSIONS:
            del known["format"]
        _compare(known, facts, str(self.path))
        missing = [(name, value) for name, value in facts.items() if name not in known]
        if missing:
            with _transaction(self._connection, self.path):
                self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", missing)

    def close(self) -> None:
        self._rows.close()
        self._connection.close()
        self._lock.close()


def _compare(known: Mapping[str, str], facts: Mapping[str, str], where: str) -> None:
    for name, value in facts.items():
        if name in known and known[name] != value:
            raise StoreMismatch(
                f"the database at {where} belongs to another chain: {name} is {known[name]}, not {value}; "
                "choose another data directory, or start with the options it was made with"
            )


def _typed(error: sqlite3.DatabaseError, path: Path) -> StoreError:
    text = str(error)
    if "readonly" in text or "unable to open" in text:
        return StoreReadOnly(f"cannot write the database {path}: {text}")
    if "locked" in text:
        return StoreLocked(f"another process uses the database {path}")
    if "full" in text or "disk I/O" in text:
        return StoreFull(f"cannot write the database {path}: {text}; what was answered before is safe")
    return StoreCorrupt(f"the database {path} is damaged: {text}; move it away to start afresh")


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    except sqlite3.DatabaseError as error:
        raise _typed(error, path) from error
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16384")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _typed(error, path) from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
        connection.execute("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _typed(error, path) from error


def _end_of_log(connection: sqlite3.Connection, path: Path) -> int:
    try:
        row = connection.execute("SELECT value FROM kv WHERE key = ?", (END_KEY,)).fetchone()
    except sqlite3.DatabaseError as error:
        raise _typed(error, path) from error
    return FIRST if row is None else int.from_bytes(row[0], "big")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # Where the disk is full the file may have rolled back by itself.
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            raise
    except sqlite3.DatabaseError as error:
        raise _typed(error, path) from error


def _lock(directory: Path) -> IO[bytes]:
    """Hold the directory for this process; released when the file is closed, or by the kernel when the process ends."""
    import fcntl

    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = (directory / LOCK_NAME).open("ab")
    except OSError as error:
        raise StoreReadOnly(f"cannot write to the data directory {directory}: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise StoreLocked(f"another node uses the data directory {directory}") from error
    return handle
