"""Parameters: what is taken, and the reason where something is not."""

from __future__ import annotations

from typing import Any

import pytest

from chain.requests import BlockRef, TxRequest
from chain.rpc import params as p
from chain.rpc.params import BadValue, Param, bind

HASH = "0x" + "ab" * 32
ADDRESS = "0x" + "Cd" * 20
SPECS = (Param("address", p.address), Param("block", p.block_ref, BlockRef(tag="latest")))


@pytest.mark.parametrize(
    ("given", "number"),
    [("0x0", 0), ("0x1", 1), ("0xfF", 255), ("0x" + "f" * 64, 2**256 - 1)],
)
def test_quantity(given: str, number: int) -> None:
    assert p.quantity(given) == number


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("2", "hex string without 0x prefix"),
        ("", "empty hex string"),
        ("0x", "no digits"),
        ("0x01", "leading zero"),
        ("0xg", "invalid hex string"),
        ("0x1" + "0" * 64, "> 256 bits"),
        (5, "expected a hex string, got a number"),
        (True, "got a boolean"),
        ([], "got an array"),
    ],
)
def test_bad_quantity(given: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        p.quantity(given)


@pytest.mark.parametrize(("given", "number"), [("0x10", 16), ("0x0010", 16), ("17", 17), (18, 18), (19.0, 19)])
def test_loose_quantity_takes_hex_and_numbers(given: Any, number: int) -> None:
    assert p.loose_quantity(given) == number


@pytest.mark.parametrize("given", [-1, 1.5, True, None, "0xzz", "-2", {}, "0x1" + "0" * 64])
def test_bad_loose_quantity(given: Any) -> None:
    with pytest.raises(BadValue):
        p.loose_quantity(given)


@pytest.mark.parametrize(
    ("given", "ref"),
    [
        ("latest", BlockRef(tag="latest")),
        ("pending", BlockRef(tag="pending")),
        ("safe", BlockRef(tag="safe")),
        ("0x10", BlockRef(number=16)),
        (HASH, BlockRef(hash=b"\xab" * 32)),
        ({"blockNumber": "0x10"}, BlockRef(number=16)),
        ({"blockNumber": "latest"}, BlockRef(tag="latest")),
        ({"blockHash": HASH}, BlockRef(hash=b"\xab" * 32)),
        ({"blockHash": HASH, "requireCanonical": True}, BlockRef(hash=b"\xab" * 32, require_canonical=True)),
        ({"blockHash": HASH, "blockNumber": None}, BlockRef(hash=b"\xab" * 32)),
    ],
)
def test_block_ref(given: Any, ref: BlockRef) -> None:
    assert p.block_ref(given) == ref


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("newest", "without 0x prefix"),
        ({}, "want blockNumber or blockHash"),
        ({"blockHash": HASH, "blockNumber": "0x1"}, "cannot specify both"),
        ({"blockHash": "0x12"}, "blockHash: hex string has length 2, want 64"),
        ({"blockNumber": "1"}, "blockNumber: hex string without 0x prefix"),
        ({"number": "0x1"}, "unknown field 'number'"),
        (3, "got a number"),
    ],
)
def test_bad_block_ref(given: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        p.block_ref(given)


def test_bind_by_position_by_name_and_by_default() -> None:
    address, latest = b"\xcd" * 20, BlockRef(tag="latest")
    assert bind(SPECS, [ADDRESS]) == [address, latest]
    assert bind(SPECS, [ADDRESS, None]) == [address, latest]
    assert bind(SPECS, [ADDRESS, "0x1", None]) == [address, BlockRef(number=1)]
    assert bind(SPECS, {"address": ADDRESS, "block": "0x1"}) == [address, BlockRef(number=1)]
    assert bind((), None) == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], r"missing value for required argument 0 \(address\)"),
        ([None], r"missing value for required argument 0 \(address\)"),
        (["0x12"], r"invalid argument 0 \(address\): hex string has length 2, want 40 for an address"),
        ([ADDRESS, "2"], r"invalid argument 1 \(block\): hex string without 0x prefix"),
        ([ADDRESS, "0x2", 1], "too many arguments, want at most 2"),
        ({"adress": ADDRESS}, "unknown parameter 'adress'"),
    ],
)
def test_bind_names_the_parameter(given: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        bind(SPECS, given)


def test_input_and_data_may_both_be_present_if_equal() -> None:
    assert p.tx_request({"input": "0x01", "data": "0x01"}) == TxRequest(data=b"\x01")
    assert p.tx_request({"input": "0x01"}) == p.tx_request({"data": "0x01"})
    with pytest.raises(BadValue, match="not equal"):
        p.tx_request({"input": "0x01", "data": "0x02"})


def test_tx_request_reads_every_field() -> None:
    request = p.tx_request(
        {
            "from": ADDRESS,
            "to": ADDRESS,
            "gas": "0x5208",
            "maxFeePerGas": "0x2",
            "maxPriorityFeePerGas": "0x1",
            "value": "0x3",
            "nonce": "0x4",
            "chainId": "0x7a69",
            "type": "0x04",
            "accessList": [{"address": ADDRESS, "storageKeys": ["0x" + "00" * 31 + "05"]}, {"address": ADDRESS}],
            "authorizationList": [
                {"chainId": "0x1", "address": ADDRESS, "nonce": "0x0", "yParity": "0x1", "r": "0x1", "s": "0x2"}
            ],
            "unknown": "ignored",
        }
    )
    assert request.gas == 21000
    assert request.type == 4
    assert request.access_list == ((b"\xcd" * 20, (5,)), (b"\xcd" * 20, ()))
    assert request.authorizations is not None
    assert request.authorizations[0].y_parity == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "expected an object, got an array"),
        ({"from": "0x1"}, "from: hex string of odd length"),
        ({"gas": 21000}, "gas: expected a hex string, got a number"),
        ({"gas": "0x1" + "0" * 16}, "gas: hex number > 64 bits"),
        ({"gasPrice": "0x1", "maxFeePerGas": "0x1"}, "both gasPrice and"),
        ({"accessList": [{}]}, "accessList: item 0: address: expected a hex string, got null"),
    ],
)
def test_bad_tx_request(given: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        p.tx_request(given)


def test_call_without_target_is_a_creation() -> None:
    assert p.tx_request({"to": None}).to is None
    assert p.tx_request({"to": "0x"}).to is None


def test_log_filter_topics() -> None:
    topic = b"\xab" * 32
    parsed = p.log_filter({"address": [ADDRESS], "topics": [HASH, None, [HASH, HASH], []]})
    assert parsed.query.addresses == {b"\xcd" * 20}
    assert parsed.query.topics == (frozenset({topic}), None, frozenset({topic}), None)
    assert p.log_filter({"address": ADDRESS}).query.addresses == {b"\xcd" * 20}
    assert p.log_filter({"address": None, "topics": None}).query.addresses == frozenset()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"blockHash": HASH, "fromBlock": "0x1"}, "cannot specify both blockHash and fromBlock/toBlock"),
        ({"topics": [HASH] * 5}, "exceed max topics"),
        ({"topics": ["0x12"]}, "topics: hex string has length 2"),
        ({"address": ["0x12"]}, "address: item 0: hex string has length 2"),
        ({"fromBlock": "5"}, "fromBlock: hex string without 0x prefix"),
    ],
)
def test_bad_log_filter(given: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        p.log_filter(given)


def test_storage_key_is_padded() -> None:
    assert p.storage_key("0x0") == bytes(32)
    assert p.storage_key("0x1")[-1] == 1
    with pytest.raises(BadValue, match="storage key too long"):
        p.storage_key("0x" + "0" * 65)


def test_percentiles_may_be_floats_but_must_rise() -> None:
    assert p.percentiles([0, 12.5, 100]) == (0.0, 12.5, 100.0)
    for bad in ([-1], [101], [50, 10], ["1"], [True], 5, [1] * 101):
        with pytest.raises(BadValue):
            p.percentiles(bad)
