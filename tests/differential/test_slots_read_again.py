"""Slots that a frame keeps once it has read them: outcome, gas and state are those of the EVM's opcode at each read."""

from __future__ import annotations

import pytest

from chain.genesis import GenesisAccount
from chain.host import EvmHost
from chain.records import CallOutcome, CallRequest
from tests.unit.chain.support import asm, new_chain, tx
from tests.unit.chain.test_executor import FINISH, LOAD, STORE, hexed, imported, wasm

ENGINES = ("native", "interpreter")
OUTER, INNER = b"\xa0" * 20, b"\xb0" * 20
CALLS = (
    imported("call", "(param i64 i32 i32 i32 i32) (result i32)")
    + imported("callCode", "(param i64 i32 i32 i32 i32) (result i32)")
    + imported("callDelegate", "(param i64 i32 i32 i32) (result i32)")
    + imported("callStatic", "(param i64 i32 i32 i32) (result i32)")
    + imported("getCallDataSize", "(result i32)")
    + imported("getGasLeft", "(result i64)")
)
GAS, VALUED, PLAIN = "(i64.const 200000)", "(i32.const 192) (i32.const 224)", "(i32.const 192)"
ONE_BYTE = "(i32.const 0) (i32.const 1)"
NO_DATA = "(i32.const 0) (i32.const 0)"
LOAD_0, STORE_7 = "(call $storageLoad (i32.const 0) {})", "(call $storageStore (i32.const 0) (i32.const 64))"
# What happens between two reads of slot 0, and what the second one must find: slot 0 holds 5 before.
BETWEEN = {
    "nothing": ("", 5),
    "a store": (STORE_7, 7),
    "a store of the other slot": ("(call $storageStore (i32.const 32) (i32.const 64))", 5),
    "a store and its undoing": (STORE_7 + "(call $storageStore (i32.const 0) (i32.const 256))", 5),
    "re-entry that stores": (f"(drop (call $call {GAS} (i32.const 160) (i32.const 224) {ONE_BYTE}))", 7),
    "delegated code that stores": (f"(drop (call $callDelegate {GAS} {PLAIN} {NO_DATA}))", 9),
    "borrowed code that stores": (f"(drop (call $callCode {GAS} {VALUED} {NO_DATA}))", 9),
    "another's own store": (f"(drop (call $call {GAS} {VALUED} {NO_DATA}))", 5),
    "a static call that must not store": (f"(drop (call $callStatic {GAS} {PLAIN} {NO_DATA}))", 5),
    "delegated code out of gas": (f"(drop (call $callDelegate (i64.const 2500) {PLAIN} {NO_DATA}))", 5),
}


def contract(between: str) -> bytes:
    """Read slot 0 twice, `between` in the middle; finish with both and the gas left. With call data: store 7."""
    return wasm(
        f"(if (call $getCallDataSize) (then {STORE_7} (return)))"
        + LOAD_0.format("(i32.const 96)")
        + between
        + LOAD_0.format("(i32.const 128)")
        + LOAD_0.format("(i32.const 320)")
        + "(i64.store (i32.const 352) (call $getGasLeft)) (call $finish (i32.const 96) (i32.const 264))",
        imports=LOAD + STORE + FINISH + CALLS,
        data=f'(data (i32.const 63) "\\01") (data (i32.const 95) "\\07") (data (i32.const 287) "\\05")'
        f'(data (i32.const 160) "{hexed(OUTER)}") (data (i32.const 192) "{hexed(INNER)}")',
    )


def outcome(between: str, engine: str, gas: int | None = None) -> tuple[CallOutcome, bytes]:
    """A call's outcome, and the state root after the same as a transaction."""
    accounts = {
        OUTER: GenesisAccount(nonce=1, code=contract(between), storage={0: 5}),
        INNER: GenesisAccount(nonce=1, code=asm(b"\x09", b"\x00", 0x55)),
    }
    chain = new_chain(accounts=accounts, engine=engine)
    called = chain.call(CallRequest(to=OUTER, gas=gas))
    chain.build_block([tx(0, to=OUTER, gas=gas or 1_000_000)], timestamp=1000)
    return called, chain.head.header.state_root


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", BETWEEN)
def test_a_slot_is_what_the_opcode_would_find(name: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    between, expected = BETWEEN[name]
    kept = [outcome(between, engine, gas) for gas in (None, 23_900, 24_000, 40_000)]
    monkeypatch.setattr(EvmHost, "_loads_plainly", lambda self: False)
    assert kept == [outcome(between, engine, gas) for gas in (None, 23_900, 24_000, 40_000)]
    output = kept[0][0].output
    found = [int.from_bytes(output[at : at + 32], "big") for at in (0, 32, 224)]
    assert found == [5, expected, expected]
