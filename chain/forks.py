"""Forks by name, and the schedule that says which one rules a block (geth's genesis `config`).

The base ends with Prague; Osaka is added in `osaka`. BPO1 and BPO2 are Osaka with other blob parameters.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from chain.errors import InvalidGenesis

__all__ = ["BlobParams", "Fork", "ForkSchedule", "parse_fork"]


class Fork(enum.IntEnum):
    """Every fork that changed a rule of execution or of headers, in order."""

    FRONTIER = 0
    HOMESTEAD = 1
    TANGERINE_WHISTLE = 2
    SPURIOUS_DRAGON = 3
    BYZANTIUM = 4
    CONSTANTINOPLE = 5
    PETERSBURG = 6
    ISTANBUL = 7
    MUIR_GLACIER = 8
    BERLIN = 9
    LONDON = 10
    ARROW_GLACIER = 11
    GRAY_GLACIER = 12
    PARIS = 13
    SHANGHAI = 14
    CANCUN = 15
    PRAGUE = 16
    OSAKA = 17

    @property
    def title(self) -> str:
        """The name as fixtures and people write it, e.g. "SpuriousDragon"."""
        return "".join(part.capitalize() for part in self.name.split("_"))


ALIASES = {
    "merge": Fork.PARIS,
    "eip150": Fork.TANGERINE_WHISTLE,
    "eip158": Fork.SPURIOUS_DRAGON,
    "constantinoplefix": Fork.PETERSBURG,
}


def parse_fork(name: str) -> Fork:
    """A fork by its name in any case, with or without underscores.

    Raises:
        InvalidGenesis: There is no such fork.
    """
    wanted = name.replace("_", "").replace(" ", "").replace("-", "").lower()
    for fork in Fork:
        if fork.name.replace("_", "").lower() == wanted:
            return fork
    if wanted in ALIASES:
        return ALIASES[wanted]
    offered = ", ".join(fork.title for fork in Fork if fork >= Fork.BYZANTIUM)
    raise InvalidGenesis(f"unknown fork {name!r}; forks are {offered}")


@dataclass(frozen=True, slots=True)
class BlobParams:
    """Blobs a block aims at and may hold, and how fast their price moves (EIP-4844, 7691, 7892).

    Attributes:
        reserve_price: Whether EIP-7918 (Osaka) ties the price of blobs to that of execution.
    """

    target: int
    maximum: int
    update_fraction: int
    reserve_price: bool = False

    @property
    def max_gas(self) -> int:
        return self.maximum << 17

    @property
    def target_gas(self) -> int:
        return self.target << 17

    def base_fee(self, excess_blob_gas: int) -> int:
        """Wei a unit of blob gas costs: EIP-4844's fake exponential."""
        total = 0
        term = self.update_fraction
        step = 1
        while term > 0:
            total += term
            term = term * excess_blob_gas // (self.update_fraction * step)
            step += 1
        return total // self.update_fraction

    def next_excess(self, excess: int, used: int, base_fee: int) -> int:
        """Excess blob gas of the block behind one with this excess, this use and this base fee."""
        if excess + used < self.target_gas:
            return 0
        if self.reserve_price and (1 << 13) * base_fee > (1 << 17) * self.base_fee(excess):
            return excess + used * (self.maximum - self.target) // self.maximum
        return excess + used - self.target_gas


CANCUN_BLOBS = BlobParams(3, 6, 3338477)
PRAGUE_BLOBS = BlobParams(6, 9, 5007716)
OSAKA_BLOBS = BlobParams(6, 9, 5007716, reserve_price=True)
BLOB_DEFAULTS = {
    "cancun": CANCUN_BLOBS,
    "prague": PRAGUE_BLOBS,
    "osaka": OSAKA_BLOBS,
    "bpo1": BlobParams(10, 15, 8346193, reserve_price=True),
    "bpo2": BlobParams(14, 21, 11684671, reserve_price=True),
}

BLOCK_KEYS = {
    "homesteadBlock": Fork.HOMESTEAD,
    "eip150Block": Fork.TANGERINE_WHISTLE,
    "eip155Block": Fork.SPURIOUS_DRAGON,
    "eip158Block": Fork.SPURIOUS_DRAGON,
    "byzantiumBlock": Fork.BYZANTIUM,
    "constantinopleBlock": Fork.CONSTANTINOPLE,
    "petersburgBlock": Fork.PETERSBURG,
    "istanbulBlock": Fork.ISTANBUL,
    "muirGlacierBlock": Fork.MUIR_GLACIER,
    "berlinBlock": Fork.BERLIN,
    "londonBlock": Fork.LONDON,
    "arrowGlacierBlock": Fork.ARROW_GLACIER,
    "grayGlacierBlock": Fork.GRAY_GLACIER,
    "mergeNetsplitBlock": Fork.PARIS,
}
TIME_KEYS = {
    "shanghaiTime": Fork.SHANGHAI,
    "cancunTime": Fork.CANCUN,
    "pragueTime": Fork.PRAGUE,
    "osakaTime": Fork.OSAKA,
}
MAINNET_DEPOSIT_CONTRACT = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")


