"""The state of one running contract frame, as host functions see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ewasm.errors import ArgumentOutOfRange, OutOfGas
from ewasm.host import Host
from ewasm.message import Message, TxContext
from ewasm.metering.schedule import PARTICLES_PER_GAS, HostPrice
from ewasm.rules import Rules
from ewasm.trace import Tracer
from ewasm.wasm.types import PAGE_BYTES

__all__ = ["Frame", "Memory"]

_U128 = 1 << 128


class Memory(Protocol):
    """Linear memory of the contract. Both methods check the range, also for a length of zero."""

    def read(self, offset: int, length: int) -> bytes:
        """Copy bytes out.

        Raises:
            MemoryAccess: offset + length lies beyond the memory's end.
        """
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Copy bytes in.

        Raises:
            MemoryAccess: offset + len(data) lies beyond the memory's end.
        """
        ...

    def snapshot(self) -> bytes:
        """The whole memory, for hashes and traces."""
        ...

    def size_bytes(self) -> int:
        """How large it is now."""
        ...


@dataclass(slots=True)
class Frame:
    """One frame.

    Attributes:
        rules: Rule set in force.
        host: State and context.
        message: What the frame was started with.
        code: The submitted bytes, for `codeCopy` and `getCodeSize`.
        memory: Set by the engine when it has instantiated the module.
        particles: Gas left, exact while a host function runs; negative means the run overdrew before it got here.
        prices: What its host functions cost: `Contract.schedule` has them.
        tx: What is the same in all frames of the transaction.
        input_data: What `callDataCopy` reads: call data, or constructor arguments.
        return_data: Output of the last call or create.
        eei_particles: Part of what was used that host functions charged.
        call_gas: Whole gas that contracts called from here used (part of `eei_particles`).
        debug: Where `debug.*` writes a line, or None.
        debug_bytes: How much it has been given so far.
        on_return_data: Told `return_data` after each call and create, where the engine keeps a copy of it.
        tracer: Gets an event at each host call (and step, on the interpreter), or None.
        pages_below: What the live frames below this one in the transaction hold (`Limits.live_pages`).
        page_ceiling: Pages beyond which this frame's memory may not grow: the frame fails.
        pending: What ended the frame in a host function, while Wasmtime unwinds the Wasm.
        loaded: Slots that were read and can't have changed since: key -> value, 32 bytes each.
    """

    rules: Rules
    host: Host
    message: Message
    code: bytes
    particles: int
    input_data: bytes
    memory: Memory
    prices: Mapping[str, HostPrice]
    tx: TxContext
    return_data: bytes = b""
    eei_particles: int = 0
    call_gas: int = 0
    debug: Callable[[str], None] | None = None
    debug_bytes: int = 0
    tracer: Tracer | None = None
    pages_below: int = 0
    page_ceiling: int = 1 << 16
    loaded: dict[bytes, bytes] = field(default_factory=dict)
    on_return_data: Callable[[bytes], None] | None = None
    pending: BaseException | None = field(default=None, repr=False)

    @property
    def gas_left(self) -> int:
        """Whole gas left, rounded down."""
        return self.particles // PARTICLES_PER_GAS

    def pages_held(self) -> int:
        """What this frame and those below it hold, in pages."""
        held = len(self.input_data) + len(self.return_data)
        return self.pages_below + (self.memory.size_bytes() + held + PAGE_BYTES - 1) // PAGE_BYTES

    def charge(self, price: HostPrice, size_bytes: int = 0) -> None:
        """Charge a host function's price for `size_bytes` of data.

        Raises:
            OutOfGas: More than is left.
        """
        particles = price.base
        if size_bytes:
            particles += price.per_word * ((size_bytes + 31) // 32) + price.per_byte * size_bytes
        self.particles -= particles
        self.eei_particles += particles
        if self.particles < 0:
            raise OutOfGas

    def charge_gas(self, gas: int) -> None:
        """Charge whole gas.

        Raises:
            OutOfGas: More than is left.
        """
        particles = gas * PARTICLES_PER_GAS
        self.particles -= particles
        self.eei_particles += particles
        if self.particles < 0:
            raise OutOfGas

    def pay(self, particles: int) -> None:
        """Charge something that no host function stands for: starting the frame, activating code.

        Raises:
            OutOfGas: More than is left.
        """
        self.particles -= particles
        if self.particles < 0:
            raise OutOfGas

    def refund_gas(self, gas: int) -> None:
        """Give back whole gas that was charged for a callee and not used."""
        particles = gas * PARTICLES_PER_GAS
        self.particles += particles
        self.eei_particles -= particles

    def evm(self, opcode: int, operands: tuple[int, ...], data: bytes = b"") -> int:
        """Run one EVM operation of the fork in force and account for its gas (see `Host.evm`)."""
        gas = self.particles // PARTICLES_PER_GAS
        gas_left, result = self.host.evm(opcode, operands, gas, data)
        particles = (gas - gas_left) * PARTICLES_PER_GAS
        self.particles -= particles
        self.eei_particles += particles
        return result

    def read_address(self, offset: int) -> bytes:
        return self.memory.read(offset, 20)

    def read_u128(self, offset: int) -> int:
        return int.from_bytes(self.memory.read(offset, 16), "little")

    def read_u256(self, offset: int) -> int:
        return int.from_bytes(self.memory.read(offset, 32), "little")

    def write_u128(self, offset: int, value: int) -> None:
        """Write a number as 16 bytes little-endian.

        Raises:
            ArgumentOutOfRange: It does not fit.
        """
        if value >= _U128:
            raise ArgumentOutOfRange("the number does not fit 128 bits")
        self.memory.write(offset, value.to_bytes(16, "little"))

    def write_u256(self, offset: int, value: int) -> None:
        self.memory.write(offset, value.to_bytes(32, "little"))
