"""Pre-decoding: a validated body becomes steps that the interpreter's loop can run without looking anything up.

A step is a tuple `(kind, price, a, b, c)`. Steps stand one to one with the instructions of the body, so that a step's
index is the instruction's: its offset, its opcode and its place in the text are known without another table. Behind the
last one stands LEAVE, where the function's `end`, `return` and branches to its label lead. Kinds are small ints in the
order in which the loop tests them, the frequent ones first.

For a trace that wants every step, `traced` puts a TRACE step before each; an untraced run knows nothing of it.

| kind | a | b | c |
|---|---|---|---|
| LOCAL_GET, LOCAL_SET, LOCAL_TEE | local | | |
| CONST | value | | |
| BINARY, UNARY, WIDE | function of `numerics` | (WIDE: number of operands) | |
| BR (`return` is one), BR_IF | target step | label arity | label height |
| BR_TABLE | tuple of (target, arity, height), default last | | |
| IF, ELSE | target step if false / behind the end | | |
| LOAD | static offset | bytes | (bits of sign to extend from, mask), or None |
| STORE | static offset | bytes | mask |
| CALL, RETURN_CALL | function | | |
| ENTER | the function itself, not its index | | |
| TRACE | index of the instruction behind it | | |
| CALL_INDIRECT, RETURN_CALL_INDIRECT | type | table | |
| others | first immediate | second immediate | |

Label heights count from the frame's own operand base. They come from validation, so no step has to track blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ewasm.metering.blocks import instruction_price
from ewasm.metering.schedule import Schedule
from ewasm.wasm import opcodes as op
from ewasm.wasm.module import Function, Instr, ValidFunction, ValidModule
from ewasm.wasm.numerics import BINARY as BINARY_FUNCTIONS
from ewasm.wasm.numerics import UNARY as UNARY_FUNCTIONS
from ewasm.wasm.numerics import WIDE as WIDE_FUNCTIONS
from ewasm.wasm.types import I32, I64, FuncType

Step = tuple[int, int, Any, Any, Any]

(
    LOCAL_GET,
    CONST,
    BINARY,
    LOCAL_SET,
    LOAD,
    BR_IF,
    LOCAL_TEE,
    STORE,
    UNARY,
    NOTHING,
    BR,
    IF,
    ELSE,
    DROP,
    SELECT,
    GLOBAL_GET,
    GLOBAL_SET,
    CALL,
    CALL_INDIRECT,
    RETURN_CALL,
    RETURN_CALL_INDIRECT,
    ENTER,
    LEAVE,
    TRACE,
    BR_TABLE,
    MEMORY_SIZE,
    MEMORY_GROW,
    MEMORY_COPY,
    MEMORY_FILL,
    MEMORY_INIT,
    DATA_DROP,
    UNREACHABLE,
    WIDE,
    REF_NULL,
    REF_IS_NULL,
    REF_FUNC,
    TABLE_GET,
    TABLE_SET,
    TABLE_SIZE,
    TABLE_GROW,
    TABLE_FILL,
    TABLE_COPY,
    TABLE_INIT,
    ELEM_DROP,
    DEAD,
) = range(45)

CALLS = frozenset({CALL, CALL_INDIRECT, RETURN_CALL, RETURN_CALL_INDIRECT, ENTER})
DIRECT_CALLS = frozenset({CALL, RETURN_CALL})
TAIL_CALLS = frozenset({RETURN_CALL, RETURN_CALL_INDIRECT})
TABLE_MOVES = frozenset({TABLE_GROW, TABLE_FILL, TABLE_COPY, TABLE_INIT})
TABLE_KINDS = TABLE_MOVES | {TABLE_GET, TABLE_SET, TABLE_SIZE}
BYTE_MOVES = frozenset({MEMORY_COPY, MEMORY_FILL, MEMORY_INIT})

LEAVE_STEP: Step = (LEAVE, 0, 0, 0, 0)

_SIMPLE: dict[int, int] = {
    op.UNREACHABLE: UNREACHABLE,
    op.NOP: NOTHING,
    op.BLOCK: NOTHING,
    op.LOOP: NOTHING,
    op.CALL: CALL,
    op.CALL_INDIRECT: CALL_INDIRECT,
    op.RETURN_CALL: RETURN_CALL,
    op.RETURN_CALL_INDIRECT: RETURN_CALL_INDIRECT,
    op.DROP: DROP,
    op.SELECT: SELECT,
    op.SELECT_T: SELECT,
    op.LOCAL_GET: LOCAL_GET,
    op.LOCAL_SET: LOCAL_SET,
    op.LOCAL_TEE: LOCAL_TEE,
    op.GLOBAL_GET: GLOBAL_GET,
    op.GLOBAL_SET: GLOBAL_SET,
    op.TABLE_GET: TABLE_GET,
    op.TABLE_SET: TABLE_SET,
    op.MEMORY_SIZE: MEMORY_SIZE,
    op.MEMORY_GROW: MEMORY_GROW,
    op.I32_CONST: CONST,
    op.I64_CONST: CONST,
    op.REF_NULL: REF_NULL,
    op.REF_IS_NULL: REF_IS_NULL,
    op.REF_FUNC: REF_FUNC,
    op.MEMORY_INIT: MEMORY_INIT,
    op.DATA_DROP: DATA_DROP,
    op.MEMORY_COPY: MEMORY_COPY,
    op.MEMORY_FILL: MEMORY_FILL,
    op.TABLE_INIT: TABLE_INIT,
    op.ELEM_DROP: ELEM_DROP,
    op.TABLE_COPY: TABLE_COPY,
    op.TABLE_GROW: TABLE_GROW,
    op.TABLE_SIZE: TABLE_SIZE,
    op.TABLE_FILL: TABLE_FILL,
}

# Loads: bytes read, bits the sign stands at (None: zero-extend), bits of the result (core spec 4.4.7).
_LOADS: dict[int, tuple[int, int | None, int]] = {
    op.I32_LOAD: (4, None, 32),
    op.I64_LOAD: (8, None, 64),
    op.I32_LOAD8_S: (1, 8, 32),
    op.I32_LOAD8_U: (1, None, 32),
    op.I32_LOAD16_S: (2, 16, 32),
    op.I32_LOAD16_U: (2, None, 32),
    op.I64_LOAD8_S: (1, 8, 64),
    op.I64_LOAD8_U: (1, None, 64),
    op.I64_LOAD16_S: (2, 16, 64),
    op.I64_LOAD16_U: (2, None, 64),
    op.I64_LOAD32_S: (4, 32, 64),
    op.I64_LOAD32_U: (4, None, 64),
}
_STORES: dict[int, int] = {
    op.I32_STORE: 4,
    op.I64_STORE: 8,
    op.I32_STORE8: 1,
    op.I32_STORE16: 2,
    op.I64_STORE8: 1,
    op.I64_STORE16: 2,
    op.I64_STORE32: 4,
}

Label = tuple[int, int, int]


def predecode(
    valid: ValidModule, function: Function, known: ValidFunction, prices: dict[int, int], schedule: Schedule
) -> tuple[Step, ...]:
    """Steps of one function."""
    body = function.body
    ends, elses = _match_blocks(body)
    labels: list[Label] = [(len(body), len(known.type.results), 0)]
    steps: list[Step] = []
    for index, instruction in enumerate(body):
        code = instruction[0]
        if code in (op.BLOCK, op.LOOP, op.IF):
            labels.append(_label(valid, index, instruction, known.heights[index], ends[index]))
        elif code == op.END:
            labels.pop()
        if known.heights[index] < 0 and code not in (op.END, op.ELSE):
            steps.append((DEAD, 0, 0, 0, 0))
            continue
        price = instruction_price(instruction, prices, schedule)
        steps.append(_step(index, instruction, price, labels, ends, elses))
    return (*steps, LEAVE_STEP)


def traced(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same with a TRACE step before each that stands for an instruction: everything is twice as far."""
    told: list[Step] = []
    for index, step in enumerate(steps[:-1]):
        kind, price, a, b, c = step
        if kind in (BR, BR_IF, IF, ELSE):
            step = kind, price, 2 * a, b, c
        elif kind == BR_TABLE:
            step = kind, price, tuple((2 * target, arity, height) for target, arity, height in a), b, c
        told += [(TRACE, 0, index, 0, 0), step]
    return (*told, LEAVE_STEP)