@dataclass(frozen=True, slots=True)
class ForkSchedule:
    """When each fork begins.

    Attributes:
        blocks: (first block number, fork), ascending.
        times: (first timestamp in seconds, fork), ascending; they rule over `blocks`.
        blobs: (first timestamp, fork name, parameters), ascending; the names include those after Prague.
        deposit_contract: 20 bytes, whose logs are deposit requests (EIP-6110).
    """

    blocks: tuple[tuple[int, Fork], ...]
    times: tuple[tuple[int, Fork], ...] = ()
    blobs: tuple[tuple[int, str, BlobParams], ...] = ()
    deposit_contract: bytes = MAINNET_DEPOSIT_CONTRACT
    config: Mapping[str, object] = field(default_factory=dict, compare=False)

    @classmethod
    def all_at_once(cls, fork: Fork) -> ForkSchedule:
        """One fork from the first block on."""
        blobs = {
            Fork.CANCUN: ((0, "cancun", CANCUN_BLOBS),),
            Fork.PRAGUE: ((0, "prague", PRAGUE_BLOBS),),
            Fork.OSAKA: ((0, "osaka", OSAKA_BLOBS),),
        }
        return cls(blocks=((0, fork),), blobs=blobs.get(fork, ()))

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> ForkSchedule:
        """A schedule from the `config` object of a geth-style genesis file.

        Raises:
            InvalidGenesis: A value is not a number, or forks are out of order.
        """
        blocks = [(0, Fork.FRONTIER), *_entries(config, BLOCK_KEYS)]
        if not any(fork is Fork.PARIS for _, fork in blocks) and _number(config, "terminalTotalDifficulty") == 0:
            blocks.append((0, Fork.PARIS))
        times = _entries(config, TIME_KEYS)
        for entries in (blocks, times):
            if any(later < earlier for (earlier, _), (later, _) in itertools.pairwise(entries)):
                raise InvalidGenesis("forks of the genesis config are out of order")
        deposit = config.get("depositContractAddress")
        return cls(
            blocks=tuple(blocks),
            times=tuple(times),
            blobs=_blob_schedule(config),
            deposit_contract=_address(deposit) if deposit is not None else MAINNET_DEPOSIT_CONTRACT,
            config=dict(config),
        )

    def fork_at(self, number: int, timestamp: int) -> Fork:
        """The fork that rules a block."""
        fork = Fork.FRONTIER
        for start, candidate in self.blocks:
            if number >= start:
                fork = max(fork, candidate)
        for start, candidate in self.times:
            if timestamp >= start and fork >= Fork.PARIS:
                fork = max(fork, candidate)
        return fork

    def fork_name_at(self, number: int, timestamp: int) -> str:
        """The fork's name; names that only change blobs ("Bpo1") included."""
        name = self.fork_at(number, timestamp).title
        for start, later, _ in self.blobs:
            if timestamp >= start and later not in ("cancun", "prague", "osaka"):
                name = later.capitalize()
        return name

    def blobs_at(self, timestamp: int) -> BlobParams | None:
        """Blob parameters in force, or None before Cancun."""
        found: BlobParams | None = None
        for start, _, params in self.blobs:
            if timestamp >= start:
                found = params
        return found


def _number(config: Mapping[str, object], key: str) -> int | None:
    value = config.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = int(value, 0)
        except ValueError:
            raise InvalidGenesis(f"genesis config: {key} is not a number: {value!r}") from None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidGenesis(f"genesis config: {key} is not a number: {value!r}")
    return value


def _entries(config: Mapping[str, object], keys: Mapping[str, Fork]) -> list[tuple[int, Fork]]:
    found = [(_number(config, key), fork) for key, fork in keys.items()]
    return [(start, fork) for start, fork in found if start is not None]


def _address(value: object) -> bytes:
    try:
        raw = bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 20:
        raise InvalidGenesis(f"genesis config: not an address: {value!r}")
    return raw


def _blob_schedule(config: Mapping[str, object]) -> tuple[tuple[int, str, BlobParams], ...]:
    schedule = config.get("blobSchedule") or {}
    if not isinstance(schedule, Mapping):
        raise InvalidGenesis("genesis config: blobSchedule is not an object")
    found = []
    for name, default in BLOB_DEFAULTS.items():
        start = _number(config, f"{name}Time")
        if start is None:
            continue
        given = schedule.get(name) or {}
        if not isinstance(given, Mapping):
            raise InvalidGenesis(f"genesis config: blobSchedule.{name} is not an object")
        numbers = [_number(given, key) for key in ("target", "max", "baseFeeUpdateFraction")]
        target, maximum, fraction = (
            value if value is not None else fallback
            for value, fallback in zip(numbers, (default.target, default.maximum, default.update_fraction), strict=True)
        )
        found.append((start, name, BlobParams(target, maximum, fraction, default.reserve_price)))
    return tuple(sorted(found, key=lambda entry: entry[0]))
