"""Invariants of contracts, over random sequences of calls.

    from hypothesis.stateful import invariant
    from chain.testing.machine import ContractMachine

    def test_nothing_is_minted(deploy, accounts):
        token = deploy("token.wasm", "Gold", "GLD", 1000)

        class Token(ContractMachine):
            contracts = {"token": token}

            @invariant()
            def balances_are_the_supply(self):
                assert sum(map(token.balanceOf, self.accounts)) == token.totalSupply()

        Token.run()

Each function that can change state becomes a rule; after each call the invariants are checked. Every example starts
from the chain as it is when `run` is called, and what it does is undone. A sequence that breaks an invariant is made as
short as hypothesis can, and printed as the calls that one would write in a test:

    token.approve(accounts[1], 1, sender=accounts[0])
    with reverts('ERC20: insufficient balance'): token.transfer(accounts[0], 1, sender=accounts[1])
    token.transferFrom(accounts[0], accounts[1], 1, sender=accounts[1])

Everything of `hypothesis.stateful` works: `@rule` for sequences of one's own, `@initialize` for how an example starts,
`@precondition`, bundles; a class of one's own that inherits adds to them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from chain.testing.abi import AbiError, Event, Item
from chain.testing.contract import Contract, Receipt, RequestFailed, Reverted
from chain.testing.local import LocalChain

# First, for its error where hypothesis is not installed.
from chain.testing.strategies import (
    ZERO,
    Call,
    Inputs,
    addresses,
    arguments,
    check_inputs,
    checksummed,
    select,
    spell,
    wei,
)

from chain.testing.shorten import shorten, simplify_call, simplify_int  # isort: skip
from hypothesis import HealthCheck, Phase, currently_in_test_context, note, settings  # isort: skip
from hypothesis import strategies as st  # isort: skip
from hypothesis.stateful import (  # isort: skip
    INITIALIZE_RULE_MARKER,
    INVARIANT_MARKER,
    RULE_MARKER,
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)

__all__ = ["ContractMachine", "Outcome"]

_MADE = "_made_from_abi"
_Step = Call | int
"""What a rule made here does: a call, or seconds to wait."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call.

    Attributes:
        call: The call.
        receipt: Of its transaction, where it went well.
        reverted: The revert, or None.
        trap: Why else it failed (a trap, out of gas), or None.
        contract: Which was called.
    """

    call: Call
    contract: Contract
    receipt: Receipt | None = None
    reverted: Reverted | None = None
    trap: str | None = None

    @property
    def ok(self) -> bool:
        return self.receipt is not None

    @property
    def events(self) -> list[Event]:
        """Of the contract's ABI; none where the call failed."""
        return self.receipt.events if self.receipt is not None else []

    @property
    def output(self) -> bytes:
        """Returned data, also of a revert. Of a call that went well it is taken from a trace: ask before the end."""
        if self.receipt is None:
            return self.reverted.data if self.reverted is not None else b""
        chain, digest = self.receipt.chain, self.receipt.transaction_hash
        frame = chain.request("debug_traceTransaction", digest, {"tracer": "callTracer"})
        return bytes.fromhex(frame.get("output", "0x")[2:])

    @property
    def value(self) -> Any:
        """What the function returned, decoded; None where it failed."""
        return self.call.function.decode_output(self.output) if self.ok else None