def _match_blocks(body: tuple[Instr, ...]) -> tuple[dict[int, int], dict[int, int]]:
    """Index of each opener -> its end; index of each `if` -> its else; index of each `else` -> its end (in `ends`)."""
    ends: dict[int, int] = {}
    elses: dict[int, int] = {}
    openers: list[int] = []
    for index, instruction in enumerate(body):
        code = instruction[0]
        if code in (op.BLOCK, op.LOOP, op.IF):
            openers.append(index)
        elif code == op.ELSE:
            elses[openers[-1]] = index
        elif code == op.END and openers:
            opener = openers.pop()
            ends[opener] = index
            if opener in elses:
                ends[elses[opener]] = index
    return ends, elses


def block_type(valid: ValidModule, immediate: int) -> FuncType:
    """Type of a block from its immediate (core spec 3.2.2)."""
    if immediate >= 0:
        return valid.module.types[immediate]
    return FuncType((), () if immediate == -64 else (immediate + 0x80,))


def _label(valid: ValidModule, index: int, instruction: Instr, height: int, end: int) -> Label:
    """Where a branch to this block goes, with how many values, onto which height."""
    found = block_type(valid, instruction[1])
    base = height - len(found.params) - (1 if instruction[0] == op.IF else 0)
    if instruction[0] == op.LOOP:
        return index, len(found.params), base
    return end + 1, len(found.results), base


