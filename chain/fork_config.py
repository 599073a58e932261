"""The configuration of the forks in force, next and last, as clients compare it before a fork (EIP-7910, EIP-6122)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chain.blockchain import Blockchain
from chain.forks import BlobParams, Fork, ForkSchedule
from chain.system_contracts import BEACON_ROOTS, CONSOLIDATION_REQUESTS, HISTORY_STORAGE, WITHDRAWAL_REQUESTS
from chain.variant import fork_precompiles

__all__ = ["ForkConfig", "fork_configs", "fork_id"]

# EIP-7910 names what later EIPs did not.
PRECOMPILE_NAMES = {
    0x01: "ECREC",
    0x02: "SHA256",
    0x03: "RIPEMD160",
    0x04: "ID",
    0x05: "MODEXP",
    0x06: "BN254_ADD",
    0x07: "BN254_MUL",
    0x08: "BN254_PAIRING",
    0x09: "BLAKE2F",
    0x0A: "KZG_POINT_EVALUATION",
    0x0B: "BLS12_G1ADD",
    0x0C: "BLS12_G1MSM",
    0x0D: "BLS12_G2ADD",
    0x0E: "BLS12_G2MSM",
    0x0F: "BLS12_PAIRING_CHECK",
    0x10: "BLS12_MAP_FP_TO_G1",
    0x11: "BLS12_MAP_FP2_TO_G2",
    0x100: "P256VERIFY",
}


@dataclass(frozen=True, slots=True)
class ForkConfig:
    """One fork's configuration.

    Attributes:
        activation_time: Seconds; 0 where it rules from the first block on.
        fork_id: 4 bytes, EIP-2124's checksum with all forks up to this one.
        precompiles: Address by name.
        system_contracts: Address by name.
    """

    activation_time: int
    blobs: BlobParams | None
    fork_id: bytes
    precompiles: Mapping[str, bytes]
    system_contracts: Mapping[str, bytes]


def fork_configs(chain: Blockchain) -> dict[str, ForkConfig | None]:
    """Configurations by "current", "next" and "last", judged by the time of the head."""
    schedule, now = chain.schedule, chain.head.timestamp
    starts = sorted({start for start, _ in schedule.times} | {start for start, _, _ in schedule.blobs})
    passed = [start for start in starts if start <= now]
    coming = [start for start in starts if start > now]
    current = passed[-1] if passed else chain.genesis.timestamp
    return {
        "current": _config(chain, current),
        "next": _config(chain, coming[0]) if coming else None,
        "last": _config(chain, coming[-1]) if coming else None,
    }


def _config(chain: Blockchain, start: int) -> ForkConfig:
    number = chain.head.number
    fork = chain.schedule.fork_at(number, start)
    first = chain.block_by_number(0)
    addresses = sorted(fork_precompiles(fork, chain.machine))
    names = {address: int.from_bytes(address, "big") for address in addresses}
    return ForkConfig(
        activation_time=start if start > chain.genesis.timestamp else 0,
        blobs=chain.schedule.blobs_at(start) if fork >= Fork.CANCUN else None,
        fork_id=fork_id(chain.schedule, first.hash if first is not None else bytes(32), chain.genesis.timestamp, start),
        precompiles={PRECOMPILE_NAMES.get(number, hex(number)): address for address, number in names.items()},
        system_contracts=_system_contracts(chain.schedule, fork),
    )


def _system_contracts(schedule: ForkSchedule, fork: Fork) -> dict[str, bytes]:
    found = {}
    if fork >= Fork.CANCUN:
        found["BEACON_ROOTS_ADDRESS"] = BEACON_ROOTS
    if fork >= Fork.PRAGUE:
        found["CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS"] = CONSOLIDATION_REQUESTS
        found["DEPOSIT_CONTRACT_ADDRESS"] = schedule.deposit_contract
        found["HISTORY_STORAGE_ADDRESS"] = HISTORY_STORAGE
        found["WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS"] = WITHDRAWAL_REQUESTS
    return found


def fork_id(schedule: ForkSchedule, genesis_hash: bytes, genesis_time: int, time: int) -> bytes:
    """4 bytes: CRC-32 over the genesis hash and every fork by block, then by time up to `time`, as 64 bits each.

    Forks that the first block already has do not count, and forks that begin together count once.
    """
    blocks = _distinct(start for start, _ in schedule.blocks if start > 0)
    starts = [start for start, _ in schedule.times] + [start for start, _, _ in schedule.blobs]
    times = _distinct(start for start in starts if genesis_time < start <= time)
    checksum = zlib.crc32(genesis_hash)
    for start in (*blocks, *times):
        checksum = zlib.crc32(start.to_bytes(8, "big"), checksum)
    return checksum.to_bytes(4, "big")


def _distinct(starts: Iterable[int]) -> list[int]:
    return sorted(set(starts))
