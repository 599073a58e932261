"""Filling state tests: what sources may say, what makes filling fail, and how its errors read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chain.crypto import keccak
from chain.fixtures.fill import fill
from chain.fixtures.yaml_tree import FillError
from chain.rlp_codec import encode
from chain.stack import run_with_stack
from chain.statetest import CaseResult, Outcome, run_case, run_file
from ewasm.cli import cli

SOURCE = """\
let: {amount: 7}
cases:
  - name: doubled-${n}
    each: {n: [1, "=2**255"]}
    pre:
      contract:
        main: |
          (call $add256 (i32.const 0) (i32.const 0) (i32.const 32))
          (call $finish (i32.const 32) (i32.const 32))
        data: {0: =le(n)}
    transaction:
      to: contract
      gas: {plenty: 100000, enough: needed, short: needed - 1}
      value: =amount
    expect:
      - at: {gas: [plenty, enough]}
        status: success
        output: =le(u256(2 * n))
        prices: {add256: 0.5}
        balance: {contract: 7}
      - at: {gas: short}
        status: failure
        gas_used: =gas_limit
        fails_in: finish
"""


def write(folder: Path, text: str, name: str = "case.yml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def filled(folder: Path, text: str = SOURCE) -> dict[str, Any]:
    source = write(folder, text)
    document: dict[str, Any] = json.loads(run_with_stack(lambda: fill(source)))
    return document


def refused(folder: Path, text: str) -> str:
    source = write(folder, text)
    with pytest.raises(FillError) as caught:
        run_with_stack(lambda: fill(source))
    message = str(caught.value)
    assert message.startswith(f"{source}:")
    return message.removeprefix(f"{source}:")


def run(folder: Path, document: dict[str, Any]) -> list[CaseResult]:
    path = write(folder, json.dumps(document), "case.json")
    return run_with_stack(lambda: list(run_file(path)))


def test_a_source_gives_a_test_for_each_value_and_a_case_for_each_gas(tmp_path: Path) -> None:
    document = filled(tmp_path)
    assert list(document) == ["doubled-1", f"doubled-{2**255}"]
    test = document["doubled-1"]
    plenty, enough, short = (int(limit, 16) for limit in test["transaction"]["gasLimit"])
    assert (plenty, short) == (100_000, enough - 1)
    observed = test["_ewasm"]["post"]["Prague"]
    assert [case["status"] for case in observed] == ["success", "success", "failure"]
    assert int(observed[2]["gasUsed"], 16) == short
    assert observed[0]["checkpoints"][0][:2] == ["0x0", "bignum.add256"]
    assert all(result.passed for result in run(tmp_path, document))


def test_the_observation_is_the_hash_that_the_format_defines(tmp_path: Path) -> None:
    test = filled(tmp_path)["doubled-1"]
    post, case = test["post"]["Prague"][0], test["_ewasm"]["post"]["Prague"][0]

    def number(text: str) -> bytes:
        value = int(text, 16)
        return value.to_bytes((value.bit_length() + 7) // 8, "big")

    def octets(text: str) -> bytes:
        return bytes.fromhex(text[2:])

    checkpoints = [
        [number(depth), name.encode(), number(particles), [number(argument) for argument in arguments]]
        for depth, name, particles, *arguments in case["checkpoints"]
    ]
    whole = [b"\x01", number(case["gasUsed"]), octets(case["output"]), octets(post["hash"]), octets(post["logs"])]
    assert keccak(encode([*whole, checkpoints])) == octets(case["observation"])


def set_gas(case: dict[str, Any]) -> None:
    case["gasUsed"] = hex(int(case["gasUsed"], 16) + 1)


def set_checkpoint(case: dict[str, Any]) -> None:
    case["checkpoints"][1][2] = "0x1"


def drop_checkpoint(case: dict[str, Any]) -> None:
    case["checkpoints"].pop()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda case: case.update(status="revert"), "status is success, must be revert"),
        (set_gas, "gas used is 22003, must be 22004"),
        (lambda case: case.update(output="0x"), "must be 0x"),
        (set_checkpoint, "checkpoint 1 is ethereum.finish(0x20, 0x20) at depth 0 with "),
        (drop_checkpoint, "must be missing"),
        (lambda case: case.update(observation="0x" + "00" * 32), "observation is 0x"),
    ],
)
def test_the_runner_says_what_differs(tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str) -> None:
    document = filled(tmp_path)
    change(document["doubled-1"]["_ewasm"]["post"]["Prague"][0])
    failed = [result for result in run(tmp_path, document) if not result.passed]
    assert [(result.name, result.indexes) for result in failed] == [("doubled-1", (0, 0, 0))]
    assert said in (failed[0].reason or "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("status: success", "status: revert", "cases[0].expect[0].status: doubled-1, data 0, gas plenty, value 0: is"),
        ("2 * n", "3 * n", ":18: cases[0].expect[0].output: doubled-1"),
        (
            "add256: 0.5",
            "add256: 0.55",
            "prices.add256: doubled-1, data 0, gas plenty, value 0: is 5000 (0x1388), the source says 5500",
        ),
        ("contract: 7}", "contract: 8}", "balance.contract"),
        ("fails_in: finish", "fails_in: add256", "is finish, the source says add256"),
        (
            "      - at: {gas: short}",
            "      - at: {gas: short, value: 1}",
            "doubled-1: nothing is expected of data 0, gas 2",
        ),
    ],
)
def test_an_expectation_that_does_not_hold_fails(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in ":" + refused(tmp_path, SOURCE.replace(old, new, 1))


def test_engines_that_differ_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = run_case
    runs: list[Outcome] = []

    def one_more(*arguments: Any, **options: Any) -> Outcome:
        runs.append(real(*arguments, **options))
        return replace(runs[-1], gas_used=runs[-1].gas_used + len(runs) % 2)

    monkeypatch.setattr("chain.fixtures.fill.run_case", one_more)
    text = SOURCE.replace("{plenty: 100000, enough: needed, short: needed - 1}", "{plenty: 100000}")
    text = text.replace(", enough]}", "]}")
    assert "gas used differs" in refused(tmp_path, text[: text.index("      - at: {gas: short}")])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("=le(n)", "=le(m)", "10: cases[0].pre.contract.data.0: 'le(m)': no value has the name \"m\""),
        ("=le(n)", "=le(n", "'le(n' is no expression"),
        ("=le(n)", "=open(n)", "no function has the name"),
        ("=le(n)", "=n.real", "expressions have no Attribute"),
        ("=le(n)", "=1 // 0", "ZeroDivisionError"),
        ("=le(n)", "=le(9**99999999)", "a power out of range"),
        ("=le(n)", "=5", "must be bytes"),
        ("    transaction:", "    transactions:", 'unknown key "transactions"'),
        ("to: contract", "to: nobody", '12: cases[0].transaction.to: no account has the name "nobody"'),
        ("(call $finish", "(call $finnish", "is not WebAssembly text: unknown func"),
        ("main: |", "main: |\n          )", "is not WebAssembly text"),
        ("value: =amount", "value: [1, 2]", '"needed" is one number'),
        ("value: =amount", "value: =2**256", "must be a number of at most 256 bits"),
        ("value: =amount", "value: =10**30", "the transaction is refused: insufficient funds"),
        ("name: doubled-${n}", "name: doubled", 'the name "doubled" is taken'),
        ("each: {n: [", "each: {sender: [", "no value has the name"),
        ("let: {amount: 7}", "let: {amount: 7, amount: 8}", "1: let.amount: is there twice"),
        ("cases:", "cases: [", "is not YAML"),
        ("    expect:", "    rules: EWASM_1999\n    expect:", 'no rule set "EWASM_1999"'),
        ("    expect:", "    forks: [Paris, Nowhere]\n    expect:", "unknown fork 'Nowhere'"),
        ("gas: short}", "gas: shortest}", 'no entry of gas has the name "shortest"'),
    ],
)
def test_errors_name_file_line_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in refused(tmp_path, SOURCE.replace(old, new, 1))


def test_a_transaction_that_must_be_refused(tmp_path: Path) -> None:
    text = """\
