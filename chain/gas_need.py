"""How much gas a transaction must bring to end as it did, worked out while it runs with plenty.

More than it uses: a frame gives its callee at most 63 of 64 parts of what it has (EIP-150), a stipend is given on top,
and SSTORE wants more gas left than it costs (EIP-2200). What comes out is exact as long as no contract does something
else when it has less gas; whoever needs to be sure tries it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chain.transaction import Tx, floor_gas, intrinsic_gas
from chain.transition import BlockEnv, Executed

__all__ = ["GasNeed"]

SSTORE = 0x55
SSTORE_LEAST_GAS = 2_301
STIPEND = 2_300


class GasNeed:
    """Taken down by `watch` during one run."""

    __slots__ = ("floor", "intrinsic", "top")

    def __init__(self) -> None:
        self.floor = 0
        self.intrinsic = 0
        self.top: Any = None

    def watch(self, state: Any, tx: Tx, env: BlockEnv, run: Callable[[], Executed]) -> Executed:
        """Run a transaction on a state and see what it needs; for `Blockchain.call`."""
        self.intrinsic = intrinsic_gas(tx, env.fork)
        self.floor = max(self.intrinsic, floor_gas(tx, env.fork))
        plain = state.computation_class
        state.computation_class = _measuring(plain, self)
        try:
            return run()
        finally:
            state.computation_class = plain

    @property
    def gas(self) -> int:
        """What the transaction has to bring."""
        return max(self.floor, self.intrinsic + _need(self.top))


def _need(frame: Any) -> int:
    """Gas that a frame must be given to come to the end it came to; a frame that failed needs none for that."""
    if frame.is_error and frame.should_burn_gas:
        return 0
    need: int = max(frame.gas_need, frame.msg.gas - frame._gas_meter.gas_remaining)
    return need


def _measuring(base: Any, need: GasNeed) -> Any:
    """The computation class, taught to take down what gas is needed at each call and each SSTORE."""

    def start(self: Any, state: Any, message: Any, transaction_context: Any) -> None:
        base.__init__(self, state, message, transaction_context)
        self.gas_need = 0
        if message.depth == 0:
            need.top = self

    def add_child_computation(self: Any, child: Any) -> None:
        base.add_child_computation(self, child)
        message = child.msg
        stipend = STIPEND if message.value and message.should_transfer_value and not message.is_create else 0
        left = self._gas_meter.gas_remaining + message.gas - stipend
        wanted = max(_need(child) - stipend, 0)
        # The least amount of which 63 of 64 parts are that much.
        self.gas_need = max(self.gas_need, self.msg.gas - left + wanted + max(wanted - 1, 0) // 63)

    def sstore(computation: Any) -> None:
        frame = computation
        frame.gas_need = max(frame.gas_need, frame.msg.gas - frame._gas_meter.gas_remaining + SSTORE_LEAST_GAS)
        base.opcodes[SSTORE](computation=computation)

    attributes: dict[str, Any] = {"__init__": start, "add_child_computation": add_child_computation}
    if SSTORE in base.opcodes:
        attributes["opcodes"] = {**base.opcodes, SSTORE: _Like(base.opcodes[SSTORE], sstore)}
    return type(base.__name__, (base,), attributes)


class _Like:
    """An opcode with another body."""

    __slots__ = ("_run", "gas_cost", "mnemonic")

    def __init__(self, operation: Any, run: Any) -> None:
        self._run = run
        self.gas_cost = operation.gas_cost
        self.mnemonic = operation.mnemonic

    def __call__(self, computation: Any) -> None:
        self._run(computation)
