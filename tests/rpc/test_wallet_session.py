"""A browser wallet and its test page, replayed: see `wallet_session`."""

from __future__ import annotations

import json
import re
from typing import Any

from eth_abi.abi import encode

from ewasm.initcode import with_arguments
from tests.node_process import ACCOUNTS, NodeProcess, load_token, node_process
from tests.rpc.wallet_session import ORIGIN, STEPS, Fails, Has, Keep, Like


def facts() -> dict[str, str]:
    arguments = encode(["string", "string", "uint256"], ["Gold", "GLD", 1_000_000])
    return {
        "account": ACCOUNTS[0],
        "account_digits": ACCOUNTS[0][2:],
        "other": ACCOUNTS[1],
        "token_code": "0x" + with_arguments(load_token()[1], arguments).hex(),
        "transfer": "0xa9059cbb" + ACCOUNTS[1][2:].rjust(64, "0") + f"{15_000:064x}",
    }


def filled(value: Any, known: dict[str, Any]) -> Any:
    """The value with what is known by now in the place of names."""
    if isinstance(value, str):
        for name in sorted(known, key=len, reverse=True):
            value = value.replace(f"${name}", known[name])
        return value
    if isinstance(value, list):
        return [filled(item, known) for item in value]
    return {key: filled(item, known) for key, item in value.items()} if isinstance(value, dict) else value


def meets(got: Any, wanted: Any, known: dict[str, Any], where: str) -> None:
    match wanted:
        case Keep(label, expectation):
            meets(got, expectation, known, where)
            known[label] = got
        case Like(pattern):
            assert isinstance(got, str), (where, got)
            assert re.search(pattern, got), (where, got)
        case Has(members):
            assert isinstance(got, dict), (where, got)
            for name, expectation in members.items():
                meets(got.get(name), expectation, known, f"{where}.{name}")
        case list() if wanted and isinstance(wanted[0], Like | Has):
            assert isinstance(got, list), (where, got)
            assert got, where
            for item in got:
                meets(item, wanted[0], known, where)
        case _:
            assert got == filled(wanted, known), where


def ask(node: NodeProcess, number: int, method: str, params: Any) -> dict[str, Any]:
    """As an extension does: its own origin, ids beyond 32 bits, `params` left out where there are none."""
    body = {"id": 1_700_000_000_000 + number, "jsonrpc": "2.0", "method": method}
    if params is not None:
        body["params"] = params
    status, headers, raw = node.post(json.dumps(body), Origin=ORIGIN)
    assert status == 200
    assert headers["access-control-allow-origin"] in ("*", ORIGIN)
    answer: dict[str, Any] = json.loads(raw)
    assert (answer["id"], answer["jsonrpc"]) == (body["id"], "2.0")
    return answer


def test_every_step_is_answered_as_the_wallet_expects() -> None:
    with node_process() as node:
        known: dict[str, Any] = dict(facts())
        for number, (method, params, wanted) in enumerate(STEPS):
            answer = ask(node, number, method, filled(params, known))
            where = f"step {number}, {method}"
            if isinstance(wanted, Fails):
                assert answer["error"]["code"] == wanted.code, (where, answer)
                assert wanted.message in answer["error"]["message"], (where, answer)
            else:
                assert "error" not in answer, (where, answer)
                meets(answer["result"], wanted, known, where)


def test_a_page_elsewhere_may_ask() -> None:
    with node_process() as node:
        status, headers, _ = node.request(
            "OPTIONS",
            Origin=ORIGIN,
            Access_Control_Request_Method="POST",
            Access_Control_Request_Headers="content-type",
        )
        assert status in (200, 204)
        assert headers["access-control-allow-origin"] in ("*", ORIGIN)
        assert "POST" in headers["access-control-allow-methods"]
        assert "content-type" in headers["access-control-allow-headers"].lower()
