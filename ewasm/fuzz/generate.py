"""Random contracts that validate by construction and have much to disagree about.

A module is built as syntax, not bytes: typed expressions over locals, globals and memory inside nested blocks, loops,
conditionals and br_tables; calls direct, indirect, by tail and into recursion; bulk operations, growth, wide
arithmetic; host functions at any place, so that gas is seen at any place. Nothing bounds a run but its gas.
"""

from __future__ import annotations

from random import Random

from ewasm.eei import TABLE, HostFunction
from ewasm.rules import Rules
from ewasm.wasm import opcodes as op
from ewasm.wasm.encode import encode
from ewasm.wasm.module import EMPTY_BLOCK, Data, Element, Export, Expr, Function, Global, Import, Instr, Module
from ewasm.wasm.types import FUNC, FUNCREF, I32, I64, MEMORY, FuncType, GlobalType, Limits, MemoryType, TableType

__all__ = ["generate"]

_MEMORY_BYTES = 65_536
_INTERESTING = (0, 1, 2, 7, 31, 32, 63, 64, 255, 256, 65_535, 65_536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
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
    return encode(_Generator(rng, rules, size).module())


class _Generator:
    """One module under construction."""

    def __init__(self, rng: Random, rules: Rules, size: int) -> None:
        self.rng = rng
        self.size = size
        known = [row for row in TABLE if row.module in rules.namespaces]
        chosen = rng.sample(known, rng.randint(4, 14))
        always = [row for row in TABLE if row.name in ("getGasLeft", "useGas") and row not in chosen]
        self.hosts: list[HostFunction] = [*chosen, *always]
        self.types: list[FuncType] = list(_SHAPES)
        self.host_types = [self.type_index(FuncType(row.params, row.results)) for row in self.hosts]
        self.shapes = [_SHAPES[0], *rng.choices(_SHAPES, k=rng.randint(2, 6))]
        self.first = len(self.hosts)
        self.globals = [I32, I64, I64]
        self.table_size = rng.randint(2, 8)
        # Host functions in tables change their type when they are metered, so they belong there too.
        self.entries = [rng.randrange(self.first + len(self.shapes)) for _ in range(self.table_size - 1)]
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
        rng = self.rng
        functions = tuple(self.function(shape, is_main=i == 0) for i, shape in enumerate(self.shapes))
        imports = tuple(
            Import(row.module, row.name, FUNC, at) for row, at in zip(self.hosts, self.host_types, strict=True)
        )
        elements = tuple(((op.REF_FUNC, index), (op.END,)) for index in self.entries)
        return Module(
            types=tuple(self.types),
            imports=imports,
            functions=functions,
            tables=(TableType(FUNCREF, Limits(self.table_size, rng.choice((None, self.table_size, 40)))),),
            memories=(MemoryType(Limits(1, rng.choice((None, 1, 3)))),),
            globals=(
                Global(GlobalType(I32, mutable=True), ((op.I32_CONST, rng.randrange(9)), (op.END,))),
                Global(GlobalType(I64, mutable=True), ((op.I64_CONST, rng.getrandbits(64)), (op.END,))),
                Global(GlobalType(I64, mutable=True), ((op.I64_CONST, 0), (op.END,))),
            ),
            exports=(Export("main", FUNC, self.first), Export("memory", MEMORY, 0)),
            elements=(Element("active", FUNCREF, 0, ((op.I32_CONST, 0), (op.END,)), elements),),
            data=(
                Data("active", 0, ((op.I32_CONST, rng.randrange(200)), (op.END,)), rng.randbytes(400)),
                Data("passive", 0, (), rng.randbytes(50)),
            ),
            data_count=2,
        )

    def function(self, shape: FuncType, *, is_main: bool) -> Function:
        rng = self.rng
        extra = [rng.choice((I32, I64)) for _ in range(rng.randint(2 if is_main else 0, 5))]
        self.locals = [*shape.params, *extra]
        self.results = shape.results
        self.labels = [(False, shape.results)]
        self.budget = self.size if is_main else rng.randint(3, self.size)
        body = self.statements(rng.randint(8, 20) if is_main else rng.randint(1, 8))
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
        kinds = (
            (self.set_local, 5),
            (self.set_global, 2),
            (self.store, 4),
            (self.call_host, 9),
            (self.call, 3),
            (self.call_indirect, 1),
            (self.block, 3),
            (self.loop, 3),
            (self.condition, 4),
            (self.branch, 2),
            (self.bulk, 1),
            (self.grow, 1),
            (self.wide, 1),
            (self.leave, 1),
        )
        chosen = self.rng.choices([k for k, _ in kinds], weights=[w for _, w in kinds])[0]
        return chosen()

    def set_local(self) -> list[Instr]:
        if not self.locals:
            return [(op.NOP,)]
        index = self.rng.randrange(len(self.locals))
        return [*self.value(self.locals[index]), (op.LOCAL_SET, index)]

    def set_global(self) -> list[Instr]:
        index = self.rng.randrange(len(self.globals))
        return [*self.value(self.globals[index]), (op.GLOBAL_SET, index)]

    def address(self) -> list[Instr]:
        """An address that mostly lies in memory."""
        if self.rng.random() < 0.03:
            return self.value(I32)
        return [*self.value(I32), (op.I32_CONST, 0x3FFF), (op.I32_AND,)]

    def store(self) -> list[Instr]:
        row = self.rng.choice(_STORES)
        assert row.params is not None  # noqa: S101 - rows with a memarg have operands
        memarg = (row.code, 0, self.rng.randrange(64), 0)
        return [*self.address(), *self.value(row.params[1]), memarg]

    def arguments(self, types: tuple[int, ...], *, pointers: bool) -> list[Instr]:
        return [
            i
            for t in types
            for i in (self.address() if pointers and t == I32 and self.rng.random() < 0.95 else self.value(t, 2))
        ]

    def call_host(self) -> list[Instr]:
        index = self.rng.randrange(self.first)
        row = self.hosts[index]
        if row.name in ("finish", "revert", "selfDestruct") and self.rng.random() < 0.9:
            return [(op.NOP,)]
        if row.name == "useGas":
            paid: list[Instr] = [(op.I64_CONST, self.rng.randrange(500)), (op.CALL, index)]
            return paid
        call = [*self.arguments(row.params, pointers=True), (op.CALL, index)]
        return call + self.drop(row.results)

    def drop(self, results: tuple[int, ...]) -> list[Instr]:
        """Put results into locals of their type where there is one, else away."""
        out: list[Instr] = []
        for t in reversed(results):
            fitting = [i for i, have in enumerate(self.locals) if have == t]
            out.append((op.LOCAL_SET, self.rng.choice(fitting)) if fitting and self.rng.random() < 0.7 else (op.DROP,))
        return out

    def call(self) -> list[Instr]:
        index = self.first + self.rng.randrange(len(self.shapes))
        shape = self.signature(index)
        return [*self.arguments(shape.params, pointers=False), (op.CALL, index), *self.drop(shape.results)]

    def call_indirect(self) -> list[Instr]:
        rng = self.rng
        # Mostly the type of something in the table, and its place.
        place = rng.randrange(len(self.entries))
        shape = self.signature(self.entries[place])
        if rng.random() < 0.1:
            shape = rng.choice(_SHAPES)
        where: list[Instr] = [(op.I32_CONST, place if rng.random() < 0.9 else rng.randrange(12))]
        arguments = self.arguments(shape.params, pointers=True)
        return [*arguments, *where, (op.CALL_INDIRECT, self.type_index(shape), 0), *self.drop(shape.results)]

    def block(self) -> list[Instr]:
        results = self.rng.choice(((), (), (I32,), (I64,)))
        self.labels.append((False, results))
        inner = self.statements(self.rng.randint(1, 5)) + [i for t in results for i in self.value(t)]
        self.labels.pop()
        kind = results[0] - 0x80 if results else EMPTY_BLOCK
        return [(op.BLOCK, kind), *inner, (op.END,), *self.drop(results)]

    def loop(self) -> list[Instr]:
        """A loop that mostly ends: it goes on while a local that grows is small."""
        counters = [i for i, t in enumerate(self.locals) if t == I32]
        self.labels.append((True, ()))
        inner = self.statements(self.rng.randint(1, 4))
        self.labels.pop()
        if not counters:
            return [(op.LOOP, EMPTY_BLOCK), *inner, (op.END,)]
        counter = self.rng.choice(counters)
        again: list[Instr] = [
            (op.LOCAL_GET, counter),
            (op.I32_CONST, self.rng.randint(1, 5)),
            (op.I32_ADD,),
            (op.LOCAL_TEE, counter),
            (op.I32_CONST, self.rng.choice((3, 20, 200))),
            (op.I32_LT_U,),
            (op.BR_IF, 0),
        ]
        return [(op.LOOP, EMPTY_BLOCK), *inner, *again, (op.END,)]

    def condition(self) -> list[Instr]:
        results = self.rng.choice(((), (), (I32,), (I64,)))
        test = self.value(I32)
        self.labels.append((False, results))
        then = self.statements(self.rng.randint(0, 3)) + [i for t in results for i in self.value(t)]
        other: list[Instr] = []
        if results or self.rng.random() < 0.5:
            other = [(op.ELSE,), *self.statements(self.rng.randint(0, 3))]
            other += [i for t in results for i in self.value(t)]
        self.labels.pop()
        kind = results[0] - 0x80 if results else EMPTY_BLOCK
        return [*test, (op.IF, kind), *then, *other, (op.END,), *self.drop(results)]

    def label_types(self, depth: int) -> tuple[int, ...]:
        is_loop, results = self.labels[-1 - depth]
        return () if is_loop else results

    def branch(self) -> list[Instr]:
        rng = self.rng
        depth = rng.randrange(len(self.labels))
        types = self.label_types(depth)
        carried = [i for t in types for i in self.value(t)]
        if rng.random() < 0.7:
            # A branch back without a counter would only ever end by gas.
            test = self.value(I32)
            if self.labels[-1 - depth][0]:
                test += [(op.I32_CONST, 7), (op.I32_AND,), (op.I32_EQZ,)]
            return [*carried, *test, (op.BR_IF, depth), *[(op.DROP,) for _ in types]]
        if rng.random() < 0.4:
            return [*self.value(I32), (op.IF, EMPTY_BLOCK), *carried, (op.BR, depth + 1), (op.END,)]
        alike = [d for d in range(len(self.labels)) if self.label_types(d) == types]
        targets = tuple(rng.choice(alike) for _ in range(rng.randint(0, 6)))
        leap: list[Instr] = [*carried, *self.value(I32), (op.BR_TABLE, targets, depth)]
        return [*self.value(I32), (op.IF, EMPTY_BLOCK), *_deeper(leap), (op.END,)]

    def leave(self) -> list[Instr]:
        """`return`, a tail call, or a trap, behind a condition."""
        rng = self.rng
        fitting = [i for i in range(self.first + len(self.shapes)) if self.signature(i).results == self.results]
        choice = rng.random()
        if choice < 0.05:
            out: list[Instr] = [(op.UNREACHABLE,)]
        elif choice < 0.5 and fitting:
            index = rng.choice(fitting)
            arguments = self.arguments(self.signature(index).params, pointers=True)
            out = [*arguments, (op.RETURN_CALL, index)]
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
        rng = self.rng
        count: list[Instr] = [*self.value(I32), (op.I32_CONST, 0x1FF), (op.I32_AND,)]
        kind = rng.randrange(5)
        if kind == 0:
            return [*self.address(), *self.address(), *count, (op.MEMORY_COPY, 0, 0)]
        if kind == 1:
            return [*self.address(), *self.value(I32), *count, (op.MEMORY_FILL, 0)]
        if kind == 2:
            source: list[Instr] = [(op.I32_CONST, rng.randrange(20)), (op.I32_CONST, rng.randrange(40))]
            return [*self.address(), *source, (op.MEMORY_INIT, 1, 0)]
        if kind == 3:
            places: list[Instr] = [(op.I32_CONST, rng.randrange(3)) for _ in range(3)]
            return [*places, (op.TABLE_COPY, 0, 0)]
        return [(op.REF_FUNC, rng.choice(self.entries)), *self.value(I32), (op.TABLE_GROW, 0), *self.drop((I32,))]

    def grow(self) -> list[Instr]:
        pages: list[Instr] = [(op.I32_CONST, self.rng.choice((0, 1, 1, 2, 70_000)))]
        return [*pages, (op.MEMORY_GROW, 0), *self.drop((I32,))]

    def wide(self) -> list[Instr]:
        code = self.rng.choice((op.I64_ADD128, op.I64_SUB128, op.I64_MUL_WIDE_S, op.I64_MUL_WIDE_U))
        operands = op.OPCODES[code].params or ()
        return [*[i for t in operands for i in self.value(t, 2)], (code,), *self.drop((I64, I64))]

    # -- values ----------------------------------------------------------------------------------------------------

    def constant(self, value_type: int) -> Instr:
        bits = 32 if value_type == I32 else 64
        value = self.rng.choice(_INTERESTING) if self.rng.random() < 0.6 else self.rng.getrandbits(bits)
        return (op.I32_CONST if value_type == I32 else op.I64_CONST), value & ((1 << bits) - 1)

    def value(self, value_type: int, depth: int = 4) -> list[Instr]:
        """An expression that leaves one value of the type."""
        rng = self.rng
        fitting = [i for i, t in enumerate(self.locals) if t == value_type]
        choice = rng.random()
        if depth <= 0 or choice < 0.2:
            return [self.constant(value_type)]
        if choice < 0.45 and fitting:
            return [(op.LOCAL_GET, rng.choice(fitting))]
        if choice < 0.52:
            alike = [i for i, t in enumerate(self.globals) if t == value_type]
            return [(op.GLOBAL_GET, rng.choice(alike))]
        if choice < 0.62:
            row = rng.choice(_LOADS[value_type])
            return [*self.address_of(depth), (row.code, 0, rng.randrange(64), 0)]
        if choice < 0.66:
            both = [*self.value(value_type, depth - 1), *self.value(value_type, depth - 1)]
            return [*both, *self.value(I32, depth - 1), (op.SELECT,)]
        if choice < 0.68 and value_type == I32:
            return [(op.MEMORY_SIZE, 0)]
        row = rng.choice(_OPERATORS[value_type])
        operands = [i for t in row.params or () for i in self.value(t, depth - 1)]
        if row.cost_class.startswith("div") and rng.random() < 0.95:
            # Mostly not by zero.
            operands += [(op.I32_CONST, 1), (op.I32_OR,)] if value_type == I32 else [(op.I64_CONST, 1), (op.I64_OR,)]
        return [*operands, (row.code,)]

    def address_of(self, depth: int) -> list[Instr]:
        if self.rng.random() < 0.02:
            return self.value(I32, depth - 1)
        return [*self.value(I32, depth - 1), (op.I32_CONST, 0x3FFF), (op.I32_AND,)]


def _deeper(instructions: list[Instr]) -> Expr:
    """The same one block further in: the last instruction's labels are one further out."""
    *before, last = instructions
    code, targets, default = last
    return (*before, (code, tuple(t + 1 for t in targets), default + 1))
