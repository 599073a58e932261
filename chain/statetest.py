"""GeneralStateTests: one transaction on a given state, judged by the state root and the hash of the logs.

Format: ethereum/tests, "State Transition Tests". No block is made, so no reward is paid; the coinbase gets its fees.
The files of 2018 expect the hash of block n to be keccak256 of n in decimal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chain import rlp_codec as rlp
from chain.block import Log
from chain.crypto import keccak
from chain.errors import ChainError, InvalidGenesis, InvalidTransaction
from chain.executor import WasmMachine
from chain.forks import CANCUN_BLOBS, PRAGUE_BLOBS, BlobParams, Fork, parse_fork
from chain.genesis import GenesisAccount, write_accounts
from chain.store import MemoryStore
from chain.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    AccessList,
    Authorization,
    Tx,
    decode_tx,
    sign_tx,
)
from chain.transition import BlockEnv, apply_tx, check_account, check_tx, open_state
from chain.trie import EMPTY_ROOT
from ewasm.rules import RULES, Rules

__all__ = ["CaseResult", "run_file"]

ANCESTORS = 256
OLDEST_FORK = Fork.BYZANTIUM


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The verdict on one transaction of a file under one fork.

    Attributes:
        indexes: Which data, gas limit and value of the file's lists.
        reason: What differs, or None.
    """

    name: str
    fork: str
    indexes: tuple[int, int, int]
    passed: bool
    reason: str | None
    state_root: bytes
    logs_hash: bytes


