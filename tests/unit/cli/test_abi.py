"""Signatures and values as people type them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from eth_abi.abi import decode

from ewasm.cli.abi import constructor_types, decode_values, encode_values, parse_signature, read_abi
from ewasm.cli.output import Failure


@pytest.mark.parametrize(
    ("text", "name", "inputs", "outputs"),
    [
        ("number()", "number", (), ()),
        ("balanceOf(address)(uint256)", "balanceOf", ("address",), ("uint256",)),
        ("f(uint,(int,bytes)[2])(bool)", "f", ("uint256", "(int256,bytes)[2]"), ("bool",)),
        ("transfer(address to, uint256 amount) returns (bool)", "transfer", ("address", "uint256"), ("bool",)),
    ],
)
def test_signature(text: str, name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    parsed = parse_signature(text)
    assert (parsed.name, parsed.inputs, parsed.outputs) == (name, inputs, outputs)


def test_selector_is_that_of_the_canonical_types() -> None:
    assert parse_signature("transfer(address,uint)(bool)").selector.hex() == "a9059cbb"


@pytest.mark.parametrize(
    "text", ["", "f", "(uint256)", "f(uint256", "f(uint256)x", "f(uint257)", "f(,)", "f()(bool)x", "2f()"]
)
def test_signature_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_signature(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("uint256", "1_000", 1000),
        ("uint256", "0xff", 255),
        ("int8", "-128", -128),
        ("bool", "true", True),
        ("bool", "0", False),
        ("string", "0x1", "0x1"),
        ("bytes", "0x", b""),
        ("bytes4", "0x01020304", b"\1\2\3\4"),
        ("uint8[]", "[1, 2]", (1, 2)),
        ("(uint8,string)", '[1, "x"]', (1, "x")),
        ("address", "0x" + "ab" * 20, "0x" + "ab" * 20),
    ],
)
def test_value(kind: str, text: str, value: Any) -> None:
    assert decode([kind], encode_values([kind], [text])) == (value,)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("uint256", "ten"),
        ("uint256", "-1"),
        ("uint8", "256"),
        ("bool", "maybe"),
        ("bytes4", "0x0102"),
        ("bytes", "0x1"),
        ("address", "0x00"),
        ("address", "vitalik.eth"),
        ("uint8[]", "1"),
        ("uint8[2]", "[1]"),
        ("uint8[]", '[{"a": 1}]'),
        ("uint8[]", "[1,"),
        ("(uint8,string)", "[1]"),
    ],
)
def test_value_is_refused_by_name(kind: str, text: str) -> None:
    with pytest.raises(click.BadParameter):
        encode_values([kind], [text])


def test_wrong_number_of_arguments_says_what_is_wanted() -> None:
    with pytest.raises(click.BadParameter, match=r"2 wanted \(address, uint256\), 1 given"):
        encode_values(["address", "uint256"], ["0x" + "00" * 20])


def test_decoded_numbers_are_decimal_strings() -> None:
    data = encode_values(["uint256", "bool", "bytes", "int8[]"], [str(2**255), "true", "0xff", "[-1]"])
    assert decode_values(["uint256", "bool", "bytes", "int8[]"], data) == [str(2**255), True, "0xff", ["-1"]]


def test_answer_that_does_not_fit_is_a_failure() -> None:
    with pytest.raises(Failure, match="the answer 0x is not"):
        decode_values(["uint256"], b"")


def test_abi_is_found_inside_a_compilers_output(tmp_path: Path) -> None:
    items = [
        {"type": "constructor", "inputs": [{"type": "tuple[]", "components": [{"type": "uint8"}]}, {"type": "string"}]}
    ]
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"abi": items, "bytecode": "0x"}))
    assert constructor_types(read_abi(file)) == ["(uint8)[]", "string"]


@pytest.mark.parametrize("text", ["{", "{}", "[1]", '"x"'])
def test_file_that_is_no_abi_is_a_failure(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(Failure, match=r"x\.json"):
        read_abi(file)
