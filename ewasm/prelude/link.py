"""Static linking: put the prelude's functions that a contract imports into its instrumented module.

Calls of the imports become calls of the functions, which take the counter as host functions do; what they cost stands
in front of them, from the schedule's price for the row. The imports themselves stay declared, so no index moves. Of the
prelude's own instructions none is metered: a function costs its price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ewasm.eei.table import TABLE, HostFunction
from ewasm.metering.inject import GAS_EXPORT, MeteredModule
from ewasm.metering.schedule import PARTICLES_PER_GAS, HostPrice, Schedule
from ewasm.prelude.source import Prelude, load_prelude
from ewasm.wasm import opcodes as op
from ewasm.wasm.module import Data, Element, Export, Expr, Function, Instr, Module
from ewasm.wasm.types import FUNC, I32, I64, MEMORY, FuncType, Limits, MemoryType

__all__ = ["ENVIRONMENT_EXPORT", "LinkedModule", "link"]

ENVIRONMENT_EXPORT = "ewasm:environment"

_ROWS = {f"{row.module}.{row.name}": row for row in TABLE}
_BUFFERS = {
    "ethereum.getCallDataSize": "call_data",
    "ethereum.callDataCopy": "call_data",
    "ethereum.getCodeSize": "code",
    "ethereum.codeCopy": "code",
    "ethereum.getReturnDataSize": "return_data",
    "ethereum.returnDataCopy": "return_data",
    "ethereum.getBlobHash": "blob_hashes",
}
_WIDE = {
    op.I64_ADD128: "plain.i64.add128",
    op.I64_SUB128: "plain.i64.sub128",
    op.I64_MUL_WIDE_U: "plain.i64.mul_wide_u",
}
_MAX_PAY_GAS = (1 << 63) // (2 * PARTICLES_PER_GAS)
_STOP: tuple[Instr, ...] = ((op.I64_CONST, 0), (op.I64_LT_S,), (op.IF, -64))


@dataclass(frozen=True, slots=True)
class LinkedModule:
    """A metered module with its part of the prelude.

    Attributes:
        module: The module; unchanged if it imports nothing that the prelude has.
        entries: As in `MeteredModule`.
        buffers: What of "call_data", "code", "return_data", "blob_hashes" its functions read.
        has_environment: Whether it has the second memory, exported as `ENVIRONMENT_EXPORT`.
        first: Index of the first function of the prelude, all behind it are the prelude's.
    """

    module: Module
    entries: Mapping[str, str]
    buffers: frozenset[str]
    has_environment: bool
    first: int

    @property
    def exports(self) -> dict[str, str]:
        """What the host asks an instance for: entry point -> export; `ENVIRONMENT_EXPORT` -> `first` and buffers."""
        if not self.has_environment:
            return dict(self.entries)
        return {**self.entries, ENVIRONMENT_EXPORT: " ".join((str(self.first), *sorted(self.buffers)))}


def link(metered: MeteredModule, schedule: Schedule, *, wide: bool = True) -> LinkedModule:
    """Link the prelude into an instrumented contract.

    Args:
        metered: What `ewasm.metering.instrument` made.
        schedule: For the prices of host functions.
        wide: False avoids the instructions of the wide-arithmetic proposal in the prelude's part.
    """
    return _Linker(metered, schedule, load_prelude(), wide).run()


class _Linker:
    def __init__(self, metered: MeteredModule, schedule: Schedule, prelude: Prelude, wide: bool) -> None:
        self.metered = metered
        self.module = metered.module
        self.schedule = schedule
        self.prelude = prelude
        self.wide = wide
        self.imports = [i for i in self.module.imports if i.kind == FUNC]
        self.first = len(self.imports) + len(self.module.functions)
        self.prelude_imports = [i.name for i in prelude.module.imports if i.kind == FUNC]
        self.rows = {index: _ROWS[name] for name, index in prelude.functions.items() if name in _ROWS}
        self.plain = {code: prelude.functions[name] for code, name in _WIDE.items()}
        self.types = list(self.module.types)
        self.known_types = {known: index for index, known in reversed(list(enumerate(self.types)))}
        self.indices: dict[int, int] = {}
        self.environment = len(self.module.memories)
        self.gas_global = next(e.index for e in self.module.exports if e.name == GAS_EXPORT)

    def run(self) -> LinkedModule:
        names = [f"{i.module}.{i.name}" for i in self.imports]
        wanted = {index: self.prelude.functions[n] for index, n in enumerate(names) if n in self.prelude.functions}
        if not wanted:
            return LinkedModule(self.module, self.metered.entries, frozenset(), False, self.first)
        order = self._closure(wanted.values())
        self.indices = {function: self.first + at for at, function in enumerate(order)}
        redirected = {index: self.indices[function] for index, function in wanted.items()}
        memory = MemoryType(Limits(1, None))
        data = self._constants(order)
        module = replace(
            self.module,
            functions=(
                *(replace(f, body=_redirect(f.body, redirected)) for f in self.module.functions),
                *(self._function(function) for function in order),
            ),
            types=tuple(self.types),
            memories=(*self.module.memories, memory),
            data=(*self.module.data, *data),
            data_count=None if self.module.data_count is None else self.module.data_count + len(data),
            elements=tuple(_redirect_element(e, redirected) for e in self.module.elements),
            globals=tuple(replace(g, init=_redirect(g.init, redirected)) for g in self.module.globals),
            exports=(
                *(
                    replace(e, index=redirected.get(e.index, e.index)) if e.kind == FUNC else e
                    for e in self.module.exports
                ),
                Export(ENVIRONMENT_EXPORT, MEMORY, self.environment),
            ),
        )
        # The types grew while the functions were made.
        module = replace(module, types=tuple(self.types))
        buffers = frozenset(_BUFFERS[names[index]] for index in wanted if names[index] in _BUFFERS)
        return LinkedModule(module, self.metered.entries, buffers, True, self.first)

    def _closure(self, wanted: Iterable[int]) -> list[int]:
        """The functions and all that they call, in the prelude's order."""
        found: set[int] = set()
        left = list(wanted)
        while left:
            function = left.pop()
            if function in found:
                continue
            found.add(function)
            for instruction in self._source(function).body:
                if instruction[0] == op.CALL and instruction[1] >= len(self.prelude_imports):
                    left.append(instruction[1])
                elif instruction[0] in self.plain and not self.wide:
                    left.append(self.plain[instruction[0]])
        return sorted(found)

    def _constants(self, functions: list[int]) -> list[Data]:
        """The prelude's data segments that the functions read: those whose address they name."""
        segments = {d.offset_expr[0]: d for d in self.prelude.module.data}
        named = {self.translate(i) for f in functions for i in self._source(f).body if i[0] == op.GLOBAL_GET}
        return [replace(segments[at], memory=self.environment) for at in sorted(named & set(segments))]

    def _source(self, function: int) -> Function:
        return self.prelude.module.functions[function - len(self.prelude_imports)]

    def _type(self, function_type: FuncType) -> int:
        index = self.known_types.setdefault(function_type, len(self.types))
        if index == len(self.types):
            self.types.append(function_type)
        return index

    def _function(self, function: int) -> Function:
        source = self._source(function)
        function_type = self.prelude.module.types[source.type_index]
        row = self.rows.get(function)
        if row is None:
            body = tuple(self._translated(source.body))
            return Function(self._type(function_type), source.locals, body)
        params = len(function_type.params)
        locals_count = params + 1 + sum(count for count, _ in source.locals)
        writer = _HostFunction(self, row, gas=params, amount=locals_count, operand=locals_count + 1)
        body = writer.write(source.body)
        extended = FuncType((*function_type.params, I64), (*function_type.results, I64))
        return Function(self._type(extended), (*source.locals, (1, I64), (1, I32)), body)

    def _translated(self, body: Expr) -> list[Instr]:
        return [self.translate(instruction) for instruction in body]

    def translate(self, instruction: Instr) -> Instr:
        """An instruction of the prelude with the contract's indices."""
        code = instruction[0]
        row = op.OPCODES[code]
        if code == op.CALL:
            return (code, self.indices[instruction[1]])
        if code == op.GLOBAL_GET:
            value = self.prelude.module.globals[instruction[1]].init[0]
            return (op.I32_CONST, value[1])
        if code in self.plain and not self.wide:
            return (op.CALL, self.indices[self.plain[code]])
        if row.immediates == "memarg":
            return (code, instruction[1], instruction[2], self._memory(instruction[3]))
        if row.immediates in ("memory", "memory_memory"):
            return (code, *map(self._memory, instruction[1:]))
        return instruction

    def _memory(self, index: int) -> int:
        return self.environment if index else 0