def _step(
    index: int,
    instruction: Instr,
    price: int,
    labels: list[Label],
    ends: dict[int, int],
    elses: dict[int, int],
) -> Step:
    code = instruction[0]
    if code == op.END:
        return NOTHING, price, 0, 0, 0
    if code == op.ELSE:
        return ELSE, price, ends[index] + 1, 0, 0
    if code == op.IF:
        return IF, price, elses.get(index, ends[index]) + 1, 0, 0
    if code in (op.BR, op.BR_IF):
        return (BR if code == op.BR else BR_IF), price, *labels[-1 - instruction[1]]
    if code == op.RETURN:
        return BR, price, *labels[0]
    if code == op.BR_TABLE:
        targets = tuple(labels[-1 - depth] for depth in (*instruction[1], instruction[2]))
        return BR_TABLE, price, targets, len(targets) - 1, 0
    if code in _LOADS:
        size, sign, width = _LOADS[code]
        extend = None if sign is None else (1 << (sign - 1), ((1 << width) - 1) ^ ((1 << sign) - 1))
        return LOAD, price, instruction[2], size, extend
    if code in _STORES:
        size = _STORES[code]
        return STORE, price, instruction[2], size, (1 << (8 * size)) - 1
    numeric = _numeric(code, price)
    if numeric is not None:
        return numeric
    immediates = (*instruction[1:], 0, 0, 0)
    return _SIMPLE[code], price, immediates[0], immediates[1], immediates[2]


def _numeric(code: int, price: int) -> Step | None:
    if code in BINARY_FUNCTIONS:
        return BINARY, price, BINARY_FUNCTIONS[code], 0, 0
    if code in UNARY_FUNCTIONS:
        return UNARY, price, UNARY_FUNCTIONS[code], 0, 0
    if code in WIDE_FUNCTIONS:
        params = op.OPCODES[code].params or ()
        return WIDE, price, WIDE_FUNCTIONS[code], len(params), 0
    return None


def default_value(value_type: int) -> int | None:
    """Zero of a number type, null of a reference type (core spec 4.2.1)."""
    return 0 if value_type in (I32, I64) else None


Numeric = Callable[..., Any]
