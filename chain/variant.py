"""State classes for trials: precompiles in other places, and logs for the ether that frames move (ERC-7528)."""

from __future__ import annotations

from typing import Any, Protocol

from eth.abc import ComputationAPI, MessageAPI, StateAPI, TransactionContextAPI
from eth.exceptions import Halt
from eth.vm.state import BaseState

from chain.executor import WasmMachine, state_class
from chain.forks import Fork
from chain.overrides import Precompiles

__all__ = ["AccessRecord", "EtherAddress", "fork_precompiles", "variant_state_class"]

TRANSFER_TOPIC = 0xDDF252AD1BE2C89B69C2B068FC378DAA952BA7F163C4A11628F55A4DF523B3EF
SELFDESTRUCT = 0xFF


class AccessRecord(Protocol):
    """Takes the accounts and slots that contracts ask for."""

    addresses: set[bytes]
    slots: dict[bytes, set[int]]


class EtherAddress(bytes):
    """The address in logs of ether transfers; its type tells them from what a contract at that address logs."""


ETHER = EtherAddress(b"\xee" * 20)


def fork_precompiles(fork: Fork, machine: WasmMachine) -> Precompiles:
    """The precompiles of a fork, by address."""
    computation: Any = state_class(fork, machine).computation_class
    return dict(computation.get_precompiles())


def variant_state_class(
    fork: Fork,
    machine: WasmMachine,
    precompiles: Precompiles | None = None,
    *,
    log_ether: bool = False,
    accessed: AccessRecord | None = None,
) -> type[BaseState]:
    """The fork's state class, changed.

    Args:
        fork: The fork in force.
        machine: Runs Wasm.
        precompiles: In place of the fork's own. Those stay warm wherever they moved from (EIP-2929).
        log_ether: Log each transfer of ether as ERC-20 transfers are logged, at `EtherAddress`.
        accessed: Filled with what opcodes of contracts reach (EIP-2929).
    """
    base = state_class(fork, machine)
    if accessed is not None:
        base = _recording(base, accessed)
    if precompiles is None and not log_ether:
        return base
    computation: Any = base.computation_class
    if precompiles is not None:
        own = computation.get_precompiles()
        computation = type(
            computation.__name__,
            (computation,),
            {"_precompiles": dict(precompiles), "get_precompiles": classmethod(lambda _cls: own)},
        )
    if log_ether:
        computation = _with_ether_logs(computation)
    return type(base.__name__, (base,), {"computation_class": computation})


def _recording(base: Any, accessed: AccessRecord) -> Any:
    """Whether something is warm is asked by opcodes alone, right before they pay for it."""

    def is_address_warm(self: Any, address: bytes) -> bool:
        accessed.addresses.add(address)
        return bool(base.is_address_warm(self, address))

    def is_storage_warm(self: Any, address: bytes, slot: int) -> bool:
        accessed.slots.setdefault(address, set()).add(slot)
        return bool(base.is_storage_warm(self, address, slot))

    return type(base.__name__, (base,), {"is_address_warm": is_address_warm, "is_storage_warm": is_storage_warm})


def _with_ether_logs(base: Any) -> Any:
    def start(self: Any, state: StateAPI, message: MessageAPI, transaction_context: TransactionContextAPI) -> None:
        base.__init__(self, state, message, transaction_context)
        if message.value and message.should_transfer_value and not _is_callcode(message):
            ether_moved(self, message.sender, message.storage_address, message.value)

    def ether_moved(self: Any, sender: bytes, recipient: bytes, value: int) -> None:
        if value:
            topics = (TRANSFER_TOPIC, int.from_bytes(sender, "big"), int.from_bytes(recipient, "big"))
            self.add_log_entry(ETHER, topics, value.to_bytes(32, "big"))

    opcodes = dict(base.opcodes)
    opcodes[SELFDESTRUCT] = _LoggedSelfdestruct(opcodes[SELFDESTRUCT])
    return type(base.__name__, (base,), {"__init__": start, "ether_moved": ether_moved, "opcodes": opcodes})


def _is_callcode(message: MessageAPI) -> bool:
    """Whether another account's code runs on the caller's own: CALLCODE carries a value that moves nowhere."""
    return (
        not message.is_create
        and not message.is_delegation
        and message.sender == message.storage_address
        and message.code_address != message.storage_address
    )


class _LoggedSelfdestruct:
    """SELFDESTRUCT that logs the balance it sends."""

    def __init__(self, operation: Any) -> None:
        self._operation = operation
        self.mnemonic = operation.mnemonic
        self.gas_cost = operation.gas_cost

    def __call__(self, computation: ComputationAPI) -> None:
        frame: Any = computation
        address = frame.msg.storage_address
        balance = frame.state.get_balance(address)
        try:
            self._operation(computation=computation)
        except Halt:
            frame.ether_moved(address, frame.beneficiaries[-1], balance)
            raise
