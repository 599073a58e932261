"""A search for programs that take long for their gas.

Bodies of loops are put together from fragments, timed, and the slowest for their gas bred further: a fragment more, one
less, one for another, two bodies joined. What counts is nanoseconds a gas against the median of `workloads`, in which
each cost class has its own worst case; the search looks for what several do to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from ewasm.fuzz.timing import Stopwatch
from ewasm.fuzz.workloads import Program

__all__ = ["Candidate", "program_of", "search"]

_PAGES = (1, 16, 17, 32, 33, 256)
_MOST_FRAGMENTS = 24
_POPULATION = 24
_NEW = 0.2
_LOOP_PARTICLES = 3_000_000_000
"""What a timed loop costs, about: at 10 ns a gas 3 ms, beside which nothing else counts."""
_TRIAL_TURNS = 200

_I32, _I64 = ("$x", "$y", "$z"), ("$p", "$q", "$r")
_OPERATORS_32 = (
    "add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr",
    "eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "ge_u",
)  # fmt: skip
_UNARY = ("clz", "ctz", "popcnt")
_DIVISIONS = ("div_u", "rem_u", "div_s", "rem_s")
_BIGNUM = (
    "add256", "sub256", "mul256", "div256", "sdiv256", "mod256", "smod256", "shl256", "sar256", "signextend256",
    "lt256",
)  # fmt: skip
_LOADS_32 = ("i32.load", "i32.load8_s", "i32.load16_u")
_LOADS_64 = ("i64.load", "i64.load32_s", "i64.load8_u")

_IMPORTS = "".join(
    f'(import "bignum" "{name}" (func ${name} (param i32 i32{"" if name == "lt256" else " i32"})'
    f"{' (result i32)' if name == 'lt256' else ''}))"
    for name in _BIGNUM
) + (
    '(import "bignum" "mulmod256" (func $mulmod256 (param i32 i32 i32 i32)))'
    '(import "crypto" "keccak256" (func $keccak256 (param i32 i32 i32)))'
    '(import "ethereum" "getCaller" (func $getCaller (param i32)))'
    '(import "ethereum" "codeCopy" (func $codeCopy (param i32 i32 i32)))'
    '(import "ethereum" "getGasLeft" (func $getGasLeft (result i64)))'
)
_DECLARATIONS = (
    "(type $t (func (param i32) (result i32))) (table 4 8 funcref) (elem (i32.const 0) $f0 $f1 $f2 $f3) "
    "(global $g (mut i64) (i64.const 1)) (global $h (mut i32) (i32.const 1)) "
    "(func $f0 (type $t) (local.get 0)) (func $f1 (type $t) (i32.add (local.get 0) (i32.const 3)))"
    "(func $f2 (type $t) (i32.mul (local.get 0) (i32.const 5)))"
    "(func $f3 (type $t) (i32.wrap_i64 (global.get $g)))"
    "(func $wide (param" + " i32" * 32 + ") (result i32) (local.get 31))"
    "(func $many (param i32) (result" + " i32" * 16 + ")" + "(local.get 0)" * 16 + ")"
    "(func $down (param i32) (result i32) (if (result i32) (i32.and (local.get 0) (i32.const 7))"
    " (then (return_call $down (i32.sub (local.get 0) (i32.const 1)))) (else (local.get 0))))"
)
_LOCALS = "(local $z i32) (local $r i64)" + "".join(f"(local $s{n} i64)" for n in range(24))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A body of a loop.

    Attributes:
        fragments: WebAssembly text of its parts; each leaves the stack as it was.
        pages: Of memory, all of them touched before the loop.
        ns_per_gas: What was measured; 0 before.
    """

    fragments: tuple[str, ...]
    pages: int
    ns_per_gas: float = field(default=0.0, compare=False)


def program_of(candidate: Candidate, turns: int = _TRIAL_TURNS) -> Program:
    """The program that is timed."""
    return Program(
        None,
        " ".join(candidate.fragments) + " ",
        turns=turns,
        copies=1,
        pages=candidate.pages,
        imports=_IMPORTS,
        declarations=_DECLARATIONS,
        locals=_LOCALS,
        start=f"""(loop $fill (i32.store (local.get $z) (i32.mul (local.get $z) (i32.const 1664525)))
          (br_if $fill (i32.lt_u (local.tee $z (i32.add (local.get $z) (i32.const 1020)))
            (i32.const {candidate.pages << 16}))))""",
    )


