"""Forks by name, schedules, and genesis files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chain.errors import InvalidGenesis
from chain.forks import PRAGUE_BLOBS, Fork, ForkSchedule, parse_fork
from chain.genesis import load_genesis, parse_genesis
from tests.unit.chain.support import new_chain

MINIMAL: dict[str, Any] = {
    "config": {"chainId": 7, "terminalTotalDifficulty": 0, "londonBlock": 0, "shanghaiTime": 0, "cancunTime": 50},
    "alloc": {"0x" + "11" * 20: {"balance": "0x10", "nonce": "2", "code": "0x00", "storage": {"0x01": "0x02"}}},
}


@pytest.mark.parametrize("name", ["prague", "Prague", "PRAGUE"])
def test_forks_are_known_in_any_case(name: str) -> None:
    assert parse_fork(name) is Fork.PRAGUE


def test_every_fork_is_known_by_its_title() -> None:
    assert [parse_fork(fork.title) for fork in Fork] == list(Fork)
    assert parse_fork("tangerine_whistle") is parse_fork("EIP150") is Fork.TANGERINE_WHISTLE
    assert parse_fork("merge") is Fork.PARIS


def test_unknown_fork_is_refused_with_those_on_offer() -> None:
    with pytest.raises(InvalidGenesis, match=r"Byzantium.*Prague"):
        parse_fork("Atlantis")


def test_schedule_of_a_config() -> None:
    schedule = ForkSchedule.from_config(MINIMAL["config"])
    assert schedule.fork_at(0, 0) is Fork.SHANGHAI
    assert schedule.fork_at(9, 49) is Fork.SHANGHAI
    assert schedule.fork_at(9, 50) is Fork.CANCUN
    assert schedule.blobs_at(49) is None


def test_forks_after_osaka_bring_their_blobs_only() -> None:
    config = {**MINIMAL["config"], "pragueTime": 60, "osakaTime": 70, "bpo1Time": 80}
    schedule = ForkSchedule.from_config(config)
    assert schedule.fork_at(1, 90) is Fork.OSAKA
    assert [schedule.fork_name_at(1, at) for at in (55, 60, 70, 80)] == ["Cancun", "Prague", "Osaka", "Bpo1"]
    blobs = schedule.blobs_at(80)
    assert blobs is not None
    assert (blobs.target, blobs.maximum) == (10, 15)


def test_price_of_blobs_rises_with_the_excess() -> None:
    assert PRAGUE_BLOBS.base_fee(0) == 1
    assert PRAGUE_BLOBS.base_fee(5_007_716) == 2
    assert PRAGUE_BLOBS.base_fee(5_007_716 * 10) == 22026
    assert PRAGUE_BLOBS.next_excess(0, PRAGUE_BLOBS.target_gas, 1) == 0
    assert PRAGUE_BLOBS.next_excess(10, PRAGUE_BLOBS.max_gas, 1) == 10 + 3 * (1 << 17)


def test_genesis_file(tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(MINIMAL))
    genesis = load_genesis(path)
    account = genesis.accounts[b"\x11" * 20]
    assert (genesis.chain_id, genesis.fork) == (7, Fork.SHANGHAI)
    assert (account.balance, account.nonce, account.code, account.storage) == (16, 2, b"\x00", {1: 2})


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"config": None}, "config"),
        ({"config": {}}, "chainId"),
        ({"config": {"chainId": "seven"}}, "chainId"),
        ({"config": {"chainId": 7, "londonBlock": -1}}, "londonBlock"),
        ({"config": {"chainId": 7, "berlinBlock": 5, "londonBlock": 4}}, "order"),
        ({"config": {"chainId": 7, "depositContractAddress": "0x12"}}, "address"),
        ({"config": {"chainId": 7, "cancunTime": 1, "blobSchedule": 5}}, "blobSchedule"),
        ({"alloc": []}, "alloc"),
        ({"alloc": {"0x12": {}}}, "alloc"),
        ({"alloc": {"zz" * 20: {}}}, "alloc"),
        ({"alloc": {"11" * 20: 5}}, "alloc"),
        ({"alloc": {"11" * 20: {"balance": "much"}}}, "balance"),
        ({"gasLimit": True}, "gasLimit"),
        ({"mixHash": "0x01"}, "mixHash"),
        ({"extraData": "0xzz"}, "extraData"),
    ],
)
def test_genesis_that_makes_no_sense_is_refused_by_field(change: dict[str, Any], names: str) -> None:
    with pytest.raises(InvalidGenesis, match=names):
        parse_genesis({**MINIMAL, **change})


@pytest.mark.parametrize("content", ["", "[]", "5", "{", '{"config"'])
def test_a_file_that_is_no_genesis_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "genesis.json"
    path.write_text(content)
    with pytest.raises(InvalidGenesis):
        load_genesis(path)
    with pytest.raises(InvalidGenesis, match="cannot read"):
        load_genesis(tmp_path / "missing")


@pytest.mark.parametrize("fork", [fork for fork in Fork if fork >= Fork.BYZANTIUM], ids=lambda fork: fork.name)
def test_development_genesis_is_the_same_every_time(fork: Fork) -> None:
    assert new_chain(fork).head.hash == new_chain(fork).head.hash
