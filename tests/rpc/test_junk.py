"""Junk in every parameter of every method: a typed refusal or a result, never a fault, and the node goes on."""

from __future__ import annotations

import random
from typing import Any

from chain.app import all_methods
from tests.node_process import ACCOUNTS, NodeProcess

JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**63, 1e300, "","0x", "0x0", "0x1", "0x" + "f" * 64, "0x" + "f" * 65, "0x" + "0" * 40,
    "latest", "pending", "\u00e9", "text\0", [], [[]], [None], ["0x0"], {}, {"a": 1}, {"from": ACCOUNTS[0]},
    {"from": ACCOUNTS[0], "gas": "0xffffffffffffffff"}, {"to": None, "data": "0x0061736d01000000"},
    {"fromBlock": "0x0", "toBlock": "latest"}, {"blockHash": "0x" + "00" * 32}, {"blocks": 2}, ACCOUNTS[1],
    {"from": ACCOUNTS[1], "to": ACCOUNTS[2], "value": "0x" + "f" * 64, "gasPrice": "0x" + "f" * 64},
    {"from": ACCOUNTS[1], "nonce": "0xffffffffffffffff"}, {"from": ACCOUNTS[1], "type": "0x3"},
    {"from": ACCOUNTS[1], "authorizationList": []}, {"blobVersionedHashes": ["0x" + "01" * 32]},
    {ACCOUNTS[1]: {"balance": "0x" + "f" * 64}}, {ACCOUNTS[1]: ["0x0"]},
)  # fmt: skip


def test_junk_is_never_a_fault(node: NodeProcess) -> None:
    choose = random.Random(20)
    faults = []
    for name, method in sorted(all_methods().items()):
        cases: list[Any] = [[item] for item in JUNK]
        cases += [[choose.choice(JUNK) for _ in range(choose.randint(2, 4))] for _ in range(40)]
        cases += [{param.name: choose.choice(JUNK) for param in method.params} for _ in range(10)]
        requests = [{"jsonrpc": "2.0", "id": i, "method": name, "params": case} for i, case in enumerate(cases)]
        answers = node.send(requests)
        assert len(answers) == len(requests)
        for request, answer in zip(requests, answers, strict=True):
            assert ("result" in answer) is not ("error" in answer)
            if answer.get("error", {}).get("code") == -32603:
                faults.append(request)
    assert not faults, f"{len(faults)} faults, e.g. {faults[:3]}\n{node.errors[-3000:]}"
    assert node.rpc("eth_chainId") == "0x7a69"