class ContractMachine(RuleBasedStateMachine):
    """Rules that call contracts: set the attributes in a class of your own, and add invariants.

    A rule is named for its contract and function, `token_transfer`; a rule of that name in the class takes its place.
    State for comparison (a model, sums) belongs in attributes that `__init__` sets and `after` keeps up to date.
    """

    contracts: ClassVar[Mapping[str, Contract]] = {}
    """What is called, under the names that texts use; all on one chain."""
    senders: Sequence[Any] = ()
    """Accounts that call; the first three of the chain unless given: few, so that they meet."""
    accounts: Sequence[Any] = ()
    """Every address that arguments hold: senders, contracts, and zero unless given."""
    functions: ClassVar[Collection[str] | None] = None
    """Which to call, see `chain.testing.strategies.select`; all that can change state unless given."""
    exclude: ClassVar[Collection[str]] = ()
    """Which of them not."""
    inputs: ClassVar[Inputs] = {}
    """Strategies for arguments by parameter or type, see `chain.testing.strategies.Inputs`."""
    values: ClassVar[st.SearchStrategy[int]] = wei()
    """Wei for payable functions."""
    max_delay: ClassVar[int] = 0
    """If more than 0, a rule lets up to so many seconds pass."""
    fail_on_revert: ClassVar[bool] = False
    """Whether a revert is a failure."""
    fail_on_trap: ClassVar[bool] = True
    """Whether a call that fails without a revert is one: a trap, gas used up."""
    gas: ClassVar[int] = 10_000_000
    """Limit of each transaction."""

    _last: ClassVar[list[_Step]] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.contracts:
            _prepare(cls)

    def __init__(self) -> None:
        if not self.contracts:
            raise AbiError(f"{type(self).__name__}: contracts is empty")
        super().__init__()
        self.senders, self.accounts = _senders(type(self)), _accounts(type(self))
        self.chain: LocalChain = next(iter(self.contracts.values())).chain
        self.steps: list[str] = []
        """What was done so far, as Python."""
        self._made: list[_Step] = []
        self._spelling = spell(self.contracts)
        self._start = self.chain.snapshot()

    def teardown(self) -> None:
        """Undo the example; a class that overrides this calls it at the end."""
        self.chain.revert(self._start)
        type(self)._last = self._made
        if self.steps and currently_in_test_context():
            note("\n".join(["As calls:", *self.steps]))

    @classmethod
    def run(cls, settings: settings | None = None) -> None:
        """Check the invariants; settings are the profile's unless given. Deadline and health checks are off: they would
        measure the machine.

        Raises:
            BaseException: What the shortest sequence raises, with its calls in a note. Where the class has rules of its
                own, it is hypothesis that makes it short.
        """
        _run(cls, settings or cls.TestCase.settings)

    def act(self, call: Call) -> Outcome:
        """Make a call in a transaction; a revert or trap is an outcome, and a failure if the class says so.

        Raises:
            Reverted: It did, and `fail_on_revert` is set.
            RequestFailed: It trapped, and `fail_on_trap` is set; or the chain refused the transaction.
        """
        contract = call.contract or self.contracts[call.name]
        if call.contract is None:
            call = replace(call, contract=contract, spelling=self._spelling)
        text, before = repr(call), self.chain.block_number
        try:
            outcome = Outcome(call, contract, receipt=call.send(gas=self.gas))
        except Reverted as error:
            if self.fail_on_revert:
                self.steps.append(text)
                raise
            named = error.reason or (error.error.name if error.error is not None else None)
            text = f"with reverts({'' if named is None else repr(named)}): {text}"
            outcome = Outcome(call, contract, reverted=error)
        except RequestFailed as error:
            if self.fail_on_trap or self.chain.block_number == before:
                self.steps.append(text)
                raise
            text = f"with pytest.raises(RequestFailed): {text}"
            outcome = Outcome(call, contract, trap=error.reason)
        self.steps.append(text)
        self.after(outcome)
        return outcome

    def send(self, function: str, *args: Any, sender: Any = None, value: int = 0) -> Outcome:
        """`act`, for rules of one's own: `self.send("token.transfer", to, 5, sender=who)`."""
        name, _, rest = function.partition(".")
        if name not in self.contracts or not rest:
            known = ", ".join(self.contracts)
            raise AbiError(f"{function}: say CONTRACT.FUNCTION, where the contract is one of {known}")
        contract = self.contracts[name]
        item = contract.abi.function(rest, len(args))
        account = getattr(sender, "address", sender)
        return self.act(Call(item, args, account, value, contract, name, self._spelling))

    def after(self, outcome: Outcome) -> None:
        """Called after each call, before the invariants: a place for a model, sums, checks of one call."""


def _prepare(cls: type[ContractMachine]) -> None:
    """Make the rules of a class."""
    chains = {id(contract.chain) for contract in cls.contracts.values()}
    if len(chains) != 1:
        raise AbiError(f"{cls.__name__}: the contracts are on {len(chains)} chains")
    chosen = select({name: contract.abi for name, contract in cls.contracts.items()}, cls.functions, cls.exclude)
    check_inputs(chosen, cls.inputs)
    spelling, made = spell(cls.contracts), {}
    for name, item in chosen:
        label = f"{name}_{item.name}"
        if [(other, another.name) for other, another in chosen].count((name, item.name)) > 1:
            label = "_".join([label, *(re.sub(r"\W+", "_", kind) for kind in item.inputs)])
        made[label] = _rule_for(cls, label, name, item, spelling)
    if cls.max_delay:
        made["wait"] = _rule_to_wait(cls.max_delay)
    for label, function in inspect.getmembers(cls):
        # Of the class that this one is made from, for what is left out here.
        if label not in made and hasattr(function, _MADE):
            setattr(cls, label, None)
    for label, function in made.items():
        if hasattr(ContractMachine, label):
            raise AbiError(f"{cls.__name__}: a rule cannot have the name {label}: call the contract something else")
        if hasattr(getattr(cls, label, function), _MADE):
            setattr(cls, label, function)


