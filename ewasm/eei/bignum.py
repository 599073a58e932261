"""256-bit arithmetic on numbers in memory: 32 bytes little-endian, wrapping; operands and result may overlap.

These are the reference versions, on Python integers. Where an engine links the Wasm library instead, the two check each
other. Meaning and corner cases are the EVM's (Yellow Paper, appendix H): division by zero gives zero.
"""

from __future__ import annotations

from collections.abc import Callable

from ewasm.eei.frame import Frame

__all__ = ["FUNCTIONS"]

_BITS = 256
_MODULUS = 1 << _BITS
_MASK = _MODULUS - 1
_SIGN = 1 << (_BITS - 1)


def _signed(value: int) -> int:
    return value - _MODULUS if value & _SIGN else value


def add(a: int, b: int) -> int:
    return (a + b) & _MASK


def sub(a: int, b: int) -> int:
    return (a - b) & _MASK


def mul(a: int, b: int) -> int:
    return (a * b) & _MASK


def div(a: int, b: int) -> int:
    return a // b if b else 0


def sdiv(a: int, b: int) -> int:
    if b == 0:
        return 0
    x, y = _signed(a), _signed(b)
    quotient = abs(x) // abs(y)
    return (-quotient if (x < 0) != (y < 0) else quotient) & _MASK


def mod(a: int, b: int) -> int:
    return a % b if b else 0


def smod(a: int, b: int) -> int:
    if b == 0:
        return 0
    x, y = _signed(a), _signed(b)
    remainder = abs(x) % abs(y)
    return (-remainder if x < 0 else remainder) & _MASK


def exp(a: int, b: int) -> int:
    return pow(a, b, _MODULUS)


def signextend(a: int, b: int) -> int:
    """`b` with everything above byte `a` (0 is the least significant) set to that byte's sign bit."""
    if a >= 31:
        return b
    bits = 8 * (a + 1)
    low = b & ((1 << bits) - 1)
    return low | (_MASK ^ ((1 << bits) - 1)) if low >> (bits - 1) else low


def and_(a: int, b: int) -> int:
    return a & b


def or_(a: int, b: int) -> int:
    return a | b


def xor(a: int, b: int) -> int:
    return a ^ b


def shl(a: int, b: int) -> int:
    return (b << a) & _MASK if a < _BITS else 0


def shr(a: int, b: int) -> int:
    return b >> a if a < _BITS else 0


def sar(a: int, b: int) -> int:
    return (_signed(b) >> min(a, _BITS)) & _MASK


def byte(a: int, b: int) -> int:
    return (b >> (8 * (31 - a))) & 0xFF if a < 32 else 0


def addmod(a: int, b: int, m: int) -> int:
    return (a + b) % m if m else 0


def mulmod(a: int, b: int, m: int) -> int:
    return (a * b) % m if m else 0


def not_(a: int) -> int:
    return a ^ _MASK


def lt(a: int, b: int) -> int:
    return int(a < b)


def gt(a: int, b: int) -> int:
    return int(a > b)


def slt(a: int, b: int) -> int:
    return int(_signed(a) < _signed(b))


def sgt(a: int, b: int) -> int:
    return int(_signed(a) > _signed(b))


def eq(a: int, b: int) -> int:
    return int(a == b)


def iszero(a: int) -> int:
    return int(a == 0)


def _binary(price: str, operation: Callable[[int, int], int]) -> Callable[[Frame, int, int, int], None]:
    def run(frame: Frame, a: int, b: int, out: int) -> None:
        frame.charge(frame.prices[price])
        frame.write_u256(out, operation(frame.read_u256(a), frame.read_u256(b)))

    return run


def _ternary(price: str, operation: Callable[[int, int, int], int]) -> Callable[[Frame, int, int, int, int], None]:
    def run(frame: Frame, a: int, b: int, m: int, out: int) -> None:
        frame.charge(frame.prices[price])
        frame.write_u256(out, operation(frame.read_u256(a), frame.read_u256(b), frame.read_u256(m)))

    return run


def _comparison(operation: Callable[[int, int], int]) -> Callable[[Frame, int, int], int]:
    def run(frame: Frame, a: int, b: int) -> int:
        frame.charge(frame.prices["bignum_cheap"])
        return operation(frame.read_u256(a), frame.read_u256(b))

    return run


def _exp256(frame: Frame, a: int, b: int, out: int) -> None:
    exponent = frame.read_u256(b)
    frame.charge(frame.prices["bignum_exp"], (exponent.bit_length() + 7) // 8)
    frame.write_u256(out, exp(frame.read_u256(a), exponent))


def _not256(frame: Frame, a: int, out: int) -> None:
    frame.charge(frame.prices["bignum_cheap"])
    frame.write_u256(out, not_(frame.read_u256(a)))


def _iszero256(frame: Frame, a: int) -> int:
    frame.charge(frame.prices["bignum_cheap"])
    return iszero(frame.read_u256(a))


FUNCTIONS: dict[str, Callable[..., int | None]] = {
    "add256": _binary("bignum_cheap", add),
    "sub256": _binary("bignum_cheap", sub),
    "mul256": _binary("bignum_mul", mul),
    "div256": _binary("bignum_div", div),
    "sdiv256": _binary("bignum_div", sdiv),
    "mod256": _binary("bignum_div", mod),
    "smod256": _binary("bignum_div", smod),
    "exp256": _exp256,
    "signextend256": _binary("bignum_cheap", signextend),
    "and256": _binary("bignum_cheap", and_),
    "or256": _binary("bignum_cheap", or_),
    "xor256": _binary("bignum_cheap", xor),
    "shl256": _binary("bignum_cheap", shl),
    "shr256": _binary("bignum_cheap", shr),
    "sar256": _binary("bignum_cheap", sar),
    "byte256": _binary("bignum_cheap", byte),
    "addmod256": _ternary("bignum_addmod", addmod),
    "mulmod256": _ternary("bignum_mulmod", mulmod),
    "not256": _not256,
    "lt256": _comparison(lt),
    "gt256": _comparison(gt),
    "slt256": _comparison(slt),
    "sgt256": _comparison(sgt),
    "eq256": _comparison(eq),
    "iszero256": _iszero256,
}
