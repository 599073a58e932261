"""`make calibrate`: does a gas buy the same time everywhere?

For each cost class there is a program that does little else. It runs metered on the native engine; the table gives its
nanoseconds for one gas against the median of all of them, and the price at which it would stand at the median. The
requirement (PROTOCOL section 3) is that none lies further than a factor of 3 from the median on the dear side of time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import wasmtime
from rich.console import Console
from rich.table import Table

from ewasm.engine.native import NativeEngine
from ewasm.fuzz.world import FakeHost, message
from ewasm.metering.schedule import PARTICLES_PER_GAS
from ewasm.rules import EWASM_2026, RULES, Rules
from ewasm.vm import VM
from tests.bench.measure import GAS, least_ns

COPIES = 16
FACTOR = 3.0


@dataclass(frozen=True, slots=True)
class Program:
    """A loop around copies of a few instructions.

    Attributes:
        cost_class: The class that the time should go to, or None for a mixture.
        body: Instructions that leave the stack as it was; locals are $x $y $i (i32), $p $q (i64).
        count: How many instructions of the class the body has.
        turns: Of the loop.
        copies: Of the body in the loop.
        pages: Of memory.
        declarations: More of the module.
        start: Instructions before the loop.
    """

    cost_class: str | None
    body: str
    count: int = 1
    turns: int = 20_000
    copies: int = COPIES
    pages: int = 1
    declarations: str = ""
    start: str = ""

    def module(self, *, empty: bool = False) -> bytes:
        body = "" if empty else self.body * self.copies
        return bytes(
            wasmtime.wat2wasm(f"""(module (memory (export "memory") {self.pages}) {self.declarations} {_OPERANDS}
              (func (export "main") (local $x i32) (local $y i32) (local $i i32) (local $p i64) (local $q i64)
                (local.set $x (i32.load (i32.const 16))) (local.set $y (i32.load (i32.const 20)))
                (local.set $p (i64.load (i32.const 24))) (local.set $q (i64.load (i32.const 32)))
                {self.start}
                (loop $next {body}
                  (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                    (i32.const {self.turns}))))
                (i32.store (i32.const 0) (local.get $x)) (i64.store (i32.const 8) (local.get $p))))""")
        )


# Operands come from memory, where the compiler can't know them.
_OPERANDS = r'(data (i32.const 16) "\39\30\00\00\07\00\00\00\ef\cd\ab\89\67\45\23\01\07\00\00\00\00\00\00\00")'


def _chain32(instruction: str) -> str:
    return f"local.get $x local.get $y {instruction} local.set $x "


def _chain64(instruction: str) -> str:
    return f"local.get $p local.get $q {instruction} local.set $p "


_TABLE = (
    "(table 4 4 funcref) (func $leaf (param i32) (result i32) (local.get 0)) (type $t (func (param i32) (result i32)))"
)
_FIRST = "(elem (i32.const 0) $leaf $leaf $leaf $leaf)"
# A chase through memory: each load gives the address of the next.
_CHASE = """(local.set $y (i32.const 0)) (loop $fill
  (i32.store (local.get $y) (i32.and (i32.add (i32.mul (local.get $y) (i32.const 1664525)) (i32.const 1013904224))
    (i32.const {mask}))) (local.set $y (i32.add (local.get $y) (i32.const 4)))
  (br_if $fill (i32.lt_u (local.get $y) (i32.const {size}))))
