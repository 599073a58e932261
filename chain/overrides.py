"""What a trial may change before it runs: accounts, precompiles, and the block it sees (execution-apis, `execute`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chain.block import Withdrawal
from chain.forks import Fork, ForkSchedule
from chain.records import AccountOverride
from chain.refusals import Refused
from chain.transition import BlockEnv

__all__ = ["BlockOverrides", "Precompiles", "StateOverrides", "env_with", "override_accounts", "place_precompiles"]

StateOverrides = Mapping[bytes, AccountOverride]
Precompiles = Mapping[bytes, Any]
"""Address to py-evm's function of a computation."""


@dataclass(frozen=True, slots=True)
class BlockOverrides:
    """Fields of a block that a client fixed; None where it did not.

    Attributes:
        timestamp: Seconds.
        base_fee: Wei.
        blob_base_fee: Wei; seen by execution, never part of a header.
        beacon_root: 32 bytes; as `withdrawals`, only for blocks that are built.
    """

    number: int | None = None
    timestamp: int | None = None
    gas_limit: int | None = None
    coinbase: bytes | None = None
    difficulty: int | None = None
    prev_randao: bytes | None = None
    base_fee: int | None = None
    blob_base_fee: int | None = None
    beacon_root: bytes | None = None
    withdrawals: tuple[Withdrawal, ...] | None = None


def env_with(env: BlockEnv, overrides: BlockOverrides, schedule: ForkSchedule) -> BlockEnv:
    """`env` as a single call sees it; number and time may bring another fork.

    Raises:
        Refused: An override that only a built block can have.
    """
    for name, value in (("beaconRoot", overrides.beacon_root), ("withdrawals", overrides.withdrawals)):
        if value is not None:
            raise Refused(f'block override "{name}" is not supported for this method')
    given: dict[str, Any] = {
        "number": overrides.number,
        "timestamp": overrides.timestamp,
        "gas_limit": overrides.gas_limit,
        "coinbase": overrides.coinbase,
        "difficulty": overrides.difficulty,
        "mix_hash": overrides.prev_randao,
        "base_fee": overrides.base_fee,
        "blob_base_fee_override": overrides.blob_base_fee,
    }
    changed = replace(env, **{name: value for name, value in given.items() if value is not None})
    fork = schedule.fork_at(changed.number, changed.timestamp)
    blobs = schedule.blobs_at(changed.timestamp) if fork >= Fork.CANCUN else None
    return replace(
        changed,
        fork=fork,
        difficulty=changed.difficulty if fork < Fork.PARIS else 0,
        base_fee=(changed.base_fee or 0) if fork >= Fork.LONDON else None,
        blobs=blobs,
        excess_blob_gas=(changed.excess_blob_gas or 0) if blobs is not None else None,
    )


def place_precompiles(precompiles: Precompiles, overrides: StateOverrides) -> Precompiles | None:
    """Where the precompiles are once accounts are overridden, or None where they stay.

    A precompile at an overridden account is gone, unless it moves; its code, if any, runs in its place.

    Raises:
        Refused: What is to move is no precompile, or it would land on another override.
    """
    if not any(address in precompiles or change.move_precompile_to for address, change in overrides.items()):
        return None
    placed = dict(precompiles)
    taken: set[bytes] = set()
    # In order of addresses, so that the same request always ends the same way.
    for address in sorted(overrides):
        target = overrides[address].move_precompile_to
        if address in taken:
            raise Refused(f"account 0x{address.hex()} has already been overridden by a precompile")
        if target is not None:
            if address not in placed:
                raise Refused(f"account 0x{address.hex()} is not a precompile")
            if target in overrides:
                raise Refused(f"account 0x{target.hex()} is already overridden")
            placed[target] = placed[address]
            taken.add(target)
        placed.pop(address, None)
    return placed


def override_accounts(state: Any, changes: StateOverrides) -> None:
    """Change accounts of an open state, as if a transaction before had done it."""
    for address, change in changes.items():
        if change.balance is not None:
            state.set_balance(address, change.balance)
        if change.nonce is not None:
            state.set_nonce(address, change.nonce)
        if change.code is not None:
            state.set_code(address, change.code)
        slots = change.storage_diff.items()
        if change.storage is not None:
            state.delete_storage(address)
            slots = change.storage.items()
        for slot, value in slots:
            state.set_storage(address, slot, value)
    state.lock_changes()
