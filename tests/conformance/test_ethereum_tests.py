"""ethereum/tests: encodings, tries, transactions and the EVM's own state tests on our executor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chain import rlp_codec as rlp
from chain.crypto import keccak
from chain.errors import InvalidTransaction
from chain.forks import Fork, parse_fork
from chain.stack import run_with_stack
from chain.statetest import CaseResult, run_file
from chain.transaction import decode_tx, intrinsic_gas
from chain.transition import check_tx
from chain.trie import root_of
from ewasm.rules import EWASM_2026
from tests.unit.chain.support import machine

pytestmark = pytest.mark.conformance

CHAIN_ID = 1
# They pass, but take minutes in an EVM written in Python; `make statetests` runs them with all others.
TOO_LONG = frozenset({"Create2Recursive", "loopExp", "loopMul"})
GROUPS = (
    "VMTests",
    "stCallCodes",
    "stChainId",
    "stCreate2",
    "stExample",
    "stExtCodeHash",
    "stLogTests",
    "stMemExpandingEIP150Calls",
    "stRefundTest",
    "stReturnDataTest",
    "stRevertTest",
    "stSStoreTest",
    "stSelfBalance",
    "stShift",
    "stStaticFlagEnabled",
    "stSystemOperationsTest",
)


@pytest.fixture
def folder(conformance: Path) -> Path:
    found = conformance / "ethereum-tests"
    if not found.is_dir():
        pytest.skip("no ethereum-tests in the conformance data")
    return found


def load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def as_item(value: Any) -> Any:
    """The input of an RLP test: "#" marks big numbers."""
    if isinstance(value, list):
        return [as_item(part) for part in value]
    if isinstance(value, str):
        return rlp.int_bytes(int(value[1:])) if value.startswith("#") else value.encode()
    return rlp.int_bytes(value)


def test_rlp(folder: Path) -> None:
    for name, case in load(folder / "RLPTests" / "rlptest.json").items():
        encoded = bytes.fromhex(case["out"].removeprefix("0x"))
        assert rlp.encode(as_item(case["in"])) == encoded, name
        assert rlp.encode(rlp.decode(encoded)) == encoded, name
    for name, case in load(folder / "RLPTests" / "invalidRLPTest.json").items():
        raw = bytes.fromhex(case["out"].removeprefix("0x"))
        with pytest.raises(rlp.RlpError):
            pytest.fail(f"{name}: {rlp.decode(raw)!r}")
    for path in sorted((folder / "RLPTests" / "RandomRLPTests").glob("*.json")):
        for name, case in load(path).items():
            raw = bytes.fromhex(case["out"].removeprefix("0x"))
            try:
                verdict = "VALID" if rlp.encode(rlp.decode(raw)) == raw else "NOT THE SAME"
            except rlp.RlpError:
                verdict = "INVALID"
            assert verdict == case["in"], name


def as_bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()


@pytest.mark.parametrize(
    "name",
    ["trieanyorder", "trieanyorder_secureTrie", "trietest", "trietest_secureTrie", "hex_encoded_securetrie_test"],
)
def test_tries(folder: Path, name: str) -> None:
    secure = "secure" in name
    for label, case in load(folder / "TrieTests" / f"{name}.json").items():
        pairs = case["in"].items() if isinstance(case["in"], dict) else case["in"]
        content: dict[bytes, bytes] = {}
        for key, value in pairs:
            raw = keccak(as_bytes(key)) if secure else as_bytes(key)
            content.pop(raw, None)
            if value is not None:
                content[raw] = as_bytes(value)
        assert root_of(list(content.items())).hex() == case["root"].removeprefix("0x"), label


def test_transactions(folder: Path) -> None:
    wrong: list[str] = []
    count = 0
    for path in sorted((folder / "TransactionTests").rglob("*.json")):
        for name, case in load(path).items():
            raw = bytes.fromhex(case["txbytes"].removeprefix("0x"))
            for fork_name, expected in case["result"].items():
                fork = parse_fork(fork_name)
                count += 1
                verdict = judge(raw, fork)
                if isinstance(verdict, str):
                    if "exception" not in expected:
                        wrong.append(f"{name} on {fork_name} was refused: {verdict}")
                elif "exception" in expected:
                    wrong.append(f"{name} on {fork_name} must be refused: {expected['exception']}")
                elif verdict != (expected["sender"], expected["hash"], int(expected["intrinsicGas"], 16)):
                    wrong.append(f"{name} on {fork_name}: {verdict}")
    assert count > 1000
    assert wrong == []


def test_every_group_of_the_data_is_run(folder: Path) -> None:
    found = {path.name for path in (folder / "GeneralStateTests").iterdir() if path.is_dir()}
    assert found <= set(GROUPS)


def judge(raw: bytes, fork: Fork) -> str | tuple[str, str, int]:
    """Sender, hash and intrinsic gas, or why the transaction is refused."""
    try:
        decoded = decode_tx(raw)
        check_tx(decoded, fork, CHAIN_ID, EWASM_2026, None)
    except InvalidTransaction as error:
        return error.reason
    return "0x" + decoded.sender.hex(), "0x" + decoded.hash.hex(), intrinsic_gas(decoded, fork)


@pytest.mark.parametrize("group", GROUPS)
def test_state_tests_of_the_evm(folder: Path, group: str) -> None:
    found = folder / "GeneralStateTests" / group
    if not found.is_dir():
        pytest.skip(f"no {group} in the conformance data")

    def run() -> list[CaseResult]:
        files = sorted(path for path in found.rglob("*.json") if path.stem not in TOO_LONG)
        return [result for path in files for result in run_file(path, machine=machine())]

    results = run_with_stack(run)
    assert results
    assert [f"{r.name} {r.fork} {r.indexes}: {r.reason}" for r in results if not r.passed] == []
