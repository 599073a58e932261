"""The commands that talk to a node, against a node."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.command import ewasm

CONTRACTS = Path(__file__).parents[2] / "contracts"
OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OWNER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
BOB = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "ewasm.cli", "node", "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Listening on "), line
        yield line.split()[-1]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def answer(*arguments: object) -> Any:
    code, output, errors = ewasm(*arguments, "--json")
    assert code == 0, errors + output
    return json.loads(output)


@pytest.fixture(scope="module")
def token(url: str) -> str:
    file = CONTRACTS / "erc20/erc20.wasm"
    deployed = answer("deploy", file, "--args", "Gold", "GLD", "1_000_000", "--rpc", url)
    assert deployed["status"] == "success"
    assert deployed["gas_instructions"] > 0
    assert deployed["gas_eei"] > 0
    return str(deployed["address"])


def test_deployed_token_answers(url: str, token: str) -> None:
    assert answer("call", token, "name()(string)", "--rpc", url)["values"] == ["Gold"]
    assert ewasm("call", token, "balanceOf(address)(uint256)", OWNER, "--rpc", url)[1] != ""
    code, output, _ = ewasm("call", token, "decimals()", "--rpc", url)
    assert (code, output) == (0, "0x" + "12".zfill(64) + "\n")


def test_send_moves_tokens_and_shows_the_log(url: str, token: str) -> None:
    done = answer("send", token, "transfer(address,uint256)(bool)", BOB, "250", "--rpc", url)
    assert done["status"] == "success"
    [log] = done["logs"]
    assert int(log["data"], 16) == 250
    assert done["gas_instructions"] + done["gas_eei"] < done["gas_used"]
    assert answer("call", token, "balanceOf(address)(uint256)", BOB, "--rpc", url)["values"] == ["250"]


def test_send_signed_here_and_from_another_account(url: str, token: str) -> None:
    back = ("send", token, "transfer(address,uint256)", BOB, "1", "--rpc", url)
    assert answer(*back, "--private-key", OWNER_KEY)["status"] == "success"
    code, output, _ = ewasm(*back, "--from", BOB)
    assert code == 0
    assert "gas_used" in output


def test_reason_of_a_revert_is_the_error_line(url: str, token: str) -> None:
    arguments = (token, "transfer(address,uint256)", BOB, str(10**30), "--rpc", url)
    for command in ("call", "send"):
        code, output, errors = ewasm(command, *arguments)
        assert (code, output) == (1, "")
        assert errors == "error: execution reverted: ERC20: insufficient balance\n"
    code, output, _ = ewasm("call", *arguments, "--json")
    assert code == 1
    assert json.loads(output)["error"]["code"] == 3


def test_failed_transaction_is_reported_with_its_gas(url: str, token: str) -> None:
    code, output, errors = ewasm("send", token, "nothing()", "--gas", "100000", "--rpc", url, "--json")
    facts = json.loads(output)
    assert (code, facts["status"]) == (1, "failure")
    assert facts["gas_used"] > 21_000
    assert "failed in block" in errors


@pytest.mark.parametrize(
    ("file", "check"),
    [
        ("counter/counter.wat", "number()(uint256)"),
        ("crossvm/forwarder.wasm", "forwarded()(uint256)"),
        ("crossvm/payer.bin", "touches()(uint256)"),
    ],
)
def test_contracts_without_deploy_are_wrapped(url: str, file: str, check: str) -> None:
    address = answer("deploy", CONTRACTS / file, "--rpc", url)["address"]
    assert answer("call", address, check, "--rpc", url)["values"] == ["0"]


def test_init_module_is_recognised(url: str, tmp_path: Path) -> None:
    from ewasm.initcode import wrap_runtime

    file = tmp_path / "init.wasm"
    file.write_bytes(wrap_runtime((CONTRACTS / "counter/counter.wasm").read_bytes()))
    address = answer("deploy", file, "--rpc", url)["address"]
    assert answer("call", address, "number()(uint256)", "--rpc", url)["values"] == ["0"]


def test_readme_of_crossvm_holds(url: str) -> None:
    forwarder = answer("deploy", CONTRACTS / "crossvm/forwarder.wasm", "--rpc", url)["address"]
    payer = answer("deploy", CONTRACTS / "crossvm/payer.bin", "--rpc", url)["address"]
    send = ("send", forwarder, "forward(address,bytes)(bytes)", payer, "0xa55526db", "--rpc", url)
    assert answer(*send)["status"] == "success"
    assert answer("call", payer, "touches()(uint256)", "--rpc", url)["values"] == ["1"]


def test_arguments_need_a_constructor(url: str) -> None:
    file = CONTRACTS / "counter/counter.wasm"
    code, _, errors = ewasm("deploy", file, "--args", "1", "--rpc", url)
    assert (code, "0 wanted" in errors) == (2, True)


def test_refused_module_is_named(url: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.wasm"
    file.write_bytes(b"\0asm\1\0\0\0\xff")
    code, _, errors = ewasm("deploy", file, "--rpc", url)
    assert code == 1
    assert errors.startswith(f"error: {file}: malformed")


@pytest.mark.parametrize(
    "arguments",
    [
        ("call", "0x12", "f()"),
        ("call", BOB, "f"),
        ("call", BOB, "f(uint256)"),
        ("send", BOB, "f(uint256)", "ten"),
        ("send", BOB, "f()", "--private-key", "0x12"),
        ("deploy", CONTRACTS / "erc20/erc20.wasm", "--args", "Gold"),
    ],
)
def test_wrong_arguments_are_usage_errors(arguments: tuple[object, ...], url: str) -> None:
    code, output, errors = ewasm(*arguments, "--rpc", url)
    assert (code, output) == (2, "")
    assert "Traceback" not in errors


def test_no_node_is_a_clear_line() -> None:
    code, output, errors = ewasm("call", BOB, "f()", "--rpc", "http://127.0.0.1:1")
    assert (code, output) == (1, "")
    assert errors.startswith("error: no node answers at http://127.0.0.1:1: ")


@pytest.mark.parametrize("address", ["ftp://x", "http://", "http://h:port"])
def test_address_that_is_none_is_a_clear_line(address: str) -> None:
    code, _, errors = ewasm("call", BOB, "f()", "--rpc", address)
    assert code == 1
    assert address in errors


def test_busy_port_is_a_clear_line(url: str) -> None:
    port = url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "ewasm.cli", "node", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--fork", "Atlantis"), 2, "Atlantis"),
        (("--mnemonic", "one two three"), 1, "mnemonic"),
        (("--genesis", "/none.json"), 1, "/none.json"),
        (("--import", "/none.rlp"), 1, "/none.rlp"),
        (("--balance", "much"), 2, "amount"),
        (("--balance", "0.5wei"), 2, "whole number of wei"),
        (("--port", "99999"), 2, "99999"),
    ],
)
def test_node_options_that_cannot_be_used(options: tuple[str, ...], code: int, text: str) -> None:
    found, output, errors = ewasm("node", "--port", "0", *options)
    assert (found, output) == (code, "")
    assert text in errors
    assert "Traceback" not in errors
