"""The log of trie nodes: kills and faults between its write and the commit, damage, and databases of version 1."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from chain.blockchain import Blockchain
from chain.crypto import keccak
from chain.errors import StoreCorrupt, StoreError, StoreFull
from chain.node_log import FIRST, NodeLog, checked, place_of
from chain.overlay import Overlay
from chain.state_db import StateDB
from chain.state_trie import StateTrie, read_node
from chain.store import DATABASE_NAME, END_KEY, LOG_NAME, MemoryStore, SqliteStore
from chain.trie import EMPTY_ROOT
from tests.unit.chain.support import ALICE, BOB, ETHER, new_chain, tx

NODE = b"a trie node's record"
KEY = keccak(NODE)


def _mine(chain: Blockchain, nonces: range) -> None:
    for nonce in nonces:
        chain.build_block([tx(nonce, value=1)], timestamp=1000 + nonce)


def _log_end(directory: Path) -> int:
    with closing(sqlite3.connect(directory / DATABASE_NAME)) as connection:
        row = connection.execute("SELECT value FROM kv WHERE key = ?", (END_KEY,)).fetchone()
    return int.from_bytes(row[0], "big")


@pytest.mark.parametrize("in_file", [True, False])
def test_a_record_is_read_by_its_place_and_hash_alone(tmp_path: Path, in_file: bool) -> None:
    with closing(NodeLog(tmp_path / LOG_NAME if in_file else None, spilled_bytes=1 << 20)) as log:
        record = checked(NODE, KEY)
        log.append([record, record])
        place = place_of(FIRST, len(record))
        assert log.read(place, KEY) == record
        assert log.read(place_of(FIRST + len(record), len(record)), KEY) == record
        for wrong, key in [(place, keccak(b"other")), (place + place_of(1), KEY), (place - 1, KEY), (place + 1, KEY)]:
            with pytest.raises(StoreCorrupt, match=key.hex()):
                log.read(wrong, key)
        with pytest.raises(StoreCorrupt):
            log.read(place_of(1 << 20, len(record)), KEY)


def test_memory_that_spills_keeps_its_places() -> None:
    with closing(NodeLog(spilled_bytes=1000)) as log:
        places = []
        for number in range(100):
            body = bytes([number]) * 30
            record = checked(body, keccak(body))
            places.append((place_of(log.end, len(record)), keccak(body), record))
            log.append([record])
        for place, key, record in places:
            assert log.read(place, key) == record


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
import chain.node_log
from chain.store import SqliteStore
from tests.unit.chain.support import new_chain, tx
chain = new_chain(store=SqliteStore(Path(sys.argv[1])))
for nonce in range(3):
    chain.build_block([tx(nonce, value=1)], timestamp=1000 + nonce)

def die(*_):
    os.kill(os.getpid(), 9)

def half(self, records, offset):
    data = b"".join(records)
    os.pwrite(self._file, data[:len(data) // 2], offset)
    die()

{fault}
chain.build_block([tx(3, value=1)], timestamp=1003)
"""
FAULTS = {
    "before the write": "chain.store._rows.log.append = die",
    "in the write": "type(chain.store._rows.log)._write = half",
    "before the synchronisation": "chain.store._rows.log.sync = die",
    "before the commit": "chain.store._write = die",
    "behind the commit": "chain.store._pending.done = die",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_kill_leaves_whole_blocks(fault: str, tmp_path: Path, repository: Path) -> None:
    script = KILLED.replace("{fault}", FAULTS[fault])
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=repository, check=False)
    assert done.returncode == -9
    there = 4 if fault == "behind the commit" else 3
    end, size = _log_end(tmp_path), (tmp_path / LOG_NAME).stat().st_size
    assert (size > end) == (fault in ("in the write", "before the synchronisation", "before the commit"))
    chain = new_chain(store=SqliteStore(tmp_path))
    assert chain.head.number == there
    assert chain.state_at().balance(BOB) == 1000 * ETHER + there
    _mine(chain, range(there, 8))
    chain.close()
    whole = new_chain()
    _mine(whole, range(8))
    with closing(SqliteStore(tmp_path)) as store:
        again = new_chain(store=store)
        assert again.head.header.state_root == whole.head.header.state_root
        for number in range(9):
            block = again.block_by_number(number)
            assert block is not None
            assert again.state_at(block).nonce(ALICE) == number


