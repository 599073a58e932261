"""Run one contract once, on a state that holds nothing else: what `ewasm run` and benchmarks need of a chain."""

from __future__ import annotations

from dataclasses import dataclass

from eth.exceptions import Revert
from eth.vm.message import Message
from eth_typing import Address

from chain.block import Log
from chain.executor import WasmMachine
from chain.failures import error_words
from chain.forks import Fork
from chain.store import MemoryStore
from chain.transition import BlockEnv, open_state
from chain.trie import EMPTY_ROOT
from ewasm.message import Status

__all__ = ["CONTRACT", "SENDER", "Outcome", "run_once"]

CONTRACT = Address(bytes.fromhex("c0de000000000000000000000000000000000000"))
SENDER = Address(bytes.fromhex("5e4de20000000000000000000000000000000000"))
COINBASE = bytes.fromhex("c01ba5e000000000000000000000000000000000")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the frame ended; gas is whole gas and has no transaction's intrinsic gas in it.

    Attributes:
        gas_instructions: Part of `gas_used` for Wasm instructions of the contract's own frame.
        gas_eei: Part of `gas_used` for host functions and what they called.
        error: A sentence for people, or None on success.
    """

    status: Status
    gas_used: int
    gas_instructions: int
    gas_eei: int
    output: bytes
    logs: tuple[Log, ...]
    error: str | None


def run_once(
    machine: WasmMachine, code: bytes, fork: Fork, *, call_data: bytes = b"", value: int = 0, gas: int = 30_000_000
) -> Outcome:
    """Call `code`, stored at `CONTRACT`, from `SENDER`, who has just the `value` that is sent along.

    The block is number 1 at second 1 with a gas limit of `gas`, base fee 0 and chain id 1.
    """
    env = BlockEnv(
        fork=fork,
        chain_id=1,
        number=1,
        timestamp=1,
        coinbase=COINBASE,
        gas_limit=gas,
        base_fee=0 if fork >= Fork.LONDON else None,
        excess_blob_gas=0 if fork >= Fork.CANCUN else None,
        blob_base_fee_override=1,
    )
    state = open_state(env, machine, MemoryStore().writer, EMPTY_ROOT, (bytes(32),))
    state.set_code(CONTRACT, code)
    state.set_nonce(CONTRACT, 1)
    state.set_balance(SENDER, value)
    state.lock_changes()
    context = state.get_transaction_context_class()(gas_price=0, origin=SENDER)
    if fork >= Fork.BERLIN:
        state.mark_address_warm(SENDER)
        state.mark_address_warm(CONTRACT)
    message = Message(gas=gas, to=CONTRACT, sender=SENDER, value=value, data=call_data, code=code)
    computation = state.computation_class.apply_message(state, message, context)
    error = computation.error if computation.is_error else None
    result = getattr(computation, "result", None)
    if result is not None:
        status = result.status
    elif error is None:
        status = Status.SUCCESS
    else:
        status = Status.REVERT if isinstance(error, Revert) else Status.FAILURE
    return Outcome(
        status=status,
        gas_used=gas - computation.get_gas_remaining(),
        gas_instructions=0 if result is None else result.gas_instructions,
        gas_eei=0 if result is None else result.gas_eei,
        output=computation.output,
        logs=tuple(
            Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), data)
            for address, topics, data in computation.get_log_entries()
        ),
        error=None if error is None else error_words(error),
    )