def _rule_for(cls: type[ContractMachine], label: str, name: str, item: Item, spelling: Mapping[str, str]) -> Any:
    contract = cls.contracts[name]
    made = st.builds(
        lambda args, sender, value: Call(item, args, sender, value, contract, name, spelling),
        arguments(item, accounts=_accounts(cls), inputs=cls.inputs, name=name),
        addresses(_senders(cls)),
        cls.values if item.mutability == "payable" else st.just(0),
    )

    def step(self: ContractMachine, call: Call) -> None:
        _do(self, call)

    return _named(label, step, call=made)


def _rule_to_wait(most: int) -> Any:
    def step(self: ContractMachine, seconds: int) -> None:
        _do(self, seconds)

    return _named("wait", step, seconds=st.integers(1, most))


def _named(label: str, step: Callable[..., None], **inputs: st.SearchStrategy[Any]) -> Any:
    step.__name__ = step.__qualname__ = label
    setattr(step, _MADE, True)
    decorate: Any = rule(**inputs)  # type: ignore[call-overload]
    made = decorate(step)
    setattr(made, _MADE, True)
    return made


def _do(machine: ContractMachine, step: _Step) -> None:
    machine._made.append(step)
    if isinstance(step, Call):
        machine.act(step)
    else:
        machine.steps.append(f"chain.travel({step})")
        machine.chain.travel(step)


def _senders(cls: type[ContractMachine]) -> tuple[str, ...]:
    chain = next(iter(cls.contracts.values())).chain
    return tuple(map(checksummed, cls.senders or chain.accounts[:3]))


def _accounts(cls: type[ContractMachine]) -> tuple[str, ...]:
    every = cls.accounts or (*_senders(cls), *cls.contracts.values(), ZERO)
    return tuple(map(checksummed, every))


# -- short failures ----------------------------------------------------------------------------------------------


def _run(cls: type[ContractMachine], given: settings) -> None:
    chosen = settings(given, deadline=None, suppress_health_check=list(HealthCheck))
    members = [member for _, member in inspect.getmembers(cls)]
    if any(
        hasattr(member, INITIALIZE_RULE_MARKER) or (hasattr(member, RULE_MARKER) and not hasattr(member, _MADE))
        for member in members
    ):
        # Its arguments may be results of other rules: no sequence of them can be replayed with some left out.
        run_state_machine_as_test(cls, settings=chosen)
        return
    phases = [phase for phase in chosen.phases if phase not in (Phase.shrink, Phase.explain)]
    try:
        run_state_machine_as_test(cls, settings=settings(chosen, phases=phases, report_multiple_bugs=False))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        # The last example is the failing one, run once more for its report.
        found = cls._last
        failure = _replay(cls, found)
        if failure is None:
            raise
        same = _place(failure)
        short = shorten(found, lambda steps: _place(_replay(cls, steps)) == same, partial(_simplify, cls))
        failure = _replay(cls, short) or failure
        failure.add_note(f"(shortened from {len(found)} steps)")
        raise failure from None


def _replay(cls: type[ContractMachine], steps: Sequence[_Step]) -> BaseException | None:
    """What a sequence raises, with its calls in a note."""
    machine = cls()
    try:
        _check(machine)
        for step in steps:
            _do(machine, step)
            _check(machine)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001  (what pytest.fail raises is no Exception)
        error.add_note("\n".join(["As calls:", *machine.steps]))
        return error
    finally:
        machine.teardown()
    return None


def _check(machine: ContractMachine) -> None:
    for _, member in inspect.getmembers(type(machine)):
        found = getattr(member, INVARIANT_MARKER, None)
        if found is not None and all(condition(machine) for condition in found.preconditions):
            found.function(machine)


def _place(error: BaseException | None) -> Any:
    """What tells failures apart: the exception's class, and where it was raised."""
    if error is None:
        return None
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return type(error), frame and (frame.tb_frame.f_code.co_filename, frame.tb_lineno)


def _simplify(cls: type[ContractMachine], step: _Step, works: Callable[[_Step], bool]) -> _Step:
    if isinstance(step, Call):
        free_value = cls.values is ContractMachine.values
        return simplify_call(step, works, _senders(cls), _accounts(cls), cls.inputs, free_value)
    return simplify_int(step, lambda seconds: seconds > 0 and works(seconds))