# -- fragments ---------------------------------------------------------------------------------------------------


def _address(rng: Random, pages: int, room: int = 64) -> str:
    """An address inside memory, of a local; `room` bytes follow it."""
    size = (pages << 16) if rng.random() < 0.7 else 4_096
    return f"(i32.and (local.get {rng.choice(_I32)}) (i32.const {size - room}))"


def _random32(rng: Random, _pages: int) -> str:
    local = rng.choice(_I32)
    return f"(local.set {local} (i32.add (i32.mul (local.get {local}) (i32.const 1664525)) (i32.const 1013904223)))"


def _arithmetic32(rng: Random, _pages: int) -> str:
    out, a, b = (rng.choice(_I32) for _ in range(3))
    return f"(local.set {out} (i32.{rng.choice(_OPERATORS_32)} (local.get {a}) (local.get {b})))"


def _arithmetic64(rng: Random, _pages: int) -> str:
    out, a, b = (rng.choice(_I64) for _ in range(3))
    name = rng.choice(_OPERATORS_32[:11])
    return f"(local.set {out} (i64.{name} (local.get {a}) (local.get {b})))"


def _unary(rng: Random, _pages: int) -> str:
    kind, locals_ = rng.choice((("i32", _I32), ("i64", _I64)))
    name = rng.choice((*_UNARY, "extend8_s"))
    return f"(local.set {rng.choice(locals_)} ({kind}.{name} (local.get {rng.choice(locals_)})))"


def _conversion(rng: Random, _pages: int) -> str:
    if rng.random() < 0.5:
        return f"(local.set {rng.choice(_I32)} (i32.wrap_i64 (local.get {rng.choice(_I64)})))"
    return f"(local.set {rng.choice(_I64)} (i64.extend_i32_{rng.choice('su')} (local.get {rng.choice(_I32)})))"


def _division(rng: Random, _pages: int) -> str:
    """The divisor is odd and positive, so that nothing traps."""
    kind, locals_ = rng.choice((("i32", _I32), ("i64", _I64)))
    a, b = rng.choice(locals_), rng.choice(locals_)
    divisor = f"({kind}.or ({kind}.shr_u (local.get {b}) ({kind}.const {rng.choice((1, 12, 28))})) ({kind}.const 1))"
    dividend = f"({kind}.or (local.get {a}) ({kind}.const -1))" if rng.random() < 0.3 else f"(local.get {a})"
    return f"(local.set {rng.choice(locals_)} ({kind}.{rng.choice(_DIVISIONS)} {dividend} {divisor}))"


def _load(rng: Random, pages: int) -> str:
    if rng.random() < 0.5:
        return f"(local.set {rng.choice(_I32)} ({rng.choice(_LOADS_32)} {_address(rng, pages)}))"
    return f"(local.set {rng.choice(_I64)} ({rng.choice(_LOADS_64)} {_address(rng, pages)}))"


def _store(rng: Random, pages: int) -> str:
    if rng.random() < 0.5:
        return f"({rng.choice(('i32.store', 'i32.store8'))} {_address(rng, pages)} (local.get {rng.choice(_I32)}))"
    return f"({rng.choice(('i64.store', 'i64.store16'))} {_address(rng, pages)} (local.get {rng.choice(_I64)}))"


def _forward(rng: Random, pages: int) -> str:
    """Bytes stored, then loaded as one word: the processor can't hand them on."""
    place = _address(rng, pages)
    local = rng.choice(_I32)
    return (
        f"(i32.store8 {place} (local.get {local})) (i32.store8 offset=1 {place} (local.get {local}))"
        f" (local.set {rng.choice(_I32)} (i32.load {place}))"
    )


