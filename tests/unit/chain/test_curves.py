"""The precompiles over curves on a chain: by transactions, from EVM code and from Wasm."""

from __future__ import annotations

import pytest

from chain.curves import curve_precompiles
from chain.forks import Fork
from chain.genesis import GenesisAccount
from chain.records import CallRequest
from chain.transaction import intrinsic_gas
from chain.variant import fork_precompiles
from tests.hostile.cases import source
from tests.templates import module
from tests.unit.chain.support import asm, machine, new_chain, tx

CONTRACT = b"\xcc" * 20
ONE = (1).to_bytes(32, "big")
# The generator of alt_bn128's G1, and what is its negative.
POINT = ONE + (2).to_bytes(32, "big")
P = 21888242871839275222246405745257275088696311157297823662689037894645226208583
NEGATIVE = ONE + (P - 2).to_bytes(32, "big")


def address(number: int) -> bytes:
    return number.to_bytes(20, "big")


@pytest.mark.parametrize("fork", Fork)
def test_each_fork_has_its_own_and_no_others(fork: Fork) -> None:
    wanted = {6, 7, 8} if fork >= Fork.BYZANTIUM else set()
    wanted |= set(range(0x0B, 0x12)) if fork >= Fork.PRAGUE else set()
    curves = curve_precompiles(fork)
    there = fork_precompiles(fork, machine())
    assert {int.from_bytes(found, "big") for found in curves} == wanted
    assert wanted == {int.from_bytes(found, "big") for found in there} & {6, 7, 8, *range(0x0B, 0x12)}
    assert all(there[found].__module__ == "chain.curves" for found in curves)


@pytest.mark.parametrize(
    ("number", "data", "price"),
    [
        (0x06, POINT + NEGATIVE, 150),
        (0x07, POINT + ONE, 6_000),
        (0x08, b"", 45_000),
        (0x0B, bytes(256), 375),
        (0x0C, bytes(160), 12_000),
        (0x0D, bytes(512), 600),
        (0x0E, bytes(576), 45_000),
        (0x0F, bytes(384), 70_300),
        (0x10, bytes(64), 5_500),
        (0x11, bytes(128), 23_800),
    ],
)
def test_a_transaction_pays_the_price(number: int, data: bytes, price: int) -> None:
    sent = tx(0, to=address(number), data=data, gas=200_000)
    built = new_chain().build_block([sent], timestamp=1000)
    assert built.outcomes[0].status == "success"
    least = intrinsic_gas(sent, Fork.PRAGUE)
    floor = 21_000 + 10 * (data.count(0) + 4 * (len(data) - data.count(0)))
    assert built.receipts[0].gas_used == max(least + price, floor)


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (0x06, POINT[:63] + b"\x03"),
        (0x07, P.to_bytes(32, "big")),
        (0x08, bytes(191)),
        (0x08, POINT + ONE * 4),
        (0x0B, bytes(255)),
        (0x0C, b""),
        (0x0D, b"\x01" + bytes(511)),
        (0x0E, bytes(287)),
        (0x0F, b""),
        (0x10, b"\xff" * 64),
        (0x11, bytes(64)),
    ],
)
def test_a_malformed_input_takes_all_gas(number: int, data: bytes) -> None:
    built = new_chain().build_block([tx(0, to=address(number), data=data, gas=200_000)], timestamp=1000)
    assert built.outcomes[0].status == "failure"
    assert built.receipts[0].gas_used == 200_000


@pytest.mark.parametrize("short", [0, 1])
def test_gas_is_asked_for_before_anything_is_computed(short: int) -> None:
    sent = tx(0, to=address(0x07), data=b"", gas=21_000 + 6_000 - short)
    built = new_chain().build_block([sent], timestamp=1000)
    assert built.outcomes[0].status == ("failure" if short else "success")


def test_evm_code_and_wasm_get_the_same() -> None:
    """Both hand the sum of their call data on."""
    evm = asm(
        b"\x00\x80", b"\x00", b"\x00", 0x37, b"\x40", b"\x00", b"\x00\x80", b"\x00", b"\x06", 0x5A, 0xFA, 0x50,
        b"\x40", b"\x00", 0xF3,
    )  # fmt: skip
    wasm = module("""
        (import "ethereum" "callStatic" (func $call (param i64 i32 i32 i32) (result i32)))
        (import "ethereum" "callDataCopy" (func $input (param i32 i32 i32)))
        (import "ethereum" "returnDataCopy" (func $output (param i32 i32 i32)))
        (import "ethereum" "finish" (func $finish (param i32 i32)))
        (memory (export "memory") 1) (data (i32.const 19) "\\06")
        (func (export "main")
          (call $input (i32.const 32) (i32.const 0) (i32.const 128))
          (drop (call $call (i64.const 100000) (i32.const 0) (i32.const 32) (i32.const 128)))
          (call $output (i32.const 32) (i32.const 0) (i32.const 64))
          (call $finish (i32.const 32) (i32.const 64)))
    """)
    other = b"\xcd" * 20
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=evm), other: GenesisAccount(code=wasm)})
    for data, wanted in ((POINT + NEGATIVE, bytes(64)), (POINT + bytes(64), POINT)):
        outputs = [chain.call(CallRequest(to=to, data=data)).output for to in (CONTRACT, other)]
        assert outputs == [wanted, wanted]


def test_a_wasm_contract_runs_out_of_gas_by_pairings_alone() -> None:
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=source("curve_pairings"))})
    built = chain.build_block([tx(0, to=CONTRACT, gas=1_000_000)], timestamp=1000)
    assert built.outcomes[0].status == "failure"
    assert built.receipts[0].gas_used == 1_000_000