cases:
  - name: poor
    pre: {sender: {balance: 5}}
    transaction: {to: sender, value: 6}
    expect: {error: TransactionException.INSUFFICIENT_ACCOUNT_FUNDS, balance: {sender: 5}}
"""
    document = filled(tmp_path, text)
    post = document["poor"]["post"]["Prague"][0]
    assert post["expectException"] == "TransactionException.INSUFFICIENT_ACCOUNT_FUNDS"
    observed = document["poor"]["_ewasm"]["post"]["Prague"][0]
    assert (observed["status"], observed["gasUsed"], observed["accounts"]) == ("refused", "0x0", {})
    assert all(result.passed for result in run(tmp_path, document))
    assert "is success, the source says refused" in refused(
        tmp_path, text.replace("balance: 5}}", "balance: =10**20}}", 1)
    )


def test_evm_code_other_forks_and_checkpoints_in_the_order_of_calls(tmp_path: Path) -> None:
    text = """\
cases:
  - name: through-the-evm
    forks: [Cancun, Prague]
    pre:
      contract:
        main: |
          (drop (call $call (i64.const 50000) (i32.const 0) (i32.const 32) (i32.const 0) (i32.const 0)))
          (call $useGas (i64.const 5))
        data: {0: =middle}
      middle: {evm: "push 0 push 0 push 0 push 0 push @x pop push ${from_be(last)} gas staticcall stop x:"}
      last: {main: (call $useGas (i64.const 1))}
    transaction: {to: contract}
    expect: {status: success, calls: [call, useGas, useGas]}
