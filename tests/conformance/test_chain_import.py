"""The specification's test chain, imported with full validation: 54 blocks from Homestead to Prague."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chain import rlp_codec as rlp
from chain.block import Block, decode_block, encode_block
from chain.blockchain import Blockchain, ChainConfig
from chain.errors import InvalidBlock, UnknownBlock
from chain.genesis import load_genesis
from chain.store import MemoryStore, SqliteStore, Store
from tests.unit.chain.support import machine

pytestmark = pytest.mark.conformance


@pytest.fixture
def folder(conformance: Path) -> Path:
    found = conformance / "execution-apis"
    if not (found / "chain.rlp").is_file():
        pytest.skip("no chain.rlp in the conformance data")
    return found


def open_chain(folder: Path, store: Store | None = None) -> Blockchain:
    return Blockchain.open(ChainConfig(), load_genesis(folder / "genesis.json"), store or MemoryStore(), machine())


def test_genesis_is_the_parent_of_block_one(folder: Path) -> None:
    raw = (folder / "chain.rlp").read_bytes()
    item, _ = rlp.decode_prefix(raw, 0)
    first = decode_block(item)
    assert first.header.block_number == 1
    assert open_chain(folder).head.hash == first.header.parent_hash


def test_chain_is_imported_to_its_head(folder: Path, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    chain = open_chain(folder, store)
    raw = (folder / "chain.rlp").read_bytes()
    assert chain.import_chain(raw) == 54
    wanted = json.loads((folder / "headfcu.json").read_text())["params"][0]["headBlockHash"]
    assert "0x" + chain.head.hash.hex() == wanted
    assert b"".join(encode_block(need(chain, number)) for number in range(1, 55)) == raw
    assert sum(len(chain.receipts(need(chain, n).header.hash)) for n in range(1, 55)) == 249
    chain.close()
    again = open_chain(folder, SqliteStore(tmp_path))
    assert "0x" + again.head.hash.hex() == wanted
    again.close()


def need(chain: Blockchain, number: int) -> Block:
    record = chain.block_by_number(number)
    assert record is not None
    return record.block


def test_blocks_that_were_tampered_with_are_refused(folder: Path) -> None:
    chain = open_chain(folder)
    raw = (folder / "chain.rlp").read_bytes()
    blocks = []
    offset = 0
    while offset < len(raw):
        item, offset = rlp.decode_prefix(raw, offset)
        blocks.append(decode_block(item))
    for block in blocks[:-1]:
        chain.import_block(block)
    last = blocks[-1]
    header = last.header
    root = chain.head.header.state_root
    for changed in (
        replace(header, state_root=bytes(32)),
        replace(header, receipt_root=bytes(32)),
        replace(header, transaction_root=bytes(32)),
        replace(header, gas_used=header.gas_used + 1),
        replace(header, gas_limit=header.gas_limit * 2),
        replace(header, timestamp=chain.head.timestamp),
        replace(header, base_fee_per_gas=(header.base_fee_per_gas or 0) + 1),
        replace(header, bloom=b"\xff" * 256),
        replace(header, difficulty=1),
        replace(header, extra_data=bytes(33)),
        replace(header, requests_hash=bytes(32)),
        replace(header, excess_blob_gas=(header.excess_blob_gas or 0) + 1),
        replace(header, block_number=header.block_number + 1),
    ):
        with pytest.raises(InvalidBlock):
            chain.import_block(replace(last, header=changed))
    for body in (replace(last, transactions=last.transactions[1:]), replace(last, withdrawals=None)):
        with pytest.raises(InvalidBlock):
            chain.import_block(body)
    with pytest.raises(InvalidBlock, match="unknown"):
        chain.import_block(replace(last, header=replace(header, parent_hash=bytes(32))))
    assert chain.head.number == 53
    assert chain.head.header.state_root == root
    assert chain.import_block(last).number == 54
    with pytest.raises(UnknownBlock):
        chain.set_head(bytes(32))
