"""Defects of py-evm 0.12.1b1 that are mended from outside, each with a test in tests/unit/chain/test_hardening.py.

Here: modexp with an empty base (EIP-198: 0**0 is 1), the KZG setup that is read from disk for every
point evaluation (EIP-4844), RIPEMD-160 where OpenSSL lacks it, BLAKE2b's F and elliptic curves in Python (EIP-152;
`curves`), a deprecation warning at every SELFDESTRUCT, and creation over an account that has storage (EIP-7610).
Elsewhere: EIP-3607, 7623, chain ids, fee caps and blob fees in `transition`; EIP-4788, 2935 and 7685 in `builder`; the
price of init code for delegated accounts in `executor`; system contracts in `genesis`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import ckzg
from eth.exceptions import OutOfGas, VMError
from eth.precompiles.modexp import _compute_modexp_gas_fee_eip_198
from eth.precompiles.point_evaluation import TRUSTED_SETUP_PATH
from eth.vm.forks.berlin.computation import _compute_modexp_gas_fee_eip_2565
from eth.vm.forks.cancun.constants import BLS_MODULUS, FIELD_ELEMENTS_PER_BLOB, POINT_EVALUATION_PRECOMPILE_GAS

from chain.blake2 import compress
from chain.curves import curve_precompiles
from chain.deadline import check_deadline
from chain.forks import Fork
from chain.osaka import CLZ, P256VERIFY, clz, modexp_price, p256verify

__all__ = ["hardened_opcodes", "hardened_precompiles", "has_code_nonce_or_storage", "kzg_setup"]

JUMPDEST = 0x5B
CREATE, CREATE2, SELFDESTRUCT = 0xF0, 0xF5, 0xFF
MAX_EVM_INIT_CODE = 49_152
WASM_MAGIC = b"\0asm"
RIPEMD = (3).to_bytes(20, "big")
RIPEMD_GAS, RIPEMD_WORD_GAS = 600, 120
MODEXP = (5).to_bytes(20, "big")
BLAKE2F = (9).to_bytes(20, "big")
POINT_EVALUATION = (10).to_bytes(20, "big")
BLANK_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")

Precompile = Callable[[Any], Any]


def modexp_value(data: bytes) -> bytes:
    """base ** exponent % modulus of EIP-198's encoding, as long as the modulus."""
    base_size, exponent_size, modulus_size = (
        int.from_bytes(data[at : at + 32].ljust(32, b"\0"), "big") for at in (0, 32, 64)
    )
    if modulus_size == 0:
        return b""
    exponent_at = 96 + base_size
    modulus_at = exponent_at + exponent_size
    modulus = int.from_bytes(data[modulus_at : modulus_at + modulus_size].ljust(modulus_size, b"\0"), "big")
    if modulus == 0:
        return bytes(modulus_size)
    base = int.from_bytes(data[96:exponent_at].ljust(base_size, b"\0"), "big")
    exponent = int.from_bytes(data[exponent_at:modulus_at].ljust(exponent_size, b"\0"), "big")
    return pow(base, exponent, modulus).to_bytes(modulus_size, "big")


def _modexp(price: Callable[[bytes], int]) -> Precompile:
    def modexp(computation: Any) -> Any:
        data = computation.msg.data_as_bytes
        computation.consume_gas(price(data), reason="MODEXP")
        computation.output = modexp_value(data)
        return computation

    return modexp


@cache
def kzg_setup() -> object:
    """The trusted setup of the KZG ceremony; reading it takes a good second."""
    return ckzg.load_trusted_setup(TRUSTED_SETUP_PATH, 0)


def point_evaluation(computation: Any) -> Any:
    """Precompile 0x0a: p(z) = y for a commitment (EIP-4844)."""
    computation.consume_gas(POINT_EVALUATION_PRECOMPILE_GAS, reason="point evaluation")
    data = computation.msg.data_as_bytes
    if len(data) != 192:
        raise VMError("point evaluation takes 192 bytes")
    versioned_hash, z, y, commitment, proof = data[:32], data[32:64], data[64:96], data[96:144], data[144:]
    if b"\x01" + hashlib.sha256(commitment).digest()[1:] != versioned_hash:
        raise VMError("commitment does not match the versioned hash")
    try:
        holds = ckzg.verify_kzg_proof(commitment, z, y, proof, kzg_setup())
    except (RuntimeError, ValueError) as error:
        raise VMError("malformed KZG proof") from error
    if not holds:
        raise VMError("KZG proof does not hold")
    computation.output = FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + BLS_MODULUS.to_bytes(32, "big")
    return computation


