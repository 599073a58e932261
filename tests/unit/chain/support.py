"""A small chain to test with: two keys, transactions with defaults, and a few lines of EVM assembly."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from chain.blockchain import Blockchain, ChainConfig
from chain.crypto import address_of_key, keccak
from chain.forks import Fork
from chain.genesis import GenesisAccount, dev_genesis
from chain.rlp_codec import encode
from chain.store import MemoryStore, Store
from chain.transaction import Tx, sign_tx
from ewasm.rules import RULES
from ewasm.vm import VM

CHAIN_ID = 31337
KEY = bytes(31) + b"\x01"
OTHER_KEY = bytes(31) + b"\x02"
ALICE = address_of_key(KEY)
BOB = address_of_key(OTHER_KEY)
ETHER = 10**18
GWEI = 10**9
STOP, SSTORE, SLOAD, CALL, REVERT, RETURN, CREATE, SELFDESTRUCT = 0x00, 0x55, 0x54, 0xF1, 0xFD, 0xF3, 0xF0, 0xFF


@cache
def machine(rules: str = "EWASM_2026", engine: str = "native") -> VM:
    """A VM that tests share, so that contracts compile once."""
    return VM(RULES[rules], engine=engine)


def new_chain(
    fork: Fork = Fork.PRAGUE,
    *,
    store: Store | None = None,
    accounts: Mapping[bytes, GenesisAccount] | None = None,
    rules: str = "EWASM_2026",
    engine: str = "native",
    **config: Any,
) -> Blockchain:
    """A chain where Alice and Bob have a thousand ether each."""
    genesis = dev_genesis(CHAIN_ID, fork, {ALICE: 1000 * ETHER, BOB: 1000 * ETHER}, accounts)
    return Blockchain.open(ChainConfig(**config), genesis, store or MemoryStore(), machine(rules, engine))


def tx(nonce: int, key: bytes = KEY, **fields: Any) -> Tx:
    """A signed transaction with fees that always do."""
    defaults: dict[str, Any] = {
        "type": 2,
        "chain_id": CHAIN_ID,
        "nonce": nonce,
        "gas": 1_000_000,
        "to": BOB,
        "value": 0,
        "data": b"",
        "sender": b"",
        "max_fee_per_gas": 10 * GWEI,
        "max_priority_fee_per_gas": GWEI,
    }
    return sign_tx(Tx(**{**defaults, **fields}), key)


def legacy_tx(nonce: int, key: bytes = KEY, price: int = 10 * GWEI, **fields: Any) -> Tx:
    """As `tx`, of type 0."""
    fees = {"gas_price": price, "max_fee_per_gas": price, "max_priority_fee_per_gas": price}
    return tx(nonce, key, **{"type": 0, **fees, **fields})


def created_address(sender: bytes, nonce: int) -> bytes:
    """20 bytes: where a creation by `sender` ends up."""
    return keccak(encode([sender, nonce]))[12:]


def asm(*parts: int | bytes | str) -> bytes:
    """EVM code: ints are opcodes, bytes are pushed, strings are hexadecimal and taken as they are."""
    code = b""
    for part in parts:
        if isinstance(part, int):
            code += bytes((part,))
        elif isinstance(part, str):
            code += bytes.fromhex(part)
        else:
            code += bytes((0x5F + len(part),)) + part
    return code


def deployer(code: bytes) -> bytes:
    """EVM init code that returns `code`."""
    head = asm(len(code).to_bytes(3, "big"), 0x80, b"\x0d", b"\x00", 0x39, b"\x00", RETURN)
    return head + code


def call_evm(address: bytes, *, gas: bytes = b"\xff\xff\xff", value: bytes = b"\x00") -> bytes:
    """EVM code that calls `address` without data and leaves 1 or 0 on the stack."""
    zero = b"\x00"
    return asm(zero, zero, zero, zero, value, address, gas, CALL)
