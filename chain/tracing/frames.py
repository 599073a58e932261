"""Between py-evm and an `Observer`: a computation class that reports what it does, made anew for each trace.

It sits on top of the fork's own class and calls it for everything, so that a traced run is the run itself. Opcodes are
wrapped in their table, which serves EVM code and the host functions of Wasm frames alike, because those run py-evm's
opcodes too (`chain.host`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from eth.exceptions import (
    FullStack,
    Halt,
    InsufficientStack,
    OutOfBoundsRead,
    OutOfGas,
    Revert,
    VMError,
    WriteProtection,
)
from eth.vm.logic.invalid import InvalidOpcode

from chain.executor import WASM_MAGIC
from chain.failures import error_words
from chain.tracing.events import Entered, Exited, Limits, Observer
from chain.tracing.names import CALLS, CREATES, SELFDESTRUCT, STOP, op_name, operands

__all__ = ["Session", "stack_words", "watch"]

PLENTY_OF_GAS = 1 << 62
MAX_GAS_COST = 1 << 63
MAX_NONCE = (1 << 64) - 1
JUMPS = frozenset({0x56, 0x57})


class Measured(Exception):
    """Stops an opcode that runs only to find out its price, before it starts a frame."""


class Session:
    """One observer on one transaction, and what is known between its events.

    Attributes:
        refund: The transaction's refund counter, failed frames taken back.
    """

    def __init__(self, observer: Observer, limits: Limits) -> None:
        self.observer = observer
        self.limits = limits
        self.refund = 0
        self._refunds: list[int] = []

    def enter(self, event: Entered) -> None:
        self.limits.enter(len(event.input_data))
        self._refunds.append(self.refund)
        self.observer.enter(event)

    def exit(self, event: Exited) -> None:
        before = self._refunds.pop()
        if event.error is not None:
            self.refund = before
        self.limits.record(len(event.output))
        self.observer.exit(event)


def watch(state: Any, session: Session, machine: Any) -> None:
    """Make every frame that `state` runs from now on report to the session, and run Wasm on `machine`."""
    base: Any = state.computation_class
    opcodes = WrappedOpcodes(base.opcodes, session.observer)
    attributes = {"session": session, "opcodes": opcodes, "machine": machine}
    state.computation_class = type(f"Traced{base.__name__}", (TracedComputation, base), attributes)


def stack_words(frame: Any) -> list[int]:
    """The stack as numbers, bottom first."""
    return [_word(item) for item in frame._stack.values]


def _word(item: Any) -> int:
    return item if isinstance(item, int) else int.from_bytes(item, "big")


class TracedComputation:
    """Placed before a fork's computation class, which `super()` reaches."""

    session: ClassVar[Session]
    opcodes: ClassVar[WrappedOpcodes]

    # The opcode that runs now, what it was given, and where the gas stood when it started a frame.
    current_op: int | None = None
    target: bytes | None = None
    gas_at_child: int | None = None
    child_gas: int = 0
    returned: int = 0
    consumed: int = 0
    after: int = 0
    measuring: bool = False

    @classmethod
    def apply_message(cls, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None) -> Any:
        run = super().apply_message  # type: ignore[misc]
        if message.is_create:
            # The part of a creation that runs code: it was reported as a whole.
            return run(state, message, transaction_context, parent_computation=parent_computation)
        event = _entered_call(cls, message, parent_computation)
        return cls._reported(
            event, lambda: run(state, message, transaction_context, parent_computation=parent_computation)
        )

    @classmethod
    def apply_create_message(
        cls, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None
    ) -> Any:
        run = super().apply_create_message  # type: ignore[misc]
        op = None if parent_computation is None else parent_computation.current_op
        event = Entered(
            kind=op_name(op) if op in CREATES else "CREATE",
            depth=message.depth,
            sender=message.sender,
            to=message.storage_address,
            input_data=message.code,
            gas=message.gas,
            value=message.value,
            is_wasm=message.code[:4] == WASM_MAGIC,
        )
        return cls._reported(
            event, lambda: run(state, message, transaction_context, parent_computation=parent_computation)
        )

    @classmethod
    def _reported(cls, event: Entered, run: Callable[[], Any]) -> Any:
        session = cls.session
        session.enter(event)
        try:
            computation = run()
        except VMError as error:
            # Refused before it began; whoever called deals with it.
            session.exit(Exited(b"", event.gas, error_words(error)))
            raise
        failure: VMError | None = computation.error if computation.is_error else None
        used = event.gas - computation.get_gas_remaining()
        # Output of a failed frame counts only if it reverted.
        output = b"" if failure is not None and not isinstance(failure, Revert) else bytes(computation.output)
        session.exit(Exited(output, used, None if failure is None else error_words(failure)))
        return computation

    def apply_child_computation(self, child_msg: Any) -> Any:
        if self.measuring:
            raise Measured
        self.gas_at_child = self._gas_meter.gas_remaining  # type: ignore[attr-defined]
        self.child_gas = child_msg.gas
        return super().apply_child_computation(child_msg)  # type: ignore[misc]

    def consume_gas(self, amount: int, reason: str) -> None:
        self.consumed = amount
        super().consume_gas(amount, reason)  # type: ignore[misc]

    def return_gas(self, amount: int) -> None:
        self.returned = amount
        super().return_gas(amount)  # type: ignore[misc]

    def refund_gas(self, amount: int) -> None:
        if not self.measuring:
            self.session.refund += amount
        super().refund_gas(amount)  # type: ignore[misc]

    def add_log_entry(self, account: bytes, topics: tuple[int, ...], data: bytes) -> None:
        super().add_log_entry(account, topics, data)  # type: ignore[misc]
        if not self.measuring:
            self.session.limits.record(len(data))
            self.session.observer.log(account, topics, bytes(data))

    def register_account_for_deletion(self, beneficiary: bytes) -> None:
        super().register_account_for_deletion(beneficiary)  # type: ignore[misc]
        if self.current_op is None:
            # Through a host function that runs no opcode (rules of 2018): the balance has moved already.
            _report_selfdestruct(self, beneficiary, None)


