"""The first block: accounts, settings and fork schedule, from options or from a geth-style genesis file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chain.block import Header
from chain.builder import INITIAL_BASE_FEE
from chain.errors import InvalidGenesis
from chain.executor import WasmMachine
from chain.forks import Fork, ForkSchedule
from chain.system_contracts import (
    BEACON_ROOTS,
    CONSOLIDATION_REQUESTS,
    HISTORY_STORAGE,
    SYSTEM_CODE,
    WITHDRAWAL_REQUESTS,
)
from chain.transition import BlockEnv, open_state
from chain.trie import EMPTY_ROOT

__all__ = ["Genesis", "GenesisAccount", "dev_genesis", "load_genesis", "parse_genesis", "write_genesis"]

DEV_GAS_LIMIT = 30_000_000
EMPTY_REQUESTS_HASH = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """An account of the first state; storage maps slots to values."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Genesis:
    """Everything the first block is made of; `base_fee` and the blob fields are used from their forks on."""

    chain_id: int
    schedule: ForkSchedule
    accounts: Mapping[bytes, GenesisAccount]
    gas_limit: int = DEV_GAS_LIMIT
    timestamp: int = 0
    coinbase: bytes = bytes(20)
    difficulty: int = 0
    extra_data: bytes = b""
    mix_hash: bytes = bytes(32)
    nonce: bytes = bytes(8)
    base_fee: int | None = None
    excess_blob_gas: int | None = None
    blob_gas_used: int | None = None

    @property
    def fork(self) -> Fork:
        """The fork of the first block."""
        return self.schedule.fork_at(0, self.timestamp)


def dev_genesis(
    chain_id: int = 31337,
    fork: Fork | ForkSchedule = Fork.PRAGUE,
    balances: Mapping[bytes, int] | None = None,
    accounts: Mapping[bytes, GenesisAccount] | None = None,
    gas_limit: int = DEV_GAS_LIMIT,
    timestamp: int = 0,
    base_fee: int | None = None,
) -> Genesis:
    """A development chain: funded accounts, and the system contracts that the fork calls."""
    schedule = fork if isinstance(fork, ForkSchedule) else ForkSchedule.all_at_once(fork)
    first = schedule.fork_at(0, timestamp)
    merged: dict[bytes, GenesisAccount] = {}
    wanted: list[bytes] = []
    if first >= Fork.CANCUN:
        wanted.append(BEACON_ROOTS)
    if first >= Fork.PRAGUE:
        wanted += [HISTORY_STORAGE, WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS]
    for address in wanted:
        merged[address] = GenesisAccount(nonce=1, code=SYSTEM_CODE[address])
    merged.update(accounts or {})
    merged.update({address: GenesisAccount(balance=balance) for address, balance in (balances or {}).items()})
    return Genesis(
        chain_id=chain_id,
        schedule=schedule,
        accounts=merged,
        gas_limit=gas_limit,
        timestamp=timestamp,
        difficulty=0 if first >= Fork.PARIS else 131_072,
        base_fee=base_fee,
    )


def write_genesis(genesis: Genesis, machine: WasmMachine, db: Any) -> Header:
    """Write the first state into `db` and return the first header."""
    fork = genesis.fork
    london = fork >= Fork.LONDON
    env = BlockEnv(
        fork=fork,
        chain_id=genesis.chain_id,
        number=0,
        timestamp=genesis.timestamp,
        coinbase=genesis.coinbase,
        gas_limit=genesis.gas_limit,
        difficulty=genesis.difficulty,
        base_fee=INITIAL_BASE_FEE if london else None,
        excess_blob_gas=0 if fork >= Fork.CANCUN else None,
    )
    state = open_state(env, machine, db, EMPTY_ROOT, ())
    write_accounts(state, genesis.accounts)
    state.persist()
    base_fee = INITIAL_BASE_FEE if genesis.base_fee is None else genesis.base_fee
    return Header(
        parent_hash=bytes(32),
        coinbase=genesis.coinbase,
        state_root=state.state_root,
        block_number=0,
        gas_limit=genesis.gas_limit,
        timestamp=genesis.timestamp,
        difficulty=genesis.difficulty,
        extra_data=genesis.extra_data,
        mix_hash=genesis.mix_hash,
        nonce=genesis.nonce,
        base_fee_per_gas=base_fee if london else None,
        withdrawals_root=EMPTY_ROOT if fork >= Fork.SHANGHAI else None,
        blob_gas_used=(genesis.blob_gas_used or 0) if fork >= Fork.CANCUN else None,
        excess_blob_gas=(genesis.excess_blob_gas or 0) if fork >= Fork.CANCUN else None,
        parent_beacon_block_root=bytes(32) if fork >= Fork.CANCUN else None,
        requests_hash=EMPTY_REQUESTS_HASH if fork >= Fork.PRAGUE else None,
    )