"""
    test = filled(tmp_path, text)["through-the-evm"]
    for fork in ("Cancun", "Prague"):
        checkpoints = test["_ewasm"]["post"][fork][0]["checkpoints"]
        assert [(point[0], point[1], point[3]) for point in checkpoints] == [
            ("0x0", "ethereum.call", "0xc350"),
            ("0x2", "ethereum.useGas", "0x1"),
            ("0x0", "ethereum.useGas", "0x5"),
        ]


def test_the_command_writes_checks_and_names_what_is_wrong(tmp_path: Path) -> None:
    source = write(tmp_path, SOURCE)
    target = tmp_path / "out" / "case.json"
    fill_it = ["fill", str(source), "-o", str(target)]
    first = CliRunner().invoke(cli, [*fill_it, "--check"])
    assert (first.exit_code, first.output) == (1, f"{target}: differs\n")
    assert not target.exists()
    assert CliRunner().invoke(cli, fill_it).output == f"{target}: written\n"
    assert CliRunner().invoke(cli, ["fill", str(tmp_path), "-o", str(target.parent)]).output == f"{target}: unchanged\n"
    source.write_text(SOURCE.replace("add256: 0.5", "add256: 0.55"))
    wrong = CliRunner().invoke(cli, fill_it)
    assert wrong.exit_code == 1
    assert f"{source}:19: cases[0].expect[0].prices.add256" in wrong.output
    missing = CliRunner().invoke(cli, ["fill", str(tmp_path / "none.yml")])
    assert missing.exit_code == 1
    assert "cannot be read" in missing.output


def test_several_processes_give_the_same_lines_in_the_same_order(tmp_path: Path) -> None:
    text = json.dumps(filled(tmp_path))
    for name in ("a", "b", "c"):
        write(tmp_path, text, f"{name}.json")
    files = [str(tmp_path / f"{name}.json") for name in ("a", "b", "c")]
    one = CliRunner().invoke(cli, ["statetest", "--json", *files])
    two = CliRunner().invoke(cli, ["statetest", "--json", "--processes", "2", *files])
    assert one.exit_code == two.exit_code == 0
    assert one.output == two.output
    *rows, last = (json.loads(line) for line in two.output.splitlines())
    assert last == {"passed": 18, "failed": 0}
    assert [row["file"] for row in rows] == [file for file in files for _ in range(6)]
