"""kill -9 under load, full disks, memory that spills: what was answered stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from chain.blockchain import Blockchain
from chain.errors import StoreFull
from chain.genesis import dev_genesis
from chain.store import MemoryStore, SqliteStore
from tests.soak.kills import run
from tests.unit.chain.support import ALICE, BOB, ETHER, machine, new_chain, tx


def test_answered_transactions_survive_kills_under_load(tmp_path: Path) -> None:
    campaign = run(3, tmp_path, seed=5, longest_s=0.4)
    assert campaign.lost == []
    assert campaign.kills == 3


def test_a_full_disk_refuses_a_block_and_loses_none(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    chain = new_chain(store=store)
    try:
        first = chain.build_block([tx(0)]).block
        limit = store._connection.execute("PRAGMA page_count").fetchone()[0] + 2
        store._connection.execute(f"PRAGMA max_page_count = {limit}")
        with pytest.raises(StoreFull, match="database or disk is full"):
            chain.build_block([tx(1, to=None, data=b"\xfe" * 40_000, gas=10_000_000)])
        assert chain.head == first
        assert chain.state_at().nonce(ALICE) == 1
        store._connection.execute("PRAGMA max_page_count = 1000000")
        second = chain.build_block([tx(1, value=5)]).block
        assert second.parent_hash == first.hash
    finally:
        chain.close()
    store = SqliteStore(tmp_path)
    chain = new_chain(store=store)
    try:
        assert chain.head.hash == second.hash
        assert chain.state_at().balance(BOB) == 1000 * ETHER + 5
    finally:
        chain.close()


def test_memory_that_spilled_has_every_block_and_state() -> None:
    chain = new_chain(store=MemoryStore(spilled_bytes=20_000))
    whole = new_chain()
    roots = []
    for nonce in range(40):
        transfer = tx(nonce, to=bytes([nonce]) * 20, value=7)
        whole.build_block([transfer], timestamp=10**9 + nonce)
        built = chain.build_block([transfer], timestamp=10**9 + nonce)
        roots.append(built.block.header.state_root)
        assert chain.head.hash == whole.head.hash
    chain._cache.clear()
    for number in range(1, 41):
        block = chain.block_by_number(number)
        assert block is not None
        assert chain.state_at(block).root == roots[number - 1]
        assert chain.state_at(block).nonce(ALICE) == number
        assert chain.transaction(block.transactions[0].hash) == (block, 0)
    early = chain.block_by_number(3)
    assert early is not None
    chain.set_head(early.hash)
    assert chain.block_by_number(4) is None
    later = chain.build_block([tx(3, value=1)], timestamp=2 * 10**9).block
    assert chain.block_by_number(4) == later
    chain.close()


def test_a_chain_in_a_folder_and_one_in_memory_are_the_same(tmp_path: Path) -> None:
    genesis = dev_genesis(31337, new_chain().genesis.fork, {ALICE: ETHER})
    hashes = []
    for store in (SqliteStore(tmp_path), MemoryStore()):
        chain = Blockchain.open(new_chain().config, genesis, store, machine())
        for nonce in range(3):
            chain.build_block([tx(nonce, value=nonce)], timestamp=10**9 + nonce)
        hashes.append(chain.head.hash)
        chain.close()
    assert hashes[0] == hashes[1]