class WrappedOpcodes(dict[int, Callable[..., None]]):
    """A fork's opcodes, those wrapped that somebody wants to hear of."""

    def __init__(self, opcodes: Mapping[int, Any], observer: Observer) -> None:
        self._all = observer.opcodes is None
        self._wanted = frozenset(opcodes) if observer.opcodes is None else observer.opcodes
        always = CALLS | CREATES | {SELFDESTRUCT}
        wrapped = {
            op: _wrap(op, function, op in self._wanted) if op in always or op in self._wanted else function
            for op, function in opcodes.items()
        }
        for op in JUMPS - self._wanted:
            # Nobody asked, but an endless loop has to end.
            wrapped[op] = _ticking(opcodes[op])
        super().__init__(wrapped)

    def __missing__(self, op: int) -> Callable[..., None]:
        return _wrap(op, InvalidOpcode(op), self._all)


def _ticking(function: Any) -> Callable[..., None]:
    def run(computation: Any) -> None:
        computation.session.limits.tick()
        function(computation=computation)

    return run


def _wrap(op: int, function: Any, wanted: bool) -> Callable[..., None]:
    starts_frame = op in CALLS or op in CREATES

    def run(computation: Any) -> None:
        if computation.measuring:
            function(computation=computation)
            return
        session: Session = computation.session
        meter = computation._gas_meter
        gas = meter.gas_remaining
        stack = computation._stack.values
        code = computation.msg.code
        is_evm = code[:4] != WASM_MAGIC
        pc = computation.code.program_counter - 1 if is_evm else -1
        if op == STOP:
            if not code:
                function(computation=computation)
                return
            if computation.code.program_counter == computation.after:
                pc += 1  # Behind the code's end, where nothing was read.
        session.limits.tick()
        given = stack[-operands(op) :] if operands(op) else []
        count = len(stack)
        saved = list(stack) if wanted else []
        if wanted:
            session.observer.step(computation, pc, op, gas, session.refund)
        computation.current_op = op
        computation.gas_at_child = None
        balance = 0
        if starts_frame:
            computation.target = _address(given[-2]) if op in CALLS and len(given) > 1 else None
        elif op == SELFDESTRUCT and given:
            balance = computation.state.get_balance(computation.msg.storage_address)
        children = len(computation.children)
        try:
            function(computation=computation)
        except Halt:
            if op == SELFDESTRUCT:
                _report_selfdestruct(computation, _address(given[-1]), balance)
            if wanted:
                session.observer.step_cost(gas - meter.gas_remaining, None)
            raise
        except VMError as error:
            if wanted:
                cost, words = _failed_cost(computation, op, function, error, gas, saved, count)
                session.observer.step_cost(cost, words)
            raise
        finally:
            computation.current_op = None
            if is_evm:
                computation.after = computation.code.program_counter
        if starts_frame and len(computation.children) == children and len(given) == operands(op):
            _report_refused(computation, op, given)
        if wanted:
            session.observer.step_cost(_cost(computation, op, gas, children), None)

    run.mnemonic = op_name(op)  # type: ignore[attr-defined]
    return run


