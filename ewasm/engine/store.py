"""Compiled contracts on disk.

One file an artifact, named by everything it depends on: the code, the rules, the sources that turn one into the other,
Wasmtime, the machine, the tier. So nothing is ever stale, and the folder can be deleted at any time. Files appear whole
(written aside, then renamed) and are checked against their own digest when read; so processes may share a folder, and a
torn or damaged file counts as missing.

Loading an artifact runs it. The digest finds accidents; against others on the machine stands that the folder and each
file belong to this user, that nobody else can write there, and that links are not followed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import struct
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ewasm.contract import Facts
from ewasm.rules import Rules

__all__ = ["DEFAULT_MAX_BYTES", "ArtifactStore", "Entry", "Stored", "UnusableFolder", "artifact_key"]

DEFAULT_MAX_BYTES = 256 << 20
_MAGIC = b"ewasm-1\n"
_HEADER = struct.Struct("<8s32s")
"""Magic, SHA-256 of all behind this header: size of the facts, the facts (JSON), the artifact."""
_SIZE = struct.Struct("<I")
_ARTIFACT, _REFUSED = ".artifact", ".refused"
_TOUCH_AFTER_S = 3_600.0
_LOWER_TO = 0.9
"""Eviction goes on to this part of the bound, so that it is not needed again at the next file."""
_RULE_SETS = 64
_PACKAGE = Path(__file__).parents[1]
_SOURCES = ("wasm", "metering", "eei", "prelude", "engine")


class UnusableFolder(Exception):
    """The folder cannot be used, or others could write to it and nothing in it may be run; the text is one line for the
    user."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An artifact with what has to be known of its contract to run it.

    Attributes:
        exports: Entry point -> name of its export.
        facts: `Contract.facts`.
        compiled: Wasmtime's serialized module.
    """

    exports: Mapping[str, str]
    facts: Facts
    compiled: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the folder, for listings."""

    path: Path
    size_bytes: int
    used_s: float
    """Time stamp of its last use, to the hour."""

    @property
    def is_refusal(self) -> bool:
        return self.path.suffix == _REFUSED


@cache
def _toolchain() -> bytes:
    """Digest over what makes artifacts out of contracts: our sources, Wasmtime, the machine."""
    import platform
    from importlib.metadata import version

    hasher = hashlib.sha256()
    files = [*_PACKAGE.glob("*.py"), *(p for name in _SOURCES for p in (_PACKAGE / name).rglob("*") if p.is_file())]
    for path in sorted(p for p in files if p.suffix != ".pyc"):
        hasher.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    hasher.update("\n".join((version("wasmtime"), sys.platform, platform.machine())).encode())
    return hasher.digest()


# Digest of rules by the identity of the object, which is kept so that no other can take its place: a digest over all
# prices takes longer than loading an artifact.
_rules_digests: dict[int, tuple[Rules, bytes]] = {}


def _digest_of(rules: Rules) -> bytes:
    known = _rules_digests.get(id(rules))
    if known is None:
        if len(_rules_digests) >= _RULE_SETS:
            _rules_digests.clear()
        known = _rules_digests[id(rules)] = (rules, rules.digest)
    return known[1]


def artifact_key(code: bytes, rules: Rules, tier: str) -> bytes:
    """32 bytes that name the artifact of `code` under `rules` on `tier`, made by this very program on this machine."""
    return hashlib.sha256(_digest_of(rules) + _toolchain() + hashlib.sha256(code).digest() + tier.encode()).digest()


