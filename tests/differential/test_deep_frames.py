"""1,024 nested frames, each at the end of its stack limit: no native stack overflows, on any engine, across both VMs.

A contract frame may hold twice the limit: functions outside every cycle are not counted as long as their longest chain
stays within it, and below them a cycle may take all of it. The contract here does both, then calls on. How message
depth and the height limit combine: each frame has a store, and so a stack budget, of its own (`WASM_STACK_BYTES`), and
the executor goes on with a fresh thread every `FRAMES_PER_THREAD` frames, whose stack has room for that many budgets.
"""

from __future__ import annotations

import pytest
import wasmtime

from chain.blockchain import Blockchain, ChainConfig
from chain.forks import Fork
from chain.genesis import GenesisAccount, dev_genesis
from chain.stack import FRAMES_PER_THREAD, FRESH_STACK_BYTES, STACK_BYTES, run_with_stack
from chain.store import MemoryStore
from ewasm.engine.compiler import WASM_STACK_BYTES
from ewasm.fuzz.oracle import CAMPAIGN_ENGINES, campaign_engines, observe, shared
from ewasm.fuzz.world import message
from ewasm.message import Status
from ewasm.metering.stack_height import FRAME_VALUES
from ewasm.rules import EWASM_2026
from ewasm.vm import VM
from tests.unit.chain.support import ALICE, CHAIN_ID, ETHER, asm, tx

EVM = b"\xe0" * 20
WASM = b"\xa0" * 20
LIMIT = EWASM_2026.limits.stack_height
LOCALS = EWASM_2026.limits.locals
# Values a function of the contract below holds: a parameter, locals, its highest operand stack, the constant.
HEIGHT = 1 + LOCALS + 3 + FRAME_VALUES
CHAIN = LIMIT // HEIGHT
DEPTH = LIMIT // HEIGHT


