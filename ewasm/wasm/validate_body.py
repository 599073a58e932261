"""Function bodies and constant expressions (core spec 3.3, and the algorithm of its appendix 7.3), over flat code.

Operand types are ints; `_ANY` stands for the operand of any type that code after an unconditional branch may pop.
What an opcode does to the stack comes from the opcode table; only the opcodes whose types depend on their immediates
are written out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from ewasm.errors import InvalidModule
from ewasm.wasm import opcodes
from ewasm.wasm.module import EMPTY_BLOCK, Expr, Function, Instr, ValidFunction
from ewasm.wasm.types import (
    EXTERNREF,
    F32,
    F64,
    FUNCREF,
    I32,
    I64,
    VALUE_TYPE_NAMES,
    FuncType,
    GlobalType,
    MemoryType,
    TableType,
)

MAX_LOCALS = 50_000
"""Parameters and locals of one function; the figure other engines use."""

MAX_OPERANDS = 1_000_000
"""Highest operand stack: a call takes two bytes, but may leave any number of results."""

MAX_LOCALS_OF_MODULE = 4_000_000
"""Of all functions: a run of locals takes three bytes, but the list of their types does not."""

_ANY = 0
_NUMBER_TYPES = frozenset({I32, I64, F32, F64, _ANY})
_REFERENCE_TYPES = frozenset({FUNCREF, EXTERNREF, _ANY})

_FEATURE_WORDS = {
    "float": "a float instruction",
    "saturating_float": "a saturating float conversion",
    "sign_extension": "a sign extension instruction",
    "bulk_memory": "a bulk memory instruction",
    "reference_types": "a reference types instruction",
    "tail_call": "a tail call",
    "wide_arithmetic": "a wide arithmetic instruction",
}

# Kinds of rows. Up to _CHECKED the table's columns say all there is to say of the stack; the immediates of _MEMARG and
# _CHECKED have to be looked at.
_FIXED, _MEMARG, _CHECKED, _LOCAL_GET, _LOCAL_SET, _LOCAL_TEE, _OTHER = range(7)
_LOCAL_KINDS = {opcodes.LOCAL_GET: _LOCAL_GET, opcodes.LOCAL_SET: _LOCAL_SET, opcodes.LOCAL_TEE: _LOCAL_TEE}
_UNCHECKED_IMMEDIATES = frozenset({"none", "i32", "i64", "f32", "f64"})

Types = list[int]
_PlanRow = tuple[int, Types, Types, int]
_T = TypeVar("_T")


@dataclass(slots=True)
class Context:
    """What a body is validated against (3.1.1), with types as lists, ready to be compared with slices of the stack."""

    features: frozenset[str]
    types: tuple[FuncType, ...]
    functions: tuple[FuncType, ...]
    tables: tuple[TableType, ...]
    memories: tuple[MemoryType, ...]
    globals: tuple[GlobalType, ...]
    imported_globals: int
    elements: tuple[int, ...]
    """Types of the element segments."""
    segments: int
    """Data segments."""
    references: frozenset[int]
    """Functions that occur outside of bodies: those that `ref.func` may name."""
    lists: dict[FuncType, tuple[Types, Types]] = field(default_factory=dict)
    """Parameters and results of each function type met so far."""
    blocks: dict[int, tuple[Types, Types]] = field(default_factory=dict)
    """The same of each block type."""
    locals_left: int = MAX_LOCALS_OF_MODULE

    def signature(self, type_: FuncType) -> tuple[Types, Types]:
        lists = self.lists.get(type_)
        if lists is None:
            lists = self.lists[type_] = (list(type_.params), list(type_.results))
        return lists

    def block_type(self, block: int) -> tuple[Types, Types]:
        lists = self.blocks.get(block)
        if lists is None:
            if block == EMPTY_BLOCK:
                lists = ([], [])
            elif block < 0:
                check_value_type(block + 0x80, self.features)
                lists = ([], [block + 0x80])
            else:
                type_ = at(self.types, block, "type")
                if "multi_value" not in self.features:
                    raise refuse_feature("multi_value", "a block type with a type index")
                lists = self.signature(type_)
            self.blocks[block] = lists
        return lists


def type_name(value_type: int) -> str:
    return VALUE_TYPE_NAMES.get(value_type, f"type 0x{value_type:02x}")


def refuse_feature(feature: str, reason: str, *, hint: str | None = None) -> InvalidModule:
    words = feature.replace("_", " ")
    return InvalidModule(reason, rule=f"feature:{feature}", hint=hint or f"compile without {words}")


def check_value_type(value_type: int, features: frozenset[str]) -> None:
    """Refuse value types whose feature is off."""
    if value_type in (F32, F64):
        if "float" not in features:
            raise refuse_feature(
                "float", f"{type_name(value_type)} is a float type", hint="use integers or fixed-point numbers"
            )
    elif value_type in (FUNCREF, EXTERNREF):
        if "reference_types" not in features:
            raise refuse_feature("reference_types", f"{type_name(value_type)} is not a value type of the MVP")
        if value_type == EXTERNREF and "externref" not in features:
            raise refuse_feature("externref", "externref is not admitted", hint="compile without externref")


@lru_cache(maxsize=16)
def _plan(features: frozenset[str]) -> dict[int, _PlanRow]:
    """The opcodes that `features` admit: kind, operand types, result types, greatest align exponent."""
    plan: dict[int, _PlanRow] = {}
    for row in opcodes.OPCODES.values():
        if _missing_feature(row, features):
            continue
        kind, align = _OTHER, 0
        if row.immediates == "memarg":
            kind, align = _MEMARG, natural_alignment(row.text)
        elif row.code in _LOCAL_KINDS:
            kind = _LOCAL_KINDS[row.code]
        elif row.params is not None and row.results is not None:
            kind = _FIXED if row.immediates in _UNCHECKED_IMMEDIATES else _CHECKED
        plan[row.code] = (kind, list(row.params or ()), list(row.results or ()), align)
    return plan


def _missing_feature(row: opcodes.Opcode, features: frozenset[str]) -> str | None:
    if row.feature in opcodes.FLOAT_FEATURES and "float" not in features:
        return "float"
    return None if row.feature == "mvp" or row.feature in features else row.feature


def natural_alignment(text: str) -> int:
    """The exponent for `i64.load32_u` is 2: the width after the verb, else that of the type."""
    match = re.fullmatch(r"[if](\d+)\.(?:load|store)(\d*)(?:_[su])?", text)
    if match is None:
        raise ValueError(f"{text} does not access memory")
    return int(match[2] or match[1]).bit_length() - 4


def _refuse_opcode(code: int, features: frozenset[str]) -> InvalidModule:
    row = opcodes.OPCODES.get(code)
    feature = _missing_feature(row, features) if row else None
    if row is None or feature is None:
        return InvalidModule(f"illegal opcode {code:02x}")
    hint = "use integers or fixed-point numbers" if feature == "float" else None
    return refuse_feature(feature, f"{row.text} is {_FEATURE_WORDS[feature]}", hint=hint)


def _mismatch(expected: int, found: int | None) -> InvalidModule:
    what = "nothing" if found is None else type_name(found)
    return InvalidModule(f"type mismatch: expected {type_name(expected)}, found {what}")


def _pop(stack: Types, base: int, unreachable: bool, expected: Types) -> None:
    """Pop `expected`, the last of it first. Code that can't be reached has any operands below its own."""
    for want in reversed(expected):
        if len(stack) == base:
            if unreachable:
                return
            raise _mismatch(want, None)
        got = stack.pop()
        if got not in (want, _ANY):
            raise _mismatch(want, got)


