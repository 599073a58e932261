"""`ewasm run`: what it reports, on every engine, and how it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.command import ewasm

CONTRACTS = Path(__file__).parents[3] / "contracts"
HASHER = CONTRACTS / "sha256/sha256.wasm"
COUNTER = CONTRACTS / "counter/counter.wat"
ENGINES = ("native", "interpreter")
SHA256_ABC = "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def run(*arguments: object) -> tuple[int, Any]:
    code, output, _ = ewasm("run", *arguments, "--json")
    return code, json.loads(output)


def test_engines_agree_on_everything_but_time() -> None:
    answers = []
    for engine in ENGINES:
        code, facts = run(HASHER, "--calldata", "0x616263", "--engine", engine)
        assert code == 0
        assert facts.pop("engine") == engine
        for name in ("compile_ns", "instantiate_ns", "run_ns"):
            [spent] = facts.pop(name)
            assert spent > 0
        answers.append(facts)
    assert answers[0] == answers[1]
    assert answers[0]["status"] == "SUCCESS"
    assert answers[0]["output"] == SHA256_ABC
    assert answers[0]["gas_used"] == answers[0]["gas_instructions"] + answers[0]["gas_eei"]
    assert answers[0]["gas_instructions"] > 0


def test_times_are_listed_for_every_repeat() -> None:
    _, facts = run(HASHER, "--repeat", "3")
    for name in ("compile_ns", "instantiate_ns", "run_ns"):
        assert len(facts[name]) == 3
        assert all(spent > 0 for spent in facts[name])


@pytest.mark.parametrize("engine", ENGINES)
def test_unmetered_instructions_are_free(engine: str) -> None:
    code, facts = run(HASHER, "--calldata", "616263", "--unmetered", "--engine", engine)
    assert (code, facts["output"], facts["gas_instructions"]) == (0, SHA256_ABC, 0)
    assert facts["schedule"] == "off"


@pytest.mark.parametrize("engine", ENGINES)
def test_flat_schedule_counts_instructions(engine: str) -> None:
    _, flat = run(HASHER, "--schedule", "flat", "--engine", engine)
    assert flat["gas_instructions"] > 5_000


@pytest.mark.parametrize("engine", ENGINES)
def test_original_rules_have_their_own_prices(engine: str) -> None:
    code, facts = run(COUNTER, "--calldata", "0xd09de08a", "--rules", "2018", "--engine", engine)
    assert (code, facts["status"], facts["gas_instructions"]) == (0, "SUCCESS", 0)
    assert facts["gas_used"] > 20_000


@pytest.mark.parametrize("engine", ENGINES)
def test_revert_is_exit_code_one_with_all_facts(engine: str) -> None:
    code, facts = run(CONTRACTS / "erc20/erc20.wasm", "--engine", engine)
    assert (code, facts["status"]) == (1, "REVERT")
    assert b"ERC20: no such function" in bytes.fromhex(facts["output"][2:])
    assert facts["gas_used"] < 30_000_000


@pytest.mark.parametrize("engine", ENGINES)
def test_out_of_gas_takes_everything(engine: str) -> None:
    code, facts = run(HASHER, "--gas", "50", "--engine", engine)
    assert (code, facts["status"], facts["gas_used"], facts["output"]) == (1, "OUT_OF_GAS", 50, "0x")


@pytest.mark.parametrize("engine", ENGINES)
def test_endless_loop_ends(engine: str, tmp_path: Path) -> None:
    file = tmp_path / "loop.wat"
    file.write_text('(module (memory (export "memory") 1) (func (export "main") (loop $again (br $again))))')
    code, facts = run(file, "--gas", "100", "--engine", engine)
    assert (code, facts["status"]) == (1, "OUT_OF_GAS")


def test_value_and_logs(tmp_path: Path) -> None:
    file = tmp_path / "log.wat"
    file.write_text(
        """(module
          (import "ethereum" "getCallValue" (func $value (param i32)))
          (import "ethereum" "log" (func $log (param i32 i32 i32 i32 i32 i32 i32)))
          (memory (export "memory") 1)
          (func (export "main")
            (call $value (i32.const 0))
            (call $log (i32.const 0) (i32.const 16) (i32.const 1)
              (i32.const 32) (i32.const 0) (i32.const 0) (i32.const 0))))"""
    )
    code, facts = run(file, "--value", "258")
    assert code == 0
    [log] = facts["logs"]
    assert log["data"] == "0x0201" + "00" * 14
    assert log["topics"] == ["0x" + "00" * 32]


def test_evm_code_runs_too(tmp_path: Path) -> None:
    file = tmp_path / "answer.bin"
    file.write_text("0x602a60005260206000f3\n")
    code, facts = run(file)
    assert (code, facts["status"], int(facts["output"], 16)) == (0, "SUCCESS", 42)
    assert facts["gas_instructions"] == 0


def test_refused_module_is_a_validation_failure(tmp_path: Path) -> None:
    file = tmp_path / "float.wat"
    file.write_text('(module (memory (export "memory") 1) (func (export "main") (drop (f32.const 1))))')
    code, facts = run(file)
    assert (code, facts["status"]) == (1, "CONTRACT_VALIDATION_FAILURE")
    assert "f32" in facts["error"]


def test_summary_for_people() -> None:
    code, output, errors = ewasm("run", HASHER, "--calldata", "616263")
    assert (code, errors) == (0, "")
    assert "SUCCESS" in output
    assert SHA256_ABC in output


@pytest.mark.parametrize(
    "options",
    [
        ("--calldata", "0x6"),
        ("--calldata", "xyz"),
        ("--gas", "-1"),
        ("--gas", "lots"),
        ("--gas", str(1 << 64)),
        ("--repeat", "0"),
        ("--engine", "steam"),
        ("--schedule", "none"),
        ("--unmetered", "--schedule", "flat"),
        ("--rules", "2020"),
    ],
)
def test_wrong_options_are_usage_errors(options: tuple[str, ...]) -> None:
    code, output, errors = ewasm("run", HASHER, *options)
    assert (code, output) == (2, "")
    assert "Traceback" not in errors


# -- statetest ---------------------------------------------------------------------------------------------------


def state_test(root: str) -> dict[str, Any]:
    account = {"balance": "0x0de0b6b3a7640000", "code": "0x", "nonce": "0x00", "storage": {}}
    return {
        "send": {
            "env": {
                "currentCoinbase": "0x" + "cc" * 20,
                "currentDifficulty": "0x01",
                "currentGasLimit": "0x989680",
                "currentNumber": "0x01",
                "currentTimestamp": "0x01",
            },
            "pre": {"0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b": account},
            "transaction": {
                "data": ["0x"],
                "gasLimit": ["0x5208"],
                "gasPrice": "0x01",
                "nonce": "0x00",
                "secretKey": "0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8",
                "to": "0x" + "bb" * 20,
                "value": ["0x01"],
            },
            "post": {
                "Byzantium": [
                    {
                        "hash": root,
                        "indexes": {"data": 0, "gas": 0, "value": 0},
                        "logs": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
                    }
                ]
            },
        }
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_statetest_counts_and_fails(tmp_path: Path, engine: str) -> None:
    file = tmp_path / "deep" / "send.json"
    file.parent.mkdir()
    file.write_text(json.dumps(state_test("0x" + "00" * 32)))
    code, output, _ = ewasm("statetest", "--rules", "2018", "--engine", engine, tmp_path, "--json")
    case, facts = (json.loads(line) for line in output.splitlines())
    assert (code, facts) == (1, {"passed": 0, "failed": 1})
    assert case["passed"] is False
    file.write_text(json.dumps(state_test(case["state_root"])))
    code, output, _ = ewasm("statetest", "--rules", "2018", "--engine", engine, tmp_path)
    assert (code, output) == (0, "1 passed, 0 failed\n")


def test_statetest_of_a_file_that_is_none_fails_by_name(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("{")
    code, output, _ = ewasm("statetest", file)
    assert code == 1
    assert output.startswith(f"FAIL {file}: ")
    assert output.endswith("\n0 passed, 1 failed\n")


def test_statetest_of_an_empty_folder_is_a_clear_line(tmp_path: Path) -> None:
    assert ewasm("statetest", tmp_path) == (1, "", f"error: {tmp_path}: no .json file in this folder or below\n")
