"""Host functions that run inside Wasm, with the operands that take them longest."""

from __future__ import annotations

from ewasm.fuzz.workloads import Program

__all__ = ["HOST_PROGRAMS"]

# Limbs of operands, the least significant first: dense, without a pattern that a shortcut could use.
_ONES = (1 << 64) - 1
_A, _B, _C = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8765432112345678
_DENSE = (_A, _B, _C, _ONES)
_DIVISORS = {
    "one limb": (_A, 0, 0, 0),
    "two limbs": (_A, _B, 0, 0),
    "three limbs": (_A, _B, _C, 0),
    "three limbs, rounding up": (_ONES, 0, 1, 0),
    "four limbs": (_A, _B, _C, 7),
}
_FIRST, _SECOND, _THIRD, _OUT = 64, 96, 128, 160


def _bytes(*numbers: tuple[int, ...]) -> str:
    data = b"".join(limb.to_bytes(8, "little") for number in numbers for limb in number)
    return "".join(f"\\{byte:02x}" for byte in data)


def _program(
    name: str,
    cost_class: str,
    places: tuple[int, ...],
    *numbers: tuple[int, ...],
    result: bool = False,
    turns: int = 500,
) -> Program:
    module, _, function = name.partition(".")
    arguments = " ".join(f"(i32.const {place})" for place in places)
    call = f"(call $f {arguments})"
    params = "(param" + " i32" * len(places) + ")" if places else ""
    return Program(
        cost_class,
        f"(drop {call}) " if result else f"{call} ",
        turns=turns,
        imports=f'(import "{module}" "{function}" (func $f {params} {"(result i32)" if result else ""}))',
        declarations=f'(data (i32.const 64) "{_bytes(*numbers)}") (data (i32.const 4096) "{"x" * 2_000}")',
    )


def _programs() -> dict[str, Program]:
    found = {}
    for name, second in (
        ("add256", (_B, _A, _ONES, _C)),
        ("sub256", (_B, _A, _ONES, _C)),
        ("mul256", (_B, _A, _ONES, _C)),
    ):
        price = "bignum_mul" if name == "mul256" else "bignum_cheap"
        # In place, so that each waits for the one before.
        found[name] = _program(f"bignum.{name}", price, (_FIRST, _SECOND, _FIRST), _DENSE, second)
    for name in ("shl256", "shr256", "sar256", "byte256", "signextend256"):
        amount = 69 if name.startswith("s") and name != "signextend256" else 5
        found[name] = _program(f"bignum.{name}", "bignum_cheap", (_FIRST, _SECOND, _SECOND), (amount, 0, 0, 0), _DENSE)
    for name in ("lt256", "slt256", "eq256"):
        found[name] = _program(f"bignum.{name}", "bignum_cheap", (_FIRST, _SECOND), _DENSE, _DENSE, result=True)
    dividend = (_ONES, _ONES, _ONES, _ONES - 1)
    for shape, divisor in _DIVISORS.items():
        for name in ("div256", "smod256"):
            found[f"{name}, {shape}"] = _program(
                f"bignum.{name}", "bignum_div", (_FIRST, _SECOND, _OUT), dividend, divisor
            )
        for name in ("addmod256", "mulmod256"):
            found[f"{name}, {shape}"] = _program(
                f"bignum.{name}", f"bignum_{name[:-3]}", (_FIRST, _FIRST, _SECOND, _OUT), dividend, divisor
            )
    for shape, exponent in {
        "no exponent": (0, 0, 0, 0),
        "one byte": (255, 0, 0, 0),
        "32 bytes": (_ONES, _ONES, _ONES, _ONES),
    }.items():
        found[f"exp256, {shape}"] = _program(
            "bignum.exp256", "bignum_exp", (_FIRST, _SECOND, _OUT), _DENSE, exponent, turns=40
        )
    for size in (0, 32, 136, 30_000):
        for name in ("keccak256", "sha256"):
            found[f"{name}, {size} bytes"] = _program(f"crypto.{name}", name, (64, size, 0), _DENSE, turns=20)
    for name in ("getAddress", "getCallValue", "getBaseFee"):
        found[name] = _program(f"ethereum.{name}", "context", (0,))
    found["getCallDataSize"] = _program("ethereum.getCallDataSize", "context", (), result=True)
    found["getBlobHash"] = _program("ethereum.getBlobHash", "blob_hash", (9, 0), result=True)
    for size in (0, 32, 2_000):
        found[f"codeCopy, {size} bytes"] = _program("ethereum.codeCopy", "copy", (0, 0, size))
    found["mul256, 16 MiB at random"] = Program(
        "bignum_mul",
        "".join(f"(local.set ${name} (i32.and {_STEP} (i32.const 0xffffe0))) " for name in ("y", "z", "x"))
        + "(call $f (local.get $x) (local.get $y) (local.get $z)) ",
        turns=10_000,
        pages=256,
        locals="(local $z i32)",
        imports='(import "bignum" "mul256" (func $f (param i32 i32 i32)))',
        # So that every page is there.
        start="(memory.fill (i32.const 0) (i32.const 7) (i32.const 0xffffff))",
    )
    found["finish, 1 MiB"] = Program(
        "finish",
        "(call $finish (i32.const 0) (i32.const 1048576))",
        turns=1,
        copies=1,
        pages=16,
        imports='(import "ethereum" "finish" (func $finish (param i32 i32)))',
        start="(memory.fill (i32.const 0) (i32.const 7) (i32.const 1048576))",
    )
    return found


# The next of random numbers, which nobody can guess from the one before without the multiplication.
_STEP = "(i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223))"

HOST_PROGRAMS: dict[str, Program] = _programs()
