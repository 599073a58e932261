"""Fork configurations: ids as public networks have them, and what is to come."""

from __future__ import annotations

import pytest

from chain.blockchain import Blockchain, ChainConfig
from chain.fork_config import fork_configs, fork_id
from chain.forks import ForkSchedule
from chain.genesis import parse_genesis
from chain.payload import next_gas_limit
from chain.store import MemoryStore
from tests.unit.chain.support import machine

SEPOLIA_GENESIS = bytes.fromhex("25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9")
SEPOLIA_TIME = 1_633_267_481
SEPOLIA = ForkSchedule.from_config(
    {
        **dict.fromkeys(("homesteadBlock", "eip150Block", "eip155Block", "byzantiumBlock", "berlinBlock"), 0),
        "londonBlock": 0,
        "mergeNetsplitBlock": 1_735_371,
        "shanghaiTime": 1_677_557_088,
        "cancunTime": 1_706_655_072,
        "pragueTime": 1_741_159_776,
        "osakaTime": 1_760_427_360,
        "bpo1Time": 1_761_017_184,
        "bpo2Time": 1_761_607_008,
    }
)


@pytest.mark.parametrize(
    ("time", "wanted"),
    [
        (SEPOLIA_TIME, "b96cbd13"),
        (1_677_557_088, "f7f9bc08"),
        (1_706_655_072, "88cf81d9"),
        (1_741_159_776, "ed88b5fd"),
        (1_760_427_360, "e2ae4999"),
        (1_761_017_184, "56078a1e"),
        (1_761_607_008, "268956b6"),
    ],
)
def test_fork_ids_of_sepolia(time: int, wanted: str) -> None:
    assert fork_id(SEPOLIA, SEPOLIA_GENESIS, SEPOLIA_TIME, time).hex() == wanted


def test_forks_to_come_are_next_and_last() -> None:
    config = {
        "chainId": 7,
        **dict.fromkeys(("homesteadBlock", "eip150Block", "eip155Block", "byzantiumBlock", "berlinBlock"), 0),
        "londonBlock": 0,
        "terminalTotalDifficulty": 0,
        "shanghaiTime": 0,
        "cancunTime": 0,
        "pragueTime": 100,
        "osakaTime": 200,
        "bpo1Time": 300,
    }
    genesis = parse_genesis({"config": config, "alloc": {}, "gasLimit": "0x1c9c380"})
    chain = Blockchain.open(ChainConfig(), genesis, MemoryStore(), machine())
    found = fork_configs(chain)
    current, following, last = (found[name] for name in ("current", "next", "last"))
    assert current is not None
    assert following is not None
    assert last is not None
    assert [item.activation_time for item in (current, following, last)] == [0, 100, 300]
    assert [item.blobs.maximum for item in (current, following, last) if item.blobs] == [6, 9, 15]
    assert [len(item.precompiles) for item in (current, following, last)] == [10, 17, 18]
    assert list(current.system_contracts) == ["BEACON_ROOTS_ADDRESS"]
    assert len(following.system_contracts) == 5
    chain.build_block([], timestamp=250)
    found = fork_configs(chain)
    assert found["current"] is not None
    assert found["current"].activation_time == 200
    assert found["next"] == found["last"]


@pytest.mark.parametrize(
    ("parent", "target", "wanted"),
    [
        (30_000_000, 30_000_000, 30_000_000),
        (200_000_000, 100_000_000, 199_804_689),
        (30_000_000, 60_000_000, 30_000_000 + 29_295),
        (30_000_000, 30_000_005, 30_000_005),
        (5_000, 1, 5_000),
    ],
)
def test_gas_limits_move_in_small_steps(parent: int, target: int, wanted: int) -> None:
    assert next_gas_limit(parent, target) == wanted