def _pop_any(stack: Types, base: int, unreachable: bool) -> int:
    if len(stack) > base:
        return stack.pop()
    if unreachable:
        return _ANY
    raise InvalidModule("type mismatch: expected a value, found nothing")


def at(space: Sequence[_T], index: int, what: str) -> _T:
    if index >= len(space):
        raise InvalidModule(f"unknown {what} {index}")
    return space[index]


@dataclass(slots=True)
class _Body:
    """Operand and control stacks of the algorithm in 7.3.

    `base` is the height at which the innermost block began, `unreachable` whether a branch was taken in it;
    `dead` also holds in the blocks inside code that can't be reached.
    """

    context: Context
    results: Types
    stack: Types = field(default_factory=list)
    base: int = 0
    unreachable: bool = False
    dead: bool = False
    frames: list[tuple[int, Types, Types, Types, int, bool, bool]] = field(default_factory=list)
    """Opcode, label types, start types, end types; `base`, `unreachable` and `dead` of the block around."""

    def pop(self, expected: Types) -> None:
        count = len(expected)
        stack = self.stack
        if len(stack) - self.base >= count and (not count or stack[-count:] == expected):
            del stack[len(stack) - count :]
        else:
            _pop(stack, self.base, self.unreachable, expected)

    def open(self, opcode: int, label: Types, start: Types, end: Types) -> None:
        self.frames.append((opcode, label, start, end, self.base, self.unreachable, self.dead))
        self.base = len(self.stack)
        self.unreachable = False
        self.stack += start

    def leave(self) -> None:
        """The rest of the block can't be reached."""
        del self.stack[self.base :]
        self.unreachable = self.dead = True

    def label(self, depth: int) -> Types:
        if depth >= len(self.frames):
            raise InvalidModule(f"unknown label {depth}")
        return self.frames[-1 - depth][1]

    def close(self) -> None:
        """The operands must be the block's results, no more; they are left on the stack."""
        end = self.frames[-1][3]
        if self.stack[self.base :] != end:
            _pop(self.stack, self.base, self.unreachable, end)
            if len(self.stack) != self.base:
                raise InvalidModule(
                    f"type mismatch: {len(self.stack) - self.base} values too many at the end of a block"
                )
            self.stack += end


