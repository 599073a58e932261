"""Running what was mined, or what a client asks for, once more under a tracer.

A block is opened on its parent's state, with the system calls that begin it; the transactions before the one that is
wanted run unobserved. Everything happens in a state that is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chain.blockchain import Blockchain
from chain.builder import run_tx
from chain.errors import InvalidBlock, InvalidTransaction
from chain.records import AccountOverride, BlockRecord, CallRequest
from chain.refusals import Refused
from chain.tracing.calls import Place
from chain.tracing.events import Limits, Observer
from chain.tracing.frames import Session, watch
from chain.tracing.options import TraceOptions
from chain.tracing.tracers import make_tracer
from chain.tracing.wasm_events import WasmEvents, traced_machine
from chain.transaction import Tx
from chain.transition import BlockEnv, Executed

__all__ = ["Tracing", "observe_block", "trace_block", "trace_call", "trace_transaction"]


class Tracing:
    """Tracers of one request on one chain, a fresh one for each transaction.

    Args:
        chain: Whose blocks and whose VM.
        make: Makes a tracer for the transaction at a place.
        limits: Of the whole request.
    """

    def __init__(self, chain: Blockchain, make: Callable[[Place], Observer], limits: Limits) -> None:
        self._machine = chain.machine
        self._make = make
        self._limits = limits
        self._events = WasmEvents(limits)
        self._traced: Any = None

    def run(
        self, state: Any, tx: Tx, env: BlockEnv, place: Place, apply: Callable[[], Executed]
    ) -> tuple[Observer, Executed]:
        """Apply a transaction to a state with a tracer looking on.

        Args:
            state: A py-evm state; it goes on unobserved afterwards.
            tx: What is applied.
            env: Its block.
            place: Where it stands.
            apply: Does it, on that state.
        """
        observer = self._make(place)
        if self._traced is None:
            self._traced = traced_machine(self._machine, observer, self._events)
        self._events.observer = observer
        plain = state.computation_class
        watch(state, Session(observer, self._limits), self._traced)
        try:
            observer.tx_start(state, tx, env)
            executed = apply()
            observer.tx_end(state, executed)
        finally:
            state.computation_class = plain
        self._limits.check_time()
        return observer, executed


def tracing(chain: Blockchain, options: TraceOptions) -> Tracing:
    """As the options want it."""
    limits = Limits(options.timeout_s)
    return Tracing(chain, lambda place: make_tracer(options, limits, place), limits)


def observe_block(
    chain: Blockchain,
    record: BlockRecord,
    under: Tracing,
    *,
    only: int | None = None,
) -> list[tuple[Observer, Executed]]:
    """Run a block again.

    Args:
        chain: Holds the block's parent.
        record: The block.
        under: The tracers.
        only: Index of the one transaction that is observed; all of them unless given.

    Raises:
        Refused: It is the genesis, its parent is unknown, or a transaction of it is invalid.
    """
    if record.number == 0:
        raise Refused("genesis is not traceable")
    try:
        opened = chain.reopen(record)
    except InvalidBlock as error:
        raise Refused(error.reason) from None
    seen: list[tuple[Observer, Executed]] = []
    for index, tx in enumerate(record.transactions):
        try:
            if only is None or index == only:
                place = Place(record.hash, record.number, tx.hash, index)
                seen.append(under.run(opened.state, tx, opened.env, place, lambda tx=tx: run_tx(opened, tx)))  # type: ignore[misc]
            else:
                run_tx(opened, tx)
        except InvalidTransaction as error:
            raise Refused(f"transaction {index} of the block is invalid: {error.reason}") from None
        if index == only:
            break
    return seen


def trace_block(chain: Blockchain, record: BlockRecord, options: TraceOptions) -> list[dict[str, Any]]:
    """debug_traceBlock*: each transaction's hash with its trace."""
    seen = observe_block(chain, record, tracing(chain, options))
    return [
        {"txHash": "0x" + tx.hash.hex(), "result": observer.result(executed)}
        for tx, (observer, executed) in zip(record.transactions, seen, strict=True)
    ]


def trace_transaction(chain: Blockchain, record: BlockRecord, index: int, options: TraceOptions) -> Any:
    """debug_traceTransaction, of the transaction at an index of a block."""
    ((observer, executed),) = observe_block(chain, record, tracing(chain, options), only=index)
    return observer.result(executed)


def trace_call(
    chain: Blockchain,
    request: CallRequest,
    record: BlockRecord,
    options: TraceOptions,
    *,
    env: BlockEnv | None = None,
    overrides: Mapping[bytes, AccountOverride] | None = None,
) -> Any:
    """debug_traceCall: a call behind a block, as eth_call would run it.

    Raises:
        InvalidTransaction: It cannot start.
    """
    under = tracing(chain, options)
    seen: list[tuple[Observer, Executed]] = []

    def run(state: Any, tx: Tx, env: BlockEnv, apply: Callable[[], Executed]) -> Executed:
        place = Place(block_number=env.number)
        seen.append(under.run(state, tx, env, place, apply))
        return seen[-1][1]

    chain.call(request, record.hash, env=env, overrides=overrides, around=run)
    observer, executed = seen[0]
    return observer.result(executed)