class ArtifactStore:
    """A folder of artifacts. Safe to share between threads and processes.

    A disk that is full or fails costs compilations, never a run: what cannot be written is left out.

    Args:
        folder: Made (mode 0700) if it is not there.
        max_bytes: What its files may take together; the least recently used go first.

    Raises:
        UnusableFolder: It cannot be made, somebody else owns it or may write to it, or it is a link.
    """

    def __init__(self, folder: Path, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._size: int | None = None
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.lstat()
        except OSError as error:
            raise UnusableFolder(f"cannot keep compiled contracts in {folder}: {error.strerror}") from error
        if not stat.S_ISDIR(found.st_mode):
            raise UnusableFolder(f"cannot keep compiled contracts in {folder}: it is a link")
        if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
            raise UnusableFolder(
                f"will not run compiled contracts from {folder}: it must belong to you, and nobody else may write to it"
            )

    def load(self, key: bytes) -> Stored | None:
        """The artifact of this key, or None."""
        data = self._read(self._path(key, _ARTIFACT))
        if data is None or len(data) < _HEADER.size:
            return None
        magic, digest = _HEADER.unpack_from(data)
        rest = memoryview(data)[_HEADER.size :]
        if magic != _MAGIC or hashlib.sha256(rest).digest() != digest:
            return None
        end = _SIZE.size + _SIZE.unpack_from(rest)[0]
        exports, facts = json.loads(bytes(rest[_SIZE.size : end]))
        return Stored(exports, facts, bytes(rest[end:]))

    def save(self, key: bytes, stored: Stored) -> None:
        """Keep an artifact."""
        facts = json.dumps([dict(stored.exports), stored.facts]).encode()
        rest = _SIZE.pack(len(facts)) + facts + stored.compiled
        header = _HEADER.pack(_MAGIC, hashlib.sha256(rest).digest())
        self._write(self._path(key, _ARTIFACT), header + rest)

    def is_refused(self, key: bytes) -> bool:
        """Whether the compiler failed on it before."""
        return self._path(key, _REFUSED).exists()

    def refuse(self, key: bytes, reason: str) -> None:
        """Keep that the compiler failed on it, and why."""
        self._write(self._path(key, _REFUSED), reason.encode())

    def entries(self) -> Iterator[Entry]:
        """All files, in no order."""
        with os.scandir(self.folder) as found:
            for item in found:
                if item.name.endswith((_ARTIFACT, _REFUSED)):
                    with contextlib.suppress(FileNotFoundError):  # another process evicted it
                        facts = item.stat(follow_symlinks=False)
                        yield Entry(Path(item.path), facts.st_size, facts.st_mtime)

    def clear(self) -> int:
        """Delete all files; gives how many there were. Also what a crash left half written."""
        count = 0
        for path in [*self.folder.glob(f"*{_ARTIFACT}"), *self.folder.glob(f"*{_REFUSED}")]:
            path.unlink(missing_ok=True)
            count += 1
        for path in self.folder.glob("*.tmp"):
            path.unlink(missing_ok=True)
        with self._lock:
            self._size = None
        return count

    def _path(self, key: bytes, suffix: str) -> Path:
        return self.folder / (key.hex() + suffix)

    def _read(self, path: Path) -> bytes | None:
        try:
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        except OSError:
            return None
        try:
            facts = os.fstat(handle)
            if hasattr(os, "geteuid") and (facts.st_uid != os.geteuid() or facts.st_mode & 0o022):
                return None
            data = os.read(handle, facts.st_size)
            if time.time() - facts.st_mtime > _TOUCH_AFTER_S:
                os.utime(path)
            return data
        except OSError:
            return None
        finally:
            os.close(handle)

    def _write(self, path: Path, data: bytes) -> None:
        if len(data) > self.max_bytes:
            return
        import tempfile

        try:
            handle, aside = tempfile.mkstemp(suffix=".tmp", dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(aside).replace(path)
            except BaseException:
                Path(aside).unlink(missing_ok=True)
                raise
            self._make_room(len(data))
        except OSError:
            return

    def _make_room(self, added: int) -> None:
        """Evict if the folder has grown too large. Its size is counted once, then kept; others may write too, so what
        is counted is made good whenever something has to go."""
        with self._lock:
            if self._size is None:
                self._size = sum(entry.size_bytes for entry in self.entries())
            else:
                self._size += added
            if self._size <= self.max_bytes:
                return
            entries = sorted(self.entries(), key=lambda entry: entry.used_s)
            self._size = sum(entry.size_bytes for entry in entries)
            for entry in entries:
                if self._size <= self.max_bytes * _LOWER_TO:
                    break
                entry.path.unlink(missing_ok=True)
                self._size -= entry.size_bytes