def _block(body: _Body, instr: Instr) -> None:
    start, end = body.context.block_type(instr[1])
    body.pop(start)
    body.open(instr[0], start if instr[0] == opcodes.LOOP else end, start, end)


def _if(body: _Body, instr: Instr) -> None:
    body.pop(_I32)
    _block(body, instr)


def _else(body: _Body, instr: Instr) -> None:
    opcode, label, start, end, base, unreachable, dead = body.frames[-1]
    if opcode != opcodes.IF:
        raise InvalidModule("END opcode expected")
    body.close()
    body.frames[-1] = (instr[0], label, start, end, base, unreachable, dead)
    body.stack[body.base :] = start
    body.unreachable = False
    body.dead = dead


def _end(body: _Body, _: Instr) -> None:
    body.close()
    opcode, _label, start, end, body.base, body.unreachable, body.dead = body.frames.pop()
    if opcode == opcodes.IF and start != end:
        raise InvalidModule("type mismatch: an if without else must leave the operands it takes")


def _br(body: _Body, instr: Instr) -> None:
    body.pop(body.label(instr[1]))
    body.leave()


def _br_if(body: _Body, instr: Instr) -> None:
    body.pop(_I32)
    label = body.label(instr[1])
    body.pop(label)
    body.stack += label


def _br_table(body: _Body, instr: Instr) -> None:
    body.pop(_I32)
    _, targets, default = instr
    arity = len(body.label(default))
    for depth in {*targets, default}:
        label = body.label(depth)
        if len(label) != arity:
            raise InvalidModule(f"type mismatch: label {depth} takes {len(label)} values, the default label {arity}")
        # Operands of unknown type stay unknown for the next label, so a copy is popped.
        operands = body.stack[max(body.base, len(body.stack) - arity) :]
        if operands != label:
            _pop(operands, 0, body.unreachable, label)
    body.leave()


def _return(body: _Body, _: Instr) -> None:
    body.pop(body.results)
    body.leave()


def _call(body: _Body, instr: Instr) -> None:
    params, results = body.context.signature(at(body.context.functions, instr[1], "function"))
    body.pop(params)
    body.stack += results


def _indirect_type(body: _Body, instr: Instr) -> FuncType:
    _, type_index, table_index = instr
    table = at(body.context.tables, table_index, "table")
    if table.element != FUNCREF:
        raise InvalidModule(f"type mismatch: table {table_index} holds {type_name(table.element)}, not funcref")
    return at(body.context.types, type_index, "type")


def _call_indirect(body: _Body, instr: Instr) -> None:
    params, results = body.context.signature(_indirect_type(body, instr))
    body.pop(_I32)
    body.pop(params)
    body.stack += results


def _return_as(body: _Body, type_: FuncType) -> None:
    params, results = body.context.signature(type_)
    if results != body.results:
        raise InvalidModule("type mismatch: the function called in tail position has other results")
    body.pop(params)
    body.leave()


def _return_call(body: _Body, instr: Instr) -> None:
    _return_as(body, at(body.context.functions, instr[1], "function"))


def _return_call_indirect(body: _Body, instr: Instr) -> None:
    type_ = _indirect_type(body, instr)
    body.pop(_I32)
    _return_as(body, type_)


def _unreachable(body: _Body, _: Instr) -> None:
    body.leave()


def _drop(body: _Body, _: Instr) -> None:
    _pop_any(body.stack, body.base, body.unreachable)