def _global(rng: Random, _pages: int) -> str:
    if rng.random() < 0.5:
        return f"(global.set $g (i64.add (global.get $g) (local.get {rng.choice(_I64)})))"
    return f"(local.set {rng.choice(_I32)} (global.get $h)) (global.set $h (local.get {rng.choice(_I32)}))"


def _branch(rng: Random, pages: int) -> str:
    condition = f"(i32.and (i32.shr_u (local.get {rng.choice(_I32)}) (i32.const {rng.randrange(32)})) (i32.const 1))"
    inside = " ".join(rng.choice(_PLAIN)(rng, pages) for _ in range(rng.randrange(3)))
    if rng.random() < 0.5:
        return f"(if {condition} (then {inside}) (else {rng.choice(_PLAIN)(rng, pages)}))"
    return f"(block (br_if 0 {condition}) {inside})"


def _table_branch(rng: Random, pages: int) -> str:
    index = f"(i32.shr_u (local.get {rng.choice(_I32)}) (i32.const 30))"
    parts = [rng.choice(_PLAIN)(rng, pages) for _ in range(3)]
    return f"(block (block (block (block (br_table 0 1 2 3 {index})) {parts[0]} (br 2)) {parts[1]} (br 1)) {parts[2]})"


def _select(rng: Random, _pages: int) -> str:
    out, a, b, c = (rng.choice(_I32) for _ in range(4))
    return f"(local.set {out} (select (local.get {a}) (local.get {b}) (i32.and (local.get {c}) (i32.const 4096))))"


def _call(rng: Random, _pages: int) -> str:
    local = rng.choice(_I32)
    shape = rng.randrange(5)
    if shape == 0:
        return f"(local.set {local} (call $f{rng.randrange(4)} (local.get {rng.choice(_I32)})))"
    if shape == 1:
        return f"(local.set {local} (call $wide" + f" (local.get {rng.choice(_I32)})" * 32 + "))"
    if shape == 2:
        return f"(call $many (local.get {local}))" + " drop" * 15 + f" local.set {local}"
    if shape == 3:
        return f"(local.set {local} (call $down (local.get {rng.choice(_I32)})))"
    index = f"(i32.shr_u (local.get {rng.choice(_I32)}) (i32.const {rng.choice((30, 31))}))"
    return f"(local.set {local} (call_indirect (type $t) (local.get {rng.choice(_I32)}) {index}))"


def _wide(rng: Random, _pages: int) -> str:
    high, low = rng.sample(_I64, 2)
    if rng.random() < 0.5:
        name = rng.choice(("mul_wide_u", "mul_wide_s"))
        return f"(i64.{name} (local.get {rng.choice(_I64)}) (local.get {low})) local.set {high} local.set {low}"
    operands = " ".join(f"(local.get {rng.choice(_I64)})" for _ in range(4))
    return f"(i64.{rng.choice(('add128', 'sub128'))} {operands}) local.set {high} local.set {low}"


def _bulk(rng: Random, pages: int) -> str:
    length = rng.choice(("(i32.const 8)", "(i32.and (local.get $x) (i32.const 63))", "(i32.const 200)"))
    if rng.random() < 0.6:
        return f"(memory.copy {_address(rng, pages, 256)} {_address(rng, pages, 256)} {length})"
    return f"(memory.fill {_address(rng, pages, 256)} (local.get {rng.choice(_I32)}) {length})"


def _table(rng: Random, _pages: int) -> str:
    local = rng.choice(_I32)
    index = f"(i32.and (local.get {local}) (i32.const 3))"
    return rng.choice((
        f"(local.set {local} (ref.is_null (table.get 0 {index})))",
        f"(table.set 0 {index} (ref.func $f0))",
        f"(table.set 0 {index} (table.get 0 {index}))",
        f"(local.set {local} (table.size 0))",
        f"(table.copy {index} (i32.const 0) (i32.const 1))",
        f"(local.set {local} (table.grow 0 (ref.null func) (i32.const 0)))",
        "(table.fill 0 (i32.const 4) (ref.null func) (i32.const 0))",
    ))  # fmt: skip