class _HostFunction:
    """Writes one function that a contract imports: its price in front, the counter in and out.

    Args:
        gas, amount, operand: Locals: the counter, a charge in particles, what a charge is computed from.
    """

    def __init__(self, linker: _Linker, row: HostFunction, *, gas: int, amount: int, operand: int) -> None:
        self.linker = linker
        self.price = linker.schedule.host[row.price]
        self.gas = gas
        self.amount = amount
        self.operand = operand
        self.out: list[Instr] = []

    def write(self, body: Expr) -> Expr:
        imports = self.linker.prelude_imports
        pays_itself = any(i[0] == op.CALL and i[1] < len(imports) and imports[i[1]] == "pay" for i in body)
        if not pays_itself and self.price != HostPrice(0):
            self._charge((op.I64_CONST, self.price.base))
        out = self.out
        for instruction in body[:-1]:
            code = instruction[0]
            if code == op.CALL and instruction[1] < len(imports):
                self._meter(imports[instruction[1]])
            elif code in (op.LOCAL_GET, op.LOCAL_SET, op.LOCAL_TEE):
                local = instruction[1]
                out.append((code, local if local < self.gas else local + 1))
            elif code == op.RETURN:
                out += [(op.LOCAL_GET, self.gas), instruction]
            else:
                out.append(self.linker.translate(instruction))
        out += [(op.LOCAL_GET, self.gas), body[-1]]
        return tuple(out)

    def _meter(self, name: str) -> None:
        """What stands for a call of module "meter"."""
        out, gas = self.out, self.gas
        if name == "gas_left":
            out += [(op.LOCAL_GET, gas), (op.I64_CONST, PARTICLES_PER_GAS), (op.I64_DIV_S,)]
        elif name == "pay_gas":
            # Anything above the largest counter is as much as that: nobody can pay it.
            out += [(op.LOCAL_TEE, self.amount), (op.I64_CONST, _MAX_PAY_GAS), (op.LOCAL_GET, self.amount)]
            out += [(op.I64_CONST, _MAX_PAY_GAS), (op.I64_LT_U,), (op.SELECT,)]
            out += [(op.I64_CONST, PARTICLES_PER_GAS), (op.I64_MUL,), (op.LOCAL_SET, self.amount)]
            self._charge((op.LOCAL_GET, self.amount))
        else:
            self._linear()
            self._charge((op.LOCAL_GET, self.amount))

    def _linear(self) -> None:
        """The price for the bytes that are on top of the stack, into `amount`."""
        out, price = self.out, self.price
        out += [(op.LOCAL_SET, self.operand), (op.I64_CONST, price.base)]
        size = ((op.LOCAL_GET, self.operand), (op.I64_EXTEND_I32_U,))
        if price.per_word:
            out += [*size, (op.I64_CONST, 31), (op.I64_ADD,), (op.I64_CONST, 5), (op.I64_SHR_U,)]
            out += [(op.I64_CONST, price.per_word), (op.I64_MUL,), (op.I64_ADD,)]
        if price.per_byte:
            out += [*size, (op.I64_CONST, price.per_byte), (op.I64_MUL,), (op.I64_ADD,)]
        out.append((op.LOCAL_SET, self.amount))

    def _charge(self, amount: Instr) -> None:
        """Keep account of `amount`, take it from the counter, and stop where that overdraws it."""
        out, gas, memory = self.out, self.gas, self.linker.environment
        spent = self.linker.prelude.layout["spent"]
        out += [(op.I32_CONST, spent), (op.I32_CONST, spent), (op.I64_LOAD, 3, 0, memory), amount, (op.I64_ADD,)]
        out += [(op.I64_STORE, 3, 0, memory), (op.LOCAL_GET, gas), amount, (op.I64_SUB,), (op.LOCAL_TEE, gas), *_STOP]
        out += [(op.LOCAL_GET, gas), (op.GLOBAL_SET, self.linker.gas_global), (op.UNREACHABLE,), (op.END,)]


def _redirect(body: Expr, redirected: Mapping[int, int]) -> Expr:
    codes = (op.CALL, op.RETURN_CALL, op.REF_FUNC)
    if not any(i[0] in codes and i[1] in redirected for i in body):
        return body
    return tuple((i[0], redirected.get(i[1], i[1])) if i[0] in codes else i for i in body)


def _redirect_element(element: Element, redirected: Mapping[int, int]) -> Element:
    return replace(element, init=tuple(_redirect(expr, redirected) for expr in element.init))
