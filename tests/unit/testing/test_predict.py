"""What `ewasm check` foretells against what the chain charges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_abi.grammar import TupleType, parse
from wasmtime import wat2wasm

from chain.predict import entry_bounds, predict_deploy
from chain.records import CallRequest
from chain.system_contracts import BEACON_ROOTS, HISTORY_STORAGE
from chain.testing.contract import creation_data, read_artifact
from chain.testing.local import LocalChain
from contracts.build import FOLDER
from ewasm.contract import check
from ewasm.metering.schedule import PARTICLES_PER_GAS
from ewasm.rules import EWASM_2018_FLAT, EWASM_2026
from tests.unit.cli.command import ewasm

EXAMPLES = sorted(path for path in FOLDER.glob("*/*.wasm"))
# They stand on every chain from Prague on, so on the one that a prediction is tried on as well (EIP-4788, EIP-2935).
SOMEBODYS_CONTRACTS = {1: "0x" + BEACON_ROOTS.hex(), 2: "0x" + HISTORY_STORAGE.hex()}


def value_of(kind: str, seed: int = 1) -> Any:
    """Some value of an ABI type; small and not zero, other seeds give others. The first addresses are contracts'."""
    parsed = parse(kind)
    if parsed.is_array:
        inner = parsed.item_type.to_type_str()
        return [value_of(inner, seed + 1 + position) for position in range((parsed.arrlist[-1] or [2])[0])]
    if isinstance(parsed, TupleType):
        return tuple(value_of(part.to_type_str(), seed + n) for n, part in enumerate(parsed.components))
    match parsed.base:
        case "address":
            return SOMEBODYS_CONTRACTS.get(seed, "0x" + f"{seed:02x}" * 20)
        case "bool":
            return bool(seed % 2)
        case "string":
            return "Gold"[: 2 + seed % 3]
        case "bytes":
            return bytes(seed + n for n in range(int(parsed.sub or 0)))
        case "int":
            return -seed
        case _:
            return seed


@pytest.mark.parametrize(
    "kind",
    ["uint8", "int256", "bool", "bytes", "bytes32", "string", "address", "address[]", "uint8[3][]", "(bool,bytes4[])"],
)
def test_arguments_fit_their_types(kind: str) -> None:
    assert encode([kind], [value_of(kind)]) != encode([kind], [value_of(kind, 2)]) or kind == "bytes"


@pytest.fixture(scope="module")
def local() -> Iterator[LocalChain]:
    with LocalChain() as chain:
        yield chain


@pytest.mark.parametrize("file", EXAMPLES, ids=[f"{path.parent.name}/{path.stem}" for path in EXAMPLES])
def test_deployment_costs_what_was_predicted(local: LocalChain, file: Path) -> None:
    artifact = read_artifact(file, None)
    kinds = artifact.abi.constructor.inputs
    data = creation_data(
        artifact.code, artifact.abi.constructor.encode([value_of(kind, n) for n, kind in enumerate(kinds, 1)])
    )
    predicted = predict_deploy(data, EWASM_2026)
    with local.undone():
        # With gas of its own, a creation that fails is mined all the same.
        digest = local.request(
            "eth_sendTransaction", {"from": local.accounts[0], "data": "0x" + data.hex(), "gas": hex(29_000_000)}
        )
        receipt = local.request("eth_getTransactionReceipt", digest)
    assert (predicted.error, receipt["status"]) == (None, "0x1")
    assert predicted.total == int(receipt["gasUsed"], 16)
    parts = (predicted.base, predicted.calldata, predicted.activation, predicted.deposit, predicted.execution)
    assert sum(parts) == predicted.total
    assert min(parts) >= 0
    assert predicted.deposit == 200 * len(artifact.code)