@pytest.fixture(params=CAMPAIGN_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name not in campaign_engines():
        pytest.skip(f"{name} does not work on this machine")
    return name


def function(name: str, inner: str, *, live: bool) -> str:
    """A function with as many locals as there may be. With `live` all hold a value across `inner`, which no compiler
    can drop; without, the same height costs the interpreter no time."""
    sets = " ".join(f"global.get $seed i64.const {i} i64.add local.set {i + 1}" for i in range(LOCALS)) if live else ""
    sums = " ".join(f"local.get {i + 1} i64.add" for i in range(LOCALS)) if live else ""
    top = "global.get $seed i64.const 1 i64.const 1 i64.add i64.add drop"
    return f"""(func ${name} (param i32) (result i64) (local {"i64 " * LOCALS}) {top} {sets} {inner} {sums})"""


def contract(bottom: str, *, live: bool, depth: int = DEPTH, imports: str = "") -> bytes:
    """`main` goes down a chain of functions that are not counted, then `depth` deep into one that is, then `bottom`."""
    chain = "".join(
        function(f"c{i}", f"i32.const {depth} call {f'$c{i + 1}' if i < CHAIN - 1 else '$cycle'}", live=live)
        for i in range(CHAIN)
    )
    again = f"""local.get 0 i32.const 1 i32.sub local.tee 0
      if (result i64) local.get 0 call $cycle else {bottom} i64.const 0 end"""
    return bytes(
        wasmtime.wat2wasm(
            f"""(module {imports} (memory (export "memory") 1) (global $seed (mut i64) (i64.const 3))
            {chain} {function("cycle", again, live=live)}
            (func (export "main") i32.const {depth} call $c0 global.set $seed))"""
        )
    )


def test_the_contract_is_at_the_limit_and_one_more_is_too_deep(engine: str) -> None:
    live = engine != "interpreter"
    request = message(gas=100_000_000)
    assert observe(contract("", live=live), engine, request=request).result.status is Status.SUCCESS
    deeper = observe(contract("", live=live, depth=DEPTH + 1), engine, request=request)
    assert deeper.result.status is Status.CALL_DEPTH_EXCEEDED


IMPORTS = """(import "ethereum" "storageLoad" (func $load (param i32 i32)))
  (import "ethereum" "storageStore" (func $store (param i32 i32)))
  (import "ethereum" "call" (func $call (param i64 i32 i32 i32 i32) (result i32)))"""


def counting(target: bytes, *, live: bool) -> bytes:
    """At the end of its stack: count in slot 0, call `target` with all gas."""
    address = int.from_bytes(target[:4], "little")
    bottom = f"""i32.const 96 i32.const {address} i32.store i32.const 100 i32.const {address} i32.store
      i32.const 104 i32.const {address} i32.store i32.const 108 i32.const {address} i32.store
      i32.const 112 i32.const {address} i32.store
      i32.const 0 i32.const 32 call $load
      i32.const 62 i32.const 62 i32.load8_u i32.const 63 i32.load8_u i32.const 255 i32.eq i32.add i32.store8
      i32.const 63 i32.const 63 i32.load8_u i32.const 1 i32.add i32.store8
      i32.const 0 i32.const 32 call $store
      i64.const 0x7fffffffffffffff i32.const 96 i32.const 128 i32.const 0 i32.const 0 call $call drop"""
    return contract(bottom, live=live, imports=IMPORTS)


def relay(target: bytes) -> bytes:
    """EVM code: count in slot 0, call `target` with all gas, stop."""
    zero = b"\x00"
    return asm(
        *(zero, 0x54, b"\x01", 0x01, zero, 0x55),
        *(zero, zero, zero, zero, zero, target, 0x5A, 0xF1, 0x00),
    )


@pytest.mark.parametrize("through_evm", [False, True], ids=["wasm-only", "through-both-vms"])
def test_1024_frames_each_at_the_end_of_its_stack(engine: str, through_evm: bool) -> None:
    wasm = counting(EVM if through_evm else WASM, live=engine != "interpreter")
    accounts = {
        WASM: GenesisAccount(nonce=1, code=wasm),
        EVM: GenesisAccount(nonce=1, code=relay(WASM)),
    }
    genesis = dev_genesis(CHAIN_ID, Fork.PRAGUE, {ALICE: ETHER}, accounts)
    chain = Blockchain.open(ChainConfig(), genesis, MemoryStore(), VM(EWASM_2026, shared(engine)))
    # 63/64 at each of 1,024 levels leaves one part in ten million.
    gas = 1 << 46
    sent = tx(0, to=WASM, gas=gas, max_fee_per_gas=0, max_priority_fee_per_gas=0)

    def run() -> str:
        return chain.build_block([sent], timestamp=1000, gas_limit=gas, base_fee=0).outcomes[0].status

    assert run_with_stack(run) == "success"
    counts = [int.from_bytes(chain.state_at().storage(address, 0), "big") for address in (WASM, EVM)]
    # Frames of depth 0 to 1,024.
    assert counts == ([513, 512] if through_evm else [1_025, 0])


def test_threads_have_room_for_the_budgets_of_their_frames() -> None:
    """Half a megabyte beside each frame's budget for the Python and C between two frames."""
    assert min(FRESH_STACK_BYTES, STACK_BYTES) >= FRAMES_PER_THREAD * (WASM_STACK_BYTES + (1 << 19))
    # Twice the limit in values of eight bytes is a quarter of the budget.
    assert 4 * 2 * LIMIT * 8 <= WASM_STACK_BYTES


def test_the_widest_signatures_do_not_overflow_before_the_limit(engine: str) -> None:
    """64 parameters and 16 results, which calls hand over on the stack."""
    count, results = EWASM_2026.limits.parameters, EWASM_2026.limits.results
    push = " ".join(f"local.get {i} i64.const {i} i64.add" for i in range(count))
    add = " ".join("i64.add" for _ in range(results - 1))
    back = " ".join(f"local.get {i}" for i in range(results - 1))
    code = bytes(
        wasmtime.wat2wasm(
            f"""(module (memory (export "memory") 1)
            (func $f (param {"i64 " * count}) (result {"i64 " * results}) {push} call $f {add} {back})
            (func (export "main") {"i64.const 5 " * count} call $f {"drop " * results}))"""
        )
    )
    assert observe(code, engine, request=message(gas=100_000_000)).result.status is Status.CALL_DEPTH_EXCEEDED