(local.set $x (i32.const 64)) (local.set $y (i32.const 7))"""


def chase(kib: int, turns: int) -> Program:
    size = kib << 10
    return Program(
        "load32",
        "local.get $x i32.load local.set $x ",
        turns=turns,
        pages=max(1, size >> 16),
        start=_CHASE.format(mask=size - 4, size=size),
    )


PROGRAMS: dict[str, Program] = {
    "add32": Program("add32", _chain32("i32.add")),
    "add64": Program("add64", _chain64("i64.add")),
    "xor64": Program("add64", _chain64("i64.xor")),
    "mul32": Program("mul32", _chain32("i32.mul")),
    "mul64": Program("mul64", _chain64("i64.mul")),
    "div_u32": Program("div32", _chain32("i32.div_u"), turns=4_000),
    "rem_s32": Program(
        "div32", ("local.get $x i32.const 0x7fffffff i32.or local.get $y i32.rem_s local.set $x "), turns=4_000
    ),
    "div_u64": Program("div64", ("local.get $p i64.const -1 i64.or local.get $q i64.div_u local.set $p "), turns=4_000),
    "rem_s64": Program(
        "div64", ("local.get $p i64.const 0x7fffffffffffffff i64.or local.get $q i64.rem_s local.set $p "), turns=4_000
    ),
    "compare32": Program("compare32", _chain32("i32.lt_s")),
    "compare64": Program("compare64", "local.get $p local.get $q i64.lt_s i64.extend_i32_u local.set $p "),
    "shift32": Program("shift32", _chain32("i32.shl")),
    "shift64": Program("shift64", _chain64("i64.shr_u")),
    "rotate32": Program("rotate32", _chain32("i32.rotl")),
    "rotate64": Program("rotate64", _chain64("i64.rotr")),
    "clz32": Program("count32", "local.get $x i32.clz local.get $y i32.xor local.set $x "),
    "popcnt64": Program("count64", "local.get $p i64.popcnt local.get $q i64.xor local.set $p "),
    "ctz64": Program("count64", "local.get $p i64.ctz local.get $q i64.or local.set $p "),
    "extend": Program("convert", "local.get $x i32.extend8_s local.set $x "),
    "wrap": Program("convert", "local.get $p i32.wrap_i64 i64.extend_i32_s local.set $p ", count=2),
    "select": Program("select", "local.get $x local.get $y local.get $i select local.set $x "),
    "select, unpredictable": Program(
        "select",
        (
            "local.get $x i32.const 1664525 i32.mul local.tee $x local.get $y local.get $x "
            "i32.const 65536 i32.and select local.set $x "
        ),
    ),
    "add128": Program(
        "add128", ("local.get $p local.get $q local.get $q local.get $p i64.add128 local.set $q local.set $p ")
    ),
    "mul_wide": Program("mul_wide", "local.get $p local.get $q i64.mul_wide_u local.set $q local.set $p "),
    "load32": Program("load32", "local.get $x i32.const 1020 i32.and i32.load local.set $x "),
    "load64": Program("load64", "local.get $p i32.wrap_i64 i32.const 1016 i32.and i64.load local.set $p "),
    "load32, 256 KiB chase": chase(256, 4_000),
    "load32, 2 MiB chase": chase(2_048, 4_000),
    "load32, 16 MiB chase": chase(16_384, 40_000),
    "store32": Program(
        "store32", ("local.get $x local.get $x i32.store offset=64 local.get $x i32.const 36 i32.xor local.set $x ")
    ),
    "store64": Program(
        "store64", ("local.get $x local.get $p i64.store offset=64 local.get $x i32.const 5 i32.xor local.set $x ")
    ),
    "store then load": Program(
        "store32", ("local.get $y local.get $x i32.store offset=64 local.get $y i32.load8_u offset=64 local.set $x ")
    ),
    "local_get": Program("local_get", "local.get $x drop " * 4, count=4),
    "local_set": Program("local_set", "local.get $x local.get $y local.set $x local.set $y ", count=2),
    "global_get": Program(
        "global_get",
        "global.get $g local.get $p i64.xor local.tee $p global.set $g ",
        declarations="(global $g (mut i64) (i64.const 1))",
    ),
    "global_set": Program(
        "global_set",
        "global.get $g local.get $q i64.add global.set $g ",
        declarations="(global $g (mut i64) (i64.const 1))",
    ),
    "block": Program("block", "block end "),
    "br": Program("br", "block br 0 end "),
    "br_if, not taken": Program("br_if", "block local.get $i i32.eqz br_if 0 end "),
    "br_if, unpredictable": Program(
        "br_if",
        (
            "block local.get $x i32.const 1664525 i32.mul i32.const 1013904223 i32.add "
            "local.tee $x i32.const 16 i32.shr_u i32.const 1 i32.and br_if 0 local.get $y "
            "i32.const 1 i32.add local.set $y end "
        ),
    ),
    "if": Program("if", "local.get $i if local.get $y local.set $x else local.get $x local.set $y end "),
    "br_table, unpredictable": Program(
        "br_table",
        (
            "block block block block local.get $x i32.const 1664525 i32.mul i32.const "
            "1013904223 i32.add local.tee $x i32.const 30 i32.shr_u br_table 0 1 2 3 end "
            "local.get $y i32.const 1 i32.add local.set $y br 2 end local.get $y i32.const "
            "3 i32.xor local.set $y br 1 end local.get $y i32.const 5 i32.mul local.set $y "
            "end "
        ),
    ),
    "loop": Program(
        "loop", ("i32.const 3 local.set $y loop local.get $y i32.const 1 i32.sub local.tee $y br_if 0 end "), count=3
    ),
    "call": Program("call", "local.get $x call $leaf local.set $x ", declarations=_TABLE + _FIRST),
    "call, many parameters": Program(
        "call",
        "local.get $x " * 12 + "call $wide local.set $x ",
        declarations="(func $wide (param" + " i32" * 12 + ") (result i32) (local.get 11))",
        turns=5_000,
    ),
    "call_indirect": Program(
        "call_indirect",
        ("local.get $x local.get $x i32.const 3 i32.and call_indirect (type $t) local.set $x "),
        declarations=_TABLE + _FIRST,
    ),
    "memory_size": Program("memory_size", "memory.size local.set $x "),
    "memory_grow": Program("memory_grow", "i32.const 0 memory.grow local.set $x ", turns=400),
    "memory_copy, 32 bytes": Program(
        "memory_copy", "i32.const 0 i32.const 1000 i32.const 32 memory.copy ", turns=2_000
    ),
    "memory_copy, 32 KiB": Program("memory_copy", "i32.const 0 i32.const 32000 i32.const 32000 memory.copy ", turns=20),
    "memory_copy, 4 MiB": Program(
        "memory_copy", "i32.const 0 i32.const 4194304 i32.const 4194304 memory.copy ", turns=1, copies=8, pages=128
    ),
    "memory_fill, 32 bytes": Program("memory_fill", "i32.const 0 i32.const 1 i32.const 32 memory.fill ", turns=2_000),
    "memory_fill, 8 MiB": Program(
        "memory_fill", "i32.const 0 i32.const 1 i32.const 8388608 memory.fill ", turns=1, copies=8, pages=128
    ),
    "first touch of a page": Program(
        "memory_fill",
        ("local.get $x i32.const 1 i32.store8 local.get $x i32.const 4096 i32.add local.set $x "),
        turns=250,
        pages=256,
        start="(local.set $x (i32.const 65536))",
    ),
    "memory_init": Program(
        "memory_init",
        "i32.const 0 i32.const 0 i32.const 32 memory.init 0 ",
        turns=2_000,
        declarations='(data "' + "x" * 64 + '")',
    ),
    "table_get": Program("table_get", "i32.const 1 table.get 0 drop ", turns=4_000, declarations=_TABLE + _FIRST),
    "table_set": Program(
        "table_set", "i32.const 1 ref.func $leaf table.set 0 ", turns=4_000, declarations=_TABLE + _FIRST
    ),
    "table_size": Program("table_size", "table.size 0 local.set $x ", declarations=_TABLE),
    "table_grow": Program(
        "table_grow", "ref.null func i32.const 0 table.grow 0 local.set $x ", turns=400, declarations=_TABLE
    ),
    "table_fill": Program(
        "table_fill", "i32.const 0 ref.func $leaf i32.const 4 table.fill 0 ", turns=1_000, declarations=_TABLE + _FIRST
    ),
    "table_copy": Program(
        "table_copy", "i32.const 0 i32.const 1 i32.const 3 table.copy ", turns=1_000, declarations=_TABLE + _FIRST
    ),
    "ref_func": Program("ref", "ref.func $leaf drop ", turns=4_000, declarations=_TABLE + _FIRST),
    "ref_is_null": Program("ref", "ref.null func ref.is_null local.set $x ", turns=4_000),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one program took, without its loop.

    Attributes:
        ns: Of one body.
        particles: Of one body.
    """

    ns: float
    particles: float

    @property
    def ns_per_gas(self) -> float:
        return self.ns / self.particles * PARTICLES_PER_GAS


