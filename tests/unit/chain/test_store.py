"""The database: commits, views, and every way in which a data directory can be wrong."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chain.blockchain import Blockchain, ChainConfig
from chain.errors import StoreCorrupt, StoreError, StoreLocked, StoreMismatch, StoreReadOnly
from chain.genesis import dev_genesis
from chain.stack import on_fresh_thread, run_with_stack
from chain.store import DATABASE_NAME, MemoryStore, SqliteRows, SqliteStore, Store
from tests.unit.chain.support import ALICE, BOB, ETHER, machine, new_chain, tx


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path)
    yield made
    made.close()


def test_owner_sees_pending_writes_and_readers_see_committed_ones(store: Store) -> None:
    store.writer[b"key"] = b"value"
    assert store.writer[b"key"] == b"value"
    assert b"key" not in store.reader
    store.commit()
    assert store.reader[b"key"] == b"value"
    del store.writer[b"key"]
    assert b"key" not in store.writer
    assert b"key" in store.reader
    store.commit()
    with pytest.raises(KeyError):
        store.reader[b"key"]


def test_rollback_forgets(store: Store) -> None:
    store.writer[b"key"] = b"value"
    store.rollback()
    store.commit()
    assert store.writer.get(b"key") is None


def test_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError):
        store.reader[b"key"] = b"value"
    with pytest.raises(StoreError):
        del store.reader[b"key"]


def test_readers_on_other_threads(store: Store) -> None:
    store.writer[bytes(32)] = b"value"
    store.commit()
    seen: list[bytes | None] = []
    thread = threading.Thread(target=lambda: seen.append(store.reader.get(bytes(32))))
    thread.start()
    thread.join()
    assert seen == [b"value"]


def test_a_chain_opens_again_where_it_was(tmp_path: Path) -> None:
    chain = new_chain(store=SqliteStore(tmp_path))
    built = chain.build_block([tx(0, value=5)], timestamp=1000)
    receipts = chain.receipts(built.block.hash)
    chain.close()
    again = new_chain(store=SqliteStore(tmp_path))
    assert again.head == built.block
    assert again.receipts(again.head.hash) == receipts
    assert again.transaction(built.block.transactions[0].hash) == (built.block, 0)
    assert again.state_at().balance(BOB) == 1000 * ETHER + 5
    again.close()


def test_directory_of_another_chain(tmp_path: Path) -> None:
    new_chain(store=SqliteStore(tmp_path)).close()
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreMismatch, match="chain id"):
        Blockchain.open(ChainConfig(), dev_genesis(1, balances={ALICE: 1}), store, machine())
    with pytest.raises(StoreMismatch, match="rules"):
        new_chain(store=store, rules="EWASM_2018")
    store.close()


@pytest.mark.parametrize(
    "content", [b"this is no database, though it is long enough to be one" * 100, b"SQLite format 3\0" * 64]
)
def test_corrupt_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DATABASE_NAME).write_bytes(content)
    with pytest.raises(StoreCorrupt, match="damaged"):
        SqliteStore(tmp_path)


def test_damaged_pages(tmp_path: Path) -> None:
    chain = new_chain(store=SqliteStore(tmp_path))
    chain.build_block([tx(0)], timestamp=1000)
    chain.close()
    path = tmp_path / DATABASE_NAME
    raw = bytearray(path.read_bytes())
    raw[4096:] = os.urandom(len(raw) - 4096)
    path.write_bytes(raw)
    with pytest.raises(StoreCorrupt), closing(SqliteStore(tmp_path)) as store:
        new_chain(store=store)


def test_a_damaged_row_is_no_block(tmp_path: Path) -> None:
    chain = new_chain(store=SqliteStore(tmp_path))
    head = chain.build_block([tx(0)], timestamp=1000).block.hash
    chain.close()
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        connection.execute("UPDATE kv SET value = x'c0' WHERE key = ?", (b"b" + head,))
    connection.close()
    with pytest.raises(StoreCorrupt), closing(SqliteStore(tmp_path)) as store:
        new_chain(store=store)


def test_locked_by_another(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreLocked):
        SqliteStore(tmp_path)
    store.close()
    SqliteStore(tmp_path).close()


def test_data_directory_that_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(StoreReadOnly):
        SqliteStore(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreReadOnly):
        SqliteStore(tmp_path)


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from chain.store import SqliteStore
from tests.unit.chain.support import new_chain, tx
chain = new_chain(store=SqliteStore(Path(sys.argv[1])))
for nonce in range(5):
    chain.build_block([tx(nonce, value=1)], timestamp=1000 + nonce)
chain.store.writer[b"pending"] = b"never committed"
os.kill(os.getpid(), 9)
"""


def test_blocks_survive_kill(tmp_path: Path, repository: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=repository, check=False)
    assert done.returncode == -9
    chain = new_chain(store=SqliteStore(tmp_path))
    assert chain.head.number == 5
    assert chain.state_at().balance(BOB) == 1000 * ETHER + 5
    assert b"pending" not in chain.store.writer
    chain.close()


def test_nested_threads_share_a_connection_and_others_have_their_own(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        rows = store.reader
        assert isinstance(rows, SqliteRows)
        ours = rows.connection()
        assert on_fresh_thread(rows.connection) is ours
        assert on_fresh_thread(lambda: on_fresh_thread(rows.connection)) is ours
        assert run_with_stack(rows.connection) is not ours
