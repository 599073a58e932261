"""The seam between the VM and a chain: one Protocol, in EVMC's words.

Two ways of asking, because the two rule sets price differently (PROTOCOL section 2):

* the *unpriced* primitives, for EWASM_2018, whose prices stand in its own schedule;
* `evm`, for EWASM_2026: run one EVM operation of the fork in force, its gas, warm and cold sets, refunds, static
  check, stipend and 63/64 rule included. Wasm and EVM pay the same for the same state because it is the same code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ewasm.message import Message, Result, TxContext

if TYPE_CHECKING:
    from ewasm.eei.frame import Frame

__all__ = ["Host"]


class Host(Protocol):
    """State and context for one frame.

    A host may raise `ewasm.errors.OutOfGas` or `StaticViolation` (never anything else on purpose).
    """

    @property
    def tx(self) -> TxContext:
        """Transaction and block fields; the same object for the whole frame."""
        ...

    @property
    def frames(self) -> list[Frame]:
        """The transaction's Wasm frames that run, outermost first: one list for the whole transaction, which the VM
        keeps."""
        ...

    @property
    def return_data(self) -> bytes:
        """Output of the last call or create that `evm` or `call` ran, empty before the first."""
        ...

    @property
    def call_gas(self) -> int:
        """Whole gas that calls and creates run by `evm` used in their own frames so far (for reports only)."""
        ...

    @property
    def warm_load_gas(self) -> int:
        """What `evm` asks for an SLOAD of a slot that this frame has read before; 0 where `evm` must be asked."""
        ...

    def account_exists(self, address: bytes) -> bool:
        """Whether the account exists in the sense of the fork (EIP-161: not empty)."""
        ...

    def get_balance(self, address: bytes) -> int:
        """Balance in wei."""
        ...

    def get_storage(self, address: bytes, key: bytes) -> bytes:
        """32 bytes; zeros where nothing is stored."""
        ...

    def set_storage(self, address: bytes, key: bytes, value: bytes) -> None:
        """Store 32 bytes; 32 zeros delete."""
        ...

    def get_code(self, address: bytes) -> bytes:
        """The code as submitted, empty where there is none."""
        ...

    def get_block_hash(self, number: int) -> bytes:
        """32 bytes; zeros outside the window of 256 blocks before the current one."""
        ...

    def emit_log(self, address: bytes, data: bytes, topics: tuple[bytes, ...]) -> None:
        """Append a log entry; topics are 32 bytes each, at most four."""
        ...

    def selfdestruct(self, address: bytes, beneficiary: bytes) -> None:
        """Move the balance and mark the account for deletion, as the fork does."""
        ...

    def add_refund(self, gas: int) -> None:
        """Add to the refund counter of the transaction."""
        ...

    def call(self, message: Message, init_code: bytes = b"") -> Result:
        """Run a call or a creation below this frame. Sets `return_data`; gas is the caller's to account for.

        Args:
            message: The child's message; `message.gas` is what it may use.
            init_code: For CREATE, the code to run.
        """
        ...

    def evm(self, opcode: int, operands: tuple[int, ...], gas: int, data: bytes = b"") -> tuple[int, int]:
        """Run one EVM operation of the fork in force on behalf of the frame.

        Args:
            opcode: EVM opcode byte, e.g. 0x54 for SLOAD.
            operands: As the EVM pops them, top of stack first, *without* memory ranges: LOG2 is (topic1, topic2),
                CALL (gas, to, value), DELEGATECALL and STATICCALL (gas, to), CREATE (value,), CREATE2 (value, salt),
                EXTCODECOPY (address, offset, length).
            gas: Whole gas the frame has left.
            data: The memory operand: log data, call data, init code. Expanding memory costs nothing here.

        Returns:
            (gas left, result). The result is what the EVM would push; for the call family and creates it is 0 for
            success, 1 for failure and 2 for revert, with `return_data` set (empty after a create that succeeded) and
            the new address in `created`. For LOG, SSTORE, TSTORE, SELFDESTRUCT and EXTCODECOPY it is 0; EXTCODECOPY
            only charges, the bytes come from `get_code`.
        """
        ...

    @property
    def created(self) -> bytes:
        """20 bytes: address made by the last successful create through `evm` or `call`."""
        ...