def write_accounts(state: Any, accounts: Mapping[bytes, GenesisAccount]) -> None:
    """Put accounts into an open state."""
    for address, account in accounts.items():
        state.set_balance(address, account.balance)
        state.set_nonce(address, account.nonce)
        if account.code:
            state.set_code(address, account.code)
        for slot, value in account.storage.items():
            if value:
                state.set_storage(address, slot, value)


def load_genesis(path: Path) -> Genesis:
    """Read a geth-style genesis file.

    Raises:
        InvalidGenesis: The file cannot be read or makes no sense; the text names the field.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidGenesis(f"cannot read the genesis file {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidGenesis(f"the genesis file {path} is not JSON: {error}") from error
    return parse_genesis(document)


def parse_genesis(document: object) -> Genesis:
    """A genesis from the object of a geth-style file.

    Raises:
        InvalidGenesis: A field is missing or malformed; the text names it.
    """
    if not isinstance(document, dict):
        raise InvalidGenesis("the genesis file is not an object")
    config = document.get("config")
    if not isinstance(config, dict):
        raise InvalidGenesis("the genesis file has no `config` object")
    alloc = document.get("alloc", {})
    if not isinstance(alloc, dict):
        raise InvalidGenesis("`alloc` of the genesis file is not an object")
    chain_id = _number(config.get("chainId"), "config.chainId")
    if not chain_id:
        raise InvalidGenesis("config.chainId of the genesis file is missing or zero")
    return Genesis(
        chain_id=chain_id,
        schedule=ForkSchedule.from_config(config),
        accounts={_hex(address, "alloc", 20): _account(entry, address) for address, entry in alloc.items()},
        gas_limit=_number(document.get("gasLimit"), "gasLimit") or DEV_GAS_LIMIT,
        timestamp=_number(document.get("timestamp"), "timestamp") or 0,
        coinbase=_hex(document.get("coinbase") or bytes(20).hex(), "coinbase", 20),
        difficulty=_number(document.get("difficulty"), "difficulty") or 0,
        extra_data=_hex(document.get("extraData") or "", "extraData"),
        mix_hash=_hex(document.get("mixHash") or bytes(32).hex(), "mixHash", 32),
        nonce=(_number(document.get("nonce"), "nonce") or 0).to_bytes(8, "big"),
        base_fee=_number(document.get("baseFeePerGas"), "baseFeePerGas"),
        excess_blob_gas=_number(document.get("excessBlobGas"), "excessBlobGas"),
        blob_gas_used=_number(document.get("blobGasUsed"), "blobGasUsed"),
    )


def _account(entry: object, address: str) -> GenesisAccount:
    if not isinstance(entry, dict):
        raise InvalidGenesis(f"alloc.{address} of the genesis file is not an object")
    storage = entry.get("storage") or {}
    if not isinstance(storage, dict):
        raise InvalidGenesis(f"alloc.{address}.storage of the genesis file is not an object")
    where = f"alloc.{address}"
    return GenesisAccount(
        balance=_number(entry.get("balance"), f"{where}.balance") or 0,
        nonce=_number(entry.get("nonce"), f"{where}.nonce") or 0,
        code=_hex(entry.get("code") or "", f"{where}.code"),
        storage={
            int.from_bytes(_hex(slot, f"{where}.storage"), "big"): int.from_bytes(
                _hex(value, f"{where}.storage"), "big"
            )
            for slot, value in storage.items()
        },
    )


def _number(value: object, where: str) -> int | None:
    """A JSON number, or a string in decimal or with 0x."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            number = int(value, 16) if value.lower().startswith("0x") else int(value or "0")
        except ValueError:
            number = -1
    else:
        number = value if isinstance(value, int) and not isinstance(value, bool) else -1
    if not 0 <= number < 1 << 256:
        raise InvalidGenesis(f"{where} of the genesis file is not a number: {value!r}")
    return number


def _hex(value: object, where: str, size: int | None = None) -> bytes:
    text = str(value).removeprefix("0x")
    try:
        raw = bytes.fromhex("0" * (len(text) % 2) + text)
    except ValueError:
        raise InvalidGenesis(f"{where} of the genesis file is not hexadecimal: {value!r}") from None
    if size is not None and len(raw) != size:
        raise InvalidGenesis(f"{where} of the genesis file is not {size} bytes: {value!r}")
    return raw
