"""docs/refusals.md: each module is refused, each contract fails, in the words that the document has."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner
from wasmtime import wat2wasm

from chain.testing import LocalChain
from chain.testing.contract import RequestFailed
from ewasm.cli import cli
from ewasm.rules import EWASM_2018, EWASM_2026, Limits

TEXT = (Path(__file__).parents[2] / "docs" / "refusals.md").read_text()
BLOCKS = re.findall(r"^```(wat|console)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
LIMITS = re.findall(r"^\| `limit:(\w+)` \|.*\| ([\d,]+) \| ([\d,]+) \|$", TEXT, re.MULTILINE)
FAILURES = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|[^|]+\|$", TEXT[TEXT.index("| `main` does") :], re.MULTILINE)
GAS = hex(200_000)

MODULE = r"""(module (type $none (func))
  (import "ethereum" "finish" (func $finish (param i32 i32)))
  (import "ethereum" "revert" (func $revert (param i32 i32)))
  (import "ethereum" "useGas" (func $useGas (param i64)))
  (import "ethereum" "callDataCopy" (func $callDataCopy (param i32 i32 i32)))
  (import "ethereum" "storageStore" (func $storageStore (param i32 i32)))
  (import "ethereum" "callStatic" (func $callStatic (param i64 i32 i32 i32) (result i32)))
  (import "ethereum" "log" (func $log (param i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1) (table 1 funcref)
  (data (i32.const 64) "\08\c3\79\a0") (data (i32.const 99) "\20") (data (i32.const 131) "\05empty")
  {more} (func $main (export "main") {body}))"""


def module(body: str, more: str = "") -> bytes:
    return bytes(wat2wasm(MODULE.format(body=body, more=more)))


def steps() -> Iterator[tuple[str | None, str, list[str]]]:
    """(text of a module, command, lines shown)."""
    source = None
    for kind, block in BLOCKS:
        if kind == "wat":
            source = block
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            yield source, command, shown
            source = None


def test_modules_are_refused_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = []
    for source, command, shown in steps():
        words = command.split()
        if words[0] != "ewasm":
            command = command.replace("python3", sys.executable)
            subprocess.run(["bash", "-c", command], check=True, timeout=60)
            continue
        if source is not None:
            Path(words[2]).write_text(source)
        done = CliRunner().invoke(cli, words[1:])
        assert (done.exit_code, done.output.splitlines()) == (1, shown), command
        found += [re.split(": ", line)[2] for line in shown]
    assert len(found) == len(set(re.findall(r"^\$ ewasm check (\S+)", TEXT, re.MULTILINE))) >= 25
    # Each kind of refusal has its example.
    assert {rule.split(":")[0] for rule in found} == {
        "export",
        "feature",
        "import",
        "invalid",
        "limit",
        "malformed",
        "start",
    }


def test_the_limits_are_those_of_the_rules() -> None:
    wanted = [
        (field.name, *(f"{getattr(rules.limits, field.name):,}" for rules in (EWASM_2026, EWASM_2018)))
        for field in fields(Limits)
    ]
    assert wanted == LIMITS


@pytest.fixture(scope="module")
def running() -> Iterator[LocalChain]:
    with LocalChain() as chain:
        yield chain


@pytest.mark.parametrize(("body", "text"), FAILURES, ids=[text for _, text in FAILURES])
def test_a_failure_reads_as_shown(running: LocalChain, body: str, text: str) -> None:
    contract = running.deploy(module(body), abi=[])
    transaction = {"to": contract.address, "from": running.accounts[0], "gas": GAS}
    message = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [transaction, "latest"]}
    reverted = text.startswith("execution reverted")
    error = running.answer(message)["error"]
    assert (error["message"], error["code"]) == (text, 3 if reverted else -32000)
    assert ("data" in error) is reverted
    digest = running.request("eth_sendTransaction", transaction)
    receipt = running.request("eth_getTransactionReceipt", digest)
    assert receipt["status"] == "0x0"
    assert (receipt["gasUsed"] == GAS) is not reverted
    first = text.split(": ", 1)[0] if reverted else text
    assert running.request("ewasm_gasReport", digest)["error"] == first
    frame = running.request("debug_traceTransaction", digest, {"tracer": "callTracer"})
    assert frame["error"] == first
    assert frame.get("revertReason") == (text.removeprefix("execution reverted: ") if ": " in text else None)


def test_there_are_failures() -> None:
    assert len(FAILURES) >= 14


def test_a_static_violation_reads_as_shown(running: LocalChain) -> None:
    [text] = re.findall(r"`(\S+ in a static frame)`", TEXT)
    callee = running.deploy(module("(call $storageStore (i32.const 0) (i32.const 32))"), abi=[])
    place = "".join(f"\\{byte:02x}" for byte in bytes.fromhex(callee.address[2:]))
    caller = running.deploy(
        module(
            "(drop (call $callStatic (i64.const 50000) (i32.const 0) (i32.const 0) (i32.const 0)))",
            f'(data (i32.const 0) "{place}")',
        ),
        abi=[],
    )
    receipt = running.send(caller.address, gas=200_000)
    frame = running.request("debug_traceTransaction", receipt.transaction_hash, {"tracer": "callTracer"})
    assert "error" not in frame
    assert [inner["error"] for inner in frame["calls"]] == [text]


def test_a_refused_deployment_fails_with_the_text_of_the_gate(running: LocalChain) -> None:
    code = bytes(wat2wasm('(module (func $init) (start $init) (memory (export "memory") 1) (func (export "main")))'))
    with pytest.raises(RequestFailed, match="a start function"):
        running.send(None, code)
