"""Contracts that validate by construction and have much to disagree about.

Every choice is a number below a bound, asked of one function: `random.Random.randrange`, or what Hypothesis draws (see
`ewasm.fuzz.strategies`). Zero is mostly the plain choice, so that smaller numbers make simpler contracts.

A module is built as syntax, not bytes: typed expressions over locals, globals and memory inside nested blocks, loops,
conditionals and br_tables; calls direct, indirect, by tail and into recursion; bulk operations, tables, growth, wide
arithmetic; host functions at any place, so that gas is seen at any place. Nothing bounds a run but its gas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from ewasm.eei import TABLE, HostFunction
from ewasm.rules import Rules
from ewasm.wasm import opcodes as op
from ewasm.wasm.encode import encode
from ewasm.wasm.module import EMPTY_BLOCK, Data, Element, Export, Expr, Function, Global, Import, Instr, Module
from ewasm.wasm.types import FUNC, FUNCREF, I32, I64, MEMORY, FuncType, GlobalType, Limits, MemoryType, TableType

__all__ = ["Below", "generate", "generate_by"]

Below = Callable[[int], int]
"""A choice: an int that is not negative and smaller than the argument."""

T = TypeVar("T")

_MEMORY_BYTES = 65_536
_INTERESTING = (0, 1, 2, 7, 31, 32, 63, 64, 255, 256, 65_535, 65_536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 63)
_SHAPES = (
    FuncType((), ()),
    FuncType((I32,), ()),
    FuncType((I32,), (I32,)),
    FuncType((I64, I32), (I64,)),
    FuncType((I32, I64), (I32, I64)),
    FuncType((), (I64,)),
)
# Opcodes by (operand types, result types), from the table, without what traps on ordinary operands too often.
_OPERATORS: dict[int, list[op.Opcode]] = {
    result: [
        row
        for row in op.OPCODES.values()
        if row.immediates == "none"
        and row.results == (result,)
        and row.params
        and set(row.params) <= {I32, I64}
        and row.feature in ("mvp", "sign_extension")
    ]
    for result in (I32, I64)
}
# Statements, each as often as it should come up; the plain ones first.
_STATEMENTS = tuple(
    name
    for name, weight in (
        ("set_local", 5),
        ("set_global", 2),
        ("store", 4),
        ("call_host", 9),
        ("show", 4),
        ("call", 3),
        ("call_indirect", 1),
        ("block", 3),
        ("loop", 3),
        ("condition", 4),
        ("branch", 2),
        ("switch", 2),
        ("bulk", 2),
        ("tables", 2),
        ("grow", 1),
        ("wide", 3),
        ("leave", 1),
    )
    for _ in range(weight)
)
# Type -> host function of `debug` that shows a value: it is free, and what a failing frame has shown stays seen.
_SHOWN = {I32: "print32", I64: "print64"}
_LOADS: dict[int, list[op.Opcode]] = {
    result: [r for r in op.OPCODES.values() if r.immediates == "memarg" and r.results == (result,)]
    for result in (I32, I64)
}
_STORES = [r for r in op.OPCODES.values() if r.immediates == "memarg" and r.params in ((I32, I32), (I32, I64))]


def generate(rng: Random, rules: Rules, size: int = 60) -> bytes:
    """A contract under `rules` (interface 2026), different for each state of `rng`.

    Args:
        size: Roughly how many statements each function has.
    """
    return generate_by(rng.randrange, rules, size)


def generate_by(below: Below, rules: Rules, size: int = 60) -> bytes:
    """The contract under `rules` (interface 2026) that these choices make."""
    return encode(_Generator(_Choices(below), rules, size).module())


class _Choices:
    """What can be made of choices of numbers."""

    def __init__(self, below: Below) -> None:
        self._below = below

    def below(self, bound: int) -> int:
        return self._below(bound) if bound > 1 else 0

    def between(self, least: int, most: int) -> int:
        return least + self.below(most - least + 1)

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different items."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in range(count)]

    def chance(self, percent: int) -> bool:
        return self.below(100) >= 100 - percent

    def bits(self, count: int) -> int:
        return self.below(1 << count)

    def data(self, size: int) -> bytes:
        return self.bits(8 * size).to_bytes(size, "little")


class _Generator:
    """One module under construction."""

    def __init__(self, choices: _Choices, rules: Rules, size: int) -> None:
        self.choices = choices
        self.has_wide = "wide_arithmetic" in rules.features
        self.size = size
        known = [row for row in TABLE if row.module in rules.namespaces]
        chosen = choices.sample(known, choices.between(4, 14))
        always = [row for row in known if row.name in ("getGasLeft", "useGas", *_SHOWN.values()) and row not in chosen]
        self.hosts: list[HostFunction] = [*chosen, *always]
        self.types: list[FuncType] = list(_SHAPES)
        self.host_types = [self.type_index(FuncType(row.params, row.results)) for row in self.hosts]
        self.shapes = [_SHAPES[0], *(choices.pick(_SHAPES) for _ in range(choices.between(2, 6)))]
        self.first = len(self.hosts)
        self.globals = [I32, I64, I64]
        self.table_size = choices.between(2, 8)
        # Host functions in tables change their type when they are metered, so they belong there too.
        self.entries = [choices.below(self.first + len(self.shapes)) for _ in range(self.table_size - 1)]
        # Of the function being written:
        self.locals: list[int] = []
        self.results: tuple[int, ...] = ()
        self.labels: list[tuple[bool, tuple[int, ...]]] = []
        self.budget = 0

    def type_index(self, wanted: FuncType) -> int:
        if wanted not in self.types:
            self.types.append(wanted)
        return self.types.index(wanted)

    def signature(self, index: int) -> FuncType:
        if index < self.first:
            return self.types[self.host_types[index]]
        return self.shapes[index - self.first]

    def module(self) -> Module:
        choices = self.choices
        functions = tuple(self.function(shape, is_main=i == 0) for i, shape in enumerate(self.shapes))
        imports = tuple(
            Import(row.module, row.name, FUNC, at) for row, at in zip(self.hosts, self.host_types, strict=True)
        )
        elements = tuple(((op.REF_FUNC, index), (op.END,)) for index in self.entries)
        constructor = (Export("deploy", FUNC, self.first),) if choices.chance(20) else ()
        return Module(
            types=tuple(self.types),
            imports=imports,
            functions=functions,
            tables=(TableType(FUNCREF, Limits(self.table_size, choices.pick((None, self.table_size, 40)))),),
            memories=(MemoryType(Limits(1, choices.pick((None, 1, 3)))),),
            globals=(
                Global(GlobalType(I32, mutable=True), ((op.I32_CONST, choices.below(9)), (op.END,))),
                Global(GlobalType(I64, mutable=True), ((op.I64_CONST, choices.bits(64)), (op.END,))),
                Global(GlobalType(I64, mutable=True), ((op.I64_CONST, 0), (op.END,))),
            ),
            exports=(Export("main", FUNC, self.first), Export("memory", MEMORY, 0), *constructor),
            elements=(
                Element("active", FUNCREF, 0, ((op.I32_CONST, 0), (op.END,)), elements),
                Element("passive", FUNCREF, 0, (), elements[:2]),
            ),
            data=(
                Data("active", 0, ((op.I32_CONST, choices.below(200)), (op.END,)), choices.data(96)),
                Data("passive", 0, (), choices.data(40)),
            ),
            data_count=2,
        )

    def function(self, shape: FuncType, *, is_main: bool) -> Function:
        choices = self.choices
        extra = [choices.pick((I32, I64)) for _ in range(choices.between(2 if is_main else 0, 5))]
        self.locals = [*shape.params, *extra]
        self.results = shape.results
        self.labels = [(False, shape.results)]
        self.budget = self.size if is_main else choices.between(3, self.size)
        body = self.statements(choices.between(8, 20) if is_main else choices.between(1, 8))
        body += [i for t in shape.results for i in self.value(t, 3)]
        index = self.type_index(shape)
        return Function(index, tuple((1, t) for t in extra), (*body, (op.END,)))

    # -- statements: nothing on the stack before and behind ------------------------------------------------------

    def statements(self, count: int) -> list[Instr]:
        out: list[Instr] = []
        for _ in range(count):
            if self.budget <= 0:
                break
            self.budget -= 1
            out += self.statement()
        return out

    def statement(self) -> list[Instr]:
        name = self.choices.pick(_STATEMENTS)
        if name == "wide" and not self.has_wide:
            name = "set_local"
        chosen: Callable[[], list[Instr]] = getattr(self, name)
        return chosen()

    def set_local(self) -> list[Instr]:
        if not self.locals:
            return [(op.NOP,)]
        index = self.choices.below(len(self.locals))
        return [*self.value(self.locals[index]), (op.LOCAL_SET, index)]

    def set_global(self) -> list[Instr]:
        index = self.choices.below(len(self.globals))
        return [*self.value(self.globals[index]), (op.GLOBAL_SET, index)]

    def address(self) -> list[Instr]:
        """An address that mostly lies in memory."""
        if self.choices.chance(3):
            return self.value(I32)
        return [*self.value(I32), (op.I32_CONST, 0x3FFF), (op.I32_AND,)]

    def store(self) -> list[Instr]:
        row = self.choices.pick(_STORES)
        assert row.params is not None  # noqa: S101 - rows with a memarg have operands
        offset = self.choices.below(64)
        address = self.edge(offset) if self.choices.chance(8) else self.address()
        return [*address, *self.value(row.params[1]), (row.code, 0, offset, 0)]

    def edge(self, offset: int) -> list[Instr]:
        """An address that with this offset lies just before the end of the first page, or at it."""
        return [(op.I32_CONST, _MEMORY_BYTES - offset - self.choices.pick((8, 4, 2, 1, 0)))]

    def arguments(self, types: tuple[int, ...], *, pointers: bool) -> list[Instr]:
        return [
            i
            for t in types
            for i in (self.address() if pointers and t == I32 and self.choices.chance(95) else self.value(t, 2))
        ]

    def call_host(self) -> list[Instr]:
        index = self.choices.below(self.first)
        row = self.hosts[index]
        if row.name in ("finish", "revert", "selfDestruct") and self.choices.chance(90):
            return [(op.NOP,)]
        if row.name == "useGas":
            paid: list[Instr] = [(op.I64_CONST, self.choices.below(500)), (op.CALL, index)]
            return paid
        call = [*self.arguments(row.params, pointers=True), (op.CALL, index)]
        return call + self.drop(row.results)

    def show(self) -> list[Instr]:
        """Make an operator's result seen that would else have to find its way to memory, or to where the run goes."""
        value_type = self.choices.pick((I32, I64))
        return [*self.operation(value_type, 2), *self.shown((value_type,))]

    def shown(self, results: tuple[int, ...]) -> list[Instr]:
        """Show results, the last first; where the rules lack the functions for it, drop them."""
        places = {row.name: index for index, row in enumerate(self.hosts)}
        if not set(_SHOWN.values()) <= set(places):
            return self.drop(results)
        return [(op.CALL, places[_SHOWN[t]]) for t in reversed(results)]

    def drop(self, results: tuple[int, ...]) -> list[Instr]:
        """Put results into locals of their type where there is one, else away."""
        out: list[Instr] = []
        for t in reversed(results):
            fitting = [i for i, have in enumerate(self.locals) if have == t]
            kept = bool(fitting) and self.choices.chance(70)
            out.append((op.LOCAL_SET, self.choices.pick(fitting)) if kept else (op.DROP,))
        return out

    def call(self) -> list[Instr]:
        index = self.first + self.choices.below(len(self.shapes))
        shape = self.signature(index)
        return [*self.arguments(shape.params, pointers=False), (op.CALL, index), *self.drop(shape.results)]

    def call_indirect(self) -> list[Instr]:
        choices = self.choices
        # Mostly the type of something in the table, and its place.
        place = choices.below(len(self.entries))
        shape = self.signature(self.entries[place])
        if choices.chance(10):
            shape = choices.pick(_SHAPES)
        where: list[Instr] = [(op.I32_CONST, place if choices.chance(90) else choices.below(12))]
        arguments = self.arguments(shape.params, pointers=True)
        return [*arguments, *where, (op.CALL_INDIRECT, self.type_index(shape), 0), *self.drop(shape.results)]

    def block(self) -> list[Instr]:
        results = self.choices.pick(((), (), (I32,), (I64,)))
        self.labels.append((False, results))
        inner = self.statements(self.choices.between(1, 5)) + [i for t in results for i in self.value(t)]
        self.labels.pop()
        kind = results[0] - 0x80 if results else EMPTY_BLOCK
        return [(op.BLOCK, kind), *inner, (op.END,), *self.drop(results)]

    def loop(self) -> list[Instr]:
        """A loop that mostly ends: it goes on while a local that grows is small."""
        counters = [i for i, t in enumerate(self.locals) if t == I32]
        self.labels.append((True, ()))
        inner = self.statements(self.choices.between(1, 4))
        self.labels.pop()
        if not counters:
            return [(op.LOOP, EMPTY_BLOCK), *inner, (op.END,)]
        counter = self.choices.pick(counters)
        again: list[Instr] = [
            (op.LOCAL_GET, counter),
            (op.I32_CONST, self.choices.between(1, 5)),
            (op.I32_ADD,),
            (op.LOCAL_TEE, counter),
            (op.I32_CONST, self.choices.pick((3, 20, 200))),
            (op.I32_LT_U,),
            (op.BR_IF, 0),
        ]
        return [(op.LOOP, EMPTY_BLOCK), *inner, *again, (op.END,)]

    def condition(self) -> list[Instr]:
        results = self.choices.pick(((), (), (I32,), (I64,)))
        test = self.value(I32)
        self.labels.append((False, results))
        then = self.statements(self.choices.between(0, 3)) + [i for t in results for i in self.value(t)]
        other: list[Instr] = []
        if results or self.choices.chance(50):
            other = [(op.ELSE,), *self.statements(self.choices.between(0, 3))]
            other += [i for t in results for i in self.value(t)]
        self.labels.pop()
        kind = results[0] - 0x80 if results else EMPTY_BLOCK
        return [*test, (op.IF, kind), *then, *other, (op.END,), *self.drop(results)]

    def label_types(self, depth: int) -> tuple[int, ...]:
        is_loop, results = self.labels[-1 - depth]
        return () if is_loop else results

    def branch(self) -> list[Instr]:
        choices = self.choices
        depth = choices.below(len(self.labels))
        types = self.label_types(depth)
        carried = [i for t in types for i in self.value(t)]
        if choices.chance(70):
            # A branch back without a counter would only ever end by gas.
            test = self.value(I32)
            if self.labels[-1 - depth][0]:
                test += [(op.I32_CONST, 7), (op.I32_AND,), (op.I32_EQZ,)]
            return [*carried, *test, (op.BR_IF, depth), *[(op.DROP,) for _ in types]]
        if choices.chance(40):
            return [*self.value(I32), (op.IF, EMPTY_BLOCK), *carried, (op.BR, depth + 1), (op.END,)]
        alike = [d for d in range(len(self.labels)) if self.label_types(d) == types]
        targets = tuple(choices.pick(alike) for _ in range(choices.between(0, 6)))
        leap: list[Instr] = [*carried, *self.value(I32), (op.BR_TABLE, targets, depth)]
        return [*self.value(I32), (op.IF, EMPTY_BLOCK), *_deeper(leap), (op.END,)]

    def switch(self) -> list[Instr]:
        """Blocks in each other, a jump out of one of them, and something behind each."""
        choices = self.choices
        count = choices.between(1, 4)
        selector = [*self.value(I32), (op.I32_CONST, 7), (op.I32_AND,)]
        targets = tuple(choices.below(count) for _ in range(choices.between(0, 6)))
        out = [*[(op.BLOCK, EMPTY_BLOCK)] * count, *selector, (op.BR_TABLE, targets, choices.below(count))]
        self.labels += [(False, ())] * count
        for _ in range(count):
            self.labels.pop()
            out += [(op.END,), *self.statements(choices.between(0, 2))]
        return out

    def leave(self) -> list[Instr]:
        """`return`, a tail call, or a trap, behind a condition."""
        choices = self.choices
        fitting = [i for i in range(self.first + len(self.shapes)) if self.signature(i).results == self.results]
        choice = choices.below(100)
        if choice < 5:
            out: list[Instr] = [(op.UNREACHABLE,)]
        elif choice < 50 and fitting:
            index = choices.pick(fitting)
            arguments = self.arguments(self.signature(index).params, pointers=True)
            out = [*arguments, (op.RETURN_CALL, index)]
            if index in self.entries:
                place: Instr = (op.I32_CONST, self.entries.index(index))
                through = (op.RETURN_CALL_INDIRECT, self.type_index(self.signature(index)), 0)
                out = [*arguments, place, through]
        else:
            out = [i for t in self.results for i in self.value(t)] + [(op.RETURN,)]
        return [
            *self.value(I32),
            (op.I32_CONST, 3),
            (op.I32_AND,),
            (op.I32_EQZ,),
            (op.IF, EMPTY_BLOCK),
            *out,
            (op.END,),
        ]

    def bulk(self) -> list[Instr]:
        choices = self.choices
        count = self.value(I32)
        if not choices.chance(4):
            count += [(op.I32_CONST, 0x1FF), (op.I32_AND,)]
        kind = choices.below(5)
        if kind == 0:
            return [*self.address(), *self.address(), *count, (op.MEMORY_COPY, 0, 0)]
        if kind == 1:
            return [*self.address(), *self.value(I32), *count, (op.MEMORY_FILL, 0)]
        if kind == 2:
            source: list[Instr] = [(op.I32_CONST, choices.below(20)), (op.I32_CONST, choices.below(40))]
            return [*self.address(), *source, (op.MEMORY_INIT, 1, 0)]
        if kind == 3:
            places: list[Instr] = [(op.I32_CONST, choices.below(3)) for _ in range(3)]
            return [*places, (op.TABLE_COPY, 0, 0)]
        return [(op.REF_FUNC, choices.pick(self.entries)), *self.value(I32), (op.TABLE_GROW, 0), *self.drop((I32,))]

    def tables(self) -> list[Instr]:
        choices = self.choices
        place: list[Instr] = [(op.I32_CONST, choices.below(self.table_size + (choices.chance(5) and 40)))]
        reference: list[Instr] = [(op.REF_FUNC, choices.pick(self.entries))]
        if choices.chance(20):
            reference = [(op.REF_NULL, FUNCREF)]
        kind = choices.below(8)
        if kind == 0:
            return [(op.TABLE_SIZE, 0), *self.drop((I32,))]
        if kind == 1:
            return [*place, (op.TABLE_GET, 0), (op.REF_IS_NULL,), *self.drop((I32,))]
        if kind == 2:
            return [*place, *reference, (op.TABLE_SET, 0)]
        if kind == 3:
            return [*place, *reference, (op.I32_CONST, choices.below(3)), (op.TABLE_FILL, 0)]
        if kind == 4:
            return [*place, (op.I32_CONST, choices.below(2)), (op.I32_CONST, choices.below(3)), (op.TABLE_INIT, 1, 0)]
        if kind == 5:
            test = self.value(I32)
            return [*reference, *place, (op.TABLE_GET, 0), *test, (op.SELECT_T, (FUNCREF,)), (op.DROP,)]
        # Behind a condition: what is dropped is gone for all that comes after it.
        drop = (op.ELEM_DROP, 1) if kind == 6 else (op.DATA_DROP, choices.below(2))
        return [*self.value(I32), (op.IF, EMPTY_BLOCK), drop, (op.END,)]

    def grow(self) -> list[Instr]:
        pages: list[Instr] = [(op.I32_CONST, self.choices.pick((0, 1, 1, 2, 70_000, 1 << 31, (1 << 32) - 1)))]
        return [*pages, (op.MEMORY_GROW, 0), *self.drop((I32,))]

    def wide(self) -> list[Instr]:
        code = self.choices.pick((op.I64_ADD128, op.I64_SUB128, op.I64_MUL_WIDE_S, op.I64_MUL_WIDE_U))
        operands = op.OPCODES[code].params or ()
        results = (I64, I64)
        behind = self.shown(results) if self.choices.chance(80) else self.drop(results)
        return [*[i for t in operands for i in self.wide_operand(t)], (code,), *behind]

    def wide_operand(self, value_type: int) -> list[Instr]:
        if self.choices.chance(30):
            return [(op.I64_CONST, (1 << 63) | self.choices.bits(63))]
        return self.value(value_type, 2)

    # -- values ----------------------------------------------------------------------------------------------------

    def constant(self, value_type: int) -> Instr:
        bits = 32 if value_type == I32 else 64
        value = self.choices.pick(_INTERESTING) if self.choices.chance(60) else self.choices.bits(bits)
        if self.choices.chance(25):
            value = -value
        return (op.I32_CONST if value_type == I32 else op.I64_CONST), value & ((1 << bits) - 1)

    def value(self, value_type: int, depth: int = 4) -> list[Instr]:
        """An expression that leaves one value of the type."""
        choices = self.choices
        fitting = [i for i, t in enumerate(self.locals) if t == value_type]
        choice = choices.below(100)
        if depth <= 0 or choice < 20:
            return [self.constant(value_type)]
        if choice < 45 and fitting:
            return [(op.LOCAL_GET, choices.pick(fitting))]
        if choice < 52:
            alike = [i for i, t in enumerate(self.globals) if t == value_type]
            return [(op.GLOBAL_GET, choices.pick(alike))]
        if choice < 62:
            row = choices.pick(_LOADS[value_type])
            offset = choices.below(64)
            address = self.edge(offset) if choices.chance(4) else self.address_of(depth)
            return [*address, (row.code, 0, offset, 0)]
        if choice < 66:
            both = [*self.value(value_type, depth - 1), *self.value(value_type, depth - 1)]
            return [*both, *self.value(I32, depth - 1), (op.SELECT,)]
        if choice < 68 and value_type == I32:
            return [(op.MEMORY_SIZE, 0)]
        return self.operation(value_type, depth)

    def operation(self, value_type: int, depth: int) -> list[Instr]:
        """An operator that gives one value of the type, on values."""
        choices = self.choices
        row = choices.pick(_OPERATORS[value_type])
        operands = [i for t in row.params or () for i in self.value(t, depth - 1)]
        if row.cost_class.startswith("div") and choices.chance(8):
            # The one quotient that does not fit.
            constant = op.I32_CONST if row.params == (I32, I32) else op.I64_CONST
            bits = 32 if constant == op.I32_CONST else 64
            return [(constant, 1 << (bits - 1)), (constant, (1 << bits) - 1), (row.code,)]
        if row.cost_class.startswith("div") and choices.chance(95):
            # Mostly not by zero.
            operands += [(op.I32_CONST, 1), (op.I32_OR,)] if value_type == I32 else [(op.I64_CONST, 1), (op.I64_OR,)]
        return [*operands, (row.code,)]

    def address_of(self, depth: int) -> list[Instr]:
        if self.choices.chance(2):
            return self.value(I32, depth - 1)
        return [*self.value(I32, depth - 1), (op.I32_CONST, 0x3FFF), (op.I32_AND,)]


def _deeper(instructions: list[Instr]) -> Expr:
    """The same one block further in: the last instruction's labels are one further out."""
    *before, last = instructions
    code, targets, default = last
    return (*before, (code, tuple(t + 1 for t in targets), default + 1))