def test_creation_that_needs_a_contract_of_elsewhere_is_not_predicted(local: LocalChain) -> None:
    artifact = read_artifact(FOLDER / "proxy/proxy.wasm", None)
    with local.undone():
        there = local.deploy(FOLDER / "counter/counter.wasm").address
        data = creation_data(artifact.code, artifact.abi.constructor.encode([there, b""]))
        assert local.send(None, data).ok
    predicted = predict_deploy(data, EWASM_2026)
    assert predicted.error == "execution reverted: Proxy: no contract there"
    assert predicted.activation == predicted.deposit == predicted.execution == 0


@pytest.mark.parametrize("fork", ["Byzantium", "Istanbul"])
def test_deployment_under_the_original_rules(fork: str) -> None:
    code = (FOLDER / "wrc20/wrc20.wasm").read_bytes()
    data = creation_data(code, b"")
    predicted = predict_deploy(data, EWASM_2018_FLAT, fork)
    from chain.app import NodeOptions

    with LocalChain(NodeOptions(fork=fork, rules="EWASM_2018_FLAT")) as chain:
        assert chain.send(None, data).gas_used == predicted.total


def contract(body: str, functions: str = "") -> bytes:
    return bytes(
        wat2wasm(f"""(module
            (import "ethereum" "getCallDataSize" (func $size (result i32)))
            (import "ethereum" "callDataCopy" (func $copy (param i32 i32 i32)))
            (import "ethereum" "storageStore" (func $store (param i32 i32)))
            (import "ethereum" "log" (func $log (param i32 i32 i32 i32 i32 i32 i32)))
            (import "ethereum" "callStatic" (func $call (param i64 i32 i32 i32) (result i32)))
            (import "ethereum" "useGas" (func $use (param i64)))
            (memory (export "memory") 1 1) {functions}
            (func (export "main") (local $n i32) {body}))""")
    )


def used(local: LocalChain, code: bytes, size: int) -> int:
    """Gas of the frame with call data of so many bytes."""
    address = local.deploy(code).address
    outcome = local.node.chain.call(
        CallRequest(sender=bytes(20), to=bytes.fromhex(address[2:]), data=bytes(size), gas=1_000_000)
    )
    assert outcome.is_success, outcome.error
    return outcome.gas_instructions + outcome.gas_eei


BRANCHES = """
    (local.set $n (call $size))
    (block $out
      (if (i32.eqz (local.get $n)) (then (call $use (i64.const 50))) (else (drop (i32.const 1))))
      (br_if $out (i32.eq (local.get $n) (i32.const 1)))
      (block $two (block $one (block $zero
        (br_table $zero $one $two (i32.sub (local.get $n) (i32.const 2))))
        (call $use (i64.const 700)) (br $out))
        (call $use (i64.const 300)))
      (call $twice))
"""
TWICE = "(func $twice (local i64 i64) (call $use (i64.const 100)) (call $use (i64.const 100)))"


def test_longest_path_is_the_bound(local: LocalChain) -> None:
    code = contract(BRANCHES, TWICE)
    bound = entry_bounds(check(code, EWASM_2026))["main"]
    with local.undone():
        costs = [used(local, code, size) for size in range(6)]
    assert isinstance(bound, int)
    assert max(costs) <= bound <= max(costs) + 60, (costs, bound)
    assert costs.index(max(costs)) == 2


@pytest.mark.parametrize(
    "body",
    [
        "",
        "(call $copy (i32.const 0) (i32.const 0) (i32.const 64))",
        "(call $store (i32.const 0) (i32.const 32)) (call $log" + 2 * " (i32.const 32)" + 5 * " (i32.const 2)" + ")",
        "(memory.fill (i32.const 0) (i32.const 7) (i32.const 5000))",
        "(drop (memory.grow (i32.const 3)))",
        "(i32.store (i32.const 40) (i32.const 9)) (call $store (i32.const 0) (i32.const 32))",
    ],
)
def test_straight_code_is_bounded_tightly(local: LocalChain, body: str) -> None:
    code = contract(body)
    bound = entry_bounds(check(code, EWASM_2026))["main"]
    with local.undone():
        cost = used(local, code, 64)
    assert isinstance(bound, int)
    slack = 22_100 - 2_200 if "$log" in body else 0  # the value that is stored is zero, and was
    assert cost <= bound <= cost + slack + 1


