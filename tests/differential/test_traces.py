"""Struct logs beside revm's (EIP-3155) on random EVM programs: position, gas, price, stack, refund of every step."""

from __future__ import annotations

import json
import subprocess
import sys
from random import Random
from typing import Any

import pytest

from chain.genesis import GenesisAccount
from chain.records import CallRequest
from chain.stack import run_with_stack
from chain.tracing.options import TraceOptions
from chain.tracing.replay import trace_call
from tests.unit.chain.support import ALICE, new_chain
from tests.unit.chain.test_tracing import OTHER, plain, random_program

PROGRAMS = 120
# What revm counts otherwise: it leaves the gas given to a callee out of the price.
STARTS_FRAMES = ("CALL", "CALLCODE", "DELEGATECALL", "STATICCALL", "CREATE", "CREATE2")

# It writes its trace to standard output, past Python.
REVM = """
import json, sys
from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env
sender, target, programs = json.loads(sys.stdin.read())
for code, gas in programs:
    print(json.dumps("next"), flush=True)
    evm = EVM(env=Env(cfg=CfgEnv(chain_id=31337)), spec_id="PRAGUE", tracing=True, gas_limit=2**63)
    evm.set_block_env(BlockEnv(number=0, timestamp=0, gas_limit=30_000_000, basefee=0, prevrandao=bytes(32)))
    evm.insert_account_info(sender, AccountInfo(balance=1000 * 10**18))
    evm.insert_account_info(target, AccountInfo(balance=5, code=bytes.fromhex(code)))
    try:
        evm.message_call(sender, target, value=1, gas=gas, is_static=False)
    except RuntimeError:
        pass
"""


def test_every_step_is_revms() -> None:
    pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this platform")
    random = Random(3155)
    programs = [(random_program(random), random.choice([30_000, 100_000, 2_000_000])) for _ in range(PROGRAMS)]
    theirs = _revm(programs)
    assert len(theirs) == PROGRAMS
    compared = 0
    for (code, gas), wanted in zip(programs, theirs, strict=True):
        chain = new_chain(accounts={OTHER: GenesisAccount(code=code, balance=5)})
        request = CallRequest(sender=ALICE, to=OTHER, gas=gas, value=1)
        trace = run_with_stack(lambda: trace_call(chain, request, chain.head, TraceOptions(timeout_s=60)))  # noqa: B023
        steps = plain(trace)["structLogs"]
        assert len(steps) == len(wanted), code.hex()
        for mine, other in zip(steps, wanted, strict=True):
            compared += 1
            assert _ours(mine) == _revms(other, mine), (mine, other, code.hex())
    assert compared > 1_000


def _ours(step: dict[str, Any]) -> tuple[Any, ...]:
    priced = step["op"] not in STARTS_FRAMES and "error" not in step
    price = step["gasCost"] if priced else None
    return step["pc"], step["depth"], step["gas"], price, step["stack"], step.get("refund", 0)


def _revms(step: dict[str, Any], mine: dict[str, Any]) -> tuple[Any, ...]:
    priced = mine["op"] not in STARTS_FRAMES and "error" not in mine and "error" not in step
    price = int(step["gasCost"], 16) if priced else _ours(mine)[3]
    # Its message_call sees a block without a gas limit to speak of, whatever the environment says.
    stack = ["0x1c9c380" if word == "0x8000000000000000" else word for word in step["stack"]]
    return step["pc"], step["depth"], int(step["gas"], 16), price, stack, int(step["refund"], 16)


def _revm(programs: list[tuple[bytes, int]]) -> list[list[dict[str, Any]]]:
    facts = ["0x" + ALICE.hex(), "0x" + OTHER.hex(), [(code.hex(), gas) for code, gas in programs]]
    done = subprocess.run(
        [sys.executable, "-c", REVM], input=json.dumps(facts), capture_output=True, text=True, timeout=120, check=True
    )
    traces: list[list[dict[str, Any]]] = []
    for line in done.stdout.splitlines():
        item = json.loads(line)
        if item == "next":
            traces.append([])
        elif "pc" in item:
            traces[-1].append(item)
    return traces
