"""Tracers over EVM and Wasm frames: what they say, that they change nothing, and where they stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import orjson
import pytest
from eth_abi.abi import encode as abi_encode

from chain.blockchain import Blockchain, BlockRecord
from chain.crypto import keccak
from chain.genesis import GenesisAccount
from chain.records import CallRequest
from chain.refusals import BadArgument, Refused
from chain.stack import run_with_stack
from chain.tracing import events
from chain.tracing.calls import Place
from chain.tracing.events import Limits, TooLarge, TraceTimeout
from chain.tracing.names import op_name, operands
from chain.tracing.options import TraceOptions, parse_duration
from chain.tracing.replay import trace_block, trace_call, trace_transaction, tracing
from chain.tracing.tracers import TRACERS, make_tracer
from ewasm.initcode import with_arguments
from ewasm.wasm.opcodes import OPCODES
from tests.node_process import REPOSITORY
from tests.unit.chain.support import ALICE, BOB, asm, call_evm, created_address, deployer, new_chain, tx

COUNTER, FORWARDER, PAYER = (bytes([n]) * 20 for n in (0xC0, 0xF0, 0xAA))
OTHER = b"\xbb" * 20
TOKEN = abi_encode(["string", "string", "uint256"], ["Gold", "GLD", 1_000])


def contract(name: str) -> bytes:
    return (REPOSITORY / "contracts" / name).read_bytes()


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def forward(to: bytes, data: bytes) -> bytes:
    return selector("forward(address,bytes)") + abi_encode(["address", "bytes"], [to, data])


@pytest.fixture(scope="module")
def mixed() -> Blockchain:
    """A chain with a counter and a forwarder in Wasm and an EVM contract that counts what it is called."""
    touched = asm(b"\x00", 0x54, b"\x01", 0x01, b"\x00", 0x55, 0x00)
    chain = new_chain(
        accounts={
            COUNTER: GenesisAccount(code=contract("counter/counter.wasm")),
            FORWARDER: GenesisAccount(code=contract("crossvm/forwarder.wasm")),
            PAYER: GenesisAccount(code=touched),
        }
    )
    run_with_stack(
        lambda: chain.build_block(
            [
                tx(0, to=COUNTER, data=selector("increment()")),
                tx(1, to=FORWARDER, data=forward(PAYER, b"\1\2\3\4\5")),
                tx(2, to=FORWARDER, data=forward(COUNTER, selector("increment()"))),
                tx(3, to=COUNTER, data=b"????"),
                tx(4, to=None, data=with_arguments(contract("erc20/erc20.wasm"), TOKEN), gas=3_000_000),
            ]
        )
    )
    return chain


def traced(chain: Blockchain, index: int, tracer: str = "", **config: Any) -> Any:
    """JSON of the trace of a transaction of block 1."""
    record = chain.block_by_number(1)
    assert record is not None
    return plain(trace_transaction(chain, record, index, TraceOptions(tracer=tracer, config=config, timeout_s=60)))


def plain(value: Any) -> Any:
    return json.loads(orjson.dumps(value))


def run_code(code: bytes, others: dict[bytes, bytes] | None = None, **fields: Any) -> Callable[..., Any]:
    """Call EVM code as a transaction would; returns a function of (tracer, **config) that gives the trace."""
    accounts = {OTHER: GenesisAccount(code=code, balance=5)}
    accounts |= {address: GenesisAccount(code=other) for address, other in (others or {}).items()}
    chain = new_chain(accounts=accounts)
    request = CallRequest(**{"sender": ALICE, "to": OTHER, "gas": 1_000_000, **fields})

    def trace(tracer: str = "", **config: Any) -> Any:
        options = TraceOptions(tracer=tracer, config=config, timeout_s=60)
        return plain(run_with_stack(lambda: trace_call(chain, request, chain.head, options)))

    return trace


# Wasm


def test_gas_of_traces_is_that_of_the_receipts(mixed: Blockchain) -> None:
    record = mixed.block_by_number(1)
    assert record is not None
    receipts = mixed.receipts(record.hash)
    for tracer in ("", "wasmTracer"):
        for index, receipt in enumerate(receipts):
            result = traced(mixed, index, tracer)
            assert result["gas"] == receipt.gas_used
            assert result["failed"] is (receipt.error is not None)
    for index, receipt in enumerate(receipts):
        assert int(traced(mixed, index, "callTracer")["gasUsed"], 16) == receipt.gas_used
        host = traced(mixed, index, "hostTracer")
        spent = sum(call["particlesBefore"] - call["particlesAfter"] for call in host["hostCalls"])
        assert spent <= host["gasUsed"] * 10_000


@pytest.mark.parametrize("index", [0, 1, 2])
def test_wasm_steps_add_up_to_the_gas_of_the_frame(mixed: Blockchain, index: int) -> None:
    record = mixed.block_by_number(1)
    assert record is not None
    receipt, gas = mixed.receipts(record.hash)[index], record.transactions[index].gas
    steps = [step for step in traced(mixed, index)["structLogs"] if step["depth"] == 1]
    assert steps[0]["gas"] - sum(step["gasCost"] for step in steps) == gas - receipt.gas_used


def test_wasm_steps_name_function_offset_and_instruction(mixed: Blockchain) -> None:
    steps = traced(mixed, 0)["structLogs"]
    module = contract("counter/counter.wasm")
    by_name = {row.text: code for code, row in OPCODES.items()}
    for step in steps:
        code = by_name[step["op"]]
        assert module[step["pc"]] == (code if code < 0x100 else code >> 8)
        assert step["function"] >= 0
        assert step["gas"] == step["particles"] // 10_000
    assert {"i32.const", "call", "i64.load"} & {step["op"] for step in steps}
    assert any(step["stack"] for step in steps)


def test_both_engines_have_the_same_gas_at_every_host_call(mixed: Blockchain) -> None:
    """hostTracer runs on the native engine, wasmTracer on the interpreter."""
    calls = traced(mixed, 1, "hostTracer")["hostCalls"]
    steps = traced(mixed, 1, "wasmTracer")["structLogs"]
    behind = {then["particles"] for then in steps}
    # All but the call that ends the frame are followed by a step with the gas that the call left.
    assert all(call["particlesAfter"] in behind for call in calls[:-1])
    assert len(calls) > 5


def test_frames_of_both_machines_stand_in_one_tree(mixed: Blockchain) -> None:
    top = traced(mixed, 1, "callTracer")
    assert (top["type"], top["to"]) == ("CALL", "0x" + FORWARDER.hex())
    (inner,) = top["calls"]
    assert (inner["from"], inner["to"]) == ("0x" + FORWARDER.hex(), "0x" + PAYER.hex())
    assert inner["input"] == "0x0102030405"
    assert "calls" not in traced(mixed, 1, "callTracer", onlyTopCall=True)
    log = traced(mixed, 1)["structLogs"]
    assert {"SLOAD", "SSTORE"} <= {step["op"] for step in log if step["depth"] == 2}
    assert all("function" in step for step in log if step["depth"] == 1)
    assert all("function" not in step for step in log if step["depth"] == 2)


def test_prestate_sees_what_wasm_contracts_store(mixed: Blockchain) -> None:
    slot = "0x" + "00" * 32
    before = traced(mixed, 2, "prestateTracer")
    assert before["0x" + COUNTER.hex()]["storage"] == {slot: "0x" + "00" * 31 + "01"}
    change = traced(mixed, 2, "prestateTracer", diffMode=True)
    assert change["post"]["0x" + COUNTER.hex()] == {"storage": {slot: "0x" + "00" * 31 + "02"}}
    assert change["pre"]["0x" + COUNTER.hex()]["storage"] == {slot: "0x" + "00" * 31 + "01"}
    made = created_address(ALICE, 4)
    creation = traced(mixed, 4, "prestateTracer", diffMode=True)
    assert creation["post"]["0x" + made.hex()]["nonce"] == 1
    assert "0x" + made.hex() not in creation["pre"]


def test_host_calls_carry_the_evm_operation_they_ran(mixed: Blockchain) -> None:
    calls = traced(mixed, 2, "hostTracer")["hostCalls"]
    (call,) = [entry for entry in calls if entry["name"] == "ethereum.call"]
    assert call["operation"]["op"] == "CALL"
    inner = call["frame"]
    assert inner["code"] == "wasm"
    stores = [entry for entry in inner["hostCalls"] if entry["name"] == "ethereum.storageStore"]
    assert [store["operation"]["op"] for store in stores] == ["SSTORE"]
    assert stores[0]["particlesBefore"] - stores[0]["particlesAfter"] == stores[0]["operation"]["gasCost"] * 10_000


def test_a_wasm_revert_is_a_revert_in_every_tracer(mixed: Blockchain) -> None:
    assert traced(mixed, 3, "callTracer")["error"] == "execution reverted"
    assert traced(mixed, 3, "flatCallTracer", convertParityErrors=True)[0]["error"] == "Reverted"
    assert traced(mixed, 3)["failed"] is True


def test_tracing_changes_neither_state_nor_gas(mixed: Blockchain) -> None:
    root, head = mixed.state_at().root, mixed.head.hash
    for tracer in TRACERS:
        config: dict[str, Any] = {"callTracer": {}} if tracer == "muxTracer" else {}
        options = TraceOptions(tracer=tracer, config=config, timeout_s=60)
        record = mixed.block_by_number(1)
        assert record is not None
        trace_block(mixed, record, options)
    assert (mixed.state_at().root, mixed.head.hash) == (root, head)


# EVM


def test_a_call_without_funds_is_a_frame_with_an_error() -> None:
    trace = run_code(call_evm(BOB, value=b"\x09") + b"\x00")
    (refused,) = trace("callTracer")["calls"]
    assert refused["error"] == "insufficient balance for transfer"
    assert refused["gasUsed"] == "0x0"
    assert refused["to"] == "0x" + BOB.hex()
    steps = trace()["structLogs"]
    call, then = steps[-2], steps[-1]
    # The callee's gas comes back with the stipend that it was given.
    assert call["op"] == "CALL"
    assert call["gas"] - call["gasCost"] + int(refused["gas"], 16) == then["gas"]


def test_a_call_costs_what_it_gives_away_and_a_creation_does_not() -> None:
    trace = run_code(call_evm(BOB, gas=b"\x50\x00") + asm(b"\x00", b"\x00", b"\x00", 0xF0, 0x00))
    steps = {step["op"]: step for step in trace()["structLogs"]}
    assert steps["CALL"]["gasCost"] == 2_600 + 0x5000
    assert steps["CREATE"]["gasCost"] == 32_000
    kinds = [frame["type"] for frame in trace("callTracer")["calls"]]
    assert kinds == ["CALL", "CREATE"]


def test_each_kind_of_call_names_who_calls_whom() -> None:
    target = b"\xdd" * 20
    zero = b"\x00"
    code = b"".join(
        asm(zero, zero, zero, zero, *((zero,) if op in (0xF1, 0xF2) else ()), target, b"\xff\xff", op, 0x50)
        for op in (0xF1, 0xF2, 0xF4, 0xFA)
    )
    frames = run_code(code + b"\x00", {target: b"\x00"}, value=3)("callTracer")["calls"]
    assert [frame["type"] for frame in frames] == ["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"]
    assert all(frame["from"] == "0x" + OTHER.hex() and frame["to"] == "0x" + target.hex() for frame in frames)
    assert [frame.get("value") for frame in frames] == ["0x0", "0x0", "0x3", None]


def test_opcodes_that_cannot_be_paid_show_their_whole_price() -> None:
    steps = run_code(asm(b"\x01", b"\x00", 0x55, 0x00), gas=21_000 + 6 + 5_000)()["structLogs"]
    assert (steps[-1]["op"], steps[-1]["gasCost"], steps[-1]["error"]) == ("SSTORE", 22_100, "out of gas")
    steps = run_code(asm(b"\x01", b"\x00", 0x55, 0x00), gas=21_000 + 6 + 2_000)()["structLogs"]
    assert steps[-1]["error"] == "out of gas: not enough gas for reentrancy sentry"
    steps = run_code(asm(b"\x20", b"\xff\xff", 0x20, 0x00), gas=21_000 + 6 + 100)()["structLogs"]
    assert steps[-1]["gasCost"] == 30 + 6 + (2049 * 3 + 2049 * 2049 // 512)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("01", "stack underflow (0 <=> 2)"),
        ("5f56", None),
        ("0c", None),
        ("fe", None),
        ("5f5ffd", None),
    ],
)
def test_errors_of_steps_are_those_of_prices_and_stacks(code: str, error: str | None) -> None:
    assert run_code(bytes.fromhex(code))()["structLogs"][-1].get("error") == error


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("01", "stack underflow"),
        ("5f56", "invalid jump destination"),
        ("0c", "invalid opcode: opcode 0xc not defined"),
        ("fe", "invalid opcode: INVALID"),
        ("5f5ffd", "execution reverted"),
        ("60015f5f3e", "return data out of bounds"),
        ("5b5f600056", "stack limit reached 1024 (1023)"),
    ],
)
def test_failures_have_the_words_of_geth(code: str, error: str) -> None:
    assert run_code(bytes.fromhex(code))("callTracer")["error"] == error


def test_a_write_in_a_static_call_fails_with_its_whole_price() -> None:
    writer = b"\xdd" * 20
    zero = b"\x00"
    trace = run_code(asm(zero, zero, zero, zero, writer, b"\xff\xff", 0xFA, 0x00), {writer: asm(b"\x01", zero, 0x55)})
    (inner,) = trace("callTracer")["calls"]
    assert inner["error"] == "write protection"
    assert inner["gasUsed"] == inner["gas"]
    (step,) = [step for step in trace()["structLogs"] if step["op"] == "SSTORE"]
    assert step["gasCost"] == 22_100
    assert "error" not in step


def test_revert_reasons_are_decoded() -> None:
    data = bytes.fromhex("08c379a0") + abi_encode(["string"], ["no luck"])
    code = b"".join(asm(data[i : i + 32].ljust(32, b"\0"), bytes([i]), 0x52) for i in range(0, len(data), 32))
    top = run_code(code + asm(bytes([len(data)]), b"\x00", 0xFD))("callTracer")
    assert (top["error"], top["revertReason"]) == ("execution reverted", "no luck")
    assert top["output"] == "0x" + data.hex()


def test_logs_of_failed_frames_did_not_happen() -> None:
    noisy = b"\xdd" * 20
    loud = asm(b"\x00", b"\x00", 0xA0)
    trace = run_code(loud + call_evm(noisy) + loud + b"\x00", {noisy: loud + b"\xfe"})
    top = trace("callTracer", withLog=True)
    assert [log["position"] for log in top["logs"]] == ["0x0", "0x1"]
    assert "logs" not in top["calls"][0]


def test_a_selfdestruction_is_a_frame_with_its_balance() -> None:
    top = run_code(asm(BOB, 0xFF))("callTracer")
    (end,) = top["calls"]
    assert (end["type"], end["to"], end["value"], end["gas"]) == ("SELFDESTRUCT", "0x" + BOB.hex(), "0x5", "0x0")
    flat = run_code(asm(BOB, 0xFF))("flatCallTracer")
    assert flat[1]["action"] == {"address": "0x" + OTHER.hex(), "balance": "0x5", "refundAddress": "0x" + BOB.hex()}


def test_refunds_are_counted_and_taken_back_with_failed_frames() -> None:
    clearing = b"\xdd" * 20
    clear = asm(b"\x00", b"\x00", 0x55)
    store = asm(b"\x01", b"\x00", 0x55)
    trace = run_code(store + clear + call_evm(clearing) + b"\x5b\x00", {clearing: store + clear + b"\xfe"})
    steps = trace()["structLogs"]
    assert steps[-1]["refund"] == 19_900
    assert max(step.get("refund", 0) for step in steps) == 2 * 19_900


def test_options_of_the_step_logger() -> None:
    code = asm(b"\x2a", b"\x00", 0x52, b"\x20", b"\x00", 0x20, b"\x00", 0x54, 0x00)
    chain = new_chain(accounts={OTHER: GenesisAccount(code=code)})
    request = CallRequest(sender=ALICE, to=OTHER, gas=100_000)

    def steps(**options: Any) -> list[dict[str, Any]]:
        result = run_with_stack(lambda: trace_call(chain, request, chain.head, TraceOptions(**options)))
        entries: list[dict[str, Any]] = plain(result)["structLogs"]
        return entries

    assert not any("memory" in step for step in steps())
    assert not any("stack" in step for step in steps(disable_stack=True))
    assert not any("storage" in step for step in steps(disable_storage=True))
    assert [step["storage"] for step in steps() if "storage" in step] == [{"0x" + "00" * 32: "0x" + "00" * 32}]
    assert steps(enable_memory=True)[-1]["memory"] == ["0x" + "00" * 31 + "2a"]
    assert len(steps(limit=3)) == 3


def test_calls_nest_to_the_protocols_depth_in_every_tracer() -> None:
    zero = b"\x00"
    itself = asm(zero, zero, zero, zero, zero, 0x30, 0x5A, 0xF1, 0x00)
    trace = run_code(itself, gas=2_000_000_000_000)
    for tracer, inner in (("hostTracer", "frames"), ("callTracer", "calls")):
        depth, frame = 0, trace(tracer)
        while frame.get(inner):
            (frame,) = frame[inner]
            depth += 1
        # Below the deepest frame stands the call that was one too deep.
        assert depth == 1_025
        assert frame["error"] == "max call depth exceeded"
    assert len(trace("flatCallTracer")) == 1_026


# Limits


def test_a_trace_ends_when_its_time_is_up() -> None:
    loop = asm("5b5f56")
    chain = new_chain(accounts={OTHER: GenesisAccount(code=loop)})
    request = CallRequest(sender=ALICE, to=OTHER, gas=20_000_000)
    for tracer in ("", "noopTracer"):
        options = TraceOptions(tracer=tracer, timeout_s=0.001)
        with pytest.raises(TraceTimeout, match="execution timeout"):
            run_with_stack(lambda options=options: trace_call(chain, request, chain.head, options))  # type: ignore[misc]


def test_a_trace_that_is_too_large_is_refused(mixed: Blockchain, monkeypatch: pytest.MonkeyPatch) -> None:
    record = mixed.block_by_number(1)
    assert record is not None
    small = Limits(60, bytes_left=10_000)
    monkeypatch.setattr("chain.tracing.replay.Limits", lambda _timeout: small)
    with pytest.raises(TooLarge, match="set limit"):
        trace_transaction(mixed, record, 1, TraceOptions())
    frames = Limits(60, frames_left=1)
    monkeypatch.setattr("chain.tracing.replay.Limits", lambda _timeout: frames)
    with pytest.raises(TooLarge, match=f"more than {events.MAX_FRAMES} frames"):
        trace_transaction(mixed, record, 1, TraceOptions(tracer="callTracer"))


def test_unknown_tracers_are_refused_with_those_there_are() -> None:
    for name in ("nope", "{step: function() {}}"):
        with pytest.raises(BadArgument, match="callTracer"):
            make_tracer(TraceOptions(tracer=name), Limits(1), Place())
    with pytest.raises(BadArgument, match="other tracers"):
        make_tracer(TraceOptions(tracer="muxTracer", config={"muxTracer": {}}), Limits(1), Place())


def test_the_genesis_is_not_traceable(mixed: Blockchain) -> None:
    first: BlockRecord | None = mixed.block_by_number(0)
    assert first is not None
    with pytest.raises(Refused, match="genesis is not traceable"):
        trace_block(mixed, first, TraceOptions())


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5.0), ("300ms", 0.3), ("1m", 60.0), ("2s500ms", 2.5), (".5s", 0.5)]
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "0s", "1m1s", "1h", "5s junk", "5 s"])
def test_bad_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|timeout"):
        parse_duration(text)


def test_opcode_names_and_operand_counts_cover_the_base() -> None:
    from eth.vm.forks.prague.opcodes import PRAGUE_OPCODES

    other = {"SHA3": "KECCAK256", "PREVRANDAO": "DIFFICULTY"}
    opcodes: dict[int, Any] = dict(PRAGUE_OPCODES)
    for op, function in opcodes.items():
        name = getattr(function, "mnemonic", None) or function.__wrapped__.mnemonic
        assert op_name(op) == other.get(name, name)
        assert 0 <= operands(op) <= 17


def test_deployed_by_evm_code(mixed: Blockchain) -> None:
    request = CallRequest(sender=ALICE, to=None, gas=1_000_000, data=deployer(b"\x00"))
    result = run_with_stack(lambda: trace_call(mixed, request, mixed.head, TraceOptions(tracer="callTracer")))
    top = plain(result)
    assert (top["type"], top["output"]) == ("CREATE", "0x00")


_OPS = [
    *range(0x20), 0x20, *range(0x30, 0x4B), *range(0x50, 0x60), *range(0x80, 0xA5),
    0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xFA, 0xFD, 0xFE, 0xFF, 0x0C, 0x5B,
]  # fmt: skip
_INTERESTING = [0, 1, 2, 31, 32, 33, 64, 255, 0xFFFF, (1 << 160) - 1, (1 << 256) - 1]


def random_program(random: Random) -> bytes:
    """Opcodes with operands pushed for them more often than not, so that most run and some fail."""
    code = b""
    for _ in range(random.randrange(1, 40)):
        op = random.choice(_OPS)
        if random.random() < 0.85:
            for _ in range(operands(op)):
                value = random.choice([*_INTERESTING, int.from_bytes(OTHER, "big"), int.from_bytes(COUNTER, "big")])
                if op in (0x56, 0x57):
                    value = random.randrange(len(code) + 2)
                raw = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
                code += bytes((0x5F + len(raw),)) + raw
        code += bytes((op,))
    return code


def test_random_programs_run_the_same_under_every_tracer() -> None:
    """300 programs: gas, status and output as without a tracer; each step's gas is the last one's less its cost."""
    random = Random(20261121)
    others = {COUNTER: GenesisAccount(code=contract("counter/counter.wasm"), balance=7)}
    errors: set[str | None] = set()
    for number in range(300):
        code = random_program(random)
        chain = new_chain(accounts={**others, OTHER: GenesisAccount(code=code, balance=5)})
        request = CallRequest(sender=ALICE, to=OTHER, gas=random.choice([30_000, 100_000, 2_000_000]), value=1)
        plain_run = run_with_stack(lambda chain=chain, request=request: chain.call(request))  # type: ignore[misc]
        for tracer in ("", "callTracer", "prestateTracer", "hostTracer"):
            options = TraceOptions(tracer=tracer, timeout_s=60)
            seen: list[Any] = []

            def around(state: Any, sent: Any, env: Any, apply: Any, options: TraceOptions = options) -> Any:
                observer, executed = tracing(chain, options).run(state, sent, env, Place(), apply)  # noqa: B023
                seen.append(plain(observer.result(executed)))  # noqa: B023
                return executed

            outcome = run_with_stack(lambda: chain.call(request, around=around))  # noqa: B023
            assert outcome == plain_run, (number, tracer, code.hex())
            if tracer == "callTracer":
                assert int(seen[0]["gasUsed"], 16) == plain_run.gas_used
                errors.add(seen[0].get("error"))
            elif not tracer:
                _check_steps(seen[0]["structLogs"], code)
    assert len(errors) >= 7, errors


def _check_steps(steps: list[dict[str, Any]], code: bytes) -> None:
    top = [step for step in steps if step["depth"] == 1]
    for one, then in pairwise(top):
        assert op_name(code[one["pc"]]) == one["op"], code.hex()
        if one["op"] in ("CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"):
            # What the callee left comes back.
            assert one["gas"] - one["gasCost"] <= then["gas"] < one["gas"], code.hex()
        elif one["op"] in ("CREATE", "CREATE2"):
            assert then["gas"] <= one["gas"] - one["gasCost"], code.hex()
        else:
            assert one["gas"] - one["gasCost"] == then["gas"], (one, then, code.hex())
    for step in top[:-1]:
        assert "error" not in step