def _select(body: _Body, _: Instr) -> None:
    body.pop(_I32)
    second = _pop_any(body.stack, body.base, body.unreachable)
    first = _pop_any(body.stack, body.base, body.unreachable)
    if first not in _NUMBER_TYPES or second not in _NUMBER_TYPES:
        raise InvalidModule("type mismatch: select without types takes numbers")
    if first != second and _ANY not in (first, second):
        raise _mismatch(first, second)
    body.stack.append(second if first == _ANY else first)


def _select_t(body: _Body, instr: Instr) -> None:
    types = instr[1]
    if len(types) != 1:
        raise InvalidModule("invalid result arity")
    check_value_type(types[0], body.context.features)
    body.pop([types[0], types[0], I32])
    body.stack.append(types[0])


def _global_get(body: _Body, instr: Instr) -> None:
    body.stack.append(at(body.context.globals, instr[1], "global").value_type)


def _global_set(body: _Body, instr: Instr) -> None:
    type_ = at(body.context.globals, instr[1], "global")
    if not type_.mutable:
        raise InvalidModule("global is immutable")
    body.pop([type_.value_type])


def _table_get(body: _Body, instr: Instr) -> None:
    body.pop(_I32)
    body.stack.append(at(body.context.tables, instr[1], "table").element)


def _table_set(body: _Body, instr: Instr) -> None:
    body.pop([I32, at(body.context.tables, instr[1], "table").element])


def _table_grow(body: _Body, instr: Instr) -> None:
    body.pop([at(body.context.tables, instr[1], "table").element, I32])
    body.stack.append(I32)


def _table_fill(body: _Body, instr: Instr) -> None:
    body.pop([I32, at(body.context.tables, instr[1], "table").element, I32])


def _ref_null(body: _Body, instr: Instr) -> None:
    check_value_type(instr[1], body.context.features)
    body.stack.append(instr[1])


def _ref_is_null(body: _Body, _: Instr) -> None:
    found = _pop_any(body.stack, body.base, body.unreachable)
    if found not in _REFERENCE_TYPES:
        raise InvalidModule(f"type mismatch: expected a reference, found {type_name(found)}")
    body.stack.append(I32)


_I32 = [I32]
_HANDLERS: dict[int, Callable[[_Body, Instr], None]] = {
    opcodes.UNREACHABLE: _unreachable,
    opcodes.BLOCK: _block,
    opcodes.LOOP: _block,
    opcodes.IF: _if,
    opcodes.ELSE: _else,
    opcodes.END: _end,
    opcodes.BR: _br,
    opcodes.BR_IF: _br_if,
    opcodes.BR_TABLE: _br_table,
    opcodes.RETURN: _return,
    opcodes.CALL: _call,
    opcodes.CALL_INDIRECT: _call_indirect,
    opcodes.RETURN_CALL: _return_call,
    opcodes.RETURN_CALL_INDIRECT: _return_call_indirect,
    opcodes.DROP: _drop,
    opcodes.SELECT: _select,
    opcodes.SELECT_T: _select_t,
    opcodes.GLOBAL_GET: _global_get,
    opcodes.GLOBAL_SET: _global_set,
    opcodes.TABLE_GET: _table_get,
    opcodes.TABLE_SET: _table_set,
    opcodes.TABLE_GROW: _table_grow,
    opcodes.TABLE_FILL: _table_fill,
    opcodes.REF_NULL: _ref_null,
    opcodes.REF_IS_NULL: _ref_is_null,
}


def _check_immediates(instr: Instr, context: Context) -> None:
    """Index spaces of the rows whose stack types are fixed."""
    op = instr[0]
    if op == opcodes.REF_FUNC:
        at(context.functions, instr[1], "function")
        if instr[1] not in context.references:
            raise InvalidModule("undeclared function reference")
    elif op == opcodes.TABLE_SIZE:
        at(context.tables, instr[1], "table")
    elif op == opcodes.TABLE_COPY:
        destination = at(context.tables, instr[1], "table").element
        source = at(context.tables, instr[2], "table").element
        if destination != source:
            raise _mismatch(destination, source)
    elif op == opcodes.TABLE_INIT:
        destination = at(context.tables, instr[2], "table").element
        source = at(context.elements, instr[1], "elem segment")
        if destination != source:
            raise _mismatch(destination, source)
    elif op == opcodes.ELEM_DROP:
        at(context.elements, instr[1], "elem segment")
    elif op == opcodes.DATA_DROP:
        at(range(context.segments), instr[1], "data segment")
    elif op == opcodes.MEMORY_INIT:
        at(context.memories, instr[2], "memory")
        at(range(context.segments), instr[1], "data segment")
    else:
        for memory in instr[1:]:
            at(context.memories, memory, "memory")


