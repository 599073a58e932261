"""GeneralStateTests: one transaction on a given state, judged by the state root and the hash of the logs.

Format: ethereum/tests, "State Transition Tests". No block is made, so no reward is paid; the coinbase gets its fees.
The files of 2018 expect the hash of block n to be keccak256 of n in decimal. A test with a part `_ewasm` (see
fixtures/README.md) is held to that as well: status, gas, output, and gas at each call of a host function.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from chain import rlp_codec as rlp
from chain.block import Log
from chain.crypto import keccak
from chain.errors import ChainError, InvalidGenesis, InvalidTransaction
from chain.executor import WasmMachine
from chain.fixtures.checkpoints import Checkpoint, Recorder, observation_hash
from chain.forks import CANCUN_BLOBS, OSAKA_BLOBS, PRAGUE_BLOBS, BlobParams, Fork, parse_fork
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
from ewasm.engine import Engine, make_engine
from ewasm.engine.base import InliningEngine
from ewasm.rules import RULES, Rules
from ewasm.vm import VM

__all__ = [
    "CaseResult",
    "Outcome",
    "read_tests",
    "recording_machine",
    "run_case",
    "run_file",
    "unwatched_machine",
]

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction of a test did.

    Attributes:
        status: "success", "revert", "failure" (all gas gone) or "refused" (never ran).
        gas_used: What the receipt would say; 0 if it was refused.
        output: Return or revert data, the stored code of a creation.
        refusal: Why it was refused, or None.
        state: The state afterwards.
        txbytes: The signed transaction, or nothing where it cannot even be signed.
        checkpoints: Calls of host functions in order, if the machine had a recorder.
    """

    status: str
    gas_used: int
    output: bytes
    state_root: bytes
    logs: tuple[Log, ...]
    logs_hash: bytes
    refusal: str | None
    state: Any
    txbytes: bytes
    checkpoints: tuple[Checkpoint, ...] = ()

    @property
    def observation(self) -> bytes:
        """Hash over all that can be seen (fixtures/README.md)."""
        return observation_hash(
            self.status, self.gas_used, self.output, self.state_root, self.logs_hash, self.checkpoints
        )


@cache
def _engine(name: str) -> Engine:
    return make_engine(name)


@lru_cache(maxsize=16)
def recording_machine(rules: str, engine: str) -> tuple[VM, Recorder]:
    """A VM whose host calls are recorded, one for each rule set and engine of the process.

    Raises:
        InvalidGenesis: There is no such rule set.
    """
    if rules not in RULES:
        raise InvalidGenesis(f"no rule set {rules!r}; there are {', '.join(RULES)}")
    recorder = Recorder()
    return VM(RULES[rules], _engine(engine), tracer=recorder), recorder


@lru_cache(maxsize=16)
def unwatched_machine(rules: str, engine: str) -> VM | None:
    """A VM that runs contracts as a node does, where that differs from running them under a tracer; else None.

    Some engines take host functions into the Wasm, where nobody can watch them.
    """
    made = _engine(engine)
    return VM(RULES[rules], made) if isinstance(made, InliningEngine) else None


def run_file(
    path: Path,
    *,
    rules: Rules | str = "EWASM_2018",
    engine: str = "native",
    forks: Iterable[str] | None = None,
    machine: WasmMachine | None = None,
) -> Iterator[CaseResult]:
    """Run every case of a file whose fork the chain offers (Byzantium and later).

    A test with a part `_ewasm` runs under the rules that it names, on `engine`, and is held to that part too.

    Args:
        rules: Rule set or its name, for tests that name none.
        forks: Names of forks to run; all that the file has unless given.
        machine: A VM to use again for several files; made from rules and engine unless given.

    Raises:
        InvalidGenesis: The file is not a state test.
    """
    if machine is None:
        machine = VM(RULES[rules] if isinstance(rules, str) else rules, _engine(engine))
    wanted = None if forks is None else {parse_fork(name) for name in forks}
    for name, test in read_tests(path).items():
        for fork_name, cases in test["post"].items():
            try:
                fork = parse_fork(fork_name)
            except InvalidGenesis:
                continue
            if fork < OLDEST_FORK or (wanted is not None and fork not in wanted):
                continue
            for index, case in enumerate(cases):
                yield _judge(name, test, fork, fork_name, index, case, machine, engine)


def read_tests(path: Path) -> dict[str, dict[str, Any]]:
    """The tests of a file by name.

    Raises:
        InvalidGenesis: The file is not a state test.
    """
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
    return document


def _judge(
    name: str,
    test: Mapping[str, Any],
    fork: Fork,
    fork_name: str,
    index: int,
    case: Mapping[str, Any],
    machine: WasmMachine,
    engine: str,
) -> CaseResult:
    """Run a case and compare it with what the file says."""
    indexes = case["indexes"]
    at = (indexes["data"], indexes["gas"], indexes["value"])
    ours: Mapping[str, Any] | None = test.get("_ewasm")
    if ours is None:
        outcome = run_case(test, fork, at, machine, raw=case.get("txbytes"))
        reasons = _differences(case, outcome)
    else:
        machine, recorder = recording_machine(ours["rules"], engine)
        outcome = run_case(test, fork, at, machine, raw=case.get("txbytes"), recorder=recorder)
        expected = ours["post"][fork_name][index]
        reasons = _differences(case, outcome) + _observed_differences(expected, outcome)
        unwatched = unwatched_machine(ours["rules"], engine)
        if unwatched is not None and not reasons:
            outcome = run_case(test, fork, at, unwatched, raw=case.get("txbytes"))
            found = _differences(case, outcome) + _summary_differences(expected, outcome)
            reasons = [f"without a tracer {reason}" for reason in found]
    return CaseResult(
        name, fork_name, at, not reasons, "; ".join(reasons) or None, outcome.state_root, outcome.logs_hash
    )