@pytest.mark.parametrize("fault", ["sync", "write"])
def test_a_block_that_fails_to_be_written_leaves_the_chain_as_it_was(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = new_chain(store=SqliteStore(tmp_path))
    _mine(chain, range(2))
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(os, "fdatasync" if fault == "sync" else "pwritev", full)
        with pytest.raises(StoreFull, match="No space left"):
            chain.build_block([tx(2, value=1)])
    assert chain.head.number == 2
    assert chain.state_at().nonce(ALICE) == 2
    _mine(chain, range(2, 4))
    head = chain.head
    chain.close()
    with closing(SqliteStore(tmp_path)) as store:
        again = new_chain(store=store)
        assert again.head == head
        assert again.state_at().balance(BOB) == 1000 * ETHER + 4


def test_a_damaged_node_is_told_from_its_hash(tmp_path: Path) -> None:
    chain = new_chain(store=SqliteStore(tmp_path))
    _mine(chain, range(2))
    chain.close()
    path = tmp_path / LOG_NAME
    raw = bytearray(path.read_bytes())
    raw[-20] ^= 1
    path.write_bytes(raw)
    with closing(SqliteStore(tmp_path)) as store, pytest.raises(StoreCorrupt, match="trie node 0x"):
        new_chain(store=store).state_at().balance(BOB)


@pytest.mark.parametrize("damage", ["missing", "short", "other"])
def test_a_log_that_does_not_fit_is_refused(damage: str, tmp_path: Path) -> None:
    new_chain(store=SqliteStore(tmp_path)).close()
    path = tmp_path / LOG_NAME
    raw = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(raw[:-1] if damage == "short" else b"x" * len(raw))
    with pytest.raises(StoreCorrupt, match=r"nodes\.log is damaged"):
        SqliteStore(tmp_path)


def _nodes_below(store: SqliteStore, root: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    waiting = [(root, 0)]
    while waiting:
        key, place = waiting.pop()
        encoded, places = read_node(store.reader, key, place)
        found[key] = encoded
        waiting += places.items()
    return found


def test_a_database_of_version_1_goes_on(tmp_path: Path) -> None:
    chain = new_chain(store=SqliteStore(tmp_path))
    _mine(chain, range(3))
    store = chain.store
    assert isinstance(store, SqliteStore)
    nodes: dict[bytes, bytes] = {}
    storage = StateDB(store.reader, chain.head.header.state_root)
    for number in range(4):
        block = chain.block_by_number(number)
        assert block is not None
        nodes.update(_nodes_below(store, block.header.state_root))
        for address in chain.genesis.accounts:
            root = StateDB(store.reader, block.header.state_root)._get_storage_root(address)
            if root != EMPTY_ROOT:
                nodes.update(_nodes_below(store, root))
    assert storage.get_nonce(ALICE) == 3
    chain.close()
    # As version 1 wrote it: every node by its hash, no log.
    (tmp_path / LOG_NAME).unlink()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection, connection:
        connection.execute("DELETE FROM kv WHERE key = ?", (END_KEY,))
        connection.executemany("INSERT OR REPLACE INTO kv VALUES (?, ?)", nodes.items())
        connection.execute("UPDATE meta SET value = '1' WHERE name = 'format'")
    whole = new_chain()
    _mine(whole, range(6))
    again = new_chain(store=SqliteStore(tmp_path))
    assert again.state_at().balance(BOB) == 1000 * ETHER + 3
    _mine(again, range(3, 6))
    assert again.head.hash == whole.head.hash
    again.close()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone() == ("2",)
    with closing(SqliteStore(tmp_path)) as later:
        chain = new_chain(store=later)
        for number in range(7):
            block = chain.block_by_number(number)
            assert block is not None
            assert chain.state_at(block).nonce(ALICE) == number


def test_two_states_at_once_are_refused() -> None:
    store = MemoryStore()
    for db in (store.writer, Overlay(store.reader)):
        first, second = StateTrie(db), StateTrie(db)
        first.update(EMPTY_ROOT, [(b"a", b"1" * 40)])
        second.update(EMPTY_ROOT, [(b"b", b"1" * 40)])
        first.write()
        with pytest.raises(StoreError, match="two states"):
            second.write()


def test_what_is_rolled_back_or_only_tried_is_in_no_cache() -> None:
    """The same node, made again elsewhere, has another place."""
    store = MemoryStore()
    changes = [(bytes([number]) * 20, bytes([number + 1]) * 40) for number in range(50)]
    tried = StateTrie(Overlay(store.reader))
    root = tried.update(EMPTY_ROOT, changes)
    tried.write()
    lost = StateTrie(store.writer)
    assert lost.update(EMPTY_ROOT, changes) == root
    lost.write()
    assert lost.get(root, changes[7][0]) == changes[7][1]
    store.rollback()
    assert not store.reader.cache
    # Something else comes to stand in that place.
    kept = StateTrie(store.writer)
    other = kept.update(EMPTY_ROOT, [(key, value[::-1] + b"!") for key, value in changes])
    assert kept.update(EMPTY_ROOT, changes) == root
    kept.write()
    store.commit()
    for again in (False, True):
        if again:
            store.reader.cache.clear()
        reader = StateTrie(store.reader)
        for key, value in changes:
            assert reader.get(root, key) == value
            assert reader.get(other, key) == value[::-1] + b"!"


def test_calls_share_the_accounts_of_a_root(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = new_chain()
    _mine(chain, range(2))
    nobody = b"\x99" * 20

    def seen(number: int) -> tuple[int, int, bool]:
        block = chain.block_by_number(number)
        assert block is not None
        state = StateDB(chain.store.reader, block.header.state_root)
        return state.get_nonce(ALICE), state.get_balance(BOB) - 1000 * ETHER, state.account_exists(nobody)

    first = [seen(number) for number in range(3)]
    assert first == [(0, 0, False), (1, 1, False), (2, 2, False)]
    state = StateDB(chain.store.reader, chain.head.header.state_root)
    state.set_balance(nobody, 1)
    state.set_balance(BOB, 7)
    assert state.account_exists(nobody)
    with monkeypatch.context() as patch:
        # Nothing is read a second time, and what one call changed no other sees.
        patch.setattr(StateTrie, "get", lambda *_: pytest.fail("read again"))
        assert [seen(number) for number in range(3)] == first
    monkeypatch.setattr("chain.state_db.KNOWN_ACCOUNTS", 1)
    chain.store.reader.cache.accounts.clear()
    assert [seen(number) for number in (2, 0, 1, 2)] == [first[2], *first]
    assert len(chain.store.reader.cache.accounts) == 1
