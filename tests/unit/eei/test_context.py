"""Message, transaction and block fields; the three buffers; gas."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ewasm.fuzz.world import OWN, SENDER, TX, FakeHost, message
from ewasm.message import Status
from ewasm.rules import Rules
from tests.unit.eei.harness import PAGE, RULES_2018, RULES_2026, run

BOTH = pytest.mark.parametrize("rules", [RULES_2018, RULES_2026], ids=["2018", "2026"])


@BOTH
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("getAddress", OWN),
        ("getCaller", SENDER),
        ("getTxOrigin", TX.origin),
        ("getBlockCoinbase", TX.coinbase),
        ("getCallValue", (5).to_bytes(16, "little")),
        ("getTxGasPrice", TX.gas_price.to_bytes(16, "little")),
        ("getBlockDifficulty", TX.difficulty.to_bytes(32, "little")),
    ],
)
def test_fields_are_written_for_two_gas(name: str, expected: bytes, rules: Rules) -> None:
    result, _, memory, _ = run(f"ethereum.{name}", 1032, rules=rules, request=message(value=5))
    assert memory == expected.ljust(32, b"\0")
    assert result.gas_used == result.gas_eei == 2


@pytest.mark.parametrize(
    ("name", "expected", "gas"),
    [
        ("getChainId", TX.chain_id.to_bytes(32, "little"), 2),
        ("getBaseFee", TX.base_fee.to_bytes(32, "little"), 2),
        ("getBlobBaseFee", TX.blob_base_fee.to_bytes(32, "little"), 2),
        ("getPrevRandao", TX.prev_randao, 2),
    ],
)
def test_fields_of_2026(name: str, expected: bytes, gas: int) -> None:
    result, _, memory, _ = run(f"ethereum.{name}", 1032)
    assert (memory, result.gas_used) == (expected, gas)


@BOTH
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("getBlockGasLimit", TX.gas_limit),
        ("getBlockNumber", TX.number),
        ("getBlockTimestamp", TX.timestamp_s),
        ("getCallDataSize", 7),
        ("getReturnDataSize", 0),
    ],
)
def test_numbers_are_returned_for_two_gas(name: str, expected: int, rules: Rules) -> None:
    result, value, _, _ = run(f"ethereum.{name}", rules=rules, request=message(input_data=b"1234567"))
    assert (value, result.gas_used) == (expected, 2)


def test_gas_left_is_what_is_left_behind_its_own_price() -> None:
    result, value, _, _ = run("ethereum.getGasLeft", request=message(gas=1000))
    assert (value, result.gas_left) == (998, 998)


def test_use_gas_charges_and_refuses_negative_amounts() -> None:
    assert run("ethereum.useGas", 300, request=message(gas=1000))[0].gas_left == 700
    assert run("ethereum.useGas", 1000, request=message(gas=1000))[0].gas_left == 0
    assert run("ethereum.useGas", 1001, request=message(gas=1000))[0].status is Status.OUT_OF_GAS
    assert run("ethereum.useGas", -1, request=message(gas=1000))[0].status is Status.ARGUMENT_OUT_OF_RANGE


@pytest.mark.parametrize("name", ["getCallValue", "getTxGasPrice"])
def test_a_number_over_128_bits_fails(name: str) -> None:
    for value, fits in ((2**128 - 1, True), (2**128, False)):
        host = FakeHost(tx=replace(TX, gas_price=value))
        result, _, memory, _ = run(f"ethereum.{name}", 1032, request=message(value=value), host=host)
        assert result.is_success is fits
        if fits:
            assert memory[:16] == b"\xff" * 16
        else:
            assert result.status is Status.ARGUMENT_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("name", "size"),
    [("getAddress", 20), ("getCaller", 20), ("getCallValue", 16), ("getBlockDifficulty", 32), ("getChainId", 32)],
)
def test_results_must_fit_memory(name: str, size: int) -> None:
    assert run(f"ethereum.{name}", PAGE - size)[0].is_success
    for offset in (PAGE - size + 1, PAGE, 2**32 - 1, 2**32 - size):
        result = run(f"ethereum.{name}", offset)[0]
        assert result.status is Status.INVALID_MEMORY_ACCESS
        assert result.gas_left == 0


@BOTH
@pytest.mark.parametrize(("length", "gas"), [(0, 3), (1, 6), (7, 6)])
def test_call_data_copy_pays_by_the_word(length: int, gas: int, rules: Rules) -> None:
    request = message(input_data=b"1234567")
    result, _, memory, _ = run("ethereum.callDataCopy", 1032, 0, length, rules=rules, request=request)
    assert memory == b"1234567"[:length].ljust(32, b"\0")
    assert result.gas_used == gas


@pytest.mark.parametrize(
    ("offset", "length", "ok"),
    [(7, 0, True), (8, 0, False), (6, 1, True), (6, 2, False), (2**32 - 1, 2, False), (0, 2**32 - 1, False)],
)
def test_a_source_range_outside_fails(offset: int, length: int, ok: bool) -> None:
    request = message(input_data=b"1234567", gas=2**33)
    assert run("ethereum.callDataCopy", 1032, offset, length, request=request)[0].is_success is ok


def test_a_length_of_zero_still_names_a_place_in_memory() -> None:
    assert run("ethereum.callDataCopy", PAGE, 0, 0)[0].is_success
    assert run("ethereum.callDataCopy", PAGE + 1, 0, 0)[0].status is Status.INVALID_MEMORY_ACCESS


def test_code_copy_serves_the_submitted_bytes() -> None:
    result, _, memory, _ = run("ethereum.codeCopy", 1032, 0, 8)
    assert memory[:8] == b"\0asm\1\0\0\0"
    assert result.gas_used == 6


def test_return_data_is_empty_before_a_call() -> None:
    assert run("ethereum.returnDataCopy", 1032, 0, 0)[0].is_success
    assert run("ethereum.returnDataCopy", 1032, 0, 1)[0].status is Status.INVALID_MEMORY_ACCESS


def test_blob_hash_leaves_memory_alone_beyond_the_last() -> None:
    assert run("ethereum.getBlobHash", 0, 1032)[1:3] == (0, TX.blob_hashes[0])
    assert run("ethereum.getBlobHash", 1, 1032)[1:3] == (1, bytes(32))