def test_length_that_is_no_constant_counts_as_all_of_memory(local: LocalChain) -> None:
    code = contract("(call $copy (i32.const 0) (i32.const 0) (call $size))")
    bound = entry_bounds(check(code, EWASM_2026))["main"]
    with local.undone():
        cost = used(local, code, 1_000)
    schedule = EWASM_2026.schedule
    words = (1 << 16) // 32
    copy = schedule.host["copy"].base + schedule.host["copy"].per_word * words + schedule.host["context"].base
    least = (schedule.initial_page + copy) // PARTICLES_PER_GAS
    assert isinstance(bound, int)
    assert cost < least <= bound <= least + 4  # the instructions


@pytest.mark.parametrize(
    ("body", "functions", "reason"),
    [
        ("(loop $l (br_if $l (call $size)))", "", "loop in 6"),
        ("(call $f)", "(func $f (loop $again (br $again)))", "loop in 6 ($f)"),
        ("(call $f)", "(func $f (call $g)) (func $g (call $f))", "recursion through 6 ($f)"),
        (
            "(drop (call $call (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
            "",
            "ethereum.callStatic: the cost is the callee's",
        ),
        ("(drop (memory.grow (call $size)))", "", "memory.grow by no constant in 6"),
        ("(call $use (i64.extend_i32_u (call $size)))", "", "ethereum.useGas of an amount that is no constant"),
        (
            "(call_indirect (type $t) (i32.const 0))",
            "(type $t (func)) (func $f (loop $l (br $l))) (table 1 funcref) (elem (i32.const 0) $f)",
            "loop in 6 ($f)",
        ),
    ],
)
def test_no_bound_has_a_reason(body: str, functions: str, reason: str) -> None:
    assert entry_bounds(check(contract(body, functions), EWASM_2026)) == {"main": f"unbounded ({reason})"}


def test_loop_that_is_never_repeated_is_none(local: LocalChain) -> None:
    code = contract("(loop (drop (call $size)))")
    bound = entry_bounds(check(code, EWASM_2026))["main"]
    with local.undone():
        assert used(local, code, 0) == bound


# -- the command -------------------------------------------------------------------------------------------------


def test_check_tells_what_the_deployment_costs(local: LocalChain) -> None:
    token = FOLDER / "erc20/erc20.wasm"
    code, output, _ = ewasm("check", token, "--args", "Gold", "GLD", 1_000, "--json")
    assert code == 0
    facts = json.loads(output)
    with local.undone():
        paid = local.deploy(token, "Gold", "GLD", 1_000).receipt
    assert paid is not None
    assert facts["deploy_gas"]["total"] == paid.gas_used
    assert facts["worst_case_gas"]["main"].startswith("unbounded (loop in ")
    text = ewasm("check", token, "--args", "Gold", "GLD", 1_000)[1]
    assert f"deployment {paid.gas_used:,} gas: base " in text


def test_check_says_what_it_needs_to_know() -> None:
    token = FOLDER / "erc20/erc20.wasm"
    code, output, _ = ewasm("check", token)
    assert code == 0
    assert "deployment not predicted: the constructor takes arguments: say --args (string, string, uint256)" in output
    assert ewasm("check", token, "--args", "Gold")[0] == 2
    assert json.loads(ewasm("check", token, "--no-deploy", "--json")[1])["deploy_gas"] is None


def test_refusal_shows_the_instruction(tmp_path: Path) -> None:
    file = tmp_path / "float.wat"
    file.write_text('(module (memory (export "memory") 1) (func $pi (export "main") (drop (f32.const 1.5))))')
    code, output, errors = ewasm("check", file, "--json")
    assert code == 1
    assert json.loads(output)["error"]["instruction"] == "f32.const 0x1.8000000000000p+0"
    assert errors.endswith("[f32.const 0x1.8000000000000p+0]\n")
    assert "function 0 ($pi)" in errors
