"""Strategies out of an ABI: every value fits its type, and texts of calls are calls."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from hypothesis import find, given, settings
from hypothesis import strategies as st

from chain.testing import LocalChain
from chain.testing.abi import Abi, AbiError
from chain.testing.strategies import ZERO, Call, addresses, arguments, calls, of_type, select
from contracts.build import FOLDER

ALICE, BOB = ("0x" + bytes([n] * 20).hex() for n in (0x11, 0x22))

BASIC = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["uint", "int"]), st.integers(1, 32).map(lambda n: 8 * n)),
    st.builds("{}{}x{}".format, st.sampled_from(["ufixed", "fixed"]), st.sampled_from([8, 128]), st.integers(1, 18)),
    st.integers(1, 32).map("bytes{}".format),
    st.sampled_from(["address", "bool", "bytes", "string", "uint", "function"]),
)
TYPES = st.recursive(
    BASIC,
    lambda inner: st.one_of(
        st.builds("{}[{}]".format, inner, st.sampled_from(["", 1, 2])),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({','.join(parts)})"),
    ),
    max_leaves=5,
)

ABI = Abi.parse(
    [
        {
            "type": "function",
            "name": "pay",
            "inputs": [
                {"name": "to", "type": "address"},
                {"name": "amount", "type": "uint256"},
                {"name": "", "type": "tuple[]", "components": [{"name": "n", "type": "uint8"}]},
            ],
            "stateMutability": "payable",
        },
        {"type": "function", "name": "look", "inputs": [], "outputs": [], "stateMutability": "view"},
        {"type": "function", "name": "set", "inputs": [{"name": "amount", "type": "uint256"}]},
        {"type": "function", "name": "set", "inputs": [{"name": "text", "type": "string"}]},
        {"type": "receive", "stateMutability": "payable"},
        {"type": "fallback", "stateMutability": "nonpayable"},
    ]
)


def spelled(value: Any) -> Any:
    """Without the difference of addresses with a checksum, and of 0 and 0.0."""
    if isinstance(value, tuple):
        return tuple(map(spelled, value))
    return value.lower() if isinstance(value, str) else value


@given(st.data())
def test_values_of_every_type_go_through_the_codec(data: st.DataObject) -> None:
    kind = data.draw(TYPES)
    value = data.draw(of_type(kind))
    plain = {"uint": "uint256", "function": "bytes24"}.get(kind, kind)
    back = decode([plain], encode([plain], [value]))[0]
    assert spelled(back) == spelled(value)


@pytest.mark.parametrize(
    ("kind", "edges"),
    [
        ("uint8", [0, 1, 127, 128, 255]),
        ("int8", [-128, -127, -1, 0, 1, 127]),
        ("uint256", [0, 2**64, 2**255, 2**256 - 2, 2**256 - 1]),
        ("int256", [-(2**255), -1, 0, 2**255 - 1]),
        ("bytes4", [bytes(4), b"\xff" * 4]),
        ("address", [ZERO, "0x" + "0" * 39 + "1", "0x" + "f" * 40]),
        ("bool", [False, True]),
        ("bytes", [b""]),
        ("string", ["", "a" * 31, "a" * 32]),
        ("uint8[]", [()]),
    ],
)
def test_edges_are_found(kind: str, edges: list[Any]) -> None:
    chosen = settings(max_examples=5_000, database=None, deadline=None)
    for edge in edges:
        found = find(of_type(kind), partial(_is, edge), settings=chosen)
        assert edge in (found, str(found).lower())


def _is(edge: Any, value: Any) -> bool:
    return edge in (value, str(value).lower())


def test_strings_go_beyond_ascii_and_beyond_a_word() -> None:
    assert find(of_type("string"), lambda text: not text.isascii()) != ""
    assert len(find(of_type("string"), lambda text: len(text.encode()) > 32).encode()) == 33
    assert len(find(of_type("bytes"), lambda data: len(data) > 32)) == 33


@given(of_type("(address,address[2])", accounts=[ALICE, bytes.fromhex(BOB[2:])]))
def test_addresses_come_from_accounts(value: Any) -> None:
    one, others = value
    assert {one.lower(), *(other.lower() for other in others)} <= {ALICE, BOB}


@given(of_type("(uint8,(uint8,uint16)[1])", types={"uint8": st.just(7)}))
def test_own_strategies_reach_inside(value: Any) -> None:
    assert value[0] == value[1][0][0] == 7


@pytest.mark.parametrize("kind", ["uint7", "bytes33", "word", "(uint8", "uint8[0", ""])
def test_unknown_types_are_named(kind: str) -> None:
    with pytest.raises(AbiError, match="is no type of the ABI"):
        of_type(kind)


@given(st.data())
def test_the_nearest_input_counts(data: st.DataObject) -> None:
    pay = ABI.function("pay")
    inputs = {"amount": st.just(1), "pay.amount": st.just(2), "uint8": st.just(3), "address": st.just(BOB)}
    to, amount, rest = data.draw(arguments(pay, inputs=inputs))
    assert (to, amount, {part for (part,) in rest} <= {3}) == (BOB, 2, True)
    assert data.draw(arguments(pay, inputs={**inputs, "bank.pay.amount": st.just(4)}, name="bank"))[1] == 4
    assert data.draw(arguments(pay, inputs=inputs, name="bank"))[1] == 2


@given(calls(ABI, senders=[ALICE], accounts=[BOB]))
def test_calls_fit_the_abi(call: Call) -> None:
    assert str(call.sender).lower() == ALICE
    assert call.function.name in ("pay", "set", "receive", "fallback")
    assert call.value == 0 or call.function.mutability == "payable"
    if call.function.kind == "function":
        assert call.data[:4] == call.function.digest[:4]
        assert decode(call.function.inputs, call.data[4:]) is not None
    elif call.function.kind == "receive":
        assert call.data == b""
    with pytest.raises(AbiError, match="give send the contract"):
        call.send()


def test_functions_are_selected_by_any_of_their_names() -> None:
    def names(*args: Any) -> list[str]:
        return [item.signature for _, item in select({"bank": ABI}, *args)]

    every = names()
    assert every == ["pay(address,uint256,(uint8)[])", "set(uint256)", "set(string)", "receive()", "fallback(bytes)"]
    assert names(["bank.set", "look"]) == ["look()", "set(uint256)", "set(string)"]
    assert names(["set(string)"]) == ["set(string)"]
    assert names(None, ["bank.set(string)", "pay", "receive", "fallback"]) == ["set(uint256)"]


def test_what_the_abi_does_not_have_is_refused() -> None:
    with pytest.raises(AbiError, match=r"no function burn in the ABI; there are: fallback, look, pay, receive, set"):
        calls(ABI, functions=["burn"])
    with pytest.raises(AbiError, match="no function bank"):
        calls(ABI, exclude=["bank.pay"])
    with pytest.raises(AbiError, match="no function is left"):
        calls(ABI, functions=["pay"], exclude=["pay"])
    with pytest.raises(AbiError, match="inputs: amuont is no parameter and no type"):
        calls(ABI, inputs={"amuont": st.just(1)})


def test_texts_of_calls_are_calls() -> None:
    with LocalChain() as chain:
        accounts = chain.accounts
        token = chain.deploy(FOLDER / "erc20/erc20.wasm", "Gold", "GLD", 1000)

        @settings(max_examples=40, deadline=None)
        @given(calls(token, senders=accounts[:2], accounts=[*accounts[:2], token, ZERO], name="token"))
        def check(call: Call) -> None:
            sent: list[Any] = []
            eval(repr(call), {"token": _Spy(sent, token.address), "accounts": accounts})
            assert sent == [(call.function.name, call.args, call.sender)]
            assert "0x" not in repr(call).replace(repr(ZERO), "")

        check()
        call = Call(token.abi.function("transfer"), (accounts[1], 5), accounts[0], contract=token)
        with chain.undone():
            assert call.send().events[0]["value"] == 5
        assert token.balanceOf(accounts[1]) == 0


def test_texts_of_overloaded_functions_say_which() -> None:
    with LocalChain() as chain:
        there = chain.at(chain.accounts[5], ABI.raw)
        one = Call(ABI.function("set(string)"), ("é",), chain.accounts[0], contract=there, name="bank")
        assert repr(one) == f"bank['set(string)']('é', sender={chain.accounts[0]!r})"
        receive = find(calls(there, functions=["receive"], name="bank", values=st.just(7)), lambda _: True)
        assert repr(receive) == "chain.send(bank, b'', value=7)"


class _Spy:
    def __init__(self, sent: list[Any], address: str) -> None:
        self.sent, self.address = sent, address

    def __getattr__(self, name: str) -> Any:
        return lambda *args, sender: self.sent.append((name, args, sender))


def test_any_address_unless_there_are_accounts() -> None:
    assert find(addresses([ALICE, BOB]), lambda _: True).lower() == ALICE
    assert find(addresses(), lambda text: int(text, 16) > 32)


@pytest.mark.parametrize("module", ["strategies", "machine"])
def test_without_hypothesis_the_error_says_what_to_install(module: str) -> None:
    program = f"import sys; sys.modules['hypothesis'] = None; import chain.testing.{module}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (
        "chain.testing.strategies needs hypothesis, which is not installed: pip install 'ewasm[testing]'" in done.stderr
    )
