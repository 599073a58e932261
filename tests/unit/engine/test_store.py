"""Compiled contracts on disk: what is found again, what is not trusted, and how the folder stays small."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ewasm.contract import Facts
from ewasm.engine.store import ArtifactStore, Stored, UnusableFolder, artifact_key
from ewasm.metering.schedule import SCHEDULES
from ewasm.rules import EWASM_2018, EWASM_2026

FACTS: Facts = {"entries": {"main": 0}, "sizes": (1, 2, 3, 1), "arguments": None}
STORED = Stored({"main": "ewasm:main"}, FACTS, b"machine code" * 100)
KEY = artifact_key(b"code", EWASM_2026, "winch")


def numbered(number: int) -> bytes:
    return artifact_key(b"%d" % number, EWASM_2026, "winch")


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "cache")
    assert store.load(KEY) is None
    store.save(KEY, STORED)
    found = ArtifactStore(tmp_path / "cache").load(KEY)
    assert found is not None
    assert found.compiled == STORED.compiled
    assert found.exports == STORED.exports
    assert found.facts["entries"] == {"main": 0}
    assert tuple(found.facts["sizes"]) == (1, 2, 3, 1)


def test_folder_and_files_are_the_owners_alone(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "cache")
    store.save(KEY, STORED)
    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert only_file(store.folder).stat().st_mode & 0o077 == 0


def test_keys_depend_on_code_rules_and_tier() -> None:
    others = [
        artifact_key(b"cod", EWASM_2026, "winch"),
        artifact_key(b"code", EWASM_2026, "cranelift"),
        artifact_key(b"code", EWASM_2018, "winch"),
        artifact_key(b"code", replace(EWASM_2026, schedule=SCHEDULES["flat"]), "winch"),
        artifact_key(b"code", replace(EWASM_2026, namespaces=EWASM_2026.namespaces | {"debug"}), "winch"),
        artifact_key(b"code", replace(EWASM_2026, limits=replace(EWASM_2026.limits, memory_pages=2)), "winch"),
    ]
    assert len({KEY, *others}) == 1 + len(others)
    assert artifact_key(b"code", replace(EWASM_2026), "winch") == KEY


@pytest.mark.parametrize("place", [0, 8, 40, 50, 200, -1])
def test_a_damaged_file_counts_as_missing(tmp_path: Path, place: int) -> None:
    store = ArtifactStore(tmp_path)
    store.save(KEY, STORED)
    path = only_file(tmp_path)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert store.load(KEY) is None
    store.save(KEY, STORED)
    assert store.load(KEY) is not None


@pytest.mark.parametrize("kept", [0, 7, 43, 44, 60, -1])
def test_a_torn_file_counts_as_missing(tmp_path: Path, kept: int) -> None:
    store = ArtifactStore(tmp_path)
    store.save(KEY, STORED)
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    assert store.load(KEY) is None


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(UnusableFolder, match="nobody else may write"):
        ArtifactStore(folder)


def test_a_link_to_a_folder_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "cache").symlink_to(tmp_path / "real")
    with pytest.raises(UnusableFolder, match="link"):
        ArtifactStore(tmp_path / "cache")


def test_a_file_in_place_of_the_folder_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(UnusableFolder, match="cache"):
        ArtifactStore(tmp_path / "cache")


def test_a_file_that_others_may_write_to_or_a_link_is_not_loaded(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "cache")
    store.save(KEY, STORED)
    path = only_file(store.folder)
    path.chmod(0o666)
    assert store.load(KEY) is None
    path.chmod(0o600)
    assert store.load(KEY) is not None
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert store.load(KEY) is None


def test_the_least_recently_used_files_go_when_the_folder_is_full(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path, max_bytes=8_000)
    for number in range(5):
        store.save(numbered(number), STORED)
        os.utime(tmp_path / f"{numbered(number).hex()}.artifact", (number, number))
    assert store.load(numbered(0)) is not None, "a use counts"
    store.save(numbered(5), STORED)
    store.save(numbered(6), STORED)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert sum(sizes) <= 8_000
    assert [n for n in range(7) if store.load(numbered(n)) is not None] == [0, 3, 4, 5, 6]


def test_what_is_larger_than_the_folder_may_be_is_not_kept(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path, max_bytes=100)
    store.save(KEY, STORED)
    assert list(tmp_path.iterdir()) == []


def test_refusals_are_kept_and_listed_and_cleared(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    store.refuse(KEY, "took too long")
    store.save(numbered(1), STORED)
    assert ArtifactStore(tmp_path).is_refused(KEY)
    assert not store.is_refused(numbered(1))
    assert sorted(entry.is_refusal for entry in store.entries()) == [False, True]
    assert store.clear() == 2
    assert list(tmp_path.iterdir()) == []
    assert not store.is_refused(KEY)


def test_a_disk_that_cannot_be_written_costs_only_the_cache(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "cache")
    store.folder.rmdir()
    store.save(KEY, STORED)
    store.refuse(KEY, "reason")
    assert store.load(KEY) is None
    assert not store.is_refused(KEY)


WRITER = """
import sys
from pathlib import Path
from ewasm.engine.store import ArtifactStore
from tests.unit.engine.test_store import STORED, numbered
store = ArtifactStore(Path(sys.argv[1]), max_bytes=20_000)
for turn in range(300):
    key = numbered(turn % 40)
    store.save(key, STORED)
    found = store.load(numbered(turn * 7 % 40))
    if found is not None and found.compiled != STORED.compiled:
        raise SystemExit("another artifact than was saved")
"""


def test_several_processes_share_a_folder(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", WRITER, str(tmp_path / "cache")]
    running = [subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.PIPE) for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    store = ArtifactStore(tmp_path / "cache", max_bytes=20_000)
    store.save(KEY, STORED)
    # Each keeps count of its own; the first to write after the others puts it right.
    assert sum(entry.size_bytes for entry in store.entries()) <= 20_000 + 2_000
    assert not list((tmp_path / "cache").glob("*.tmp"))