def validate_body(function: Function, type_: FuncType, context: Context) -> ValidFunction:
    """Validate one function.

    Raises:
        InvalidModule: With the offset of the instruction, if the function has offsets.
    """
    count = len(type_.params) + sum(run for run, _ in function.locals)
    context.locals_left -= count
    if count > MAX_LOCALS or context.locals_left < 0:
        raise InvalidModule(
            "too many locals",
            offset=function.offset,
            rule="limit:locals",
            hint=f"at most {MAX_LOCALS} in a function and {MAX_LOCALS_OF_MODULE} in a module",
        )
    locals_ = list(type_.params)
    for run, value_type in function.locals:
        check_value_type(value_type, context.features)
        locals_ += [value_type] * run
    heights: list[int] = []
    try:
        _run(function.body, locals_, type_, context, heights)
    except InvalidModule as error:
        if error.offset is None and heights and len(heights) <= len(function.offsets):
            error.offset = function.offsets[len(heights) - 1]
        raise
    return ValidFunction(type_, tuple(locals_), max(heights), tuple(heights))


def _run(code: Expr, locals_: Types, type_: FuncType, context: Context, heights: list[int]) -> None:
    """The loop of the algorithm; `heights` gets one entry for each instruction that was begun."""
    results = context.signature(type_)[1]
    body = _Body(context, results)
    body.open(opcodes.BLOCK, results, [], results)
    plan = _plan(context.features)
    memories = len(context.memories)
    handlers = _HANDLERS
    stack = body.stack
    frames = body.frames
    mark = heights.append
    for instr in code:
        op = instr[0]
        mark(-1 if body.dead else len(stack))
        row = plan.get(op)
        if row is None:
            raise _refuse_opcode(op, context.features)
        kind, params, results, align = row
        if kind <= _CHECKED:
            if kind == _MEMARG:
                if instr[3] >= memories:
                    raise InvalidModule(f"unknown memory {instr[3]}")
                if instr[1] > align:
                    raise InvalidModule("alignment must not be larger than natural")
            elif kind == _CHECKED:
                _check_immediates(instr, context)
            count = len(params)
            if count:
                if len(stack) - body.base >= count and stack[-count:] == params:
                    del stack[-count:]
                else:
                    _pop(stack, body.base, body.unreachable, params)
            stack += results
        elif kind == _OTHER:
            handlers[op](body, instr)
            if not frames:
                break
            if len(stack) > MAX_OPERANDS:
                raise InvalidModule("too many operands", rule="limit:operands", hint=f"at most {MAX_OPERANDS}")
        else:
            index = instr[1]
            if index >= len(locals_):
                raise InvalidModule(f"unknown local {index}")
            value_type = locals_[index]
            if kind != _LOCAL_GET:
                if len(stack) > body.base and stack[-1] == value_type:
                    if kind == _LOCAL_SET:
                        del stack[-1]
                    continue
                _pop(stack, body.base, body.unreachable, [value_type])
                if kind == _LOCAL_SET:
                    continue
            stack.append(value_type)
    if frames or len(heights) != len(code):
        raise InvalidModule("END opcode expected")


_ARITHMETIC = frozenset(
    {opcodes.I32_ADD, opcodes.I32_SUB, opcodes.I32_MUL, opcodes.I64_ADD, opcodes.I64_SUB, opcodes.I64_MUL}
)
_CONSTANTS = frozenset(row.code for row in opcodes.OPCODES.values() if row.text.endswith(".const"))


def validate_constant(expr: Expr, expected: int, context: Context) -> None:
    """3.3.10: a constant expression of type `expected`.

    Globals that it reads must be imported and immutable, as in the core spec 2.0.
    """
    for instr in expr[:-1]:
        op = instr[0]
        if op == opcodes.GLOBAL_GET:
            if instr[1] >= context.imported_globals:
                raise InvalidModule(f"unknown global {instr[1]}")
            if context.globals[instr[1]].mutable:
                raise InvalidModule("constant expression required", hint="the global it reads is mutable")
        elif op in _ARITHMETIC:
            if "extended_const" not in context.features:
                raise refuse_feature(
                    "extended_const", f"constant expression required, {opcodes.OPCODES[op].text} is not constant"
                )
        elif op not in _CONSTANTS and op not in (opcodes.REF_NULL, opcodes.REF_FUNC):
            row = opcodes.OPCODES.get(op)
            raise InvalidModule(f"constant expression required, {row.text if row else op} is not constant")
    _run(expr, [], FuncType((), (expected,)), context, [])
