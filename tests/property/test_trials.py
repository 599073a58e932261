"""Any well-formed simulation, call, estimate or access list ends in a result or a refusal, and changes nothing."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain.app import NodeOptions, all_methods, open_node
from chain.node import Node
from chain.refusals import Refused
from chain.rpc.dispatch import Context
from chain.rpc.errors import RpcError
from chain.rpc.params import BadValue, bind
from chain.stack import run_with_stack
from tests.node_process import ACCOUNTS


@cache
def node() -> Node:
    """A node that is not started: trials need no thread of its own."""
    return open_node(NodeOptions(fork="Osaka"))


METHODS = all_methods()
ADDRESSES = st.sampled_from(
    [
        *ACCOUNTS[:2],
        *(f"0x{number:040x}" for number in (0, 1, 4, 5, 9, 0x100)),
        "0x" + "c1" * 20,
        "0x000f3df6d732807ef1319fb7b8bb8522d0beac02",
        "0x00000961ef480eb55e80d19ad83579a64c007002",
    ]
)
NUMBERS = st.sampled_from(["0x0", "0x1", "0x5208", "0xffffffffffffffff", "0x" + "f" * 64])
SMALL = st.sampled_from(["0x0", "0x1", "0x30d40"])
WORDS = st.sampled_from(["0x" + "0" * 64, "0x" + "f" * 64, "0x01" + "0" * 62])
# Nothing, a halt, a revert, reads, writes, a payment, an end, a creation, out of gas, and what is no Wasm.
CODES = st.sampled_from(
    [
        "0x", "0xfe", "0x60006000fd", "0x60005460005260206000f3", "0x6001600055", "0x60006000600060006001335af1",
        "0x33ff", "0x6000600060f0f0", "0x63ffffffff51", "0x0061736d", "0x4a60005260206000f3", "0x60006000a0",
    ]
)  # fmt: skip


def fields(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=known)


AUTHORIZATION = st.fixed_dictionaries(
    {"chainId": SMALL, "address": ADDRESSES, "nonce": SMALL, "yParity": SMALL, "r": NUMBERS, "s": NUMBERS}
)
CALLS = fields(
    **{"from": ADDRESSES},
    to=ADDRESSES,
    gas=SMALL,
    value=SMALL | NUMBERS,
    nonce=NUMBERS,
    maxFeePerGas=NUMBERS,
    input=CODES,
    blobVersionedHashes=st.lists(WORDS, max_size=2),
    accessList=st.lists(
        st.fixed_dictionaries({"address": ADDRESSES, "storageKeys": st.lists(WORDS, max_size=2)}), max_size=2
    ),
    authorizationList=st.lists(AUTHORIZATION, max_size=2),
)
STATES = st.dictionaries(
    ADDRESSES,
    fields(
        balance=NUMBERS,
        nonce=NUMBERS,
        code=CODES,
        stateDiff=st.dictionaries(WORDS, WORDS, max_size=2),
        movePrecompileToAddress=ADDRESSES,
    ),
    max_size=3,
)
BLOCKS = fields(
    number=st.sampled_from(["0x1", "0x5"]) | NUMBERS,
    time=st.sampled_from(["0x1000", "0x2000"]) | NUMBERS,
    gasLimit=NUMBERS,
    feeRecipient=ADDRESSES,
    prevRandao=WORDS,
    baseFeePerGas=NUMBERS,
    blobBaseFee=NUMBERS,
)
WITHDRAWALS = st.lists(
    st.fixed_dictionaries({"index": SMALL, "validatorIndex": SMALL, "address": ADDRESSES, "amount": SMALL}), max_size=2
)
SIMULATIONS = st.fixed_dictionaries(
    {
        "blockStateCalls": st.lists(
            fields(
                blockOverrides=BLOCKS | fields(withdrawals=WITHDRAWALS, beaconRoot=WORDS),
                stateOverrides=STATES,
                calls=st.lists(CALLS, max_size=3),
            ),
            min_size=1,
            max_size=3,
        ),
        "validation": st.booleans(),
        "traceTransfers": st.booleans(),
        "returnFullTransactions": st.booleans(),
    }
)
REQUESTS = st.one_of(
    st.tuples(st.just("eth_simulateV1"), st.tuples(SIMULATIONS, st.just("latest"))),
    st.tuples(st.sampled_from(["eth_call", "eth_estimateGas"]), st.tuples(CALLS, st.just("latest"), STATES, BLOCKS)),
    st.tuples(st.just("eth_createAccessList"), st.tuples(CALLS, st.just("latest"), STATES)),
)


def answer(name: str, params: tuple[Any, ...]) -> str:
    method = METHODS[name]
    try:
        return orjson.dumps(method.run(Context(node()), *bind(method.params, list(params)))).decode()
    except (BadValue, RpcError, Refused) as error:
        return f"{type(error).__name__}: {error}"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REQUESTS)
def test_trials_end_and_leave_nothing(request: tuple[str, tuple[Any, ...]]) -> None:
    root = node().chain.state_at().root
    first = run_with_stack(lambda: answer(*request))
    assert run_with_stack(lambda: answer(*request)) == first
    assert node().chain.state_at().root == root
    assert node().head.number == 0
