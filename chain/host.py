"""`ewasm.host.Host` over a py-evm computation.

`evm` runs py-evm's own opcode function on the Wasm frame's computation: operands go on its stack, the gas meter is set
to what the frame has left, and a stand-in takes the place of memory. So prices, warm and cold sets, refunds, static
checks, the stipend, 63/64 and delegation (EIP-7702) are those of the fork in force, by construction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth.exceptions import Halt, VMError, WriteProtection
from eth.exceptions import OutOfGas as EvmOutOfGas
from eth.exceptions import Revert as EvmRevert
from eth.vm.forks.berlin.constants import WARM_STORAGE_READ_COST
from eth.vm.forks.berlin.logic import sload_eip2929
from eth.vm.message import Message as EvmMessage
from eth_typing import Address

from chain.crypto import keccak
from chain.forks import Fork
from chain.rlp_codec import encode
from ewasm.errors import ExceptionalHalt, OutOfGas, StaticViolation
from ewasm.message import Kind, Message, Result, Status, TxContext

if TYPE_CHECKING:
    from eth.abc import ComputationAPI

    from ewasm.eei import Frame

__all__ = ["EvmHost"]

CREATE, CALL, CALLCODE, DELEGATECALL, CREATE2, STATICCALL = 0xF0, 0xF1, 0xF2, 0xF4, 0xF5, 0xFA
SLOAD, SELFDESTRUCT, EXTCODECOPY, LOG0, LOG4 = 0x54, 0xFF, 0x3C, 0xA0, 0xA4
CALL_FAMILY = frozenset({CALL, CALLCODE, DELEGATECALL, STATICCALL})
CREATES = frozenset({CREATE, CREATE2})
PUSHES_NOTHING = frozenset({0x55, 0x5D, SELFDESTRUCT, EXTCODECOPY, *range(LOG0, LOG4 + 1)})
FAILURES = (Status.FAILURE, Status.REVERT)


class OperandMemory:
    """Stands in for EVM memory during one operation: it holds the operand and is as large as anyone asks.

    Its length is such that py-evm finds nothing to expand, so memory costs nothing.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __len__(self) -> int:
        # More than the operand's end, so that no range needs expansion; ranges start at 0 and end with the operand.
        return max(len(self.data), 1 << 40)

    def extend(self, start_position: int, size: int) -> None:
        """Nothing to do."""

    def read_bytes(self, start_position: int, size: int) -> bytes:
        return self.data[start_position : start_position + size]

    def read(self, start_position: int, size: int) -> memoryview:
        return memoryview(self.data)[start_position : start_position + size]

    def write(self, start_position: int, size: int, value: bytes) -> None:
        """Copied code and call results are dropped: the frame reads them from `get_code` and `return_data`."""


