"""Frames of EVM and Wasm inside each other: depth, gas, and what a failure undoes, the same on both engines."""

from __future__ import annotations

import pytest

from chain.genesis import GenesisAccount
from chain.records import CallOutcome, CallRequest
from chain.stack import run_with_stack
from tests.unit.chain.support import ETHER, asm, new_chain, tx
from tests.unit.chain.test_executor import (
    CALL,
    FINISH,
    LOG,
    RETURN_42,
    REVERT,
    STORE,
    TRAP,
    WRITER,
    caller_of,
    creator_of,
    hexed,
    wasm,
)

ENGINES = ("native", "interpreter")
EVM = b"\xe0" * 20
WASM = b"\xa0" * 20


def counting_evm(target: bytes) -> bytes:
    """EVM code: count in slot 0, call `target` with all gas, stop."""
    zero = b"\x00"
    return asm(
        *(zero, 0x54, b"\x01", 0x01, zero, 0x55),
        *(zero, zero, zero, zero, zero, target, 0x5A, 0xF1, 0x00),
    )


def counting_wasm(target: bytes) -> bytes:
    """Wasm code that does the same."""
    load = '(import "ethereum" "storageLoad" (func $storageLoad (param i32 i32)))'
    return wasm(
        "(call $storageLoad (i32.const 0) (i32.const 32))"
        "(i32.store8 (i32.const 62) (i32.add (i32.load8_u (i32.const 62))"
        " (i32.eq (i32.load8_u (i32.const 63)) (i32.const 255))))"
        "(i32.store8 (i32.const 63) (i32.add (i32.load8_u (i32.const 63)) (i32.const 1)))"
        "(call $storageStore (i32.const 0) (i32.const 32))"
        "(drop (call $call (i64.const 0x7fffffffffffffff) (i32.const 64) (i32.const 96) (i32.const 0) (i32.const 0)))",
        imports=load + STORE + CALL,
        data=f'(data (i32.const 64) "{hexed(target)}")',
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_1024_frames_alternate_between_evm_and_wasm(engine: str) -> None:
    accounts = {
        EVM: GenesisAccount(nonce=1, code=counting_evm(WASM)),
        WASM: GenesisAccount(nonce=1, code=counting_wasm(EVM)),
    }
    chain = new_chain(accounts=accounts, engine=engine)
    # 63/64 at each of 1,024 levels leaves one part in ten million.
    gas = 1 << 46
    sent = tx(0, to=EVM, gas=gas, max_fee_per_gas=0, max_priority_fee_per_gas=0)

    def run() -> str:
        built = chain.build_block([sent], timestamp=1000, gas_limit=gas, base_fee=0)
        return built.outcomes[0].status

    assert run_with_stack(run) == "success"
    counts = [int.from_bytes(chain.state_at().storage(address, 0), "big") for address in (EVM, WASM)]
    # Frames of depth 0 to 1,024.
    assert sum(counts) == 1025
    assert counts == [513, 512]


def outcomes(accounts: dict[bytes, GenesisAccount], request: CallRequest) -> list[CallOutcome]:
    return [new_chain(accounts=accounts, engine=engine).call(request) for engine in ENGINES]


NESTS = {
    "wasm calls wasm": (caller_of(EVM), RETURN_42),
    "wasm calls evm": (caller_of(EVM), asm(b"\x2a", b"\x00", 0x55)),
    "wasm calls a trap": (caller_of(EVM, gas=70_000), TRAP),
    "wasm sends value": (caller_of(EVM, value=1), WRITER),
    "wasm writes and is called by wasm": (caller_of(EVM), WRITER),
    "too little gas for the callee": (caller_of(EVM, gas=100), WRITER),
    "evm creation in wasm": (counting_wasm(EVM), counting_evm(b"\x00" * 19 + b"\x04")),
}


@pytest.mark.parametrize("name", NESTS)
def test_gas_output_and_logs_are_the_same_on_both_engines(name: str) -> None:
    outer, inner = NESTS[name]
    accounts = {
        WASM: GenesisAccount(nonce=1, balance=ETHER, code=outer),
        EVM: GenesisAccount(nonce=1, code=inner),
    }
    for gas in (None, 60_000, 30_000, 25_000, 22_000):
        native, interpreter = outcomes(accounts, CallRequest(to=WASM, gas=gas))
        assert native == interpreter


def test_creation_costs_the_same_on_both_engines() -> None:
    native, interpreter = outcomes({}, CallRequest(data=creator_of(RETURN_42)))
    assert native == interpreter
    assert native.output == RETURN_42


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("end", ["revert", "trap"])
def test_a_frame_that_fails_undoes_the_frames_below_it(engine: str, end: str) -> None:
    # EVM -> Wasm (writes, logs, calls the writer, then fails) -> Wasm writer.
    writer = b"\xa1" * 20
    last = "(call $revert (i32.const 0) (i32.const 0))" if end == "revert" else "unreachable"
    middle = wasm(
        "(call $storageStore (i32.const 0) (i32.const 64))"
        "(call $log (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"
        "(drop (call $call (i64.const 100000) (i32.const 64) (i32.const 96) (i32.const 0) (i32.const 0)))" + last,
        imports=STORE + LOG + CALL + REVERT,
        data=f'(data (i32.const 64) "{hexed(writer)}") (data (i32.const 96) "\\01")',
    )
    zero = b"\x00"
    outer = asm(
        *(zero, zero, zero, zero, zero, WASM, b"\x0f\x42\x40", 0xF1, b"\x07", 0x55),
        *(b"\x01", b"\x09", 0x55, zero, zero, 0xA0),
    )
    accounts = {
        EVM: GenesisAccount(nonce=1, code=outer),
        WASM: GenesisAccount(nonce=1, balance=10, code=middle),
        writer: GenesisAccount(nonce=1, code=WRITER),
    }
    chain = new_chain(accounts=accounts, engine=engine)
    built = chain.build_block([tx(0, to=EVM, gas=5_000_000)], timestamp=1000)
    state = chain.state_at()
    assert built.outcomes[0].status == "success"
    assert state.storage(EVM, 7) == bytes(32)
    assert state.storage(EVM, 9) == (1).to_bytes(32, "big")
    assert state.storage(WASM, 0) == bytes(32)
    assert state.storage(writer, 0) == bytes(32)
    assert (state.balance(WASM), state.balance(writer)) == (10, 0)
    assert [log.address for log in built.receipts[0].logs] == [EVM]


def test_blocks_are_the_same_on_both_engines() -> None:
    hashes = []
    for engine in ENGINES:
        chain = new_chain(engine=engine)
        address = chain.build_block([tx(0, to=None, data=creator_of(WRITER))], timestamp=1000).receipts[0]
        assert address.contract_address is not None
        sent = [tx(1, to=address.contract_address), tx(2, to=None, data=creator_of(TRAP))]
        hashes.append(chain.build_block(sent, timestamp=1001).block.hash)
    assert hashes[0] == hashes[1]


def test_output_of_a_wasm_frame_is_return_data_of_an_evm_frame() -> None:
    finish_nothing = wasm("(call $finish (i32.const 0) (i32.const 0))", imports=FINISH)
    zero = b"\x00"
    size = asm(zero, zero, zero, zero, zero, WASM, 0x5A, 0xF1, 0x3D, zero, 0x52, b"\x20", zero, 0xF3)
    for code, expected in ((RETURN_42, 32), (finish_nothing, 0), (TRAP, 0)):
        accounts = {EVM: GenesisAccount(nonce=1, code=size), WASM: GenesisAccount(nonce=1, code=code)}
        for outcome in outcomes(accounts, CallRequest(to=EVM, gas=1_000_000)):
            assert outcome.output == expected.to_bytes(32, "big")