def measure(program: Program, rules: Rules, repeats: int) -> Measured:
    """Time and gas of a program's bodies: the whole, less the same with an empty loop."""
    vm = VM(rules, NativeEngine("cranelift"))
    request = message(gas=GAS)
    used: list[int] = []

    def side(code: bytes) -> None:
        result = vm.execute(FakeHost(), request, code)
        if not result.is_success:
            raise RuntimeError(f"{program}: {result.status}, {result.error}")
        used.append(result.gas_used)

    whole, empty = program.module(), program.module(empty=True)
    side(whole)
    side(empty)
    gas = used[0] - used[1]
    ns, ns_empty = least_ns([lambda: side(whole), lambda: side(empty)], repeats)
    bodies = program.turns * program.copies
    return Measured((ns - ns_empty) / bodies, gas * PARTICLES_PER_GAS / bodies)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", choices=RULES, default=EWASM_2026.name)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--only", action="append", help="names of programs")
    parser.add_argument("--out", type=Path, default=Path("build/calibration.json"))
    options = parser.parse_args()
    rules = RULES[options.rules]
    found = {}
    for name, program in PROGRAMS.items():
        if options.only and name not in options.only:
            continue
        print(f"measuring {name}", file=sys.stderr)
        found[name] = measure(program, rules, options.repeats)
    median = statistics.median(m.ns_per_gas for m in found.values())
    table = Table(title=f"{rules.schedule.name}: median {median:.1f} ns a gas")
    for column in ("program", "class", "price", "ns", "gas", "ns a gas", "of the median", "price at the median"):
        table.add_column(column, justify="left" if column in ("program", "class") else "right")
    rows = {}
    for name, got in sorted(found.items(), key=lambda item: -item[1].ns_per_gas):
        program = PROGRAMS[name]
        relative = got.ns_per_gas / median
        price = rules.schedule.opcodes[program.cost_class] if program.cost_class else 0
        others = got.particles - price * program.count
        wanted = max(0.0, (got.ns / median * PARTICLES_PER_GAS - others) / program.count)
        rows[name] = {
            "class": program.cost_class,
            "price": price,
            "ns": round(got.ns, 3),
            "gas": round(got.particles / PARTICLES_PER_GAS, 5),
            "ns_per_gas": round(got.ns_per_gas, 2),
            "of_median": round(relative, 3),
            "price_at_median": round(wanted),
        }
        table.add_row(
            name, program.cost_class, str(price), f"{got.ns:.2f}", f"{got.particles / PARTICLES_PER_GAS:.4f}",
            f"{got.ns_per_gas:.1f}", f"{relative:.2f}" + (" !" if relative > FACTOR else ""), f"{wanted:.0f}",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 130).print(table)
    slow = [name for name, got in found.items() if got.ns_per_gas > FACTOR * median]
    print(f"{len(rows)} programs, {len(slow)} slower than {FACTOR:g} times the median a gas")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
