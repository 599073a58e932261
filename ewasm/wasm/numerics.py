"""Integer arithmetic (core spec 4.3.2), to be read beside it.

Every value is an unsigned Python int below 2^32 or 2^64; `_s` in a name means that the sign is taken inside. Results
are masked once, where they can overflow. `UNARY`, `BINARY` and `WIDE` map opcodes to functions; the comparisons
are among the binary operations and give 0 or 1, the conversions and `eqz` among the unary ones.
"""

from __future__ import annotations

from collections.abc import Callable

from ewasm.errors import Trap
from ewasm.wasm import opcodes

MASK32 = 0xFFFF_FFFF
MASK64 = 0xFFFF_FFFF_FFFF_FFFF
MASK128 = (1 << 128) - 1
SIGN32 = 1 << 31
SIGN64 = 1 << 63


def signed32(value: int) -> int:
    """signed_32 of 4.3.1."""
    return value - (1 << 32) if value & SIGN32 else value


def signed64(value: int) -> int:
    """signed_64 of 4.3.1."""
    return value - (1 << 64) if value & SIGN64 else value


def divide_truncating(dividend: int, divisor: int) -> int:
    """The quotient rounded towards zero; Python's `//` rounds down."""
    quotient = abs(dividend) // abs(divisor)
    return -quotient if (dividend < 0) != (divisor < 0) else quotient


def remainder_truncating(dividend: int, divisor: int) -> int:
    """The remainder with the sign of the dividend; Python's `%` takes that of the divisor."""
    remainder = abs(dividend) % abs(divisor)
    return -remainder if dividend < 0 else remainder


def i32_clz(a: int) -> int:
    return 32 - a.bit_length()


def i32_ctz(a: int) -> int:
    return (a & -a).bit_length() - 1 if a else 32


def i32_popcnt(a: int) -> int:
    return a.bit_count()


def i32_add(a: int, b: int) -> int:
    return (a + b) & MASK32


def i32_sub(a: int, b: int) -> int:
    return (a - b) & MASK32


def i32_mul(a: int, b: int) -> int:
    return (a * b) & MASK32


def i32_div_s(a: int, b: int) -> int:
    if b == 0:
        raise Trap("integer divide by zero")
    if a == SIGN32 and b == MASK32:
        raise Trap("integer overflow")
    return divide_truncating(signed32(a), signed32(b)) & MASK32


def i32_div_u(a: int, b: int) -> int:
    if b == 0:
        raise Trap("integer divide by zero")
    return a // b


def i32_rem_s(a: int, b: int) -> int:
    if b == 0:
        raise Trap("integer divide by zero")
    return remainder_truncating(signed32(a), signed32(b)) & MASK32


def i32_rem_u(a: int, b: int) -> int:
    if b == 0:
        raise Trap("integer divide by zero")
    return a % b


def i32_and(a: int, b: int) -> int:
    return a & b


def i32_or(a: int, b: int) -> int:
    return a | b


def i32_xor(a: int, b: int) -> int:
    return a ^ b


def i32_shl(a: int, b: int) -> int:
    return (a << (b & 31)) & MASK32


def i32_shr_s(a: int, b: int) -> int:
    return (signed32(a) >> (b & 31)) & MASK32


def i32_shr_u(a: int, b: int) -> int:
    return a >> (b & 31)


def i32_rotl(a: int, b: int) -> int:
    count = b & 31
    return (a << count | a >> (32 - count)) & MASK32


def i32_rotr(a: int, b: int) -> int:
    count = b & 31
    return (a >> count | a << (32 - count)) & MASK32


def i32_eqz(a: int) -> int:
    return int(a == 0)


def i32_eq(a: int, b: int) -> int:
    return int(a == b)


def i32_ne(a: int, b: int) -> int:
    return int(a != b)


def i32_lt_s(a: int, b: int) -> int:
    return int(signed32(a) < signed32(b))


def i32_lt_u(a: int, b: int) -> int:
    return int(a < b)


def i32_gt_s(a: int, b: int) -> int:
    return int(signed32(a) > signed32(b))


def i32_gt_u(a: int, b: int) -> int:
    return int(a > b)


def i32_le_s(a: int, b: int) -> int:
    return int(signed32(a) <= signed32(b))


def i32_le_u(a: int, b: int) -> int:
    return int(a <= b)


def i32_ge_s(a: int, b: int) -> int:
    return int(signed32(a) >= signed32(b))


def i32_ge_u(a: int, b: int) -> int:
    return int(a >= b)