def _host(rng: Random, pages: int) -> str:
    a, b, c, d = (_address(rng, pages, 64) for _ in range(4))
    name = rng.choice((*_BIGNUM, *_BIGNUM, "mulmod256", "keccak256", "getCaller", "codeCopy", "getGasLeft"))
    match name:
        case "lt256":
            return f"(local.set {rng.choice(_I32)} (call $lt256 {a} {b}))"
        case "mulmod256":
            return f"(call $mulmod256 {a} {b} {c} {d})"
        case "keccak256":
            return f"(call $keccak256 {a} (i32.const {rng.choice((0, 32, 63))}) {b})"
        case "getCaller":
            return f"(call $getCaller {a})"
        case "codeCopy":
            return f"(call $codeCopy {a} (i32.const 0) (i32.const {rng.choice((0, 1, 33, 63))}))"
        case "getGasLeft":
            return f"(local.set {rng.choice(_I64)} (call $getGasLeft))"
        case _:
            return f"(call ${name} {a} {b} {c})"


def _size(rng: Random, _pages: int) -> str:
    name = rng.choice(("memory.size", "memory.grow (i32.const 0)"))
    return f"(local.set {rng.choice(_I32)} ({name}))"


def _spilled(rng: Random, _pages: int) -> str:
    start = rng.randrange(24)
    return " ".join(
        f"(local.set $s{n % 24} (i64.add (local.get $s{n % 24}) (local.get $s{(n + 7) % 24})))"
        for n in range(start, start + rng.randrange(2, 24))
    )


_Fragment = Callable[[Random, int], str]
_PLAIN: tuple[_Fragment, ...] = (_arithmetic32, _arithmetic64, _random32, _load, _store)
_FRAGMENTS: tuple[_Fragment, ...] = (
    *_PLAIN, _unary, _conversion, _division, _load, _forward, _global, _branch, _table_branch, _select, _call, _wide,
    _bulk, _table, _host, _size, _spilled,
)  # fmt: skip


# -- the search --------------------------------------------------------------------------------------------------


def _fragment(rng: Random, pages: int) -> str:
    return rng.choice(_FRAGMENTS)(rng, pages)


def _new(rng: Random) -> Candidate:
    pages = rng.choice(_PAGES)
    return Candidate(tuple(_fragment(rng, pages) for _ in range(rng.randint(1, 8))), pages)


def _child(rng: Random, parents: list[Candidate]) -> Candidate:
    first = rng.choice(parents)
    parts = list(first.fragments)
    place = rng.randrange(len(parts))
    match rng.randrange(5):
        case 0:
            parts.insert(place, _fragment(rng, first.pages))
        case 1 if len(parts) > 1:
            del parts[place]
        case 2:
            parts[place] = _fragment(rng, first.pages)
        case 3:
            other = rng.choice([c for c in parents if c.pages == first.pages])
            parts = parts[:place] + list(other.fragments)
        case _:
            parts.append(rng.choice(parts))
    return Candidate(tuple(parts[:_MOST_FRAGMENTS]), first.pages)


def search(seed: int, cases: int, stopwatch: Stopwatch) -> Iterator[Candidate]:
    """Time `cases` programs, each better founded than the last; yields every one with its time.

    Raises:
        RuntimeError: A program fails, which none should.
    """
    rng = Random(seed)
    best: list[Candidate] = []
    for number in range(cases):
        fresh = number < _POPULATION or rng.random() < _NEW
        candidate = _new(rng) if fresh else _child(rng, best)
        timed = _time(candidate, stopwatch, best[-1].ns_per_gas if len(best) == _POPULATION else 0.0)
        best = sorted({*best, timed}, key=lambda c: -c.ns_per_gas)[:_POPULATION]
        yield timed


def _time(candidate: Candidate, stopwatch: Stopwatch, to_beat: float) -> Candidate:
    """Time a candidate; once more where it seems to be among the slowest, since the machine may have been."""
    particles = stopwatch.body(program_of(candidate), 1).particles
    program = program_of(candidate, max(16, round(_LOOP_PARTICLES / max(1.0, particles))))
    found = stopwatch.body(program, 3).ns_per_gas
    if found > to_beat:
        found = min(found, stopwatch.body(program, 7).ns_per_gas)
    return Candidate(candidate.fragments, candidate.pages, found)
