"""Batches of signed transactions: one block for many, the same answers as one by one."""

from __future__ import annotations

import itertools
import json
from typing import Any

from chain.accounts import DEFAULT_MNEMONIC, derive_accounts
from chain.app import NodeOptions, all_methods, open_node
from chain.node import Node
from chain.rpc.dispatch import Dispatcher
from chain.transaction import Tx, sign_tx

ACCOUNTS = derive_accounts(DEFAULT_MNEMONIC, 10)
STRANGER = derive_accounts("legal winner thank year wave sausage worth useful legal winner thank yellow", 1)[0]
GWEI = 10**9


def raw(nonce: int, sender: int = 0, **fields: Any) -> str:
    defaults: dict[str, Any] = {"to": b"\x11" * 20, "value": 1, "gas": 21_000, "tip": GWEI, "cap": 10 * GWEI}
    given = {**defaults, **fields}
    key = fields.pop("key", ACCOUNTS[sender].private_key)
    tx = Tx(
        2, 31337, nonce, given["gas"], given["to"], given["value"], b"", b"",
        max_priority_fee_per_gas=given["tip"], max_fee_per_gas=given["cap"],
    )  # fmt: skip
    return "0x" + sign_tx(tx, key).encode().hex()


class Answers:
    """A node in this process, asked in batches or one by one."""

    def __init__(self, **options: Any) -> None:
        self.node: Node = open_node(NodeOptions(**options))
        self.dispatcher = Dispatcher(self.node, all_methods())
        self.node.start()

    def ask(self, message: Any) -> Any:
        answer = self.dispatcher.answer_now(message)
        return None if answer is None else json.loads(answer)

    def send(self, raws: list[str], *, together: bool) -> list[Any]:
        requests = [
            {"jsonrpc": "2.0", "id": place, "method": "eth_sendRawTransaction", "params": [item]}
            for place, item in enumerate(raws)
        ]
        answers = self.ask(requests) if together else [self.ask(request) for request in requests]
        return [answer.get("result") or answer["error"] for answer in answers]

    def heads(self) -> list[list[str]]:
        """Hashes of each block's transactions."""
        return [
            ["0x" + tx.hash.hex() for tx in block.transactions]
            for number in range(1, self.node.head.number + 1)
            if (block := self.node.chain.block_by_number(number)) is not None
        ]


def both(raws: list[str], **options: Any) -> tuple[list[Any], list[list[str]], list[list[str]]]:
    """The answers, which must be the same both ways, and the blocks of (together, one by one)."""
    results = []
    for together in (True, False):
        asked = Answers(**options)
        try:
            results.append((asked.send(raws, together=together), asked.heads()))
        finally:
            asked.node.stop()
    (answers, blocks), (single_answers, single_blocks) = results
    assert answers == single_answers
    assert sorted(itertools.chain.from_iterable(blocks)) == sorted(itertools.chain.from_iterable(single_blocks))
    return answers, blocks, single_blocks


def test_a_batch_goes_into_one_block_in_its_order() -> None:
    raws = [raw(nonce, sender, tip=GWEI * (1 + sender)) for nonce in range(3) for sender in (0, 2, 1)]
    answers, blocks, single = both(raws)
    assert blocks == [answers]
    assert single == [[answer] for answer in answers]


def test_what_needs_the_one_before_it_comes_behind_it() -> None:
    key = STRANGER.private_key
    raws = [raw(0, to=STRANGER.address, value=10**18), raw(0, key=key), raw(1, key=key)]
    answers, blocks, _ = both(raws)
    assert blocks == [answers[:1], answers[1:]]


def test_refusals_are_those_of_single_transactions() -> None:
    raws = [
        raw(0),
        raw(0),
        raw(0, value=2, tip=5 * GWEI, cap=50 * GWEI),
        "0x02c0",
        raw(1, gas=20_000),
        raw(2),
        raw(1),
        raw(0, 1, value=10**30),
        raw(9, 2),
    ]
    answers, blocks, _ = both(raws)
    good = [answer for answer in answers if isinstance(answer, str)]
    assert [place for place, answer in enumerate(answers) if isinstance(answer, str)] == [0, 5, 6, 8]
    assert list(itertools.chain.from_iterable(blocks)) == [answers[0], answers[6], answers[5]]
    assert len(good) == 4


def test_a_batch_over_the_gas_limit_takes_more_blocks() -> None:
    _, blocks, _ = both([raw(nonce, gas=3_990_000) for nonce in range(5)], gas_limit=4_000_000)
    assert [len(block) for block in blocks] == [1] * 5


def test_without_mining_a_batch_waits() -> None:
    answers, blocks, _ = both([raw(0), raw(1)], mining=False)
    assert all(isinstance(answer, str) for answer in answers)
    assert blocks == []


def test_requests_that_are_no_good_are_answered_among_the_others() -> None:
    asked = Answers()
    try:
        good = {"jsonrpc": "2.0", "method": "eth_sendRawTransaction"}
        message = [
            {**good, "id": 1, "params": [raw(0)]},
            {**good, "id": 2, "params": ["zz"]},
            {**good, "params": [raw(1)]},
            {**good, "id": 3, "params": [raw(2)]},
            {**good, "id": [], "params": [raw(3)]},
            {"jsonrpc": "2.0", "id": 4, "method": "eth_blockNumber"},
        ]
        answers = asked.ask(message)
    finally:
        asked.node.stop()
    assert [answer["id"] for answer in answers] == [1, 2, 3, None, 4]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32602, None, -32600, None]
    assert answers[-1]["result"] == "0x1"