def i32_extend8_s(a: int) -> int:
    return ((a & 0xFF ^ 0x80) - 0x80) & MASK32


def i32_extend16_s(a: int) -> int:
    return ((a & 0xFFFF ^ 0x8000) - 0x8000) & MASK32


def i64_clz(a: int) -> int:
    return 64 - a.bit_length()


def i64_ctz(a: int) -> int:
    return (a & -a).bit_length() - 1 if a else 64


def i64_popcnt(a: int) -> int:
    return a.bit_count()


def i64_add(a: int, b: int) -> int:
    return (a + b) & MASK64


def i64_sub(a: int, b: int) -> int:
    return (a - b) & MASK64


def i64_mul(a: int, b: int) -> int:
    return (a * b) & MASK64


def i64_div_s(a: int, b: int) -> int:
    if b == 0:
        raise Trap("integer divide by zero")
    if a == SIGN64 and b == MASK64:
        raise Trap("integer overflow")
    return divide_truncating(signed64(a), signed64(b)) & MASK64


def i64_div_u(a: int, b: int) -> int:
    if b == 0:
        raise Trap("integer divide by zero")
    return a // b


def i64_rem_s(a: int, b: int) -> int:
    if b == 0:
        raise Trap("integer divide by zero")
    return remainder_truncating(signed64(a), signed64(b)) & MASK64


def i64_rem_u(a: int, b: int) -> int:
    if b == 0:
        raise Trap("integer divide by zero")
    return a % b


def i64_and(a: int, b: int) -> int:
    return a & b


def i64_or(a: int, b: int) -> int:
    return a | b


def i64_xor(a: int, b: int) -> int:
    return a ^ b


def i64_shl(a: int, b: int) -> int:
    return (a << (b & 63)) & MASK64


def i64_shr_s(a: int, b: int) -> int:
    return (signed64(a) >> (b & 63)) & MASK64


def i64_shr_u(a: int, b: int) -> int:
    return a >> (b & 63)


def i64_rotl(a: int, b: int) -> int:
    count = b & 63
    return (a << count | a >> (64 - count)) & MASK64


def i64_rotr(a: int, b: int) -> int:
    count = b & 63
    return (a >> count | a << (64 - count)) & MASK64


def i64_eqz(a: int) -> int:
    return int(a == 0)


def i64_eq(a: int, b: int) -> int:
    return int(a == b)


def i64_ne(a: int, b: int) -> int:
    return int(a != b)


def i64_lt_s(a: int, b: int) -> int:
    return int(signed64(a) < signed64(b))


def i64_lt_u(a: int, b: int) -> int:
    return int(a < b)


def i64_gt_s(a: int, b: int) -> int:
    return int(signed64(a) > signed64(b))


def i64_gt_u(a: int, b: int) -> int:
    return int(a > b)


def i64_le_s(a: int, b: int) -> int:
    return int(signed64(a) <= signed64(b))


def i64_le_u(a: int, b: int) -> int:
    return int(a <= b)


def i64_ge_s(a: int, b: int) -> int:
    return int(signed64(a) >= signed64(b))


def i64_ge_u(a: int, b: int) -> int:
    return int(a >= b)


def i64_extend8_s(a: int) -> int:
    return ((a & 0xFF ^ 0x80) - 0x80) & MASK64


def i64_extend16_s(a: int) -> int:
    return ((a & 0xFFFF ^ 0x8000) - 0x8000) & MASK64


def i32_wrap_i64(a: int) -> int:
    return a & MASK32


def i64_extend_i32_s(a: int) -> int:
    return signed32(a) & MASK64


def i64_extend_i32_u(a: int) -> int:
    return a


def i64_extend32_s(a: int) -> int:
    return signed32(a & MASK32) & MASK64


def i64_add128(a_low: int, a_high: int, b_low: int, b_high: int) -> tuple[int, int]:
    """The sum modulo 2^128, low half first."""
    total = (a_high << 64 | a_low) + (b_high << 64 | b_low)
    return total & MASK64, total >> 64 & MASK64


def i64_sub128(a_low: int, a_high: int, b_low: int, b_high: int) -> tuple[int, int]:
    """The difference modulo 2^128, low half first."""
    difference = ((a_high << 64 | a_low) - (b_high << 64 | b_low)) & MASK128
    return difference & MASK64, difference >> 64


def i64_mul_wide_s(a: int, b: int) -> tuple[int, int]:
    """The full signed product, low half first."""
    product = (signed64(a) * signed64(b)) & MASK128
    return product & MASK64, product >> 64