def ripemd160(computation: Any) -> Any:
    """Precompile 0x03. The base's own fails where OpenSSL comes without this hash, as some builds of version 3 do."""
    from Crypto.Hash import RIPEMD160

    data = computation.msg.data_as_bytes
    computation.consume_gas(RIPEMD_GAS + RIPEMD_WORD_GAS * ((len(data) + 31) // 32), reason="RIPEMD160")
    computation.output = RIPEMD160.new(data).digest().rjust(32, b"\0")
    return computation


def blake2f(computation: Any) -> Any:
    """Precompile 0x09: BLAKE2b's F, 1 gas a round (EIP-152). The base's own takes a second for 40,000 gas."""
    data = computation.msg.data_as_bytes
    if len(data) != 213 or data[212] > 1:
        raise VMError("BLAKE2b's F takes 213 bytes, the last of them 0 or 1")
    rounds = int.from_bytes(data[:4], "big")
    computation.consume_gas(rounds, reason="BLAKE2b F")
    counters = int.from_bytes(data[196:204], "little"), int.from_bytes(data[204:212], "little")
    computation.output = compress(rounds, data[4:68], data[68:196], counters, data[212] == 1)
    return computation


def hardened_precompiles(precompiles: Mapping[bytes, Precompile], fork: Fork) -> dict[bytes, Precompile]:
    """The fork's precompiles, the mended ones in their places and Osaka's added."""
    mended = dict(precompiles)
    mended[RIPEMD] = ripemd160
    if MODEXP in mended:
        berlin = fork >= Fork.BERLIN
        mended[MODEXP] = _modexp(_compute_modexp_gas_fee_eip_2565 if berlin else _compute_modexp_gas_fee_eip_198)
    if fork >= Fork.OSAKA:
        mended[MODEXP] = _modexp(modexp_price)
        mended[P256VERIFY] = p256verify
    if BLAKE2F in mended:
        mended[BLAKE2F] = blake2f
    if POINT_EVALUATION in mended and fork >= Fork.CANCUN:
        mended[POINT_EVALUATION] = point_evaluation
    return mended | curve_precompiles(fork)


class _TimedJumpdest:
    """JUMPDEST that looks at the clock: no loop goes on without it."""

    def __init__(self, operation: Any) -> None:
        self._operation = operation
        self.mnemonic = operation.mnemonic
        self.gas_cost = operation.gas_cost

    def __call__(self, computation: Any) -> None:
        check_deadline()
        self._operation(computation=computation)


class _SizedCreate:
    """CREATE and CREATE2 that hold init code to its limit first (EIP-3860).

    The base asks whether the creator can pay the endowment before it looks at the size, and then goes on where the
    frame has to fail.
    """

    def __init__(self, operation: Any) -> None:
        self._operation = operation
        self.mnemonic = operation.mnemonic
        self.gas_cost = operation.gas_cost

    def __call__(self, computation: Any) -> None:
        stack = computation._stack.values
        if len(stack) >= 3:
            offset, size = (item if isinstance(item, int) else int.from_bytes(item, "big") for item in stack[-2:-4:-1])
            if size > MAX_EVM_INIT_CODE:
                limits = computation.machine.rules.limits
                limit = MAX_EVM_INIT_CODE
                if computation._memory.read_bytes(offset, 4) == WASM_MAGIC:
                    limit = limits.init_code_bytes
                if size > limit:
                    raise OutOfGas(f"init code of {size} bytes is over the limit")
        self._operation(computation=computation)


def hardened_opcodes(opcodes: Mapping[int, Any], fork: Fork) -> dict[int, Any]:
    """The fork's opcodes without the wrapper that warns of SELFDESTRUCT's deprecation at every use."""
    mended = dict(opcodes)
    if fork >= Fork.OSAKA:
        mended[CLZ] = clz
    selfdestruct = mended[SELFDESTRUCT]
    mended[SELFDESTRUCT] = getattr(selfdestruct, "__wrapped__", selfdestruct)
    mended[JUMPDEST] = _TimedJumpdest(mended[JUMPDEST])
    if fork >= Fork.SHANGHAI:
        for op in (CREATE, CREATE2):
            mended[op] = _SizedCreate(mended[op])
    return mended


def has_code_nonce_or_storage(state: Any, address: bytes) -> bool:
    """Whether a creation at the address collides with what is there (EIP-684, EIP-7610)."""
    accounts = state._account_db
    return bool(accounts.account_has_code_or_nonce(address)) or accounts._get_storage_root(address) != BLANK_ROOT
