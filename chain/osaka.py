"""What Osaka adds to the base: CLZ (EIP-7939), P256VERIFY (7951), another price and limits for modexp (7823, 7883)."""

from __future__ import annotations

from typing import Any

from eth.exceptions import VMError
from eth.vm.opcode import as_opcode

from chain.wasm_module import wasm_module

__all__ = ["CLZ", "P256VERIFY", "clz", "modexp_price", "p256verify", "verify_p256"]

CLZ = 0x1E
CLZ_GAS = 5
P256VERIFY = (0x100).to_bytes(20, "big")
P256VERIFY_GAS = 6_900
P256_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MODEXP_LEAST_GAS = 500
MODEXP_MAX_BYTES = 1_024


def _clz(computation: Any) -> None:
    value = computation.stack_pop1_int()
    computation.stack_push_int(256 - value.bit_length())


clz = as_opcode(logic_fn=_clz, mnemonic="CLZ", gas_cost=CLZ_GAS)


def modexp_price(data: bytes) -> int:
    """Gas of the modexp precompile.

    Raises:
        VMError: A length is over EIP-7823's limit.
    """
    sizes = [int.from_bytes(data[at : at + 32].ljust(32, b"\0"), "big") for at in (0, 32, 64)]
    if max(sizes) > MODEXP_MAX_BYTES:
        raise VMError(f"modexp takes numbers of at most {MODEXP_MAX_BYTES} bytes")
    base_size, exponent_size, modulus_size = sizes
    head_size = min(exponent_size, 32)
    head = int.from_bytes(data[96 + base_size :][:head_size].ljust(head_size, b"\0"), "big")
    rounds = max(16 * (exponent_size - head_size) + max(head.bit_length() - 1, 0), 1)
    longest = max(base_size, modulus_size)
    complexity = 16 if longest <= 32 else 2 * ((longest + 7) // 8) ** 2
    return max(MODEXP_LEAST_GAS, complexity * rounds)


def p256verify(computation: Any) -> Any:
    """Precompile 0x100: 160 bytes of hash, r, s, x, y; 1 for a good signature, nothing for any other input."""
    computation.consume_gas(P256VERIFY_GAS, reason="P256VERIFY")
    data = computation.msg.data_as_bytes
    if len(data) == 160:
        digest, r, s, x, y = (int.from_bytes(data[at : at + 32], "big") for at in range(0, 160, 32))
        if verify_p256(digest, r, s, x, y):
            computation.output = (1).to_bytes(32, "big")
    return computation


def verify_p256(digest: int, r: int, s: int, x: int, y: int) -> bool:
    """ECDSA over secp256r1 (FIPS 186-5, 6.4.2), on numbers below 2**256; p256.c beside this file adds the points."""
    if not (0 < r < P256_N and 0 < s < P256_N and x < P256_P and y < P256_P):
        return False
    if (y * y - x * x * x + 3 * x - P256_B) % P256_P:
        return False
    inverse = pow(s, -1, P256_N)
    # What is r modulo the order may be the one or the other as a coordinate.
    other = r + P256_N if r + P256_N < P256_P else r
    numbers = (digest * inverse % P256_N, r * inverse % P256_N, x, y, r, other)
    with wasm_module("p256") as module:
        module.write(b"".join(number.to_bytes(32, "big") for number in numbers))
        return bool(module.call("check"))