def run_case(
    test: Mapping[str, Any],
    fork: Fork,
    at: tuple[int, int, int],
    machine: WasmMachine,
    *,
    raw: str | None = None,
    recorder: Recorder | None = None,
) -> Outcome:
    """Run the transaction that `at` chooses (data, gas limit, value) on the state before it.

    Args:
        test: The test's `env`, `pre` and `transaction`.
        raw: The signed transaction in hexadecimal, in place of the one the test describes.
        recorder: The machine's, to collect checkpoints.
    """
    env = _env(test["env"], fork, test.get("config", {}))
    ancestors = (keccak(str(n).encode()) for n in range(env.number - 1, max(env.number - 1 - ANCESTORS, -1), -1))
    state = open_state(env, machine, MemoryStore().writer, EMPTY_ROOT, ancestors)
    write_accounts(state, {_bytes(address): _account(account) for address, account in test["pre"].items()})
    state.persist()
    if recorder is not None:
        recorder.reset()
    logs: tuple[Log, ...] = ()
    refusal: str | None = None
    status, gas_used, output, txbytes = "refused", 0, b"", b""
    try:
        tx = _transaction(test["transaction"], at, env.chain_id, raw)
        txbytes = tx.encode()
        check_tx(tx, fork, env.chain_id, machine.rules, env.blobs)
        if tx.gas > env.gas_limit:
            raise InvalidTransaction("exceeds block gas limit", "gas-limit")
        # The files of 2018 are older than EIP-3607: some of their senders have code.
        code = state.get_code(tx.sender) if machine.rules.interface > 2018 else b""
        check_account(tx, state.get_balance(tx.sender), state.get_nonce(tx.sender), code, env)
    except ChainError as error:
        refusal = str(error)
    else:
        executed = apply_tx(state, tx, env)
        logs, gas_used, output = executed.logs, executed.gas_used, executed.output
        status = "success" if executed.success else "revert" if executed.reverted else "failure"
    root = bytes(state.make_state_root())
    logs_hash = keccak(rlp.encode([[log.address, list(log.topics), log.data] for log in logs]))
    checkpoints = tuple(recorder.checkpoints) if recorder is not None else ()
    return Outcome(status, gas_used, output, root, logs, logs_hash, refusal, state, txbytes, checkpoints)


def _differences(case: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """What differs from the part of a case that every state test has."""
    refused = outcome.refusal
    if "expectException" in case and refused is None:
        return [f"the transaction ran, but must be refused: {case['expectException']}"]
    if "expectException" not in case and refused is not None and outcome.state_root != _bytes(case["hash"]):
        return [f"the transaction was refused: {refused}"]
    reasons = []
    if outcome.state_root != _bytes(case["hash"]):
        reasons.append(f"state root is 0x{outcome.state_root.hex()}, must be {case['hash']}")
    if outcome.logs_hash != _bytes(case["logs"]):
        reasons.append(f"logs hash is 0x{outcome.logs_hash.hex()}, must be {case['logs']}")
    return reasons


def _observed_differences(expected: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """What differs from a case's part of `_ewasm`: status, gas, output, and the first checkpoint that does."""
    reasons = _summary_differences(expected, outcome)
    found = [checkpoint.as_json() for checkpoint in outcome.checkpoints]
    wanted = expected["checkpoints"]
    for number, (got, must) in enumerate(itertools.zip_longest(found, wanted)):
        if got != must:
            reasons.append(f"checkpoint {number} is {_checkpoint_text(got)}, must be {_checkpoint_text(must)}")
            break
    if not reasons and "0x" + outcome.observation.hex() != expected["observation"]:
        reasons.append(f"observation is 0x{outcome.observation.hex()}, must be {expected['observation']}")
    return reasons


def _summary_differences(expected: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """What differs of status, gas and output."""
    output = "0x" + outcome.output.hex()
    return [
        f"{what} is {found}, must be {wanted}"
        for what, found, wanted in (
            ("status", outcome.status, expected["status"]),
            ("gas used", outcome.gas_used, _int(expected["gasUsed"])),
            ("output", output, expected["output"]),
        )
        if found != wanted
    ]


def _checkpoint_text(checkpoint: list[str] | None) -> str:
    if checkpoint is None:
        return "missing"
    depth, function, particles, *arguments = checkpoint
    return f"{function}({', '.join(arguments)}) at depth {_int(depth)} with {_int(particles)} particles"


def _blobs(fork: Fork, config: Mapping[str, Any]) -> BlobParams | None:
    """Of the file's `config`, which newer files have, or the fork's own."""
    if fork < Fork.CANCUN:
        return None
    own = OSAKA_BLOBS if fork >= Fork.OSAKA else PRAGUE_BLOBS if fork >= Fork.PRAGUE else CANCUN_BLOBS
    given = config.get("blobSchedule", {}).get(fork.title)
    if given is None:
        return own
    return BlobParams(
        _int(given["target"]), _int(given["max"]), _int(given["baseFeeUpdateFraction"]), reserve_price=own.reserve_price
    )


def _env(env: Mapping[str, Any], fork: Fork, config: Mapping[str, Any]) -> BlockEnv:
    blobs = _blobs(fork, config)
    chain_id = _int(str(config.get("chainid", "0x01")))
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