def i64_mul_wide_u(a: int, b: int) -> tuple[int, int]:
    """The full unsigned product, low half first."""
    product = a * b
    return product & MASK64, product >> 64


UNARY: dict[int, Callable[[int], int]] = {
    opcodes.I32_EQZ: i32_eqz,
    opcodes.I64_EQZ: i64_eqz,
    opcodes.I32_CLZ: i32_clz,
    opcodes.I32_CTZ: i32_ctz,
    opcodes.I32_POPCNT: i32_popcnt,
    opcodes.I64_CLZ: i64_clz,
    opcodes.I64_CTZ: i64_ctz,
    opcodes.I64_POPCNT: i64_popcnt,
    opcodes.I32_WRAP_I64: i32_wrap_i64,
    opcodes.I64_EXTEND_I32_S: i64_extend_i32_s,
    opcodes.I64_EXTEND_I32_U: i64_extend_i32_u,
    opcodes.I32_EXTEND8_S: i32_extend8_s,
    opcodes.I32_EXTEND16_S: i32_extend16_s,
    opcodes.I64_EXTEND8_S: i64_extend8_s,
    opcodes.I64_EXTEND16_S: i64_extend16_s,
    opcodes.I64_EXTEND32_S: i64_extend32_s,
}

BINARY: dict[int, Callable[[int, int], int]] = {
    opcodes.I32_EQ: i32_eq,
    opcodes.I32_NE: i32_ne,
    opcodes.I32_LT_S: i32_lt_s,
    opcodes.I32_LT_U: i32_lt_u,
    opcodes.I32_GT_S: i32_gt_s,
    opcodes.I32_GT_U: i32_gt_u,
    opcodes.I32_LE_S: i32_le_s,
    opcodes.I32_LE_U: i32_le_u,
    opcodes.I32_GE_S: i32_ge_s,
    opcodes.I32_GE_U: i32_ge_u,
    opcodes.I64_EQ: i64_eq,
    opcodes.I64_NE: i64_ne,
    opcodes.I64_LT_S: i64_lt_s,
    opcodes.I64_LT_U: i64_lt_u,
    opcodes.I64_GT_S: i64_gt_s,
    opcodes.I64_GT_U: i64_gt_u,
    opcodes.I64_LE_S: i64_le_s,
    opcodes.I64_LE_U: i64_le_u,
    opcodes.I64_GE_S: i64_ge_s,
    opcodes.I64_GE_U: i64_ge_u,
    opcodes.I32_ADD: i32_add,
    opcodes.I32_SUB: i32_sub,
    opcodes.I32_MUL: i32_mul,
    opcodes.I32_DIV_S: i32_div_s,
    opcodes.I32_DIV_U: i32_div_u,
    opcodes.I32_REM_S: i32_rem_s,
    opcodes.I32_REM_U: i32_rem_u,
    opcodes.I32_AND: i32_and,
    opcodes.I32_OR: i32_or,
    opcodes.I32_XOR: i32_xor,
    opcodes.I32_SHL: i32_shl,
    opcodes.I32_SHR_S: i32_shr_s,
    opcodes.I32_SHR_U: i32_shr_u,
    opcodes.I32_ROTL: i32_rotl,
    opcodes.I32_ROTR: i32_rotr,
    opcodes.I64_ADD: i64_add,
    opcodes.I64_SUB: i64_sub,
    opcodes.I64_MUL: i64_mul,
    opcodes.I64_DIV_S: i64_div_s,
    opcodes.I64_DIV_U: i64_div_u,
    opcodes.I64_REM_S: i64_rem_s,
    opcodes.I64_REM_U: i64_rem_u,
    opcodes.I64_AND: i64_and,
    opcodes.I64_OR: i64_or,
    opcodes.I64_XOR: i64_xor,
    opcodes.I64_SHL: i64_shl,
    opcodes.I64_SHR_S: i64_shr_s,
    opcodes.I64_SHR_U: i64_shr_u,
    opcodes.I64_ROTL: i64_rotl,
    opcodes.I64_ROTR: i64_rotr,
}

WIDE: dict[int, Callable[..., tuple[int, int]]] = {
    opcodes.I64_ADD128: i64_add128,
    opcodes.I64_SUB128: i64_sub128,
    opcodes.I64_MUL_WIDE_S: i64_mul_wide_s,
    opcodes.I64_MUL_WIDE_U: i64_mul_wide_u,
}
"""Four operands (`add128`, `sub128`: low, high, low, high) or two; the results are (low, high)."""
