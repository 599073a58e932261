"""Wasm frames inside py-evm: creation, calls, what fails and what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from wasmtime import wat2wasm

from chain.blockchain import Blockchain
from chain.forks import Fork
from chain.genesis import GenesisAccount
from chain.records import BuiltBlock, CallRequest
from tests.unit.chain.support import ALICE, BOB, asm, call_evm, created_address, deployer, new_chain, tx

CONTRACT = b"\xc0" * 20
OTHER = b"\xc1" * 20
ENGINES = ("native", "interpreter")


def wasm(body: str, *, imports: str = "", data: str = "", pages: int = 1) -> bytes:
    """A contract whose `main` is `body`; `imports` are (import ...) forms."""
    return bytes(
        wat2wasm(f'(module {imports} (memory (export "memory") {pages}) {data} (func (export "main") {body}))')
    )


def imported(name: str, signature: str) -> str:
    return f'(import "ethereum" "{name}" (func ${name} {signature}))'


FINISH = imported("finish", "(param i32 i32)")
REVERT = imported("revert", "(param i32 i32)")
STORE = imported("storageStore", "(param i32 i32)")
LOAD = imported("storageLoad", "(param i32 i32)")
LOG = imported("log", "(param i32 i32 i32 i32 i32 i32 i32)")
CALL = imported("call", "(param i64 i32 i32 i32 i32) (result i32)")
CREATE = imported("create", "(param i32 i32 i32 i32) (result i32)")
SELFDESTRUCT = imported("selfDestruct", "(param i32)")

RETURN_42 = wasm(
    "(i32.store8 (i32.const 31) (i32.const 42)) (call $finish (i32.const 0) (i32.const 32))", imports=FINISH
)
TRAP = wasm("unreachable")
LOOP = wasm("(loop $again (br $again))")
WRITER = wasm(
    "(i32.store8 (i32.const 63) (i32.const 7)) (call $storageStore (i32.const 0) (i32.const 32))", imports=STORE
)


def hexed(raw: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in raw)


def creator_of(code: bytes) -> bytes:
    """A Wasm init module that finishes with `code`."""
    return wasm(
        f"(call $finish (i32.const 0) (i32.const {len(code)}))",
        imports=FINISH,
        data=f'(data (i32.const 0) "{hexed(code)}")',
    )


def caller_of(address: bytes, *, value: int = 0, gas: int = 1_000_000) -> bytes:
    """Wasm that calls `address` and finishes with the result as one byte."""
    return wasm(
        f"(i32.store8 (i32.const 64) (call $call (i64.const {gas}) (i32.const 0) (i32.const 32) (i32.const 0)"
        " (i32.const 0))) (call $finish (i32.const 64) (i32.const 1))",
        imports=CALL + FINISH,
        data=f'(data (i32.const 0) "{hexed(address)}") (data (i32.const 32) "{hexed(value.to_bytes(16, "little"))}")',
    )


def with_code(engine: str = "native", fork: Fork = Fork.PRAGUE, balance: int = 0, **codes: bytes) -> Blockchain:
    names = {"contract": CONTRACT, "other": OTHER}
    accounts = {names[name]: GenesisAccount(balance=balance, nonce=1, code=code) for name, code in codes.items()}
    return new_chain(fork, accounts=accounts, engine=engine)


def deploy(chain: Blockchain, init_code: bytes, **fields: Any) -> BuiltBlock:
    nonce = chain.state_at().nonce(ALICE)
    sent = tx(nonce, **{"to": None, "data": init_code, "gas": 20_000_000, **fields})
    return chain.build_block([sent], timestamp=chain.head.timestamp + 1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fork", [Fork.BYZANTIUM, Fork.ISTANBUL, Fork.LONDON, Fork.PRAGUE], ids=lambda fork: fork.name)
def test_wasm_is_deployed_by_wasm_and_runs(fork: Fork, engine: str) -> None:
    chain = new_chain(fork, engine=engine)
    fields: dict[str, Any] = (
        {} if fork >= Fork.LONDON else {"type": 0, "gas_price": 10**10, "max_priority_fee_per_gas": 10**10}
    )
    built = deploy(chain, creator_of(RETURN_42), **fields)
    assert built.outcomes[0].error is None
    address = created_address(ALICE, 0)
    assert built.receipts[0].contract_address == address
    assert chain.state_at().code(address) == RETURN_42
    outcome = chain.call(CallRequest(to=address))
    assert outcome.output == (42).to_bytes(32, "big")
    assert outcome.gas_instructions > 0


def test_wasm_is_deployed_by_evm_and_pays_for_activation() -> None:
    chain = new_chain()
    built = deploy(chain, deployer(RETURN_42))
    address = created_address(ALICE, 0)
    assert chain.state_at().code(address) == RETURN_42
    activation = chain.rules.activation_gas(RETURN_42)
    same_size = deploy(new_chain(), deployer(b"\x01" + RETURN_42[1:]))
    # A byte of init code that is not zero costs 12 more.
    assert built.receipts[0].gas_used - same_size.receipts[0].gas_used == activation - 12


@pytest.mark.parametrize("init", [creator_of, deployer], ids=["wasm", "evm"])
def test_creation_that_returns_a_refused_module_fails_with_all_gas(init: object) -> None:
    assert callable(init)
    bad = bytes(wat2wasm('(module (memory (export "memory") 1) (func (export "main") (result f32) (f32.const 1)))'))
    for code in (bad, b"\x00asm\x01\x00\x00", b"\x00asm\x02\x00\x00\x00"):
        chain = new_chain()
        built = deploy(chain, init(code))
        assert built.outcomes[0].status == "failure"
        assert built.outcomes[0].gas_used == 20_000_000
        assert chain.state_at().code(created_address(ALICE, 0)) == b""


def test_refusal_names_the_rule() -> None:
    chain = new_chain()
    outcome = chain.call(CallRequest(data=b"\x00asm\x01\x00\x00\x00"))
    assert outcome.status == "failure"
    assert outcome.error is not None
    assert "export" in outcome.error


def test_creation_that_finishes_with_evm_code_stores_it() -> None:
    chain = new_chain()
    code = asm(b"\x2a", b"\x00", 0x52, b"\x20", b"\x00", 0xF3)
    assert deploy(chain, creator_of(code)).outcomes[0].status == "success"
    assert chain.call(CallRequest(to=created_address(ALICE, 0))).output == (42).to_bytes(32, "big")


def test_wasm_code_may_be_larger_than_evm_code() -> None:
    padding = b"\x00\xff\xff\x01\x01x" + bytes(16_380)
    big = RETURN_42 + (b"\x00" + leb(len(padding)) + b"\x01x" + padding[2:]) * 2
    assert len(big) > 24_576
    chain = new_chain()
    built = deploy(chain, deployer(big))
    assert built.outcomes[0].error is None
    assert chain.state_at().code(created_address(ALICE, 0)) == big
    evm = deploy(new_chain(), deployer(bytes(24_577)))
    assert evm.outcomes[0].status == "failure"
    assert deploy(new_chain(), deployer(b"\xef")).outcomes[0].status == "failure"


def leb(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


@pytest.mark.parametrize("engine", ENGINES)
def test_traps_do_not_kill_a_block(engine: str) -> None:
    chain = with_code(engine, contract=TRAP, other=WRITER)
    sent = [tx(0, to=CONTRACT, gas=100_000), tx(1, to=OTHER, gas=100_000), tx(2, to=CONTRACT, gas=50_000)]
    built = chain.build_block(sent, timestamp=1000)
    assert [outcome.status for outcome in built.outcomes] == ["failure", "success", "failure"]
    assert [receipt.status for receipt in built.receipts] == [0, 1, 0]
    assert [built.receipts[0].gas_used, built.receipts[2].gas_used] == [100_000, 50_000]
    assert built.outcomes[0].error is not None
    assert "unreachable" in built.outcomes[0].error
    assert chain.state_at().storage(OTHER, 0) == (7).to_bytes(32, "big")


@pytest.mark.parametrize("engine", ENGINES)
def test_endless_loop_ends_with_its_gas(engine: str) -> None:
    outcome = with_code(engine, contract=LOOP).call(CallRequest(to=CONTRACT, gas=60_000))
    assert outcome.status == "failure"
    assert outcome.gas_used == 60_000


@pytest.mark.parametrize("engine", ENGINES)
def test_revert_keeps_gas_and_gives_data(engine: str) -> None:
    code = wasm(
        "(call $storageStore (i32.const 0) (i32.const 32)) (call $revert (i32.const 32) (i32.const 4))",
        imports=STORE + REVERT,
        data='(data (i32.const 32) "\\08\\c3\\79\\a0")',
    )
    chain = with_code(engine, contract=code)
    built = chain.build_block([tx(0, to=CONTRACT)], timestamp=1000)
    assert built.outcomes[0].status == "revert"
    assert built.outcomes[0].output == bytes.fromhex("08c379a0")
    assert built.receipts[0].gas_used < 100_000
    assert chain.state_at().storage(CONTRACT, 0) == bytes(32)


@pytest.mark.parametrize("engine", ENGINES)
def test_evm_and_wasm_pay_the_same_for_the_same_state(engine: str) -> None:
    evm_writer = asm(b"\x07", b"\x00", 0x55)
    for storage in ({}, {0: 7}, {0: 9}):
        used: list[int] = []
        for code in (WRITER, evm_writer):
            accounts = {CONTRACT: GenesisAccount(nonce=1, code=code, storage=storage)}
            outcome = new_chain(accounts=accounts, engine=engine).call(CallRequest(to=CONTRACT))
            assert outcome.status == "success"
            own = outcome.gas_instructions if code is WRITER else 6
            used.append(outcome.gas_used - own)
        assert abs(used[0] - used[1]) <= 1


def test_clearing_storage_is_refunded() -> None:
    clear = wasm("(call $storageStore (i32.const 0) (i32.const 32))", imports=STORE)
    accounts = {CONTRACT: GenesisAccount(nonce=1, code=clear, storage={0: 7})}
    outcome = new_chain(accounts=accounts).call(CallRequest(to=CONTRACT))
    assert outcome.max_gas_used - outcome.gas_used == 4800


def test_static_call_of_a_writer_fails() -> None:
    static = imported("callStatic", "(param i64 i32 i32 i32) (result i32)")
    code = wasm(
        "(i32.store8 (i32.const 64) (call $callStatic (i64.const 50000) (i32.const 0) (i32.const 0) (i32.const 0)))"
        " (call $finish (i32.const 64) (i32.const 1))",
        imports=static + FINISH,
        data=f'(data (i32.const 0) "{hexed(OTHER)}")',
    )
    outcome = with_code(contract=code, other=WRITER).call(CallRequest(to=CONTRACT))
    assert outcome.output == b"\x01"
    assert outcome.gas_used > 50_000


@pytest.mark.parametrize(
    ("callee", "result"),
    [
        (RETURN_42, 0),
        (TRAP, 1),
        (wasm("(call $revert (i32.const 0) (i32.const 0))", imports=REVERT), 2),
        (asm(b"\x00", b"\x00", 0xFD), 2),
        (asm(0xFE), 1),
        (b"", 0),
    ],
    ids=["wasm", "trap", "wasm revert", "evm revert", "evm invalid", "no code"],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_results_of_a_call(engine: str, callee: bytes, result: int) -> None:
    chain = with_code(engine, contract=caller_of(OTHER), other=callee)
    assert chain.call(CallRequest(to=CONTRACT)).output == bytes((result,))


def test_value_moves_with_a_call_and_is_undone_with_it() -> None:
    chain = with_code(balance=100, contract=caller_of(OTHER, value=40), other=RETURN_42)
    chain.build_block([tx(0, to=CONTRACT)], timestamp=1000)
    assert chain.state_at().balance(OTHER) == 140
    chain = with_code(balance=100, contract=caller_of(OTHER, value=40), other=TRAP)
    chain.build_block([tx(0, to=CONTRACT)], timestamp=1000)
    assert chain.state_at().balance(OTHER) == 100
    chain = with_code(balance=10, contract=caller_of(OTHER, value=40), other=RETURN_42)
    assert chain.call(CallRequest(to=CONTRACT)).output == b"\x01"


@pytest.mark.parametrize("engine", ENGINES)
def test_wasm_creates_a_contract(engine: str) -> None:
    init = creator_of(RETURN_42)
    code = wasm(
        f"(drop (call $create (i32.const 8192) (i32.const 0) (i32.const {len(init)}) (i32.const 4096)))"
        " (call $finish (i32.const 4096) (i32.const 20))",
        imports=CREATE + FINISH,
        data=f'(data (i32.const 0) "{hexed(init)}")',
    )
    chain = with_code(engine, contract=code)
    built = chain.build_block([tx(0, to=CONTRACT)], timestamp=1000)
    address = created_address(CONTRACT, 1)
    assert built.outcomes[0].output == address
    assert chain.state_at().code(address) == RETURN_42
    assert chain.state_at().nonce(CONTRACT) == 2


def test_selfdestruct_in_the_creating_transaction_removes_the_contract() -> None:
    code = wasm("(call $selfDestruct (i32.const 0))", imports=SELFDESTRUCT, data=f'(data (i32.const 0) "{hexed(BOB)}")')
    chain = with_code(contract=code, balance=5)
    chain.build_block([tx(0, to=CONTRACT)], timestamp=1000)
    # EIP-6780: made in an earlier transaction, so it stays, without its balance.
    assert chain.state_at().code(CONTRACT) == code
    assert chain.state_at().balance(CONTRACT) == 0
    built = deploy(chain, code)
    assert built.outcomes[0].error is None
    assert not chain.state_at().exists(created_address(ALICE, 1))


def test_evm_calls_wasm_and_reads_its_output() -> None:
    evm = call_evm(OTHER) + asm(0x50, b"\x20", b"\x00", b"\x00", 0x3E, b"\x20", b"\x00", 0xF3)
    chain = with_code(contract=evm, other=RETURN_42)
    outcome = chain.call(CallRequest(to=CONTRACT))
    assert outcome.output == (42).to_bytes(32, "big")
    assert 0 < outcome.gas_instructions < outcome.gas_used


def test_split_counts_each_frame_once() -> None:
    inner = with_code(other=WRITER).call(CallRequest(to=OTHER))
    outer = with_code(contract=caller_of(OTHER), other=WRITER).call(CallRequest(to=CONTRACT))
    assert outer.gas_instructions > inner.gas_instructions
    assert outer.gas_eei > inner.gas_eei
    assert outer.gas_instructions + outer.gas_eei + 21_000 <= outer.gas_used + 1
    assert outer.gas_used - 21_000 - outer.gas_instructions - outer.gas_eei <= 3


def test_logs_come_in_order_from_both_kinds_of_frames() -> None:
    wasm_log = (
        "(call $log (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 32) (i32.const 0) (i32.const 0) (i32.const 0))"
    )
    code = wasm(
        wasm_log
        + "(drop (call $call (i64.const 100000) (i32.const 0) (i32.const 64) (i32.const 0) (i32.const 0)))"
        + wasm_log,
        imports=LOG + CALL,
        data=f'(data (i32.const 0) "{hexed(OTHER)}")',
    )
    chain = with_code(contract=code, other=asm(b"\x00", b"\x00", 0xA0))
    logs = chain.call(CallRequest(to=CONTRACT)).logs
    assert [log.address for log in logs] == [CONTRACT, OTHER, CONTRACT]
    assert logs[0].topics == (bytes(32),)
    assert logs[0].data == OTHER[:1]


def test_strict_rules_know_no_evm() -> None:
    evm = asm(b"\x00", b"\x00", 0xF3)
    chain = new_chain(Fork.BYZANTIUM, accounts={CONTRACT: GenesisAccount(code=evm)}, rules="EWASM_2018")
    request = CallRequest(to=CONTRACT, gas=100_000)
    outcome = chain.call(request)
    assert (outcome.status, outcome.gas_used) == ("failure", 100_000)
    assert chain.call(CallRequest(data=deployer(b"\x00"), gas=200_000)).status == "failure"
    assert chain.call(CallRequest(to=BOB)).status == "success"
    assert chain.call(CallRequest(data=creator_of(b"\xfe raw"), gas=200_000)).output == b"\xfe raw"
    # Precompiles are neither Wasm nor EVM code.
    assert chain.call(CallRequest(to=(4).to_bytes(20, "big"), data=b"same")).output == b"same"


def test_delegated_account_runs_wasm() -> None:
    chain = with_code(contract=RETURN_42)
    designator = b"\xef\x01\x00" + CONTRACT
    accounts = {CONTRACT: GenesisAccount(nonce=1, code=RETURN_42), OTHER: GenesisAccount(nonce=1, code=designator)}
    chain = new_chain(accounts=accounts)
    assert chain.call(CallRequest(to=OTHER)).output == (42).to_bytes(32, "big")
    third = b"\xc2" * 20
    accounts[third] = GenesisAccount(nonce=1, code=caller_of(OTHER))
    assert new_chain(accounts=accounts).call(CallRequest(to=third)).output == b"\x00"
