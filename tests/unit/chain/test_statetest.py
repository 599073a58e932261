"""The runner of state tests: what it takes, and that it notices a wrong root."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chain.errors import InvalidGenesis
from chain.statetest import run_file
from tests.unit.chain.support import ALICE, BOB, KEY, machine

EMPTY_LOGS = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"


def case(root: str, **more: Any) -> dict[str, Any]:
    return {"hash": root, "logs": EMPTY_LOGS, "indexes": {"data": 0, "gas": 0, "value": 0}, **more}


def write(folder: Path, post: dict[str, Any], **transaction: Any) -> Path:
    document = {
        "transfer": {
            "env": {
                "currentCoinbase": "0x" + "cb" * 20,
                "currentDifficulty": "0x020000",
                "currentGasLimit": "0x05500000",
                "currentNumber": "0x01",
                "currentTimestamp": "0x03e8",
            },
            "pre": {"0x" + ALICE.hex(): {"balance": "0x0de0b6b3a7640000", "code": "", "nonce": "", "storage": {}}},
            "post": post,
            "transaction": {
                "data": ["0x"],
                "gasLimit": ["0x5208"],
                "gasPrice": "0x0a",
                "nonce": "0x00",
                "secretKey": "0x" + KEY.hex(),
                "to": "0x" + BOB.hex(),
                "value": ["0x01"],
                **transaction,
            },
        }
    }
    path = folder / "transfer.json"
    path.write_text(json.dumps(document))
    return path


def test_wrong_and_right_roots(tmp_path: Path) -> None:
    wrong = write(tmp_path, {"Byzantium": [case("0x" + "00" * 32)], "Cancun": [case("0x" + "00" * 32)]})
    results = list(run_file(wrong, machine=machine()))
    assert [(result.fork, result.passed) for result in results] == [("Byzantium", False), ("Cancun", False)]
    assert all("state root" in (result.reason or "") for result in results)
    post = {result.fork: [case("0x" + result.state_root.hex())] for result in results}
    right = write(tmp_path, post)
    assert all(result.passed for result in run_file(right, machine=machine()))
    assert [result.fork for result in run_file(right, machine=machine(), forks=["cancun"])] == ["Cancun"]


def test_a_wrong_logs_hash_is_noticed(tmp_path: Path) -> None:
    first = next(run_file(write(tmp_path, {"Cancun": [case("0x00")]}), machine=machine()))
    post = {"Cancun": [{**case("0x" + first.state_root.hex()), "logs": "0x" + "00" * 32}]}
    result = next(run_file(write(tmp_path, post), machine=machine()))
    assert not result.passed
    assert "logs" in (result.reason or "")


def test_forks_that_are_not_offered_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, {"Homestead": [case("0x00")], "Atlantis": [case("0x00")]})
    assert list(run_file(path, machine=machine())) == []


def test_expected_refusal(tmp_path: Path) -> None:
    expected = {"Cancun": [case("0x00", expectException="TR_IntrinsicGas")]}
    ran = next(run_file(write(tmp_path, expected), machine=machine()))
    assert "must be refused" in (ran.reason or "")
    root = "0x" + next(run_file(write(tmp_path, expected, gasLimit=["0x1"]), machine=machine())).state_root.hex()
    post = {"Cancun": [case(root, expectException="TR_IntrinsicGas")]}
    assert next(run_file(write(tmp_path, post, gasLimit=["0x1"]), machine=machine())).passed


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', '{"a": {"env": {}}}'])
def test_a_file_that_is_no_state_test_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(content)
    with pytest.raises(InvalidGenesis):
        list(run_file(path, machine=machine()))
    with pytest.raises(InvalidGenesis, match="cannot read"):
        list(run_file(tmp_path / "missing.json", machine=machine()))