def _cost(computation: Any, op: int, gas: int, children: int) -> int:
    """What an opcode that succeeded cost, in geth's way of counting."""
    left: int = computation._gas_meter.gas_remaining
    started = len(computation.children) > children
    if op in CALLS:
        if started and computation.gas_at_child is not None:
            return int(gas - computation.gas_at_child)
        return int(gas - left + computation.returned)
    if op in CREATES and started and computation.gas_at_child is not None:
        return int(gas - computation.gas_at_child - computation.child_gas)
    return gas - left


def _failed_cost(
    computation: Any, op: int, function: Any, error: VMError, gas: int, saved: list[Any], count: int
) -> tuple[int, str | None]:
    """Cost and error of an opcode that ended its frame; geth names an error only where the price could not be paid."""
    if isinstance(error, InsufficientStack):
        return getattr(function, "gas_cost", 0), f"stack underflow ({count} <=> {operands(op)})"
    if isinstance(error, FullStack):
        return getattr(function, "gas_cost", 0), "stack limit reached 1024 (1023)"
    if isinstance(error, OutOfGas):
        if computation.current_op == 0x55 and "2300" in str(error):
            return 0, "out of gas: not enough gas for reentrancy sentry"
        return _bounded(_measure(computation, function, saved), function)
    if isinstance(error, WriteProtection):
        return _measure(computation, function, saved), None
    if isinstance(error, OutOfBoundsRead):
        cost, words = _bounded(_copy_cost(computation, saved), function)
        return cost, words if cost > gas or words != "out of gas" else None
    return gas - computation._gas_meter.gas_remaining, None


def _bounded(cost: int, function: Any) -> tuple[int, str]:
    """A price that cannot be paid, with its error: one beyond 64 bits is no price to geth."""
    if cost >= MAX_GAS_COST:
        return getattr(function, "gas_cost", 0), "gas uint64 overflow"
    return cost, "out of gas"