def run_file(
    path: Path,
    *,
    rules: Rules | str = "EWASM_2018",
    engine: str = "native",
    forks: Iterable[str] | None = None,
    machine: WasmMachine | None = None,
) -> Iterator[CaseResult]:
    """Run every case of a file whose fork the chain offers (Byzantium and later).

    Args:
        rules: Rule set or its name.
        forks: Names of forks to run; all that the file has unless given.
        machine: A VM to use again for several files; made from rules and engine unless given.

    Raises:
        InvalidGenesis: The file is not a state test.
    """
    if machine is None:
        from ewasm.vm import VM

        machine = VM(RULES[rules] if isinstance(rules, str) else rules, engine=engine)
    wanted = None if forks is None else {parse_fork(name) for name in forks}
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidGenesis(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidGenesis(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidGenesis(f"{path} is not a state test: it is not an object")
    for name, test in document.items():
        if not isinstance(test, dict) or not {"env", "pre", "post", "transaction"} <= test.keys():
            raise InvalidGenesis(f"{path} is not a state test: {name} has no env, pre, post and transaction")
        for fork_name, cases in test["post"].items():
            try:
                fork = parse_fork(fork_name)
            except InvalidGenesis:
                continue
            if fork < OLDEST_FORK or (wanted is not None and fork not in wanted):
                continue
            for case in cases:
                yield _run_case(name, test, fork, fork_name, case, machine)


def _run_case(
    name: str, test: Mapping[str, Any], fork: Fork, fork_name: str, case: Mapping[str, Any], machine: WasmMachine
) -> CaseResult:
    indexes = case["indexes"]
    at = (indexes["data"], indexes["gas"], indexes["value"])
    env = _env(test["env"], fork, int(str(test.get("config", {}).get("chainid", "0x01")), 16))
    ancestors = (keccak(str(n).encode()) for n in range(env.number - 1, max(env.number - 1 - ANCESTORS, -1), -1))
    state = open_state(env, machine, MemoryStore().writer, EMPTY_ROOT, ancestors)
    write_accounts(state, {_bytes(address): _account(account) for address, account in test["pre"].items()})
    state.persist()
    logs: tuple[Log, ...] = ()
    refused: str | None = None
    try:
        tx = _transaction(test["transaction"], at, env.chain_id, case.get("txbytes"))
        check_tx(tx, fork, env.chain_id, machine.rules, env.blobs)
        if tx.gas > env.gas_limit:
            raise InvalidTransaction("exceeds block gas limit", "gas-limit")
        check_account(tx, state.get_balance(tx.sender), state.get_nonce(tx.sender), state.get_code(tx.sender), env)
    except ChainError as error:
        refused = str(error)
    else:
        logs = apply_tx(state, tx, env).logs
    root = bytes(state.make_state_root())
    logs_hash = keccak(rlp.encode([[log.address, list(log.topics), log.data] for log in logs]))
    reason: str | None = None
    if "expectException" in case and refused is None:
        reason = f"the transaction ran, but must be refused: {case['expectException']}"
    elif "expectException" not in case and refused is not None and root != _bytes(case["hash"]):
        reason = f"the transaction was refused: {refused}"
    elif root != _bytes(case["hash"]):
        reason = f"state root is 0x{root.hex()}, must be {case['hash']}"
    elif logs_hash != _bytes(case["logs"]):
        reason = f"logs hash is 0x{logs_hash.hex()}, must be {case['logs']}"
    return CaseResult(name, fork_name, at, reason is None, reason, root, logs_hash)


def _env(env: Mapping[str, Any], fork: Fork, chain_id: int) -> BlockEnv:
    blobs: BlobParams | None = None
    if fork >= Fork.CANCUN:
        blobs = PRAGUE_BLOBS if fork >= Fork.PRAGUE else CANCUN_BLOBS
    merged = fork >= Fork.PARIS
    mix_hash = bytes(32)
    if merged:
        # Older files give no randomness; fillers take the difficulty for it then.
        mix_hash = _int(env.get("currentRandom", env.get("currentDifficulty", "0x0"))).to_bytes(32, "big")
    return BlockEnv(
        fork=fork,
        chain_id=chain_id,
        number=_int(env["currentNumber"]),
        timestamp=_int(env["currentTimestamp"]),
        coinbase=_bytes(env["currentCoinbase"]),
        gas_limit=_int(env["currentGasLimit"]),
        difficulty=0 if merged else _int(env.get("currentDifficulty", "0x0")),
        mix_hash=mix_hash,
        base_fee=_int(env.get("currentBaseFee", "0x0a")) if fork >= Fork.LONDON else None,
        excess_blob_gas=_int(env.get("currentExcessBlobGas", "0x0")) if fork >= Fork.CANCUN else None,
        blobs=blobs,
    )


def _transaction(given: Mapping[str, Any], at: tuple[int, int, int], chain_id: int, raw: str | None) -> Tx:
    if raw is not None:
        return decode_tx(_bytes(raw))
    kind = LEGACY
    access_list: AccessList = ()
    if given.get("accessLists") and given["accessLists"][at[0]] is not None:
        kind = ACCESS_LIST
        access_list = tuple(
            (_bytes(entry["address"]), tuple(_int(slot) for slot in entry["storageKeys"]))
            for entry in given["accessLists"][at[0]]
        )
    if "maxFeePerGas" in given:
        kind = DYNAMIC_FEE
    if "blobVersionedHashes" in given:
        kind = BLOB
    elif "authorizationList" in given:
        kind = SET_CODE
    price = _int(given["gasPrice"]) if "gasPrice" in given else 0
    legacy = kind in (LEGACY, ACCESS_LIST)
    tx = Tx(
        type=kind,
        # Legacy transactions of these files are signed without a chain id; so do fillers.
        chain_id=None if kind == LEGACY else chain_id,
        nonce=_int(given["nonce"]),
        gas=_int(given["gasLimit"][at[1]]),
        to=_bytes(given["to"]) or None,
        value=_int(given["value"][at[2]]),
        data=_bytes(given["data"][at[0]]),
        sender=b"",
        gas_price=price if legacy else None,
        max_priority_fee_per_gas=price if legacy else _int(given.get("maxPriorityFeePerGas", "0x0")),
        max_fee_per_gas=price if legacy else _int(given["maxFeePerGas"]),
        access_list=access_list,
        max_fee_per_blob_gas=_int(given.get("maxFeePerBlobGas", "0x0")),
        blob_hashes=tuple(_bytes(item) for item in given.get("blobVersionedHashes", ())),
        authorizations=tuple(
            Authorization(
                _int(item["chainId"]),
                _bytes(item["address"]),
                _int(item["nonce"]),
                _int(item.get("yParity", item.get("v", "0x0"))),
                _int(item["r"]),
                _int(item["s"]),
            )
            for item in given.get("authorizationList", ())
        ),
    )
    if tx.nonce >= 1 << 64 or tx.gas >= 1 << 64 or tx.value >= 1 << 256:
        raise InvalidTransaction("a field is out of range", "overflow")
    return sign_tx(tx, _bytes(given["secretKey"]))


def _account(account: Mapping[str, Any]) -> GenesisAccount:
    return GenesisAccount(
        balance=_int(account["balance"]),
        nonce=_int(account["nonce"]),
        code=_bytes(account["code"]),
        storage={_int(slot): _int(value) for slot, value in account["storage"].items()},
    )


def _int(text: str) -> int:
    """Hexadecimal, "0x" alone being zero; a prefix that marks big values in fillers is taken off."""
    digits = text.removeprefix("0x:bigint ").removeprefix("0x")
    return int(digits, 16) if digits else 0


def _bytes(text: str) -> bytes:
    digits = text.removeprefix("0x")
    return bytes.fromhex("0" * (len(digits) % 2) + digits)
