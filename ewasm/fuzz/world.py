"""A host without a chain: enough state to run frames and compare engines, with flat prices.

It stands in for a chain where a question is about the VM alone: storage, transient storage, logs, calls that answer
with a digest of what they were given. Its prices are made up; what matters is that every engine sees the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from ewasm.eei import Frame
from ewasm.errors import OutOfGas, StaticViolation
from ewasm.message import Kind, Message, Result, Status, TxContext

OWN = bytes.fromhex("aa" * 20)
SENDER = bytes.fromhex("bb" * 20)
OTHER = bytes.fromhex("cc" * 20)

TX = TxContext(
    origin=SENDER,
    gas_price=7,
    coinbase=bytes.fromhex("c0" * 20),
    number=17,
    timestamp_s=1_700_000_000,
    gas_limit=30_000_000,
    difficulty=0x0123456789,
    prev_randao=bytes(range(32)),
    chain_id=31_337,
    base_fee=1_000_000_000,
    blob_base_fee=1,
    blob_hashes=(b"\x01" + bytes(31),),
)

_MUTATING = {0x55, 0x5D, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xF0, 0xF5, 0xFF}
_CALLS = {0xF1, 0xF2, 0xF4, 0xFA}


@dataclass
class FakeHost:
    """See the module's docstring; `events` records every state operation in order."""

    tx: TxContext = TX
    is_static: bool = False
    balances: dict[bytes, int] = field(default_factory=lambda: {OWN: 10**18})
    codes: dict[bytes, bytes] = field(default_factory=dict)
    storage: dict[tuple[bytes, bytes], bytes] = field(default_factory=dict)
    transient: dict[int, int] = field(default_factory=dict)
    logs: list[tuple[bytes, bytes, tuple[bytes, ...]]] = field(default_factory=list)
    events: list[tuple[object, ...]] = field(default_factory=list)
    return_data: bytes = b""
    created: bytes = b""
    call_gas: int = 0
    frames: list[Frame] = field(default_factory=list)
    refund: int = 0
    warm_load_gas: int = 0

    def account_exists(self, address: bytes) -> bool:
        return address in self.balances or address in self.codes

    def get_balance(self, address: bytes) -> int:
        return self.balances.get(address, 0)

    def get_storage(self, address: bytes, key: bytes) -> bytes:
        return self.storage.get((address, key), bytes(32))

    def set_storage(self, address: bytes, key: bytes, value: bytes) -> None:
        self.events.append(("set_storage", address, key, value))
        self.storage[address, key] = value

    def get_code(self, address: bytes) -> bytes:
        return self.codes.get(address, b"")

    def get_block_hash(self, number: int) -> bytes:
        return hashlib.sha256(str(number).encode()).digest() if 0 <= self.tx.number - number - 1 < 256 else bytes(32)

    def emit_log(self, address: bytes, data: bytes, topics: tuple[bytes, ...]) -> None:
        self.logs.append((address, data, topics))

    def selfdestruct(self, address: bytes, beneficiary: bytes) -> None:
        self.events.append(("selfdestruct", address, beneficiary))

    def add_refund(self, gas: int) -> None:
        self.refund += gas

    def call(self, message: Message, init_code: bytes = b"") -> Result:
        """An answer that depends on everything in the message; every third one fails or reverts."""
        self.events.append(("call", message, init_code))
        digest = hashlib.sha256(repr((message, init_code)).encode()).digest()
        status = (Status.SUCCESS, Status.REVERT, Status.FAILURE)[digest[0] % 3]
        output = b"" if status is Status.FAILURE else digest[: digest[1] % 33]
        gas_left = 0 if status is Status.FAILURE else message.gas // 2
        self.return_data = output
        address = digest[:20] if message.kind is Kind.CREATE and status is Status.SUCCESS else None
        return Result(status, gas_left, output, create_address=address)

    def evm(self, opcode: int, operands: tuple[int, ...], gas: int, data: bytes = b"") -> tuple[int, int]:
        self.events.append(("evm", opcode, operands, gas, data))
        if self.is_static and opcode in _MUTATING:
            raise StaticViolation
        gas -= 100 + 8 * len(data)
        if gas < 0:
            raise OutOfGas
        if opcode == 0x54:
            return gas, int.from_bytes(self.get_storage(OWN, operands[0].to_bytes(32, "big")), "big")
        if opcode == 0x55:
            self.set_storage(OWN, operands[0].to_bytes(32, "big"), operands[1].to_bytes(32, "big"))
            return gas, 0
        if opcode == 0x5C:
            return gas, self.transient.get(operands[0], 0)
        if opcode == 0x5D:
            self.transient[operands[0]] = operands[1]
            return gas, 0
        if 0xA0 <= opcode <= 0xA4:
            self.emit_log(OWN, data, tuple(t.to_bytes(32, "big") for t in operands))
            return gas, 0
        if opcode in _CALLS or opcode in (0xF0, 0xF5):
            return self._answer(opcode, operands, gas, data)
        if opcode == 0x40:
            return gas, int.from_bytes(self.get_block_hash(operands[0]), "big")
        if opcode == 0x31:
            return gas, self.get_balance(operands[0].to_bytes(20, "big"))
        if opcode == 0x47:
            return gas, self.get_balance(OWN)
        if opcode == 0x3B:
            return gas, len(self.get_code(operands[0].to_bytes(20, "big")))
        return gas, 0

    def _answer(self, opcode: int, operands: tuple[int, ...], gas: int, data: bytes) -> tuple[int, int]:
        digest = hashlib.sha256(repr((opcode, operands, data)).encode()).digest()
        asked = operands[0] if opcode in _CALLS else gas
        used = min(asked, gas - gas // 64) // 3
        self.call_gas += used
        result = digest[0] % 3
        self.return_data = b"" if result == 1 else digest[: digest[1] % 33]
        if opcode in (0xF0, 0xF5) and result == 0:
            self.created, self.return_data = digest[:20], b""
        return gas - used, result


def message(
    *,
    gas: int = 10_000_000,
    input_data: bytes = b"",
    is_static: bool = False,
    kind: Kind = Kind.CALL,
    value: int = 0,
    depth: int = 0,
) -> Message:
    return Message(
        kind=kind,
        is_static=is_static,
        depth=depth,
        gas=gas,
        recipient=OWN,
        sender=SENDER,
        input_data=input_data,
        value=value,
        code_address=OWN,
    )
