"""The opcode table: one row per opcode of the core specification 2.0 without SIMD, plus two later features.

Tail calls and wide arithmetic are the additions. Two-byte opcodes are written `prefix << 8 | number`.

Columns: the code; the name of the text format (`select_t` is the table's own name for `select` with types); the kind
of immediates (see `ewasm.wasm.module`); operand and result types, `None` where they depend on the immediates or on the
stack; the cost class that a gas schedule prices; the feature that admits the opcode.

Everything that knows an opcode (decoder, validator, metering, interpreter, documents) derives it from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ewasm.wasm.types import F32, F64, FUNCREF, I32, I64


@dataclass(frozen=True, slots=True)
class Opcode:
    code: int
    text: str
    immediates: str
    params: tuple[int, ...] | None
    results: tuple[int, ...] | None
    cost_class: str
    feature: str


# Codes that other modules name. Float opcodes are never named: the table is all that is known of them.
UNREACHABLE = 0x00
NOP = 0x01
BLOCK = 0x02
LOOP = 0x03
IF = 0x04
ELSE = 0x05
END = 0x0B
BR = 0x0C
BR_IF = 0x0D
BR_TABLE = 0x0E
RETURN = 0x0F
CALL = 0x10
CALL_INDIRECT = 0x11
RETURN_CALL = 0x12
RETURN_CALL_INDIRECT = 0x13
DROP = 0x1A
SELECT = 0x1B
SELECT_T = 0x1C
LOCAL_GET = 0x20
LOCAL_SET = 0x21
LOCAL_TEE = 0x22
GLOBAL_GET = 0x23
GLOBAL_SET = 0x24
TABLE_GET = 0x25
TABLE_SET = 0x26
I32_LOAD = 0x28
I64_LOAD = 0x29
I32_LOAD8_S = 0x2C
I32_LOAD8_U = 0x2D
I32_LOAD16_S = 0x2E
I32_LOAD16_U = 0x2F
I64_LOAD8_S = 0x30
I64_LOAD8_U = 0x31
I64_LOAD16_S = 0x32
I64_LOAD16_U = 0x33
I64_LOAD32_S = 0x34
I64_LOAD32_U = 0x35
I32_STORE = 0x36
I64_STORE = 0x37
I32_STORE8 = 0x3A
I32_STORE16 = 0x3B
I64_STORE8 = 0x3C
I64_STORE16 = 0x3D
I64_STORE32 = 0x3E
MEMORY_SIZE = 0x3F
MEMORY_GROW = 0x40
I32_CONST = 0x41
I64_CONST = 0x42
I32_EQZ = 0x45
I32_EQ = 0x46
I32_NE = 0x47
I32_LT_S = 0x48
I32_LT_U = 0x49
I32_GT_S = 0x4A
I32_GT_U = 0x4B
I32_LE_S = 0x4C
I32_LE_U = 0x4D
I32_GE_S = 0x4E
I32_GE_U = 0x4F
I64_EQZ = 0x50
I64_EQ = 0x51
I64_NE = 0x52
I64_LT_S = 0x53
I64_LT_U = 0x54
I64_GT_S = 0x55
I64_GT_U = 0x56
I64_LE_S = 0x57
I64_LE_U = 0x58
I64_GE_S = 0x59
I64_GE_U = 0x5A
I32_CLZ = 0x67
I32_CTZ = 0x68
I32_POPCNT = 0x69
I32_ADD = 0x6A
I32_SUB = 0x6B
I32_MUL = 0x6C
I32_DIV_S = 0x6D
I32_DIV_U = 0x6E
I32_REM_S = 0x6F
I32_REM_U = 0x70
I32_AND = 0x71
I32_OR = 0x72
I32_XOR = 0x73
I32_SHL = 0x74
I32_SHR_S = 0x75
I32_SHR_U = 0x76
I32_ROTL = 0x77
I32_ROTR = 0x78
I64_CLZ = 0x79
I64_CTZ = 0x7A
I64_POPCNT = 0x7B
I64_ADD = 0x7C
I64_SUB = 0x7D
I64_MUL = 0x7E
I64_DIV_S = 0x7F
I64_DIV_U = 0x80
I64_REM_S = 0x81
I64_REM_U = 0x82
I64_AND = 0x83
I64_OR = 0x84
I64_XOR = 0x85
I64_SHL = 0x86
I64_SHR_S = 0x87
I64_SHR_U = 0x88
I64_ROTL = 0x89
I64_ROTR = 0x8A
I32_WRAP_I64 = 0xA7
I64_EXTEND_I32_S = 0xAC
I64_EXTEND_I32_U = 0xAD
I32_EXTEND8_S = 0xC0
I32_EXTEND16_S = 0xC1
I64_EXTEND8_S = 0xC2
I64_EXTEND16_S = 0xC3
I64_EXTEND32_S = 0xC4
REF_NULL = 0xD0
REF_IS_NULL = 0xD1
REF_FUNC = 0xD2
MEMORY_INIT = 0xFC08
DATA_DROP = 0xFC09
MEMORY_COPY = 0xFC0A
MEMORY_FILL = 0xFC0B
TABLE_INIT = 0xFC0C
ELEM_DROP = 0xFC0D
TABLE_COPY = 0xFC0E
TABLE_GROW = 0xFC0F
TABLE_SIZE = 0xFC10
TABLE_FILL = 0xFC11
I64_ADD128 = 0xFC13
I64_SUB128 = 0xFC14
I64_MUL_WIDE_S = 0xFC15
I64_MUL_WIDE_U = 0xFC16

# fmt: off
# ruff: noqa: E501
_TABLE = (
    Opcode(0x00,   "unreachable",          "none",          None,                 None,       "unreachable",          "mvp"),
    Opcode(0x01,   "nop",                  "none",          (),                   (),         "nop",                  "mvp"),
    Opcode(0x02,   "block",                "block",         None,                 None,       "block",                "mvp"),
    Opcode(0x03,   "loop",                 "block",         None,                 None,       "loop",                 "mvp"),
    Opcode(0x04,   "if",                   "block",         None,                 None,       "if",                   "mvp"),
    Opcode(0x05,   "else",                 "none",          None,                 None,       "else",                 "mvp"),
    Opcode(0x0B,   "end",                  "none",          None,                 None,       "end",                  "mvp"),
    Opcode(0x0C,   "br",                   "label",         None,                 None,       "br",                   "mvp"),
    Opcode(0x0D,   "br_if",                "label",         None,                 None,       "br_if",                "mvp"),
    Opcode(0x0E,   "br_table",             "labels",        None,                 None,       "br_table",             "mvp"),
    Opcode(0x0F,   "return",               "none",          None,                 None,       "return",               "mvp"),
    Opcode(0x10,   "call",                 "func",          None,                 None,       "call",                 "mvp"),
    Opcode(0x11,   "call_indirect",        "type_table",    None,                 None,       "call_indirect",        "mvp"),
    Opcode(0x12,   "return_call",          "func",          None,                 None,       "return_call",          "tail_call"),
    Opcode(0x13,   "return_call_indirect", "type_table",    None,                 None,       "return_call_indirect", "tail_call"),
    Opcode(0x1A,   "drop",                 "none",          None,                 None,       "drop",                 "mvp"),
    Opcode(0x1B,   "select",               "none",          None,                 None,       "select",               "mvp"),
    Opcode(0x1C,   "select_t",             "types",         None,                 None,       "select",               "reference_types"),
    Opcode(0x20,   "local.get",            "local",         None,                 None,       "local_get",            "mvp"),
    Opcode(0x21,   "local.set",            "local",         None,                 None,       "local_set",            "mvp"),
    Opcode(0x22,   "local.tee",            "local",         None,                 None,       "local_tee",            "mvp"),
    Opcode(0x23,   "global.get",           "global",        None,                 None,       "global_get",           "mvp"),
    Opcode(0x24,   "global.set",           "global",        None,                 None,       "global_set",           "mvp"),
    Opcode(0x25,   "table.get",            "table",         None,                 None,       "table_get",            "reference_types"),
    Opcode(0x26,   "table.set",            "table",         None,                 None,       "table_set",            "reference_types"),
    Opcode(0x28,   "i32.load",             "memarg",        (I32,),               (I32,),     "load32",               "mvp"),
    Opcode(0x29,   "i64.load",             "memarg",        (I32,),               (I64,),     "load64",               "mvp"),
    Opcode(0x2A,   "f32.load",             "memarg",        (I32,),               (F32,),     "float",                "float"),
    Opcode(0x2B,   "f64.load",             "memarg",        (I32,),               (F64,),     "float",                "float"),
    Opcode(0x2C,   "i32.load8_s",          "memarg",        (I32,),               (I32,),     "load32",               "mvp"),
    Opcode(0x2D,   "i32.load8_u",          "memarg",        (I32,),               (I32,),     "load32",               "mvp"),
    Opcode(0x2E,   "i32.load16_s",         "memarg",        (I32,),               (I32,),     "load32",               "mvp"),
    Opcode(0x2F,   "i32.load16_u",         "memarg",        (I32,),               (I32,),     "load32",               "mvp"),
    Opcode(0x30,   "i64.load8_s",          "memarg",        (I32,),               (I64,),     "load64",               "mvp"),
    Opcode(0x31,   "i64.load8_u",          "memarg",        (I32,),               (I64,),     "load64",               "mvp"),
    Opcode(0x32,   "i64.load16_s",         "memarg",        (I32,),               (I64,),     "load64",               "mvp"),
    Opcode(0x33,   "i64.load16_u",         "memarg",        (I32,),               (I64,),     "load64",               "mvp"),
    Opcode(0x34,   "i64.load32_s",         "memarg",        (I32,),               (I64,),     "load64",               "mvp"),
    Opcode(0x35,   "i64.load32_u",         "memarg",        (I32,),               (I64,),     "load64",               "mvp"),
    Opcode(0x36,   "i32.store",            "memarg",        (I32, I32),           (),         "store32",              "mvp"),
    Opcode(0x37,   "i64.store",            "memarg",        (I32, I64),           (),         "store64",              "mvp"),
    Opcode(0x38,   "f32.store",            "memarg",        (I32, F32),           (),         "float",                "float"),
    Opcode(0x39,   "f64.store",            "memarg",        (I32, F64),           (),         "float",                "float"),
    Opcode(0x3A,   "i32.store8",           "memarg",        (I32, I32),           (),         "store32",              "mvp"),
    Opcode(0x3B,   "i32.store16",          "memarg",        (I32, I32),           (),         "store32",              "mvp"),
    Opcode(0x3C,   "i64.store8",           "memarg",        (I32, I64),           (),         "store64",              "mvp"),
    Opcode(0x3D,   "i64.store16",          "memarg",        (I32, I64),           (),         "store64",              "mvp"),
    Opcode(0x3E,   "i64.store32",          "memarg",        (I32, I64),           (),         "store64",              "mvp"),
    Opcode(0x3F,   "memory.size",          "memory",        (),                   (I32,),     "memory_size",          "mvp"),
    Opcode(0x40,   "memory.grow",          "memory",        (I32,),               (I32,),     "memory_grow",          "mvp"),
    Opcode(0x41,   "i32.const",            "i32",           (),                   (I32,),     "const",                "mvp"),
    Opcode(0x42,   "i64.const",            "i64",           (),                   (I64,),     "const",                "mvp"),
    Opcode(0x43,   "f32.const",            "f32",           (),                   (F32,),     "float",                "float"),
    Opcode(0x44,   "f64.const",            "f64",           (),                   (F64,),     "float",                "float"),
    Opcode(0x45,   "i32.eqz",              "none",          (I32,),               (I32,),     "compare32",            "mvp"),
    Opcode(0x46,   "i32.eq",               "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x47,   "i32.ne",               "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x48,   "i32.lt_s",             "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x49,   "i32.lt_u",             "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x4A,   "i32.gt_s",             "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x4B,   "i32.gt_u",             "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x4C,   "i32.le_s",             "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x4D,   "i32.le_u",             "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x4E,   "i32.ge_s",             "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x4F,   "i32.ge_u",             "none",          (I32, I32),           (I32,),     "compare32",            "mvp"),
    Opcode(0x50,   "i64.eqz",              "none",          (I64,),               (I32,),     "compare64",            "mvp"),
    Opcode(0x51,   "i64.eq",               "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x52,   "i64.ne",               "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x53,   "i64.lt_s",             "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x54,   "i64.lt_u",             "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x55,   "i64.gt_s",             "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x56,   "i64.gt_u",             "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x57,   "i64.le_s",             "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x58,   "i64.le_u",             "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x59,   "i64.ge_s",             "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x5A,   "i64.ge_u",             "none",          (I64, I64),           (I32,),     "compare64",            "mvp"),
    Opcode(0x5B,   "f32.eq",               "none",          (F32, F32),           (I32,),     "float",                "float"),
    Opcode(0x5C,   "f32.ne",               "none",          (F32, F32),           (I32,),     "float",                "float"),
    Opcode(0x5D,   "f32.lt",               "none",          (F32, F32),           (I32,),     "float",                "float"),
    Opcode(0x5E,   "f32.gt",               "none",          (F32, F32),           (I32,),     "float",                "float"),
    Opcode(0x5F,   "f32.le",               "none",          (F32, F32),           (I32,),     "float",                "float"),
    Opcode(0x60,   "f32.ge",               "none",          (F32, F32),           (I32,),     "float",                "float"),
    Opcode(0x61,   "f64.eq",               "none",          (F64, F64),           (I32,),     "float",                "float"),
    Opcode(0x62,   "f64.ne",               "none",          (F64, F64),           (I32,),     "float",                "float"),
    Opcode(0x63,   "f64.lt",               "none",          (F64, F64),           (I32,),     "float",                "float"),
    Opcode(0x64,   "f64.gt",               "none",          (F64, F64),           (I32,),     "float",                "float"),
    Opcode(0x65,   "f64.le",               "none",          (F64, F64),           (I32,),     "float",                "float"),
    Opcode(0x66,   "f64.ge",               "none",          (F64, F64),           (I32,),     "float",                "float"),
    Opcode(0x67,   "i32.clz",              "none",          (I32,),               (I32,),     "count32",              "mvp"),
    Opcode(0x68,   "i32.ctz",              "none",          (I32,),               (I32,),     "count32",              "mvp"),
    Opcode(0x69,   "i32.popcnt",           "none",          (I32,),               (I32,),     "count32",              "mvp"),
    Opcode(0x6A,   "i32.add",              "none",          (I32, I32),           (I32,),     "add32",                "mvp"),
    Opcode(0x6B,   "i32.sub",              "none",          (I32, I32),           (I32,),     "add32",                "mvp"),
    Opcode(0x6C,   "i32.mul",              "none",          (I32, I32),           (I32,),     "mul32",                "mvp"),
    Opcode(0x6D,   "i32.div_s",            "none",          (I32, I32),           (I32,),     "div32",                "mvp"),
    Opcode(0x6E,   "i32.div_u",            "none",          (I32, I32),           (I32,),     "div32",                "mvp"),
    Opcode(0x6F,   "i32.rem_s",            "none",          (I32, I32),           (I32,),     "div32",                "mvp"),
    Opcode(0x70,   "i32.rem_u",            "none",          (I32, I32),           (I32,),     "div32",                "mvp"),
    Opcode(0x71,   "i32.and",              "none",          (I32, I32),           (I32,),     "add32",                "mvp"),
    Opcode(0x72,   "i32.or",               "none",          (I32, I32),           (I32,),     "add32",                "mvp"),
    Opcode(0x73,   "i32.xor",              "none",          (I32, I32),           (I32,),     "add32",                "mvp"),
    Opcode(0x74,   "i32.shl",              "none",          (I32, I32),           (I32,),     "shift32",              "mvp"),
    Opcode(0x75,   "i32.shr_s",            "none",          (I32, I32),           (I32,),     "shift32",              "mvp"),
    Opcode(0x76,   "i32.shr_u",            "none",          (I32, I32),           (I32,),     "shift32",              "mvp"),
    Opcode(0x77,   "i32.rotl",             "none",          (I32, I32),           (I32,),     "rotate32",             "mvp"),
    Opcode(0x78,   "i32.rotr",             "none",          (I32, I32),           (I32,),     "rotate32",             "mvp"),
    Opcode(0x79,   "i64.clz",              "none",          (I64,),               (I64,),     "count64",              "mvp"),
    Opcode(0x7A,   "i64.ctz",              "none",          (I64,),               (I64,),     "count64",              "mvp"),
    Opcode(0x7B,   "i64.popcnt",           "none",          (I64,),               (I64,),     "count64",              "mvp"),
    Opcode(0x7C,   "i64.add",              "none",          (I64, I64),           (I64,),     "add64",                "mvp"),
    Opcode(0x7D,   "i64.sub",              "none",          (I64, I64),           (I64,),     "add64",                "mvp"),
    Opcode(0x7E,   "i64.mul",              "none",          (I64, I64),           (I64,),     "mul64",                "mvp"),
    Opcode(0x7F,   "i64.div_s",            "none",          (I64, I64),           (I64,),     "div64",                "mvp"),
    Opcode(0x80,   "i64.div_u",            "none",          (I64, I64),           (I64,),     "div64",                "mvp"),
    Opcode(0x81,   "i64.rem_s",            "none",          (I64, I64),           (I64,),     "div64",                "mvp"),
    Opcode(0x82,   "i64.rem_u",            "none",          (I64, I64),           (I64,),     "div64",                "mvp"),
    Opcode(0x83,   "i64.and",              "none",          (I64, I64),           (I64,),     "add64",                "mvp"),
    Opcode(0x84,   "i64.or",               "none",          (I64, I64),           (I64,),     "add64",                "mvp"),
    Opcode(0x85,   "i64.xor",              "none",          (I64, I64),           (I64,),     "add64",                "mvp"),
    Opcode(0x86,   "i64.shl",              "none",          (I64, I64),           (I64,),     "shift64",              "mvp"),
    Opcode(0x87,   "i64.shr_s",            "none",          (I64, I64),           (I64,),     "shift64",              "mvp"),
    Opcode(0x88,   "i64.shr_u",            "none",          (I64, I64),           (I64,),     "shift64",              "mvp"),
    Opcode(0x89,   "i64.rotl",             "none",          (I64, I64),           (I64,),     "rotate64",             "mvp"),
    Opcode(0x8A,   "i64.rotr",             "none",          (I64, I64),           (I64,),     "rotate64",             "mvp"),
    Opcode(0x8B,   "f32.abs",              "none",          (F32,),               (F32,),     "float",                "float"),
    Opcode(0x8C,   "f32.neg",              "none",          (F32,),               (F32,),     "float",                "float"),
    Opcode(0x8D,   "f32.ceil",             "none",          (F32,),               (F32,),     "float",                "float"),
    Opcode(0x8E,   "f32.floor",            "none",          (F32,),               (F32,),     "float",                "float"),
    Opcode(0x8F,   "f32.trunc",            "none",          (F32,),               (F32,),     "float",                "float"),
    Opcode(0x90,   "f32.nearest",          "none",          (F32,),               (F32,),     "float",                "float"),
    Opcode(0x91,   "f32.sqrt",             "none",          (F32,),               (F32,),     "float",                "float"),
    Opcode(0x92,   "f32.add",              "none",          (F32, F32),           (F32,),     "float",                "float"),
    Opcode(0x93,   "f32.sub",              "none",          (F32, F32),           (F32,),     "float",                "float"),
    Opcode(0x94,   "f32.mul",              "none",          (F32, F32),           (F32,),     "float",                "float"),
    Opcode(0x95,   "f32.div",              "none",          (F32, F32),           (F32,),     "float",                "float"),
    Opcode(0x96,   "f32.min",              "none",          (F32, F32),           (F32,),     "float",                "float"),
    Opcode(0x97,   "f32.max",              "none",          (F32, F32),           (F32,),     "float",                "float"),
    Opcode(0x98,   "f32.copysign",         "none",          (F32, F32),           (F32,),     "float",                "float"),
    Opcode(0x99,   "f64.abs",              "none",          (F64,),               (F64,),     "float",                "float"),
    Opcode(0x9A,   "f64.neg",              "none",          (F64,),               (F64,),     "float",                "float"),
    Opcode(0x9B,   "f64.ceil",             "none",          (F64,),               (F64,),     "float",                "float"),
    Opcode(0x9C,   "f64.floor",            "none",          (F64,),               (F64,),     "float",                "float"),
    Opcode(0x9D,   "f64.trunc",            "none",          (F64,),               (F64,),     "float",                "float"),
    Opcode(0x9E,   "f64.nearest",          "none",          (F64,),               (F64,),     "float",                "float"),
    Opcode(0x9F,   "f64.sqrt",             "none",          (F64,),               (F64,),     "float",                "float"),
    Opcode(0xA0,   "f64.add",              "none",          (F64, F64),           (F64,),     "float",                "float"),
    Opcode(0xA1,   "f64.sub",              "none",          (F64, F64),           (F64,),     "float",                "float"),
    Opcode(0xA2,   "f64.mul",              "none",          (F64, F64),           (F64,),     "float",                "float"),
    Opcode(0xA3,   "f64.div",              "none",          (F64, F64),           (F64,),     "float",                "float"),
    Opcode(0xA4,   "f64.min",              "none",          (F64, F64),           (F64,),     "float",                "float"),
    Opcode(0xA5,   "f64.max",              "none",          (F64, F64),           (F64,),     "float",                "float"),
    Opcode(0xA6,   "f64.copysign",         "none",          (F64, F64),           (F64,),     "float",                "float"),
    Opcode(0xA7,   "i32.wrap_i64",         "none",          (I64,),               (I32,),     "convert",              "mvp"),
    Opcode(0xA8,   "i32.trunc_f32_s",      "none",          (F32,),               (I32,),     "float",                "float"),
    Opcode(0xA9,   "i32.trunc_f32_u",      "none",          (F32,),               (I32,),     "float",                "float"),
    Opcode(0xAA,   "i32.trunc_f64_s",      "none",          (F64,),               (I32,),     "float",                "float"),
    Opcode(0xAB,   "i32.trunc_f64_u",      "none",          (F64,),               (I32,),     "float",                "float"),
    Opcode(0xAC,   "i64.extend_i32_s",     "none",          (I32,),               (I64,),     "convert",              "mvp"),
    Opcode(0xAD,   "i64.extend_i32_u",     "none",          (I32,),               (I64,),     "convert",              "mvp"),
    Opcode(0xAE,   "i64.trunc_f32_s",      "none",          (F32,),               (I64,),     "float",                "float"),
    Opcode(0xAF,   "i64.trunc_f32_u",      "none",          (F32,),               (I64,),     "float",                "float"),
    Opcode(0xB0,   "i64.trunc_f64_s",      "none",          (F64,),               (I64,),     "float",                "float"),
    Opcode(0xB1,   "i64.trunc_f64_u",      "none",          (F64,),               (I64,),     "float",                "float"),
    Opcode(0xB2,   "f32.convert_i32_s",    "none",          (I32,),               (F32,),     "float",                "float"),
    Opcode(0xB3,   "f32.convert_i32_u",    "none",          (I32,),               (F32,),     "float",                "float"),
    Opcode(0xB4,   "f32.convert_i64_s",    "none",          (I64,),               (F32,),     "float",                "float"),
    Opcode(0xB5,   "f32.convert_i64_u",    "none",          (I64,),               (F32,),     "float",                "float"),
    Opcode(0xB6,   "f32.demote_f64",       "none",          (F64,),               (F32,),     "float",                "float"),
    Opcode(0xB7,   "f64.convert_i32_s",    "none",          (I32,),               (F64,),     "float",                "float"),
    Opcode(0xB8,   "f64.convert_i32_u",    "none",          (I32,),               (F64,),     "float",                "float"),
    Opcode(0xB9,   "f64.convert_i64_s",    "none",          (I64,),               (F64,),     "float",                "float"),
    Opcode(0xBA,   "f64.convert_i64_u",    "none",          (I64,),               (F64,),     "float",                "float"),
    Opcode(0xBB,   "f64.promote_f32",      "none",          (F32,),               (F64,),     "float",                "float"),
    Opcode(0xBC,   "i32.reinterpret_f32",  "none",          (F32,),               (I32,),     "float",                "float"),
    Opcode(0xBD,   "i64.reinterpret_f64",  "none",          (F64,),               (I64,),     "float",                "float"),
    Opcode(0xBE,   "f32.reinterpret_i32",  "none",          (I32,),               (F32,),     "float",                "float"),
    Opcode(0xBF,   "f64.reinterpret_i64",  "none",          (I64,),               (F64,),     "float",                "float"),
    Opcode(0xC0,   "i32.extend8_s",        "none",          (I32,),               (I32,),     "convert",              "sign_extension"),
    Opcode(0xC1,   "i32.extend16_s",       "none",          (I32,),               (I32,),     "convert",              "sign_extension"),
    Opcode(0xC2,   "i64.extend8_s",        "none",          (I64,),               (I64,),     "convert",              "sign_extension"),
    Opcode(0xC3,   "i64.extend16_s",       "none",          (I64,),               (I64,),     "convert",              "sign_extension"),
    Opcode(0xC4,   "i64.extend32_s",       "none",          (I64,),               (I64,),     "convert",              "sign_extension"),
    Opcode(0xD0,   "ref.null",             "heap",          None,                 None,       "ref",                  "reference_types"),
    Opcode(0xD1,   "ref.is_null",          "none",          None,                 None,       "ref",                  "reference_types"),
    Opcode(0xD2,   "ref.func",             "func",          (),                   (FUNCREF,), "ref_func",             "reference_types"),
    Opcode(0xFC00, "i32.trunc_sat_f32_s",  "none",          (F32,),               (I32,),     "float",                "saturating_float"),
    Opcode(0xFC01, "i32.trunc_sat_f32_u",  "none",          (F32,),               (I32,),     "float",                "saturating_float"),
    Opcode(0xFC02, "i32.trunc_sat_f64_s",  "none",          (F64,),               (I32,),     "float",                "saturating_float"),
    Opcode(0xFC03, "i32.trunc_sat_f64_u",  "none",          (F64,),               (I32,),     "float",                "saturating_float"),
    Opcode(0xFC04, "i64.trunc_sat_f32_s",  "none",          (F32,),               (I64,),     "float",                "saturating_float"),
    Opcode(0xFC05, "i64.trunc_sat_f32_u",  "none",          (F32,),               (I64,),     "float",                "saturating_float"),
    Opcode(0xFC06, "i64.trunc_sat_f64_s",  "none",          (F64,),               (I64,),     "float",                "saturating_float"),
    Opcode(0xFC07, "i64.trunc_sat_f64_u",  "none",          (F64,),               (I64,),     "float",                "saturating_float"),
    Opcode(0xFC08, "memory.init",          "data_memory",   (I32, I32, I32),      (),         "memory_init",          "bulk_memory"),
    Opcode(0xFC09, "data.drop",            "data",          (),                   (),         "data_drop",            "bulk_memory"),
    Opcode(0xFC0A, "memory.copy",          "memory_memory", (I32, I32, I32),      (),         "memory_copy",          "bulk_memory"),
    Opcode(0xFC0B, "memory.fill",          "memory",        (I32, I32, I32),      (),         "memory_fill",          "bulk_memory"),
    Opcode(0xFC0C, "table.init",           "elem_table",    (I32, I32, I32),      (),         "table_init",           "bulk_memory"),
    Opcode(0xFC0D, "elem.drop",            "elem",          (),                   (),         "elem_drop",            "bulk_memory"),
    Opcode(0xFC0E, "table.copy",           "table_table",   (I32, I32, I32),      (),         "table_copy",           "bulk_memory"),
    Opcode(0xFC0F, "table.grow",           "table",         None,                 None,       "table_grow",           "reference_types"),
    Opcode(0xFC10, "table.size",           "table",         (),                   (I32,),     "table_size",           "reference_types"),
    Opcode(0xFC11, "table.fill",           "table",         None,                 None,       "table_fill",           "reference_types"),
    Opcode(0xFC13, "i64.add128",           "none",          (I64, I64, I64, I64), (I64, I64), "add128",               "wide_arithmetic"),
    Opcode(0xFC14, "i64.sub128",           "none",          (I64, I64, I64, I64), (I64, I64), "add128",               "wide_arithmetic"),
    Opcode(0xFC15, "i64.mul_wide_s",       "none",          (I64, I64),           (I64, I64), "mul_wide",             "wide_arithmetic"),
    Opcode(0xFC16, "i64.mul_wide_u",       "none",          (I64, I64),           (I64, I64), "mul_wide",             "wide_arithmetic"),
)
# fmt: on

OPCODES: dict[int, Opcode] = {row.code: row for row in _TABLE}
BY_CODE = OPCODES
BY_TEXT: dict[str, Opcode] = {row.text: row for row in _TABLE}
FLOAT_FEATURES = frozenset({"float", "saturating_float"})
"""Features whose opcodes read or write a float."""
