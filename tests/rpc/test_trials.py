"""Simulations, proofs, access lists, payloads and configuration as a client sees them."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode

from ewasm.initcode import with_arguments
from tests.node_process import ACCOUNTS, NodeProcess, RpcFailure, load_token

ALICE, BOB = ACCOUNTS[:2]
CONTRACT = "0x" + "c1" * 20
# Returns what slot 0 holds.
READ = "0x60005460005260206000f3"


def simulate(node: NodeProcess, *blocks: Any, **options: Any) -> Any:
    return node.rpc("eth_simulateV1", {"blockStateCalls": list(blocks), **options}, "latest")


def test_a_simulated_block_has_the_keys_of_a_block(node: NodeProcess) -> None:
    call = {"from": ALICE, "to": BOB, "value": "0x1"}
    [block] = simulate(node, {"calls": [call]}, returnFullTransactions=True)
    real = node.rpc("eth_getBlockByNumber", "latest", True)
    assert block.keys() - {"calls"} == real.keys()
    assert block["parentHash"] == real["hash"]
    [sent] = block["transactions"]
    assert (sent["from"], sent["type"], sent["blockHash"]) == (ALICE, "0x2", block["hash"])
    [outcome] = block["calls"]
    assert outcome == {"returnData": "0x", "logs": [], "gasUsed": "0x5208", "maxUsedGas": "0x5208", "status": "0x1"}


def test_a_revert_inside_is_told(node: NodeProcess) -> None:
    _, module = load_token()
    token = node.deploy(with_arguments(module, abi_encode(["string", "string", "uint256"], ["Gold", "GLD", 5])))
    transfer = "0xa9059cbb" + BOB[2:].rjust(64, "0") + "f" * 64
    [block] = simulate(node, {"calls": [{"from": BOB, "to": token, "input": transfer}]})
    [outcome] = block["calls"]
    assert (outcome["status"], outcome["returnData"], outcome["error"]["code"]) == ("0x0", "0x", 3)
    assert outcome["error"]["data"].startswith("0x08c379a0")
    assert outcome["error"]["message"].startswith("execution reverted: ")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({}, -32602),
        ({"blockStateCalls": []}, -32602),
        ({"blockStateCalls": {}}, -32602),
        ({"blockStateCalls": [{"calls": [{"from": "0x1"}]}]}, -32602),
        ({"blockStateCalls": [{"blockOverrides": {"number": "0x0"}}]}, -38020),
        ({"blockStateCalls": [{"blockOverrides": {"time": "0x0"}}]}, -38021),
        ({"blockStateCalls": [{}] * 257}, -38026),
        ({"blockStateCalls": [{"calls": [{"from": CONTRACT, "value": "0x1", "to": CONTRACT}]}]}, -38014),
        ({"blockStateCalls": [{"stateOverrides": {CONTRACT: {"movePrecompileToAddress": BOB}}}]}, -32000),
        ({"blockStateCalls": [{"stateOverrides": {CONTRACT: {"state": {}, "stateDiff": {}}}}]}, -32602),
    ],
)
def test_simulations_that_cannot_be(node: NodeProcess, payload: Any, code: int) -> None:
    with pytest.raises(RpcFailure) as error:
        node.rpc("eth_simulateV1", payload)
    assert error.value.code == code


def test_calls_and_estimates_take_overrides(node: NodeProcess) -> None:
    state = {CONTRACT: {"code": READ, "stateDiff": {"0x" + "0" * 64: "0x" + "0" * 62 + "2a"}}}
    call = {"to": CONTRACT}
    assert int(node.rpc("eth_call", call, "latest", state), 16) == 42
    assert int(node.rpc("eth_estimateGas", call, "latest", state), 16) > 21_000
    number = {CONTRACT: {"code": "0x4360005260206000f3"}}
    assert int(node.rpc("eth_call", call, "latest", number, {"number": "0x1234"}), 16) == 0x1234
    head = int(node.rpc("eth_blockNumber"), 16)
    assert int(node.rpc("eth_call", call, "latest", number), 16) == head
    assert int(node.rpc("eth_call", call, "pending", number), 16) == head + 1
    moved = {"0x" + "0" * 39 + "4": {"movePrecompileToAddress": CONTRACT}}
    assert node.rpc("eth_call", {**call, "data": "0x1234"}, "latest", moved) == "0x1234"
    built_only: list[dict[str, Any]] = [{"beaconRoot": "0x" + "0" * 64}, {"withdrawals": []}]
    for bad in built_only:
        with pytest.raises(RpcFailure, match="not supported"):
            node.rpc("eth_call", call, "latest", {}, bad)
    with pytest.raises(RpcFailure, match="unknown field"):
        node.rpc("eth_call", call, "latest", {}, {"blockNumber": "0x1"})


def test_block_hashes_in_overridden_blocks(node: NodeProcess) -> None:
    head = node.rpc("eth_getBlockByNumber", "latest", False)
    number = int(head["number"], 16)
    # BLOCKHASH of the calldata's number
    code = {CONTRACT: {"code": "0x6000354060005260206000f3"}}
    call = {"to": CONTRACT, "data": f"0x{number:064x}"}
    assert node.rpc("eth_call", call, "latest", code, {"number": hex(number + 7)}) == head["hash"]
    call["data"] = f"0x{number + 1:064x}"
    assert int(node.rpc("eth_call", call, "latest", code, {"number": hex(number + 7)}), 16) == 0


def test_blocks_are_named_in_every_way(node: NodeProcess) -> None:
    head = node.rpc("eth_getBlockByNumber", "latest", False)
    names = [
        head["number"], head["hash"], "latest", "safe", "finalized", {"blockNumber": head["number"]},
        {"blockHash": head["hash"]}, {"blockHash": head["hash"], "requireCanonical": True},
    ]  # fmt: skip
    asked: dict[str, list[Any]] = {
        "eth_getBalance": [ALICE],
        "eth_getCode": [ALICE],
        "eth_getTransactionCount": [ALICE],
        "eth_getStorageAt": [ALICE, "0x0"],
        "eth_getStorageValues": [{ALICE: ["0x0"]}],
        "eth_getProof": [ALICE, ["0x0"]],
        "eth_call": [{"to": BOB}],
        "eth_estimateGas": [{"from": ALICE, "to": BOB}],
        "eth_createAccessList": [{"from": ALICE, "to": BOB}],
        "eth_simulateV1": [{"blockStateCalls": [{}]}],
        "eth_getBlockReceipts": [],
    }
    for method, params in asked.items():
        answers = [node.rpc(method, *params, name) for name in names]
        assert all(answer == answers[0] for answer in answers), method
        for bad, code in (({"blockHash": "0x" + "1" * 64}, -32000), ({"blockHash": head["hash"], "x": 1}, -32602)):
            if method == "eth_getBlockReceipts" and code == -32000:
                continue
            with pytest.raises(RpcFailure) as error:
                node.rpc(method, *params, bad)
            assert error.value.code == code, method


def test_proofs(node: NodeProcess) -> None:
    full = "0x" + "0" * 64
    proof = node.rpc("eth_getProof", ALICE, ["0x0", full, "0x01"], "latest")
    assert [item["key"] for item in proof["storageProof"]] == ["0x0", full, "0x1"]
    assert proof["accountProof"]
    assert proof["balance"] == node.rpc("eth_getBalance", ALICE, "latest")
    with pytest.raises(RpcFailure, match="too many") as error:
        node.rpc("eth_getProof", ALICE, ["0x0"] * 1_025, "latest")
    assert error.value.code == -32602


def test_access_lists_tell_of_failures(node: NodeProcess) -> None:
    state = {CONTRACT: {"code": "0x60005460006000fd"}}
    created = node.rpc("eth_createAccessList", {"from": ALICE, "to": CONTRACT}, "latest", state)
    assert created["error"] == "execution reverted"
    assert created["accessList"] == [{"address": CONTRACT, "storageKeys": ["0x" + "0" * 64]}]
    with pytest.raises(RpcFailure, match="insufficient funds"):
        node.rpc("eth_createAccessList", {"from": CONTRACT, "to": BOB, "value": "0x1"}, "latest")


def test_payloads_are_built_on_any_block_and_not_kept(node: NodeProcess) -> None:
    head = node.rpc("eth_getBlockByNumber", "latest", False)
    attributes = {
        "timestamp": hex(int(head["timestamp"], 16) + 1),
        "prevRandao": "0x" + "7" * 64,
        "suggestedFeeRecipient": BOB,
        "withdrawals": [{"index": "0x0", "validatorIndex": "0x1", "address": CONTRACT, "amount": "0x2"}],
        "parentBeaconBlockRoot": "0x" + "9" * 64,
    }
    built = node.rpc("testing_buildBlockV1", head["hash"], attributes, [], "0x01")
    payload = built["executionPayload"]
    assert (payload["parentHash"], payload["extraData"], payload["feeRecipient"]) == (head["hash"], "0x01", BOB)
    assert payload["withdrawals"] == attributes["withdrawals"]
    assert (built["blockValue"], built["executionRequests"], payload["transactions"]) == ("0x0", [], [])
    assert node.rpc("eth_getBlockByHash", payload["blockHash"], False) is None
    assert node.rpc("eth_getBlockByNumber", "latest", False) == head
    genesis = node.rpc("eth_getBlockByNumber", "0x0", False)
    assert (
        node.rpc("testing_buildBlockV1", genesis["hash"], attributes, None)["executionPayload"]["blockNumber"] == "0x1"
    )
    for change, words in (
        ({"timestamp": head["timestamp"]}, "timestamp"),
        ({"withdrawals": None}, "withdrawals"),
        ({"parentBeaconBlockRoot": None}, "parentBeaconBlockRoot"),
    ):
        with pytest.raises(RpcFailure, match=words):
            node.rpc("testing_buildBlockV1", head["hash"], {**attributes, **change}, [])
    with pytest.raises(RpcFailure, match="unknown parent"):
        node.rpc("testing_buildBlockV1", "0x" + "1" * 64, attributes, [])
    with pytest.raises(RpcFailure, match="extra data"):
        node.rpc("testing_buildBlockV1", head["hash"], attributes, [], "0x" + "00" * 33)
    with pytest.raises(RpcFailure, match="cannot decode"):
        node.rpc("testing_buildBlockV1", head["hash"], attributes, ["0xc0"])


def test_configuration(node: NodeProcess) -> None:
    config = node.rpc("eth_config")
    current = config["current"]
    assert (config["next"], config["last"]) == (None, None)
    assert current["activationTime"] == 0
    assert current["blobSchedule"] == {"target": 6, "max": 9, "baseFeeUpdateFraction": 5_007_716}
    assert "P256VERIFY" not in current["precompiles"]
    assert current["precompiles"]["ECREC"] == "0x" + "0" * 39 + "1"
    head = node.rpc("eth_getBlockByNumber", "latest", False)
    found = node.rpc("eth_capabilities")
    assert found["head"] == {"number": head["number"], "hash": head["hash"]}
    assert found["state"] == {"disabled": False, "oldestBlock": "0x0"}
