"""256-bit arithmetic against Python integers and the EVM's rules, through whole frames, with every aliasing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewasm.eei import TABLE, bignum
from tests.unit.eei.harness import run

MODULUS = 1 << 256
EDGES = (0, 1, 2, 31, 32, 255, 256, 2**64 - 1, 2**64, 2**128, 2**255 - 1, 2**255, 2**255 + 1, MODULUS - 2, MODULUS - 1)
numbers = st.one_of(st.sampled_from(EDGES), st.integers(0, MODULUS - 1), st.integers(0, 300))


def signed(value: int) -> int:
    return value - MODULUS if value >= MODULUS // 2 else value


def truncated(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


# What the EVM's opcode of the same name gives, written from its definition.
BINARY: dict[str, tuple[Callable[[int, int], int], int]] = {
    "add256": (lambda a, b: a + b, 3),
    "sub256": (lambda a, b: a - b, 3),
    "mul256": (lambda a, b: a * b, 5),
    "div256": (lambda a, b: a // b if b else 0, 5),
    "sdiv256": (lambda a, b: truncated(signed(a), signed(b)) if b else 0, 5),
    "mod256": (lambda a, b: a % b if b else 0, 5),
    "smod256": (lambda a, b: signed(a) - signed(b) * truncated(signed(a), signed(b)) if b else 0, 5),
    "signextend256": (lambda a, b: b if a > 30 else signed_byte(a, b), 3),
    "and256": (lambda a, b: a & b, 3),
    "or256": (lambda a, b: a | b, 3),
    "xor256": (lambda a, b: a ^ b, 3),
    "shl256": (lambda a, b: b << a if a < 256 else 0, 3),
    "shr256": (lambda a, b: b // 2**a if a < 256 else 0, 3),
    "sar256": (lambda a, b: signed(b) // 2 ** min(a, 300), 3),
    "byte256": (lambda a, b: b.to_bytes(32, "big")[a] if a < 32 else 0, 3),
}
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "lt256": lambda a, b: a < b,
    "gt256": lambda a, b: a > b,
    "slt256": lambda a, b: signed(a) < signed(b),
    "sgt256": lambda a, b: signed(a) > signed(b),
    "eq256": lambda a, b: a == b,
}


def signed_byte(index: int, value: int) -> int:
    bits = 8 * (index + 1)
    low = value & ((1 << bits) - 1)
    return low - (1 << bits) if low >= 1 << (bits - 1) else low


def le(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "little") for value in values)


@pytest.mark.parametrize("name", BINARY)
@given(a=numbers, b=numbers, places=st.sampled_from([(0, 32, 1032), (1032, 0, 1032), (0, 1032, 1032)]))
def test_binary_operations(name: str, a: int, b: int, places: tuple[int, int, int]) -> None:
    operation, gas = BINARY[name]
    data = bytearray(1064)
    data[places[0] : places[0] + 32] = le(a)
    data[places[1] : places[1] + 32] = le(b)
    result, _, memory, _ = run(f"bignum.{name}", *places, data=bytes(data))
    assert int.from_bytes(memory, "little") == operation(a, b) % MODULUS
    assert result.gas_used == gas


@pytest.mark.parametrize("name", BINARY)
@given(a=numbers)
def test_both_operands_and_the_result_may_be_one_place(name: str, a: int) -> None:
    memory = run(f"bignum.{name}", 1032, 1032, 1032, data=bytes(1032) + le(a))[2]
    assert int.from_bytes(memory, "little") == BINARY[name][0](a, a) % MODULUS


@pytest.mark.parametrize("name", COMPARISONS)
@given(a=numbers, b=numbers)
def test_comparisons(name: str, a: int, b: int) -> None:
    result, value, _, _ = run(f"bignum.{name}", 0, 32, data=le(a, b))
    assert (value, result.gas_used) == (COMPARISONS[name](a, b), 3)


@given(a=numbers, b=numbers, m=numbers)
def test_modular_arithmetic_does_not_wrap(a: int, b: int, m: int) -> None:
    for name, value in (("addmod256", a + b), ("mulmod256", a * b)):
        result, _, memory, _ = run(f"bignum.{name}", 0, 32, 64, 1032, data=le(a, b, m))
        assert int.from_bytes(memory, "little") == (value % m if m else 0)
        assert result.gas_used == 8


@given(a=numbers, b=numbers)
def test_exp_pays_by_the_bytes_of_the_exponent(a: int, b: int) -> None:
    result, _, memory, _ = run("bignum.exp256", 0, 32, 1032, data=le(a, b))
    assert int.from_bytes(memory, "little") == pow(a, b, MODULUS)
    assert result.gas_used == 10 + 50 * len(b.to_bytes(32, "big").lstrip(b"\0"))


@given(a=numbers)
def test_unary_operations(a: int) -> None:
    assert int.from_bytes(run("bignum.not256", 0, 1032, data=le(a))[2], "little") == MODULUS - 1 - a
    assert run("bignum.iszero256", 0, data=le(a))[1] == (a == 0)


@pytest.mark.parametrize("name", [*BINARY, "addmod256", "mulmod256", "exp256"])
def test_operands_outside_memory_fail(name: str) -> None:
    count = 4 if name.endswith("mod256") and name[:3] in ("add", "mul") else 3
    for bad in range(count):
        places = [0] * count
        places[bad] = 65_536 - 31
        result = run(f"bignum.{name}", *places)[0]
        assert (result.is_success, result.gas_left) == (False, 0)


def test_every_row_of_the_table_is_implemented() -> None:
    assert {row.name for row in TABLE if row.module == "bignum"} == set(bignum.FUNCTIONS)
