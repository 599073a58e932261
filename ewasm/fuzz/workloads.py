"""Programs that do little but one thing, to time what each price buys.

Each is a loop around copies of a few instructions whose result the next copy needs, so that neither the compiler can
drop them nor the processor overlap them; host functions get the operands that take them longest.
"""

from __future__ import annotations

from dataclasses import dataclass

import wasmtime

__all__ = ["PROGRAMS", "Program"]

COPIES = 16


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
        locals: More of them.
        imports: What stands before the memory.
        is_initial: The empty module goes without the declarations, so that what they cost at the start counts.
    """

    cost_class: str | None
    body: str
    count: int = 1
    turns: int = 20_000
    copies: int = COPIES
    pages: int = 1
    declarations: str = ""
    start: str = ""
    locals: str = ""
    imports: str = ""
    is_initial: bool = False

    def text(self, *, empty: bool = False) -> str:
        """The module; with `empty`, the same without the body."""
        body = "" if empty else self.body * self.copies
        declarations = "" if empty and self.is_initial else self.declarations
        return f"""(module {self.imports}
          (memory (export "memory") {self.pages}) {declarations} {_OPERANDS}
          (func (export "main") (local $x i32) (local $y i32) (local $i i32) (local $p i64) (local $q i64)
            {self.locals}
            (local.set $x (i32.load (i32.const 16))) (local.set $y (i32.load (i32.const 20)))
            (local.set $p (i64.load (i32.const 24))) (local.set $q (i64.load (i32.const 32)))
            {self.start}
            (loop $next {body}
              (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                (i32.const {self.turns}))))
            (i32.store (i32.const 0) (local.get $x)) (i64.store (i32.const 8) (local.get $p))))"""

    def module(self, *, empty: bool = False) -> bytes:
        return bytes(wasmtime.wat2wasm(self.text(empty=empty)))


# Operands come from memory, where the compiler can't know them.
_OPERANDS = r'(data (i32.const 16) "\39\30\00\00\07\00\00\00\ef\cd\ab\89\67\45\23\01\07\00\00\00\00\00\00\00")'


def _chain32(instruction: str) -> str:
    return f"local.get $x local.get $y {instruction} local.set $x "


def _chain64(instruction: str) -> str:
    return f"local.get $p local.get $q {instruction} local.set $p "


_TABLE = (
    "(table 4 4 funcref) (func $leaf (param i32) (result i32) (local.get 0)) (type $t (func (param i32) (result i32)))"
)


def _wide_table(entries: int) -> str:
    return _TABLE.replace("4 4", f"{entries} {entries}") + "(elem (i32.const 0)" + " $leaf" * entries + ") "


def _spilled(count: int) -> str:
    """Each local waits for the one before, and there are more than registers."""
    return "".join(f"local.get $s{n} local.get $s{(n + 1) % count} i64.add local.set $s{n} " for n in range(count))


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
    "xor64": Program("add64", _chain64("i64.xor") + _chain64("i64.add"), count=2),
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
    "rotate32": Program("rotate32", _chain32("i32.rotl") + _chain32("i32.add")),
    "rotate64": Program("rotate64", _chain64("i64.rotr") + _chain64("i64.add")),
    "clz32": Program("count32", "local.get $x i32.clz local.get $y i32.xor local.set $x "),
    "popcnt64": Program("count64", "local.get $p i64.popcnt local.get $q i64.xor local.set $p "),
    "ctz64": Program("count64", "local.get $p i64.ctz local.get $q i64.or local.set $p "),
    "extend": Program("convert", "local.get $x i32.extend8_s local.get $y i32.add local.set $x "),
    "wrap": Program(
        "convert", "local.get $p i32.wrap_i64 i64.extend_i32_s local.get $q i64.add local.set $p ", count=2
    ),
    "select": Program("select", "local.get $x local.get $y local.get $i select local.get $y i32.add local.set $x "),
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
    "load32, 32 KiB chase": chase(32, 4_000),
    "load32, 256 KiB chase": chase(256, 20_000),
    "load32, 512 KiB chase": chase(512, 40_000),
    "load32, 1 MiB chase": chase(1_024, 40_000),
    "load32, 2 MiB chase": chase(2_048, 40_000),
    "load32, 4 MiB chase": chase(4_096, 40_000),
    "load32, 16 MiB chase": chase(16_384, 40_000),
    "store32": Program(
        "store32", ("local.get $x local.get $x i32.store offset=64 local.get $x i32.const 36 i32.xor local.set $x ")
    ),
    "store32, 16 MiB at random": Program(
        "store32",
        (
            "local.get $x i32.const 1664525 i32.mul i32.const 1013904223 i32.add local.tee $x "
            "i32.const 0xfffffc i32.and local.get $x i32.store "
        ),
        turns=40_000,
        pages=256,
        start=_CHASE.format(mask=(16 << 20) - 4, size=16 << 20),
    ),
    "store64": Program(
        "store64", ("local.get $x local.get $p i64.store offset=64 local.get $x i32.const 5 i32.xor local.set $x ")
    ),
    "store then load": Program(
        "store32", ("local.get $y local.get $x i32.store offset=64 local.get $y i32.load8_u offset=64 local.set $x ")
    ),
    "locals that do not fit into registers": Program(
        "local_get",
        _spilled(40),
        copies=1,
        start=" ".join(f"local.get $p local.set $s{n}" for n in range(40)),
        locals=" ".join(f"(local $s{n} i64)" for n in range(40)),
    ),
    "global, across calls": Program(
        "global_get",
        "call $count ",
        declarations=(
            "(global $g (mut i64) (i64.const 1)) (func $count (global.set $g (i64.add (global.get $g) (i64.const 3))))"
        ),
    ),
    "global_set": Program(
        "global_set",
        "global.get $g local.get $q i64.add global.set $g ",
        declarations="(global $g (mut i64) (i64.const 1))",
    ),
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
        "local.get $x " * 64 + "call $wide local.set $x ",
        declarations="(func $wide (param" + " i32" * 64 + ") (result i32) (local.get 63))",
        turns=2_000,
    ),
    "call, many results": Program(
        "call",
        "call $many" + " drop" * 15 + " local.set $x ",
        declarations="(func $many (result" + " i32" * 16 + ")" + " (i32.const 1)" * 16 + ")",
        turns=2_000,
    ),
    "call, many locals": Program(
        "call",
        "local.get $x call $frame local.set $x ",
        declarations=(
            "(func $frame (param i32) (result i32) (local"
            + " i64" * 200
            + ") (loop $l "
            + "".join(f"(local.set {n} (i64.add (local.get {n}) (local.get {n + 1})))" for n in range(1, 200))
            + "(br_if $l (i32.eqz (local.get 0)))) (i32.add (local.get 0) (i32.wrap_i64 (local.get 1))))"
        ),
        turns=200,
    ),
    "call_indirect": Program(
        "call_indirect",
        ("local.get $x local.get $x i32.const 3 i32.and call_indirect (type $t) local.set $x "),
        declarations=_TABLE + _FIRST,
    ),
    "call_indirect, unpredictable": Program(
        "call_indirect",
        (
            "local.get $x i32.const 1664525 i32.mul i32.const 1013904223 i32.add local.tee $x "
            "local.get $x i32.const 30 i32.shr_u call_indirect (type $t) local.set $x "
        ),
        declarations=_TABLE + "(func $three (param i32) (result i32) (i32.add (local.get 0) (i32.const 3)))"
        "(func $five (param i32) (result i32) (i32.mul (local.get 0) (i32.const 5)))"
        "(func $six (param i32) (result i32) (i32.xor (local.get 0) (i32.const 6)))"
        "(elem (i32.const 0) $leaf $three $five $six)",
    ),
    "return_call": Program(
        "return_call",
        "local.get $x call $down local.set $x ",
        declarations="(func $down (param i32) (result i32) (return_call $again (local.get 0) (i32.const 50)))"
        "(func $again (param i32 i32) (result i32) (if (i32.eqz (local.get 1)) (then (return (local.get 0))))"
        " (return_call $again (i32.add (local.get 0) (i32.const 3)) (i32.sub (local.get 1) (i32.const 1))))",
        turns=500,
    ),
    "memory_size": Program("memory_size", "memory.size local.get $x i32.add local.set $x "),
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
    "page: grown and touched": Program(
        "page_grown",
        "i32.const 1 memory.grow i32.const 16 i32.shl local.set $x "
        + "".join(f"local.get $x i32.const 1 i32.store8 offset={place} " for place in range(0, 65_536, 4_096)),
        turns=8,
        declarations="",
    ),
    "memory_copy, some bytes": Program(
        "memory_copy",
        "i32.const 0 i32.const 1000 local.get $x i32.const 31 i32.and memory.copy "
        "local.get $x i32.const 7 i32.add local.set $x ",
        turns=2_000,
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
    "data_drop": Program("data_drop", "data.drop 0 ", turns=2_000, declarations='(data "x")'),
    "table_size": Program(
        "table_size", "table.size 0 local.get $x i32.add local.set $x ", declarations=_TABLE.replace("4 4", "4 8")
    ),
    "table_grow": Program(
        "table_grow", "ref.null func i32.const 0 table.grow 0 local.set $x ", turns=400, declarations=_TABLE
    ),
    "table_fill": Program(
        "table_fill", "i32.const 0 ref.func $leaf i32.const 4 table.fill 0 ", turns=1_000, declarations=_TABLE + _FIRST
    ),
    "table_copy": Program(
        "table_copy", "i32.const 0 i32.const 1 i32.const 3 table.copy ", turns=1_000, declarations=_TABLE + _FIRST
    ),
    "ref_func": Program("ref_func", "ref.func $leaf drop ", turns=4_000, declarations=_TABLE + _FIRST),
    "table_copy, 1,000 entries": Program(
        "table_copy",
        "i32.const 0 i32.const 1000 i32.const 1000 table.copy ",
        turns=10,
        declarations=_wide_table(2_000),
    ),
    "table_init, 1,000 entries": Program(
        "table_init",
        "i32.const 0 i32.const 0 i32.const 1000 table.init 0 $passive ",
        turns=10,
        declarations=_wide_table(1_000) + "(elem $passive func" + " $leaf" * 1_000 + ")",
    ),
    "first calls through a table": Program(
        "table_initial",
        "(local.set $y (i32.const 0)) (loop $each"
        " (local.set $x (call_indirect (type $t) (local.get $x) (local.get $y)))"
        " (br_if $each (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (i32.const 4000)))) ",
        turns=1,
        copies=1,
        declarations=_wide_table(4_000),
        is_initial=True,
    ),
    "ref_is_null": Program(
        "ref",
        "local.get $x i32.const 3 i32.and table.get 0 ref.is_null local.get $y i32.add local.set $x ",
        turns=4_000,
        declarations=_TABLE + _FIRST,
    ),
}