def _copy_cost(computation: Any, saved: list[Any]) -> int:
    """The price of RETURNDATACOPY, which fails on its range before it comes to the copy."""
    start, size = _word(saved[-1]), _word(saved[-3])
    before, after = len(computation._memory), start + size if size else 0
    expansion = max(_memory_price(after) - _memory_price(before), 0)
    return 3 + 3 * ((size + 31) // 32) + expansion


def _memory_price(size: int) -> int:
    words = (size + 31) // 32
    return 3 * words + words * words // 512


def _measure(computation: Any, function: Any, saved: list[Any]) -> int:
    """The price of an opcode that could not be paid or was not allowed: run it once more with plenty of gas.

    The frame has failed, so whatever this changes is undone with it.
    """
    meter = computation._gas_meter
    kept, static = meter.gas_remaining, computation.msg.is_static
    refunded = meter.gas_refunded
    computation._stack.values[:] = saved
    meter.gas_remaining = PLENTY_OF_GAS
    computation.msg.is_static = False
    computation.measuring = True
    try:
        function(computation=computation)
    except (Measured, Halt, VMError, OverflowError, MemoryError):
        pass
    finally:
        cost = PLENTY_OF_GAS - meter.gas_remaining
        meter.gas_remaining, meter.gas_refunded = kept, refunded
        computation.msg.is_static = static
        computation.measuring = False
    return int(cost)


def _entered_call(cls: Any, message: Any, parent: Any) -> Entered:
    op = None if parent is None else parent.current_op
    kind = op_name(op) if op in CALLS else _guess_kind(message, parent)
    to = message.to
    sender = message.sender
    if kind in ("DELEGATECALL", "CALLCODE"):
        to = (parent.target if op in CALLS else None) or message.code_address
        sender = parent.msg.storage_address
    return Entered(
        kind=kind,
        depth=message.depth,
        sender=sender,
        to=to,
        input_data=bytes(message.data),
        gas=message.gas,
        value=None if kind == "STATICCALL" else message.value,
        is_wasm=message.code[:4] == WASM_MAGIC,
        is_precompile=message.code_address in cls._precompiles,
    )


def _guess_kind(message: Any, parent: Any) -> str:
    """How a frame was started that no opcode started: the transaction itself, or a host function of 2018."""
    if parent is None:
        return "CALL"
    if message.is_static and not parent.msg.is_static:
        return "STATICCALL"
    if message.sender != parent.msg.storage_address:
        return "DELEGATECALL"
    return "CALL" if message.code_address == message.to else "CALLCODE"


def _report_refused(computation: Any, op: int, given: list[Any]) -> None:
    """A call or creation that was paid for but could not begin: it is a frame without code."""
    words = [_word(item) for item in given]
    message, state = computation.msg, computation.state
    balance = state.get_balance(message.storage_address)
    used = 0
    to = computation.target or bytes(20)
    if op in CREATES:
        value, start, size = words[-1], words[-2], words[-3]
        error = _why_refused(message.depth, balance, value)
        remaining = computation._gas_meter.gas_remaining
        gas = remaining - remaining // 64
        if error is None and state.get_nonce(message.storage_address) >= MAX_NONCE:
            error = "nonce uint64 overflow"
        elif error is None:
            gas = used = computation.consumed
            error = "contract address collision"
    else:
        with_value = op in (0xF1, 0xF2)
        value = words[-3] if with_value else 0
        start, size = words[-4:-6:-1] if with_value else words[-3:-5:-1]
        gas = computation.returned
        error = _why_refused(message.depth, balance, value) or "call refused"
    computation.session.enter(
        Entered(
            kind=op_name(op),
            depth=message.depth + 1,
            sender=message.storage_address,
            to=to,
            input_data=bytes(computation.memory_read_bytes(start, size)),
            gas=gas,
            value=None if op_name(op) == "STATICCALL" else value,
        )
    )
    computation.session.exit(Exited(b"", used, error))


def _why_refused(depth: int, balance: int, value: int) -> str | None:
    if depth + 1 > 1024:
        return "max call depth exceeded"
    return "insufficient balance for transfer" if balance < value else None


def _report_selfdestruct(computation: Any, beneficiary: bytes, balance: int | None) -> None:
    message = computation.msg
    event = Entered(
        kind="SELFDESTRUCT",
        depth=message.depth + 1,
        sender=message.storage_address,
        to=beneficiary,
        input_data=b"",
        gas=0,
        value=balance,
    )
    computation.session.enter(event)
    computation.session.exit(Exited(b"", 0))


def _address(item: Any) -> bytes:
    return (_word(item) & ((1 << 160) - 1)).to_bytes(20, "big")
