"""Estimates: a transaction succeeds with the estimate and fails with one unit less, whatever its contracts do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_abi.abi import encode as abi_encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain.blockchain import Blockchain
from chain.errors import InvalidTransaction
from chain.estimate import least_gas
from chain.forks import Fork
from chain.genesis import GenesisAccount
from chain.records import CallRequest
from chain.refusals import ExecutionReverted, Refused
from chain.requests import TxRequest
from chain.transaction import Authorization
from chain.transition import MAX_TX_GAS
from chain.trial import call_request, estimate_gas
from ewasm.initcode import with_arguments
from tests.unit.chain.support import ALICE, BOB, ETHER, asm, new_chain, tx
from tests.unit.chain.test_executor import caller_of

CALLEE, CALLER, OUTER = b"\xc1" * 20, b"\xc2" * 20, b"\xc3" * 20
TOKEN = abi_encode(["string", "string", "uint256"], ["Gold", "GLD", 1_000])
GAS, JUMPDEST, INVALID, POP = 0x5A, 0x5B, 0xFE, 0x50
CALL, CREATE, REVERT = 0xF1, 0xF0, 0xFD


def call_code(to: bytes, value: int = 0, gas: int | None = None, *, insist: bool = False) -> bytes:
    """EVM code that calls; with `insist` it reverts where the callee failed."""
    asked: int | bytes = GAS if gas is None else gas.to_bytes(4, "big")
    zero = b"\x00"
    code = asm(zero, zero, zero, zero, value.to_bytes(1, "big"), to, asked, CALL)
    if not insist:
        return code + bytes((POP,))
    # Jump over the revert, ten bytes on from where PC is.
    return code + asm(0x58, b"\x0a", 0x01, 0x57, zero, zero, REVERT, JUMPDEST)


def exact(chain: Blockchain, request: TxRequest) -> int:
    """The estimate, once it was tried, and one less too."""
    record = chain.head
    env = chain.next_env(record, timestamp=record.timestamp + 1)
    gas = estimate_gas(chain, request, record, env)
    assert chain.call(call_request(request, gas), env=env).is_success
    rules = ["fails"]
    try:
        assert not chain.call(call_request(request, gas - 1), env=env).is_success
    except InvalidTransaction as error:
        rules.append(error.rule)
    assert rules in (["fails"], ["fails", "intrinsic-gas"])
    return gas


def chain_with(**codes: bytes) -> Blockchain:
    names = {"callee": CALLEE, "caller": CALLER, "outer": OUTER}
    accounts = {
        names[name]: GenesisAccount(code=code, balance=ETHER, storage={0: 1, 1: 1}) for name, code in codes.items()
    }
    return new_chain(accounts=accounts)


def test_transfers_and_data() -> None:
    chain = new_chain()
    assert exact(chain, TxRequest(sender=ALICE, to=BOB, value=1)) == 21_000
    assert exact(chain, TxRequest(sender=ALICE, to=BOB, data=b"\x01" * 10)) == 21_000 + 400
    assert exact(chain, TxRequest(sender=ALICE, to=None, data=asm(b"\x00", b"\x00", 0xF3))) > 53_000


def test_refunds_are_not_taken_off() -> None:
    chain = chain_with(callee=asm(b"\x00", b"\x00", 0x55, b"\x00", b"\x01", 0x55))
    request = TxRequest(sender=ALICE, to=CALLEE)
    gas = exact(chain, request)
    assert chain.call(call_request(request, gas)).gas_used < gas


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("gas", [None, 30_000, 100_000])
def test_callees_get_63_of_64_parts_and_the_stipend(value: int, gas: int | None) -> None:
    chain = chain_with(
        callee=asm(b"\x05", b"\x02", 0x55),
        caller=call_code(CALLEE, value, gas, insist=True),
        outer=call_code(CALLER, insist=True) + call_code(CALLEE, insist=True),
    )
    for to in (CALLER, OUTER):
        request = TxRequest(sender=ALICE, to=to)
        estimate = exact(chain, request)
        assert estimate < 200_000


def test_callees_that_burn_what_they_get_do_not_raise_the_estimate() -> None:
    chain = chain_with(callee=bytes((INVALID,)), caller=call_code(CALLEE))
    assert exact(chain, TxRequest(sender=ALICE, to=CALLER)) < 60_000


def test_a_write_at_the_end_needs_its_sentry() -> None:
    chain = chain_with(callee=asm(b"\x01", b"\x00", 0x55))
    assert exact(chain, TxRequest(sender=ALICE, to=CALLEE)) == 21_000 + 6 + 2_301


def test_contracts_that_look_at_their_gas() -> None:
    # Reverts with less than half a million left.
    wanted = asm((500_000).to_bytes(3, "big"), GAS, 0x10, b"\x0a", 0x57, 0x00, JUMPDEST)
    assert wanted[10] == JUMPDEST
    chain = chain_with(callee=wanted + asm(b"\x00", b"\x00", REVERT), caller=call_code(CALLEE, insist=True))
    assert exact(chain, TxRequest(sender=ALICE, to=CALLEE)) == 21_000 + 500_000 + 5
    assert exact(chain, TxRequest(sender=ALICE, to=CALLER)) > 21_000 + 500_000 * 64 // 63


def test_authorizations() -> None:
    chain = chain_with(callee=asm(b"\x05", b"\x02", 0x55))
    nobody = Authorization(chain_id=0, address=CALLEE, nonce=0, y_parity=0, r=1, s=1)
    request = TxRequest(sender=ALICE, to=BOB, authorizations=(nobody, nobody))
    assert exact(chain, request) == 21_000 + 2 * 25_000


def test_contracts_in_wasm() -> None:
    module = (Path(__file__).parents[3] / "contracts" / "erc20" / "erc20.wasm").read_bytes()
    chain = new_chain()
    request = TxRequest(sender=ALICE, data=with_arguments(module, TOKEN))
    gas = exact(chain, request)
    built = chain.build_block([tx(0, to=None, gas=gas, data=request.data or b"")])
    address = built.outcomes[0].created
    assert address is not None, built.outcomes
    transfer = bytes.fromhex("a9059cbb") + BOB.rjust(32, b"\0") + (7).to_bytes(32, "big")
    asked = TxRequest(sender=ALICE, to=address, data=transfer)
    assert exact(chain, asked) < 200_000
    overdrawn = TxRequest(sender=BOB, to=address, data=transfer)
    with pytest.raises(ExecutionReverted):
        exact(chain, overdrawn)
    total_supply = bytes.fromhex("18160ddd")
    assert exact(chain, TxRequest(sender=ALICE, to=address, data=total_supply)) < 100_000


def test_osaka_caps_transactions() -> None:
    burn = asm(b"\xff" * 4, 0x51)
    accounts = {CALLEE: GenesisAccount(code=burn)}
    for fork, most in ((Fork.PRAGUE, 30_000_000), (Fork.OSAKA, MAX_TX_GAS)):
        chain = new_chain(fork, accounts=accounts)
        env = chain.next_env(chain.head, timestamp=10)
        with pytest.raises(Refused, match=f"allowance .{most}"):
            estimate_gas(chain, TxRequest(sender=ALICE, to=CALLEE), chain.head, env)


def test_the_search_ends_where_nothing_helps() -> None:
    asked: list[int] = []

    def suffices(gas: int) -> bool:
        asked.append(gas)
        return gas >= 29_000_000

    found = least_gas(suffices, (20_000_000,), 20_999, 30_000_000)
    assert sum(asked) < 200_000_000
    assert suffices(found)
    assert least_gas(lambda gas: gas >= 50_000, (50_000,), 20_999, 30_000_000) == 50_000
    assert least_gas(lambda gas: gas >= 50_000, (40_000, 60_000), 20_999, 30_000_000) == 50_000


@dataclass(frozen=True)
class Step:
    kind: str
    size: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["store", "clear", "reset", "call", "pay", "insist", "small", "burn", "hash", "create", "log"]),
        st.integers(1, 40),
    ),
    max_size=6,
)


def program(steps: list[Step], callee: bytes | None) -> bytes:
    code = b""
    for step in steps:
        slot, size = bytes((step.size,)), step.size
        if step.kind == "store":
            code += asm(b"\x07", slot, 0x55)
        elif step.kind == "clear":
            code += asm(b"\x00", b"\x00", 0x55)
        elif step.kind == "reset":
            code += asm(b"\x00", b"\x01", 0x55, b"\x01", b"\x01", 0x55)
        elif step.kind == "hash":
            code += asm((size * 200).to_bytes(2, "big"), b"\x00", 0x20, POP)
        elif step.kind == "log":
            code += asm(slot, b"\x00", 0xA0)
        elif step.kind == "create":
            code += asm(b"\x00", b"\x00", b"\x00", CREATE, POP)
        elif callee is not None:
            if step.kind == "burn":
                code += call_code(b"\xbb" * 20, gas=size * 100)
            else:
                gas = size * 3_000 if step.kind == "small" else None
                code += call_code(callee, int(step.kind == "pay"), gas)
    return code


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, STEPS, STEPS)
def test_estimates_of_random_contracts_are_exact(outer: list[Step], caller: list[Step], callee: list[Step]) -> None:
    accounts = {
        OUTER: GenesisAccount(code=program(outer, CALLER), balance=ETHER, storage={0: 1, 1: 1}),
        CALLER: GenesisAccount(code=program(caller, CALLEE), balance=ETHER, storage={0: 1, 1: 1}),
        CALLEE: GenesisAccount(code=program(callee, None), balance=ETHER, storage={0: 1, 1: 1}),
        b"\xbb" * 20: GenesisAccount(code=bytes((INVALID,))),
    }
    chain = new_chain(accounts=accounts)
    exact(chain, TxRequest(sender=ALICE, to=OUTER))
    assert chain.call(CallRequest(sender=ALICE, to=OUTER)).is_success


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, STEPS, st.sampled_from([0, 1]), st.sampled_from([40_000, 300_000, 2**60]))
def test_estimates_through_wasm_frames_are_exact(outer: list[Step], callee: list[Step], value: int, gas: int) -> None:
    accounts = {
        OUTER: GenesisAccount(code=call_code(CALLER, value) + program(outer, CALLER), balance=ETHER, storage={1: 1}),
        CALLER: GenesisAccount(code=caller_of(CALLEE, value=value, gas=gas), balance=ETHER),
        CALLEE: GenesisAccount(code=program(callee, None), balance=ETHER, storage={0: 1, 1: 1}),
        b"\xbb" * 20: GenesisAccount(code=bytes((INVALID,))),
    }
    chain = new_chain(accounts=accounts)
    exact(chain, TxRequest(sender=ALICE, to=OUTER))
    exact(chain, TxRequest(sender=ALICE, to=CALLER))
