"""Injection: rewrite a valid module so that it counts its own gas and stack height.

The counter is an i64 in particles. Every function takes it as an extra last parameter and gives it back as an extra
last result, host functions too: in registers it costs next to nothing, and a host call needs no second crossing to
read or write it. Blocks subtract without looking; the comparison with zero stands at function entries, at loop heads
and behind charges that depend on an operand. A host function checks what it is given, the engine what an entry point
returns; so nothing can be seen of a run that is overdrawn.

A function becomes

```
(func (param ..) (param $gas i64) (result ..) (result i64) (local ..) (local $operand i32)
  block $exit (result ..)
    block $stop
      local.get $gas  i64.const <first block>  i64.sub  local.tee $gas  i64.const 0  i64.lt_s  br_if $stop
      <body; `return` and branches to the function's label are branches to $exit>
      br $exit
    end
    local.get $gas  global.set $gas_global  unreachable        ;; $gas_global < 0 says why
  end
  local.get $gas)
```

and, if it is counted by `ewasm.metering.stack_height`, takes its height from `$stack_global` on entry and gives it back
behind `$exit`. Tail calls settle first, then leave. Under a schedule that charges nothing only the stack is counted,
and the counter waits in `$gas_global` for the next host call. Modules that are no contracts (`instrument_core`) keep
their types; there the counter goes through `$gas_global` at every call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ewasm.metering.blocks import live_instructions, metered_blocks, opcode_prices
from ewasm.metering.schedule import Schedule
from ewasm.metering.stack_height import counted_heights
from ewasm.wasm import opcodes as op
from ewasm.wasm.module import (
    EMPTY_BLOCK,
    Element,
    Export,
    Expr,
    Function,
    Global,
    Import,
    Instr,
    Module,
    ValidModule,
)
from ewasm.wasm.types import FUNC, GLOBAL, I32, I64, FuncType, GlobalType, Limits, MemoryType, TableType

__all__ = [
    "ENTRY_PREFIX",
    "GAS_EXPORT",
    "PAGES_EXPORT",
    "STACK_EXPORT",
    "MeteredModule",
    "instrument",
    "instrument_core",
]

ENTRY_PREFIX = "ewasm:"
"""Entry points are exported as this and their name: (param i64 particles) (result i64 particles left)."""
GAS_EXPORT = "ewasm:gas"
STACK_EXPORT = "ewasm:stack"
PAGES_EXPORT = "ewasm:pages"
"""Pages beyond which memory may not grow: an engine lowers it for a frame that has less room (`Limits.live_pages`)."""

_STOP = 0  # label depths at the top of a rewritten body
_EXIT = 1

_REWRITTEN = frozenset({
    op.BLOCK, op.LOOP, op.IF, op.END, op.BR, op.BR_IF, op.BR_TABLE, op.RETURN, op.CALL, op.CALL_INDIRECT,
    op.RETURN_CALL, op.RETURN_CALL_INDIRECT, op.LOCAL_GET, op.LOCAL_SET, op.LOCAL_TEE, op.REF_FUNC, op.MEMORY_GROW,
    op.MEMORY_COPY, op.MEMORY_FILL, op.MEMORY_INIT, op.TABLE_COPY, op.TABLE_FILL, op.TABLE_INIT, op.TABLE_GROW,
})  # fmt: skip
# Opcodes whose last operand is a count that is paid for by unit.
_LINEAR = {
    op.MEMORY_GROW: "page_grown",
    op.MEMORY_COPY: "byte_moved",
    op.MEMORY_FILL: "byte_moved",
    op.MEMORY_INIT: "byte_moved",
    op.TABLE_COPY: "entry_moved",
    op.TABLE_FILL: "entry_moved",
    op.TABLE_INIT: "entry_moved",
    op.TABLE_GROW: "entry_moved",
}


@dataclass(frozen=True, slots=True)
class MeteredModule:
    """A module that counts for itself; only `instrument` makes one.

    Attributes:
        module: The rewritten module. It exports what the original did, the entry points, and both counters.
        entries: Name of an entry point -> name of its export.
    """

    module: Module
    entries: Mapping[str, str]


def instrument(
    valid: ValidModule,
    schedule: Schedule,
    *,
    entries: Iterable[str],
    memory_pages: int,
    table_entries: int,
    stack_height: int,
) -> MeteredModule:
    """Inject metering and the stack limiter.

    Args:
        valid: The module; its imported functions are taken to be host functions.
        schedule: Prices.
        entries: Exported functions of type () -> () to make entry points of.
        memory_pages: Growth limit, in pages, for every memory of the module's own.
        table_entries: Growth limit for every table of its own.
        stack_height: Limit of `ewasm.metering.stack_height`, in values.
    """
    return _Injector(valid, schedule, memory_pages, table_entries, stack_height).run(tuple(entries))


def instrument_core(valid: ValidModule, schedule: Schedule, *, particles: int, stack_height: int) -> Module:
    """Inject metering and the stack limiter into a module that is no contract.

    Everything keeps its type, so modules link to each other as they did before: imported functions are called as the
    module's own are, with the counter spilled, and limits of memories and tables stay. Each module counts for itself;
    both counters start full and are exported, as `GAS_EXPORT` and `STACK_EXPORT`.

    Args:
        valid: The module.
        schedule: Prices.
        particles: What the gas counter starts with.
        stack_height: Limit of `ewasm.metering.stack_height`, in values.
    """
    return _Injector(valid, schedule, None, None, stack_height, particles).run(()).module


class _Injector:
    """State of one rewriting: the growing lists of types and functions.

    Args:
        memory_pages: None leaves the limits of memories as they are.
        table_entries: None leaves the limits of tables as they are.
        particles: First value of the gas counter of a module that is no contract. None says that it is one: imported
            functions are host functions and take the counter.
    """

    def __init__(
        self,
        valid: ValidModule,
        schedule: Schedule,
        memory_pages: int | None,
        table_entries: int | None,
        stack_height: int,
        particles: int | None = None,
    ) -> None:
        self.valid = valid
        self.schedule = schedule
        self.memory_pages = memory_pages
        self.table_entries = table_entries
        self.stack_height = stack_height
        self.particles = particles or 0
        self.host_functions = valid.imported_functions if particles is None else 0
        """How many functions, from the first, take and give the counter."""
        self.prices = opcode_prices(schedule)
        self.metered = not schedule.is_free
        self.passes = self.metered and particles is None
        """Whether every function takes the counter as its last parameter and gives it back as its last result."""
        self.heights = counted_heights(valid, stack_height)
        self.types = list(valid.module.types)
        self.known_types = {known: index for index, known in reversed(list(enumerate(self.types)))}
        self.extra_functions: list[Function] = []
        self.thunks: dict[int, int] = {}
        globals_count = len(valid.global_types)
        self.gas_global = globals_count
        self.stack_global = globals_count + 1
        self.pages_global = globals_count + 2
        extended = self.passes or self.host_functions
        self.extended_types = [self._type_index(_extended(t)) for t in self.valid.module.types] if extended else []

    def run(self, entries: tuple[str, ...]) -> MeteredModule:
        module = self.valid.module
        imports = tuple(self._import(i) for i in module.imports)
        functions = [self._function(i) for i in range(len(module.functions))]
        elements = tuple(self._element(e) for e in module.elements)
        own_globals = tuple(replace(g, init=self._redirected(g.init)) for g in module.globals)
        exports = [replace(e, index=self._reference(e.index)) if e.kind == FUNC else e for e in module.exports]
        exported = {e.name: e.index for e in module.exports if e.kind == FUNC}
        names = {}
        for name in entries:
            names[name] = ENTRY_PREFIX + name
            exports.append(Export(names[name], FUNC, self._entry(exported[name])))
        exports.append(Export(GAS_EXPORT, GLOBAL, self.gas_global))
        exports.append(Export(STACK_EXPORT, GLOBAL, self.stack_global))
        counters = [
            Global(GlobalType(I64, mutable=True), ((op.I64_CONST, self.particles), (op.END,))),
            Global(GlobalType(I32, mutable=True), ((op.I32_CONST, self.stack_height), (op.END,))),
        ]
        if self.memory_pages is not None:
            exports.append(Export(PAGES_EXPORT, GLOBAL, self.pages_global))
            counters.append(Global(GlobalType(I32, mutable=True), ((op.I32_CONST, self.memory_pages), (op.END,))))
        rewritten = Module(
            types=tuple(self.types),
            imports=imports,
            functions=(*functions, *self.extra_functions),
            tables=tuple(TableType(t.element, _capped(t.limits, self.table_entries)) for t in module.tables),
            memories=tuple(MemoryType(_capped(m.limits, self.memory_pages)) for m in module.memories),
            globals=(*own_globals, *counters),
            exports=tuple(exports),
            start=module.start,
            elements=elements,
            data=module.data,
            data_count=module.data_count,
        )
        return MeteredModule(rewritten, names)

    # -- the parts of the module ---------------------------------------------------------------------------------

    def _type_index(self, function_type: FuncType) -> int:
        index = self.known_types.setdefault(function_type, len(self.types))
        if index == len(self.types):
            self.types.append(function_type)
        return index

    def _import(self, item: Import) -> Import:
        if not isinstance(item.type, int) or not self.host_functions:
            return item
        return replace(item, type=self.extended_types[item.type])

    def _reference(self, index: int) -> int:
        """What to refer to instead of function `index`.

        Where only host functions take the counter, a table can't hold them beside the others: they get a thunk.
        """
        if self.passes or index >= self.host_functions:
            return index
        if index not in self.thunks:
            function_type = self.valid.function_types[index]
            body: list[Instr] = [(op.LOCAL_GET, i) for i in range(len(function_type.params))]
            body += [(op.GLOBAL_GET, self.gas_global), (op.CALL, index), (op.GLOBAL_SET, self.gas_global), (op.END,)]
            self.thunks[index] = self._append(function_type, tuple(body))
        return self.thunks[index]

    def _entry(self, index: int) -> int:
        if self.passes:
            return index
        body: Expr = (
            (op.LOCAL_GET, 0),
            (op.GLOBAL_SET, self.gas_global),
            (op.CALL, self._reference(index)),
            (op.GLOBAL_GET, self.gas_global),
            (op.END,),
        )
        return self._append(FuncType((I64,), (I64,)), body)

    def _append(self, function_type: FuncType, body: Expr) -> int:
        self.extra_functions.append(Function(self._type_index(function_type), (), body))
        return len(self.valid.function_types) + len(self.extra_functions) - 1

    def _redirected(self, expr: Expr) -> Expr:
        return tuple((op.REF_FUNC, self._reference(i[1])) if i[0] == op.REF_FUNC else i for i in expr)

    def _element(self, element: Element) -> Element:
        return replace(element, init=tuple(self._redirected(expr) for expr in element.init))

    # -- one function --------------------------------------------------------------------------------------------

    def _function(self, own_index: int) -> Function:
        function = self.valid.module.functions[own_index]
        known = self.valid.functions[own_index]
        height = self.heights[own_index]
        writer = _BodyWriter(self, len(known.type.params), len(known.local_types), height)
        live = list(live_instructions(function.body))
        if self.metered:
            local_count = sum(count for count, _ in function.locals)
            blocks = metered_blocks(function, local_count, self.prices, self.schedule, live)
            writer.charges, writer.checks = blocks.charges, blocks.checks
        writer.write(function.body, known.type, live)
        extra = (((1, I32),) if self.passes else ((1, I64), (1, I32))) if writer.wraps else ()
        type_index = self.extended_types[function.type_index] if self.passes else function.type_index
        return replace(
            function,
            type_index=type_index,
            locals=(*function.locals, *extra),
            body=tuple(writer.out),
            offsets=(),
        )


class _BodyWriter:
    """Writes one rewritten body."""

    def __init__(self, injector: _Injector, params_count: int, locals_count: int, height: int) -> None:
        self.injector = injector
        self.metered = injector.metered
        self.passes = injector.passes
        self.host_functions = injector.host_functions
        self.params_count = params_count
        self.gas = params_count if self.passes else locals_count
        self.operand = locals_count + 1
        self.height = height
        self.wraps = self.metered or height > 0
        self.nesting = 0
        self.charges: dict[int, int] = {}
        self.checks: frozenset[int] = frozenset()
        self.out: list[Instr] = []

    def write(self, body: Expr, function_type: FuncType, live: Sequence[tuple[int, bool]]) -> None:
        out = self.out
        if self.wraps:
            out += [(op.BLOCK, self._block_type(function_type)), (op.BLOCK, EMPTY_BLOCK)]
            self._enter(self.charges.get(0, 0))
        reload: str | None = None
        last = len(body) - 1
        charges, checks, metered = self.charges, self.checks, self.metered
        for index, _ in live:
            if index and metered and (reload is not None or index in charges or index in checks):
                self._charge(charges.get(index, 0), reload, index in checks)
            reload = None
            instruction = body[index]
            code = instruction[0]
            if index == last:
                break
            if code not in _REWRITTEN:
                out.append(instruction)
                continue
            if code in (op.BLOCK, op.LOOP, op.IF):
                self.nesting += 1
                out.append(instruction)
            elif code == op.END:
                self.nesting -= 1
                out.append(instruction)
            elif code in (op.BR, op.BR_IF):
                out.append((code, self._label(instruction[1])))
            elif code == op.BR_TABLE:
                out.append((code, tuple(map(self._label, instruction[1])), self._label(instruction[2])))
            elif code == op.RETURN:
                out.append((op.BR, self.nesting + _EXIT) if self.wraps else instruction)
            elif code == op.CALL:
                reload = self._call(instruction)
            elif code == op.CALL_INDIRECT:
                reload = self._call_indirect(instruction)
            elif code in (op.LOCAL_GET, op.LOCAL_SET, op.LOCAL_TEE):
                out.append((code, self._local(instruction[1])))
            elif code in (op.RETURN_CALL, op.RETURN_CALL_INDIRECT):
                self._tail_call(instruction)
            elif code == op.REF_FUNC:
                out.append((code, self.injector._reference(instruction[1])))
            else:
                if self.metered and code in _LINEAR:
                    self._charge_operand(getattr(self.injector.schedule, _LINEAR[code]))
                out.append(instruction)
                if code == op.MEMORY_GROW and self.injector.memory_pages is not None:
                    # Afterwards, so that a growth that the memory's own maximum refuses stays one.
                    out += [(op.MEMORY_SIZE, instruction[1]), (op.GLOBAL_GET, self.injector.pages_global)]
                    out += [(op.I32_GT_U,), (op.IF, EMPTY_BLOCK), (op.UNREACHABLE,), (op.END,)]
        if self.wraps:
            out += [(op.BR, _EXIT), (op.END,)]
            if self.metered:
                out += [(op.LOCAL_GET, self.gas), (op.GLOBAL_SET, self.injector.gas_global)]
            out += [(op.UNREACHABLE,), (op.END,)]
            self._leave()
        out.append((op.END,))

    def _block_type(self, function_type: FuncType) -> int:
        results = function_type.results
        if not results:
            return EMPTY_BLOCK
        if len(results) == 1:
            return results[0] - 0x80
        return self.injector._type_index(FuncType((), results))

    def _label(self, depth: int) -> int:
        """Branches to the function's own label go to $exit, one further out than they were."""
        return depth + _EXIT if self.wraps and depth == self.nesting else depth

    def _local(self, index: int) -> int:
        """The counter stands between the parameters and the declared locals where it is a parameter itself."""
        return index + 1 if self.passes and index >= self.params_count else index

    def _stop_if_negative(self) -> None:
        self.out += [(op.I64_CONST, 0), (op.I64_LT_S,), (op.BR_IF, self.nesting + _STOP)]

    def _enter(self, first_charge: int) -> None:
        out = self.out
        if self.metered:
            out.append((op.LOCAL_GET, self.gas) if self.passes else (op.GLOBAL_GET, self.injector.gas_global))
            if first_charge:
                out += [(op.I64_CONST, first_charge), (op.I64_SUB,)]
            out.append((op.LOCAL_TEE, self.gas))
            self._stop_if_negative()
        if self.height:
            stack = self.injector.stack_global
            out += [(op.GLOBAL_GET, stack), (op.I32_CONST, self.height), (op.I32_SUB,), (op.LOCAL_TEE, self.operand)]
            out += [(op.GLOBAL_SET, stack), (op.LOCAL_GET, self.operand), (op.I32_CONST, 0), (op.I32_LT_S,)]
            out.append((op.BR_IF, self.nesting + _STOP))

    def _leave(self) -> None:
        """Settle both counters; what the function returns stays on the stack."""
        self._give_height_back()
        self._hand_over()

    def _give_height_back(self) -> None:
        if self.height:
            stack = self.injector.stack_global
            self.out += [(op.GLOBAL_GET, stack), (op.I32_CONST, self.height), (op.I32_ADD,), (op.GLOBAL_SET, stack)]

    def _hand_over(self) -> None:
        """Put the counter where whoever runs next looks for it: on top of the stack, or in its global."""
        if self.metered:
            self.out.append((op.LOCAL_GET, self.gas))
            if not self.passes:
                self.out.append((op.GLOBAL_SET, self.injector.gas_global))

    def _charge(self, particles: int, reload: str | None, check: bool) -> None:
        out = self.out
        if reload is None and not particles and not check:
            return
        if reload == "global":
            out.append((op.GLOBAL_GET, self.injector.gas_global))
        elif reload is None:
            out.append((op.LOCAL_GET, self.gas))
        if particles:
            out += [(op.I64_CONST, particles), (op.I64_SUB,)]
        if check:
            out.append((op.LOCAL_TEE, self.gas))
            self._stop_if_negative()
        else:
            out.append((op.LOCAL_SET, self.gas))

    def _charge_operand(self, unit_price: int) -> None:
        """Charge `unit_price` for each unit that the operand on top of the stack names, and leave the operand there."""
        if not unit_price:
            return
        self.out += [(op.LOCAL_TEE, self.operand), (op.LOCAL_GET, self.gas), (op.LOCAL_GET, self.operand)]
        self.out += [(op.I64_EXTEND_I32_U,), (op.I64_CONST, unit_price), (op.I64_MUL,), (op.I64_SUB,)]
        self.out.append((op.LOCAL_TEE, self.gas))
        self._stop_if_negative()

    def _call(self, instruction: Instr) -> str | None:
        """Returns where the counter is afterwards: "stack", "global", or None if it is where it belongs."""
        out = self.out
        if self.passes or instruction[1] >= self.host_functions:
            self._hand_over()
            out.append(instruction)
            return "stack" if self.passes else "global"
        if self.metered:
            out += [(op.LOCAL_GET, self.gas), instruction]
            return "stack"
        gas_global = self.injector.gas_global
        out += [(op.GLOBAL_GET, gas_global), instruction, (op.GLOBAL_SET, gas_global)]
        return None

    def _call_indirect(self, instruction: Instr) -> str:
        if not self.passes:
            self._hand_over()
            self.out.append(instruction)
            return "global"
        code, type_index, table = instruction
        # The place in the table is the last operand, so it has to step aside.
        self.out += [(op.LOCAL_SET, self.operand), (op.LOCAL_GET, self.gas), (op.LOCAL_GET, self.operand)]
        self.out.append((code, self.injector.extended_types[type_index], table))
        return "stack"

    def _tail_call(self, instruction: Instr) -> None:
        if instruction[0] == op.RETURN_CALL and instruction[1] < self.host_functions:
            # There is no frame to save, and without metering it has other results than its caller: call, then leave.
            reload = self._call((op.CALL, instruction[1]))
            if reload == "stack":
                self.out.append((op.LOCAL_SET, self.gas))
            self.out.append((op.BR, self.nesting + _EXIT) if self.wraps else (op.RETURN,))
            return
        if instruction[0] == op.RETURN_CALL_INDIRECT and self.passes:
            self._give_height_back()
            self._call_indirect(instruction)
        else:
            self._leave()
            self.out.append(instruction)


def _extended(function_type: FuncType) -> FuncType:
    """The type with the counter as last parameter and last result."""
    return FuncType((*function_type.params, I64), (*function_type.results, I64))


def _capped(limits: Limits, cap: int | None) -> Limits:
    if cap is None:
        return limits
    return Limits(limits.minimum, cap if limits.maximum is None else min(limits.maximum, cap))
