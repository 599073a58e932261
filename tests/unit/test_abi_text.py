"""ABIs written in comments."""

from __future__ import annotations

import json

import pytest

from ewasm.cli.abi_text import AbiTextError, abi_json, abi_lines, parse_item

SOURCE = """
/* A thing.
 *
 * abi: constructor(address owner, uint start) payable
 * abi: function give(address to, uint256[] amounts) returns (bool done, bytes32[2])
 */
// abi: function look() view returns (string)
//! abi: event Given(address indexed to, uint256 amount)
;; abi: error TooLittle(uint8 there)
# abi: fallback() payable
/// abi: receive() payable */
int x; // no abi: function hidden()
"""


def test_lines_of_every_comment_style() -> None:
    kinds = [line.split("(")[0].split()[0] for line in abi_lines(SOURCE)]
    assert kinds == ["constructor", "function", "function", "event", "error", "fallback", "receive"]


def test_items_are_what_solidity_writes() -> None:
    constructor, give, look, given, error, fallback, receive = map(parse_item, abi_lines(SOURCE))
    assert constructor == {
        "type": "constructor",
        "inputs": [{"name": "owner", "type": "address"}, {"name": "start", "type": "uint256"}],
        "stateMutability": "payable",
    }
    assert give["inputs"][1] == {"name": "amounts", "type": "uint256[]"}
    assert give["outputs"] == [{"name": "done", "type": "bool"}, {"name": "", "type": "bytes32[2]"}]
    assert (give["stateMutability"], look["stateMutability"]) == ("nonpayable", "view")
    assert given == {
        "type": "event",
        "name": "Given",
        "inputs": [
            {"name": "to", "type": "address", "indexed": True},
            {"name": "amount", "type": "uint256", "indexed": False},
        ],
        "anonymous": False,
    }
    assert error == {"type": "error", "name": "TooLittle", "inputs": [{"name": "there", "type": "uint8"}]}
    assert fallback == {"type": "fallback", "stateMutability": "payable"}
    assert receive == {"type": "receive", "stateMutability": "payable"}
    assert json.loads(abi_json([fallback, receive])) == [fallback, receive]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("function", "not constructor, function"),
        ("modifier only()", "not constructor, function"),
        ("function (uint256)", "a name is missing"),
        ("constructor made(uint256)", "a name is too much"),
        ("function f(uint7)", "uint7 is no type"),
        ("function f(uint264 a)", "uint264 is no type"),
        ("function f(bytes33)", "bytes33 is no type"),
        ("function f(address a b)", "address a b is no parameter"),
        ("function f(address,,bool)", "a parameter is missing"),
        ("function f() external", "external cannot stand there"),
        ("function f() view pure", "view pure cannot stand there"),
        ("event E(uint256) view", "view cannot stand there"),
        ("event E(uint256) returns (bool)", "event returns nothing"),
        ("receive(uint256)", "receive takes nothing"),
    ],
)
def test_what_is_no_item_is_refused(line: str, why: str) -> None:
    with pytest.raises(AbiTextError, match=why):
        parse_item(line)