class EvmHost:
    """State and context of one Wasm frame.

    Args:
        computation: The frame's computation.
        fork: The fork in force.
    """

    __slots__ = ("_call_gas", "_computation", "_created", "_state", "_tx", "_warm_load_gas")

    def __init__(self, computation: Any, fork: Fork) -> None:
        self._computation = computation
        self._state = computation.state
        self._created = bytes(20)
        self._call_gas = 0
        self._warm_load_gas = -1
        context = computation.transaction_context
        known: TxContext | None = context.__dict__.get("ewasm_tx")
        if known is None:
            known = _tx_context(self._state, context, fork)
            context.__dict__["ewasm_tx"] = known
        self._tx = known

    @property
    def tx(self) -> TxContext:
        return self._tx

    @property
    def frames(self) -> list[Frame]:
        shared: list[Frame] = self._computation.transaction_context.__dict__.setdefault("ewasm_frames", [])
        return shared

    @property
    def return_data(self) -> bytes:
        data: bytes = self._computation.return_data
        return data

    @property
    def call_gas(self) -> int:
        return self._call_gas

    @property
    def created(self) -> bytes:
        return self._created

    @property
    def warm_load_gas(self) -> int:
        known = self._warm_load_gas
        if known < 0:
            known = self._warm_load_gas = WARM_STORAGE_READ_COST if self._loads_plainly() else 0
        return known

    def _loads_plainly(self) -> bool:
        """Whether the opcode at hand is EIP-2929's own and not a tracer's: then a warm load only reads and charges."""
        return getattr(self._computation.opcodes.get(SLOAD), "logic_fn", None) is sload_eip2929

    def account_exists(self, address: bytes) -> bool:
        state = self._state
        return bool(state.account_exists(address)) and not state.account_is_empty(address)

    def get_balance(self, address: bytes) -> int:
        balance: int = self._state.get_balance(address)
        return balance

    def get_storage(self, address: bytes, key: bytes) -> bytes:
        value: int = self._state.get_storage(address, int.from_bytes(key, "big"))
        return value.to_bytes(32, "big")

    def set_storage(self, address: bytes, key: bytes, value: bytes) -> None:
        self._state.set_storage(address, int.from_bytes(key, "big"), int.from_bytes(value, "big"))

    def get_code(self, address: bytes) -> bytes:
        code: bytes = self._state.get_code(address)
        return code

    def get_block_hash(self, number: int) -> bytes:
        found: bytes = self._state.get_ancestor_hash(number)
        return found or bytes(32)

    def emit_log(self, address: bytes, data: bytes, topics: tuple[bytes, ...]) -> None:
        self._computation.add_log_entry(address, tuple(int.from_bytes(topic, "big") for topic in topics), data)

    def selfdestruct(self, address: bytes, beneficiary: bytes) -> None:
        state = self._state
        amount = state.get_balance(address)
        self._computation.ether_moved(address, beneficiary, amount)
        state.set_balance(beneficiary, state.get_balance(beneficiary) + amount)
        state.set_balance(address, 0)
        self._computation.register_account_for_deletion(beneficiary)

    def add_refund(self, gas: int) -> None:
        self._computation.refund_gas(gas)

    def call(self, message: Message, init_code: bytes = b"") -> Result:
        computation = self._computation
        state = self._state
        if message.is_create:
            nonce = state.get_nonce(message.sender)
            if nonce >= (1 << 64) - 1:
                computation.return_data = b""
                return Result(Status.FAILURE, message.gas, error="the creator's nonce is exhausted")
            state.increment_nonce(message.sender)
            address = keccak(encode([message.sender, nonce]))[12:]
            if state.has_code_or_nonce(address):
                computation.return_data = b""
                return Result(Status.FAILURE, 0, gas_used=message.gas, error="address collision")
            child_message = EvmMessage(
                gas=message.gas,
                to=Address(b""),
                sender=Address(message.sender),
                value=message.value,
                data=b"",
                code=init_code,
                depth=message.depth,
                create_address=Address(address),
            )
        else:
            delegates = message.kind is Kind.DELEGATECALL
            child_message = EvmMessage(
                gas=message.gas,
                to=Address(message.recipient),
                sender=Address(message.sender),
                value=message.value,
                data=message.input_data,
                code=state.get_code(message.code_address),
                depth=message.depth,
                code_address=Address(message.code_address),
                should_transfer_value=not delegates and message.value != 0,
                is_static=message.is_static,
            )
        try:
            child = computation.apply_child_computation(child_message)
        except VMError as error:
            # Refused before a frame began (init code over its limit): nothing ran, the gas is gone.
            computation.return_data = b""
            return Result(Status.FAILURE, 0, gas_used=message.gas, error=str(error))
        return self._result(child, message)

    def _result(self, child: ComputationAPI, message: Message) -> Result:
        gas_left = child.get_gas_remaining()
        used = message.gas - gas_left
        if child.is_success:
            created = child.msg.storage_address if message.is_create else None
            if created is not None:
                self._created = created
            return Result(Status.SUCCESS, gas_left, child.output, used, create_address=created)
        status = Status.REVERT if isinstance(child.error, EvmRevert) else Status.FAILURE
        return Result(status, gas_left, child.output, used, error=str(child.error))

    def evm(self, opcode: int, operands: tuple[int, ...], gas: int, data: bytes = b"") -> tuple[int, int]:
        computation = self._computation
        operation = computation.opcodes.get(opcode)
        if opcode == SLOAD and self.warm_load_gas:
            slot, address = operands[0], computation.msg.storage_address
            if self._state.is_storage_warm(address, slot):
                if gas < WARM_STORAGE_READ_COST:
                    raise OutOfGas
                value: int = self._state.get_storage(address, slot)
                return gas - WARM_STORAGE_READ_COST, value
        meter = computation._gas_meter
        meter.gas_remaining = gas
        push = computation.stack_push_int
        children = len(computation.children)
        for operand in reversed(_with_ranges(opcode, operands, len(data))):
            push(operand)
        computation._memory = OperandMemory(data)
        if operation is None:
            raise ExceptionalHalt(f"the fork in force has no EVM opcode 0x{opcode:02x}")
        try:
            operation(computation=computation)
        except Halt:
            return meter.gas_remaining, 0
        except EvmOutOfGas as error:
            raise OutOfGas(str(error)) from error
        except WriteProtection as error:
            raise StaticViolation(str(error)) from error
        except VMError as error:
            raise ExceptionalHalt(str(error)) from error
        finally:
            for child in computation.children[children:]:
                self._call_gas += child.msg.gas - child.get_gas_remaining()
        if opcode in PUSHES_NOTHING:
            return meter.gas_remaining, 0
        result: int = computation.stack_pop1_int()
        if opcode in CALL_FAMILY:
            return meter.gas_remaining, 0 if result else self._failure(children)
        if opcode in CREATES:
            if not result:
                return meter.gas_remaining, self._failure(children)
            self._created = result.to_bytes(20, "big")
            return meter.gas_remaining, 0
        return meter.gas_remaining, result

    def _failure(self, children: int) -> int:
        """1, or 2 where a child ran and ended with REVERT."""
        ran = self._computation.children
        if len(ran) > children and ran[-1].is_error and isinstance(ran[-1].error, EvmRevert):
            return 2
        return 1


def _with_ranges(opcode: int, operands: tuple[int, ...], size: int) -> tuple[int, ...]:
    """The operands with memory ranges put in, as the EVM pops them."""
    if LOG0 <= opcode <= LOG4:
        return (0, size, *operands)
    if opcode in CALL_FAMILY:
        return (*operands, 0, size, 0, 0)
    if opcode in CREATES:
        return (operands[0], 0, size, *operands[1:])
    if opcode == EXTCODECOPY:
        address, offset, length = operands
        return (address, 0, offset, length)
    return operands


def _tx_context(state: Any, context: Any, fork: Fork) -> TxContext:
    block = state.execution_context
    return TxContext(
        origin=context.origin,
        gas_price=context.gas_price,
        coinbase=state.coinbase,
        number=state.block_number,
        timestamp_s=state.timestamp,
        gas_limit=state.gas_limit,
        # Opcode 0x44 reads the randomness beacon from Paris on (EIP-4399).
        difficulty=int.from_bytes(block.mix_hash, "big") if fork >= Fork.PARIS else state.difficulty,
        prev_randao=block.mix_hash,
        chain_id=block.chain_id,
        base_fee=block.base_fee_per_gas if fork >= Fork.LONDON else 0,
        blob_base_fee=block.blob_base_fee if fork >= Fork.CANCUN else 0,
        blob_hashes=tuple(context.blob_versioned_hashes) if fork >= Fork.CANCUN else (),
    )
