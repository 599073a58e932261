"""deploy, send and call against a node: ABIs, keys, raw data, fees, reasons, events, and where the gas went."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak

from ewasm.initcode import wrap_runtime
from ewasm.rules import EWASM_2026
from tests.node_process import ACCOUNTS, KEYS, NodeProcess, node_process
from tests.unit.cli.command import ewasm

CONTRACTS = Path(__file__).parents[2] / "contracts"
COUNTER, ERC20 = CONTRACTS / "counter/counter.wasm", CONTRACTS / "erc20/erc20.wasm"
EVM_TOKEN = CONTRACTS / "evm/token.bin"
OWNER, BOB, CAROL = ACCOUNTS
NOBODY = "0x" + "99" * 20

REFUSAL = keccak(text="TooMuch(uint256,address)")[:4] + encode(["uint256", "address"], [7, BOB])
REASON = keccak(text="Error(string)")[:4] + encode(["string"], ["not today"])
REFUSER_ABI: list[dict[str, Any]] = [
    {"type": "function", "name": "custom", "inputs": [], "outputs": []},
    {"type": "function", "name": "reason", "inputs": [], "outputs": []},
    {"type": "function", "name": "pick", "inputs": [{"name": "a", "type": "uint8"}], "outputs": [{"type": "bytes4"}]},
    {"type": "function", "name": "pick", "inputs": [{"name": "a", "type": "bool"}], "outputs": [{"type": "bytes4"}]},
    {"type": "function", "name": "pick", "inputs": [], "outputs": [{"name": "", "type": "bytes4"}]},
    {
        "type": "error",
        "name": "TooMuch",
        "inputs": [{"name": "wanted", "type": "uint256"}, {"name": "by", "type": "address"}],
    },
]


def text(data: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in data)


def number(signature: str) -> int:
    return int.from_bytes(keccak(text=signature)[:4], "little")


# custom() and reason() revert; anything else answers with its selector, to the left in a word.
REFUSER = f"""(module
  (import "ethereum" "callDataCopy" (func $copy (param i32 i32 i32)))
  (import "ethereum" "revert" (func $revert (param i32 i32)))
  (import "ethereum" "finish" (func $finish (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "{text(REFUSAL)}")
  (data (i32.const 256) "{text(REASON)}")
  (func (export "main")
    (call $copy (i32.const 0) (i32.const 0) (i32.const 4))
    (if (i32.eq (i32.load (i32.const 0)) (i32.const {number("custom()")}))
      (then (call $revert (i32.const 64) (i32.const {len(REFUSAL)}))))
    (if (i32.eq (i32.load (i32.const 0)) (i32.const {number("reason()")}))
      (then (call $revert (i32.const 256) (i32.const {len(REASON)}))))
    (call $finish (i32.const 0) (i32.const 32))))"""


@pytest.fixture(scope="module")
def node() -> Iterator[NodeProcess]:
    with node_process() as running:
        yield running
        assert "Traceback" not in running.errors, running.errors


def run(node: NodeProcess, *arguments: object) -> tuple[int, str, str]:
    return ewasm(*arguments, "--rpc", node.url)


def answer(node: NodeProcess, *arguments: object) -> Any:
    code, output, errors = run(node, *arguments, "--json")
    assert code == 0, errors + output
    return json.loads(output)


@pytest.fixture(scope="module")
def token(node: NodeProcess) -> str:
    return str(answer(node, "deploy", ERC20, "--args", "Gold", "GLD", 1_000)["address"])


@pytest.fixture(scope="module")
def refuser(node: NodeProcess, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    file = tmp_path_factory.mktemp("refuser") / "refuser.wat"
    file.write_text(REFUSER)
    abi = file.with_suffix(".json")
    abi.write_text(json.dumps(REFUSER_ABI))
    return str(answer(node, "deploy", file)["address"]), abi


# -- deploy ------------------------------------------------------------------------------------------------------


def test_constructor_arguments_go_by_the_abi_beside_the_file(node: NodeProcess) -> None:
    address = answer(node, "deploy", ERC20, "--args", "Gold", "GLD", "0x10")["address"]
    abi = ERC20.with_suffix(".json")
    assert answer(node, "call", address, "totalSupply", "--abi", abi)["values"] == ["16"]
    for given in ((), ("--args", "Gold")):
        code, _, errors = run(node, "deploy", ERC20, *given)
        assert (code, f"3 wanted (string name, string symbol, uint256 supply), {len(given[1:])} given" in errors) == (
            2,
            True,
        ), errors
    code, _, errors = run(node, "deploy", ERC20, "--args", "Gold", "GLD", "many")
    assert (code, "supply: 'many' is no uint256: a number is needed" in errors) == (2, True), errors


def test_constructor_arguments_without_an_abi_are_a_usage_error(node: NodeProcess, tmp_path: Path) -> None:
    file = tmp_path / "token.wasm"
    file.write_bytes(ERC20.read_bytes())
    code, _, errors = run(node, "deploy", file, "--args", "Gold")
    assert (code, "--args needs --abi FILE" in errors) == (2, True)


@pytest.mark.parametrize("shape", ["hardhat", "foundry", "solc"])
def test_compilers_artifact_is_deployed_as_it_is(node: NodeProcess, tmp_path: Path, shape: str) -> None:
    code = "0x" + bytes.fromhex(EVM_TOKEN.read_text().strip().removeprefix("0x")).hex()
    abi = json.loads(EVM_TOKEN.with_suffix(".json").read_text())
    artifacts: dict[str, dict[str, Any]] = {
        "hardhat": {"bytecode": code},
        "foundry": {"bytecode": {"object": code}},
        "solc": {"evm": {"bytecode": {"object": code[2:]}}},
    }
    file = tmp_path / "Token.json"
    file.write_text(json.dumps({"abi": abi, **artifacts[shape]}))
    kinds = next(item["inputs"] for item in abi if item["type"] == "constructor")
    given = [{"string": "Gold", "uint256": "5", "uint8": "18"}[kind["type"]] for kind in kinds]
    deployed = answer(node, "deploy", file, *(["--args", *given] if given else []))
    assert answer(node, "call", deployed["address"], "totalSupply", "--abi", file)["values"] == ["5"]
    if given:
        assert run(node, "deploy", file)[0] == 2


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"abi": []}, "no bytecode"),
        ({"abi": [], "bytecode": "0x60__$1234567890$__"}, "libraries that are not linked: __$1234567890$__"),
        ({"abi": [], "bytecode": "0x6"}, "not hexadecimal"),
        ({"bytecode": "0x60"}, "no ABI"),
        ([], "no bytecode"),
    ],
)
def test_artifact_that_cannot_be_deployed(node: NodeProcess, tmp_path: Path, document: Any, reason: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps(document))
    code, output, errors = run(node, "deploy", file)
    assert (code, output) == (1, "")
    assert errors.startswith(f"error: {file}: ")
    assert reason in errors


# -- who signs ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "bob.json"
    file.write_text(json.dumps(Account.encrypt(bytes.fromhex(KEYS[1][2:]), "two words", kdf="pbkdf2", iterations=2)))
    return file


def test_keystore_signs(node: NodeProcess, token: str, keystore: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("two words\nand more\n")
    sent = ("send", token, "approve(address,uint256)", CAROL, "3", "--keystore", keystore)
    assert answer(node, *sent, "--password-file", password)["status"] == "success"
    assert answer(node, "call", token, "allowance(address,address)(uint256)", BOB, CAROL)["values"] == ["3"]


def test_password_of_the_environment(
    node: NodeProcess, token: str, keystore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EWASM_KEYSTORE", str(keystore))
    monkeypatch.setenv("EWASM_KEYSTORE_PASSWORD", "two words")
    assert answer(node, "send", token, "approve(address,uint256)", CAROL, "4")["status"] == "success"
    assert answer(node, "call", token, "allowance(address,address)(uint256)", BOB, CAROL)["values"] == ["4"]


def test_wrong_password_and_file_that_is_no_keystore(
    node: NodeProcess, token: str, keystore: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EWASM_KEYSTORE_PASSWORD", "three words")
    before = node.rpc("eth_getTransactionCount", BOB, "latest")
    sent = ("send", token, "approve(address,uint256)", CAROL, "3", "--keystore")
    assert run(node, *sent, keystore) == (1, "", f"error: {keystore}: wrong password\n")
    code, output, errors = run(node, *sent, keystore, "--json")
    assert (code, json.loads(output)["ok"]) == (1, False)
    assert "three words" not in errors + output
    other = tmp_path / "other.json"
    other.write_text("[]")
    code, _, errors = run(node, *sent, other)
    assert (code, "no keystore" in errors) == (1, True)
    assert node.rpc("eth_getTransactionCount", BOB, "latest") == before


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--keystore", "x.json", "--private-key", KEYS[1]), "--keystore and --private-key: one of them"),
        (("--password-file", "x"), "--password-file goes with --keystore"),
        (("--private-key", KEYS[1], "--from", OWNER), "but the key is that of 0x7099"),
        (("--private-key", "0x12"), "not a private key"),
        (("--from", "0xF39fd6e51aad88f6f4ce6ab8827279cfffb92266"), "its capitals are a checksum"),
        (("--from", "vitalik.eth"), "'vitalik.eth' is not an address"),
        (("--value", "0.3"), "'0.3' is not a number"),
        (("--value", "0.3wei"), "no whole number of wei"),
    ],
)
def test_signer_that_cannot_be(node: NodeProcess, token: str, options: Sequence[str], reason: str) -> None:
    code, output, errors = run(node, "send", token, "approve(address,uint256)", CAROL, "3", *options)
    assert (code, output) == (2, "")
    assert reason in errors


def test_nonce_price_and_tip_are_what_was_asked(node: NodeProcess) -> None:
    for key in ((), ("--private-key", KEYS[2])):
        who = OWNER if not key else CAROL
        nonce = int(node.rpc("eth_getTransactionCount", who, "latest"), 16)
        pay = ("send", BOB, "--data", "0x", "--value", "2gwei", "--nonce", nonce, "--gas-price", "30gwei", *key)
        sent = node.rpc("eth_getTransactionByHash", answer(node, *pay)["transaction"])
        assert (sent["from"], int(sent["nonce"], 16), int(sent["value"], 16)) == (who, nonce, 2 * 10**9)
        assert int(sent["gasPrice"], 16) == 30 * 10**9
        sent = node.rpc(
            "eth_getTransactionByHash",
            answer(node, "send", BOB, "--data", "0x", "--priority-fee", "3gwei", *key)["transaction"],
        )
        assert (sent["type"], int(sent["maxPriorityFeePerGas"], 16)) == ("0x2", 3 * 10**9)
    code, _, errors = run(node, "send", BOB, "--data", "0x", "--nonce", 0)
    assert (code, "nonce" in errors) == (1, True)


# -- what is called ----------------------------------------------------------------------------------------------


def test_raw_data_instead_of_a_signature(node: NodeProcess, token: str) -> None:
    data = "0xa9059cbb" + BOB[2:].zfill(64) + "5".zfill(64)
    before = int(answer(node, "call", token, "balanceOf(address)(uint256)", BOB)["values"][0])
    assert answer(node, "send", token, "--data", data)["status"] == "success"
    raw = answer(node, "call", token, "--data", "0x70a08231" + BOB[2:].zfill(64))
    assert raw == {"raw": "0x" + f"{before + 5:064x}", "values": []}


@pytest.mark.parametrize("command", ["call", "send"])
def test_data_and_signature_are_either_or(node: NodeProcess, token: str, command: str) -> None:
    code, _, errors = run(node, command, token, "name()", "--data", "0x06fdde03")
    assert (code, "--data and SIGNATURE: one of them, please" in errors) == (2, True)
    code, _, errors = run(node, command, token)
    assert (code, "say what to call: SIGNATURE and ARGS, or --data HEX" in errors) == (2, True)
    assert run(node, command, token, "--data", "0x1")[0] == 2


@pytest.mark.parametrize("command", ["call", "send"])
def test_nobody_at_the_address(node: NodeProcess, command: str) -> None:
    code, output, errors = run(node, command, NOBODY, "number()(uint256)")
    assert (code, output, errors) == (1, "", f"error: there is no contract at {NOBODY}\n")
    code, output, _ = run(node, command, NOBODY, "number()", "--json")
    assert (code, json.loads(output)["error"]["message"]) == (1, f"there is no contract at {NOBODY}")


def test_precompiles_are_called(node: NodeProcess) -> None:
    identity = "0x" + "4".zfill(40)
    assert answer(node, "call", identity, "--data", "0x1234")["raw"] == "0x1234"


def test_functions_of_one_name(node: NodeProcess, refuser: tuple[str, Path]) -> None:
    address, abi = refuser
    selector = "0x" + keccak(text="pick()")[:4].hex()
    assert answer(node, "call", address, "pick", "--abi", abi)["values"] == [selector]
    code, _, errors = run(node, "call", address, "pick", "1", "--abi", abi)
    assert (code, "several functions pick, say which: pick(uint8), pick(bool)" in errors) == (2, True), errors
    selector = "0x" + keccak(text="pick(bool)")[:4].hex()
    # The ABI also knows what comes back.
    assert answer(node, "call", address, "pick(bool)", "true", "--abi", abi)["values"] == [selector]
    code, _, errors = run(node, "call", address, "choose", "--abi", abi)
    assert (code, "no function choose; there are: custom, pick, reason" in errors) == (2, True)
    assert run(node, "call", address, "pick")[0] == 2


def test_call_at_a_block(node: NodeProcess, token: str) -> None:
    block = int(node.rpc("eth_blockNumber"), 16)
    owned = ("call", token, "balanceOf(address)(uint256)", CAROL)
    before = answer(node, *owned)["values"]
    answer(node, "send", token, "transfer(address,uint256)", CAROL, "1")
    assert answer(node, *owned, "--block", block)["values"] == before
    assert answer(node, *owned, "--block", "latest")["values"] == [str(int(before[0]) + 1)]
    assert run(node, *owned, "--block", "5x")[0] == 2


# -- reasons and events ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["call", "send"])
@pytest.mark.parametrize(
    ("function", "words"),
    [("custom", f"TooMuch(wanted=7, by='0x{'70997970C51812dc3A010C7d01b50e0d17dc79C8'}')"), ("reason", "not today")],
)
def test_reason_in_words(node: NodeProcess, refuser: tuple[str, Path], command: str, function: str, words: str) -> None:
    address, abi = refuser
    asked = (command, address, function, "--abi", abi)
    assert run(node, *asked) == (1, "", f"error: execution reverted: {words}\n")
    code, output, _ = run(node, *asked, "--json")
    assert (code, json.loads(output)["error"]["message"]) == (1, f"execution reverted: {words}")
    if command == "send":
        # With gas of its own it is mined, and fails there.
        code, output, errors = run(node, *asked, "--gas", 100_000, "--json")
        facts = json.loads(output)
        assert (code, facts["status"], facts["reason"]) == (1, "failure", words)
        assert facts["transaction"] in errors
        code, output, errors = run(node, *asked, "--gas", 100_000)
        assert (code, errors.endswith(f": {words}\n")) == (1, True)
        assert "failure" in output


def test_custom_error_without_an_abi_is_shown_as_data(node: NodeProcess, refuser: tuple[str, Path]) -> None:
    code, _, errors = run(node, "call", refuser[0], "custom()")
    assert (code, errors) == (1, f"error: execution reverted: 0x{REFUSAL.hex()}\n")


def test_transaction_out_of_gas_says_so(node: NodeProcess, token: str) -> None:
    code, output, errors = run(node, "send", token, "transfer(address,uint256)", BOB, "1", "--gas", 24_000, "--json")
    facts = json.loads(output)
    assert (code, facts["status"], facts["gas_used"]) == (1, "failure", 24_000)
    assert "out of gas" in errors.lower()


def test_events_by_name(node: NodeProcess, token: str) -> None:
    abi = ERC20.with_suffix(".json")
    sent = ("send", token, "transfer", BOB, "2", "--abi", abi)
    [log] = answer(node, *sent)["logs"]
    assert log["event"] == "Transfer"
    values = list(log["args"].values())
    assert [str(value).lower() for value in values] == [OWNER, BOB, "2"]
    code, output, _ = run(node, *sent)
    assert (code, f"event of {token}: Transfer(" in output) == (0, True)
    [log] = answer(node, "send", token, "transfer(address,uint256)", BOB, "2")["logs"]
    assert "event" not in log
    assert int(log["data"], 16) == 2


# -- gas ---------------------------------------------------------------------------------------------------------


def parts(node: NodeProcess, *arguments: object) -> tuple[dict[str, int], dict[str, Any]]:
    facts = answer(node, *arguments, "--gas-report")
    report = facts["gas_report"]
    assert sum(report.values()) == facts["gas_used"]
    assert facts["gas_used"] == int(node.rpc("eth_getTransactionReceipt", facts["transaction"])["gasUsed"], 16)
    return report, facts


def test_gas_of_a_contract_that_is_its_own_constructor(node: NodeProcess) -> None:
    report, facts = parts(node, "deploy", ERC20, "--args", "Gold", "GLD", 1)
    size = len(ERC20.read_bytes())
    data = bytes.fromhex(node.rpc("eth_getTransactionByHash", facts["transaction"])["input"][2:])
    assert report["base"] == 53_000 + 2 * -(-len(data) // 32)
    assert report["calldata"] == sum(16 if byte else 4 for byte in data)
    assert report["activation"] == EWASM_2026.activation_gas(data)
    assert report["deposit"] == 200 * size
    assert report["instructions"] + report["activation"] == facts["gas_instructions"]
    assert report["host functions"] == facts["gas_eei"]
    assert report["other"] == 0


def test_gas_of_an_init_module(node: NodeProcess) -> None:
    report, facts = parts(node, "deploy", COUNTER)
    code = COUNTER.read_bytes()
    assert report["activation"] == EWASM_2026.activation_gas(code) + EWASM_2026.activation_gas(wrap_runtime(code))
    assert report["instructions"] + report["activation"] == facts["gas_instructions"]
    assert report["other"] == 0


def test_gas_of_evm_code_stands_under_other(node: NodeProcess) -> None:
    abi = json.loads(EVM_TOKEN.with_suffix(".json").read_text())
    kinds = [item["type"] for entry in abi if entry["type"] == "constructor" for item in entry["inputs"]]
    given = [{"string": "Gold", "uint256": "5", "uint8": "18"}[kind] for kind in kinds]
    report, facts = parts(node, "deploy", EVM_TOKEN, *(["--args", *given] if given else []))
    assert report["instructions"] == report["host functions"] == report["activation"] == 0
    frame = node.rpc("debug_traceTransaction", facts["transaction"], {"tracer": "callTracer"})
    assert report["deposit"] == 200 * (len(frame["output"]) // 2 - 1)
    assert report["other"] > 20_000
    report, facts = parts(node, "send", facts["address"], "transfer(address,uint256)", BOB, 1)
    assert report["base"] == 21_000
    assert report["other"] == facts["gas_used"] - 21_000 - report["calldata"]


def test_refund_makes_other_negative(node: NodeProcess) -> None:
    address = answer(node, "deploy", COUNTER)["address"]
    abi = COUNTER.with_suffix(".json")
    report, _ = parts(node, "send", address, "setNumber", 5, "--abi", abi)
    assert report["other"] == 0
    report, _ = parts(node, "send", address, "setNumber", 0, "--abi", abi)
    # EIP-3529: what clearing a slot gives back.
    assert report["other"] == -4_800
    code, output, _ = run(node, "send", address, "setNumber", 1, "--abi", abi, "--gas-report")
    assert (code, "gas report\n" in output) == (0, True)
    names = [line.split()[0] for line in output[output.index("gas report\n") :].splitlines()[1:6]]
    assert names == ["base", "calldata", "instructions", "host", "other"]


def test_floor_of_call_data_stands_under_other(node: NodeProcess) -> None:
    report, facts = parts(node, "send", NOBODY, "--data", "0x" + "11" * 1_000)
    assert facts["gas_used"] == 21_000 + 40 * 1_000  # EIP-7623
    assert (report["calldata"], report["other"]) == (16_000, 24_000)


def test_gas_report_of_a_failure(node: NodeProcess, refuser: tuple[str, Path]) -> None:
    address, abi = refuser
    code, output, _ = run(node, "send", address, "custom", "--abi", abi, "--gas", 90_000, "--gas-report", "--json")
    facts = json.loads(output)
    assert code == 1
    assert sum(facts["gas_report"].values()) == facts["gas_used"]
    assert facts["gas_report"]["other"] == 0


def test_rules_of_2018_have_their_own_prices(tmp_path: Path) -> None:
    file = CONTRACTS / "wrc20/wrc20.wasm"
    with node_process(fork="Byzantium", rules="EWASM_2018_FLAT") as old:
        report, facts = parts(old, "deploy", file)
        data = bytes.fromhex(old.rpc("eth_getTransactionByHash", facts["transaction"])["input"][2:])
        assert report["calldata"] == sum(68 if byte else 4 for byte in data)
        assert report["base"] == 53_000
        assert report["other"] == 0
