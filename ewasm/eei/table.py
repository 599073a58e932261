"""THE table of host functions: one row each.

Columns: module and wire name; parameter and result types; price class (a key of `Schedule.host`, or "fork" where
EWASM_2026 asks the EVM fork in force); whether it is refused in a static frame; the rule set it came with; topic module
that implements it; what it does. Signatures and meaning: PROTOCOL section 2.

`address` is 20 bytes, `bytes32` 32 bytes copied verbatim; `u128` and `u256` are numbers, little-endian in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from ewasm.wasm.types import I32, I64

__all__ = ["TABLE", "HostFunction"]


@dataclass(frozen=True, slots=True)
class HostFunction:
    module: str
    name: str
    params: tuple[int, ...]
    results: tuple[int, ...]
    price: str
    mutates: bool
    since: int
    topic: str
    doc: str

    @property
    def key(self) -> tuple[str, str]:
        return self.module, self.name


_I = (I32,)
_II = (I32, I32)
_III = (I32, I32, I32)
_IV = (I32, I32, I32, I32)
_L = (I64,)

# fmt: off
TABLE: tuple[HostFunction, ...] = (
    HostFunction("ethereum", "useGas",              _L,                               (),  "free",               False, 2018, "gas",      "Use up gas: (gas). Negative fails."),
    HostFunction("ethereum", "getGasLeft",          (),                               _L,  "context",            False, 2018, "gas",      "Whole gas left behind this call's own price."),
    HostFunction("ethereum", "getAddress",          _I,                               (),  "context",            False, 2018, "context",  "Own address: (out address)."),
    HostFunction("ethereum", "getCaller",           _I,                               (),  "context",            False, 2018, "context",  "Sender of the message: (out address)."),
    HostFunction("ethereum", "getTxOrigin",         _I,                               (),  "context",            False, 2018, "context",  "Sender of the transaction: (out address)."),
    HostFunction("ethereum", "getBlockCoinbase",    _I,                               (),  "context",            False, 2018, "context",  "Beneficiary of the block: (out address)."),
    HostFunction("ethereum", "getCallValue",        _I,                               (),  "context",            False, 2018, "context",  "Wei sent with the message: (out u128)."),
    HostFunction("ethereum", "getTxGasPrice",       _I,                               (),  "context",            False, 2018, "context",  "Effective gas price in wei: (out u128)."),
    HostFunction("ethereum", "getBlockDifficulty",  _I,                               (),  "context",            False, 2018, "context",  "Difficulty, since the merge the previous randao: (out u256)."),
    HostFunction("ethereum", "getBlockGasLimit",    (),                               _L,  "context",            False, 2018, "context",  "Gas limit of the block."),
    HostFunction("ethereum", "getBlockNumber",      (),                               _L,  "context",            False, 2018, "context",  "Number of the block."),
    HostFunction("ethereum", "getBlockTimestamp",   (),                               _L,  "context",            False, 2018, "context",  "Timestamp of the block in seconds."),
    HostFunction("ethereum", "getExternalBalance",  _II,                              (),  "external_balance",   False, 2018, "state",    "Balance of an account in wei: (address, out u128)."),
    HostFunction("ethereum", "getBlockHash",        (I64, I32),                       _I,  "block_hash",         False, 2018, "state",    "Hash of a recent block: (number, out bytes32). 0, or 1 with memory untouched."),
    HostFunction("ethereum", "getCallDataSize",     (),                               _I,  "context",            False, 2018, "data",     "Bytes of call data."),
    HostFunction("ethereum", "getCodeSize",         (),                               _I,  "context",            False, 2018, "data",     "Bytes of the running code as submitted."),
    HostFunction("ethereum", "getReturnDataSize",   (),                               _I,  "context",            False, 2018, "data",     "Bytes that the last call or create returned."),
    HostFunction("ethereum", "callDataCopy",        _III,                             (),  "copy",               False, 2018, "data",     "Copy call data: (out, offset, length). Beyond its end fails."),
    HostFunction("ethereum", "codeCopy",            _III,                             (),  "copy",               False, 2018, "data",     "Copy the running code: (out, offset, length). Beyond its end fails."),
    HostFunction("ethereum", "returnDataCopy",      _III,                             (),  "copy",               False, 2018, "data",     "Copy what the last call returned: (out, offset, length). Beyond its end fails."),
    HostFunction("ethereum", "externalCodeCopy",    _IV,                              (),  "external_code_copy", False, 2018, "state",    "Copy an account's code: (address, out, offset, length). Beyond its end fails."),
    HostFunction("ethereum", "getExternalCodeSize", _I,                               _I,  "external_code_size", False, 2018, "state",    "Bytes of an account's code: (address)."),
    HostFunction("ethereum", "storageLoad",         _II,                              (),  "storage_load",       False, 2018, "state",    "Read own storage: (key bytes32, out bytes32)."),
    HostFunction("ethereum", "storageStore",        _II,                              (),  "storage_store",      True,  2018, "state",    "Write own storage: (key bytes32, value bytes32)."),
    HostFunction("ethereum", "log",                 (I32, I32, I32, I32, I32, I32, I32), (), "log",              True,  2018, "state",    "Log: (data, length, topics, four topic pointers); only the first `topics` are read."),
    HostFunction("ethereum", "call",                (I64, I32, I32, I32, I32),        _I,  "call",               False, 2018, "calls",    "Call: (gas, address, value u128, data, length). 0 success, 1 failure, 2 revert."),
    HostFunction("ethereum", "callCode",            (I64, I32, I32, I32, I32),        _I,  "call",               False, 2018, "calls",    "Call with the callee's code on own state: (gas, address, value u128, data, length)."),
    HostFunction("ethereum", "callDelegate",        (I64, I32, I32, I32),             _I,  "call",               False, 2018, "calls",    "callCode that keeps sender and value: (gas, address, data, length)."),
    HostFunction("ethereum", "callStatic",          (I64, I32, I32, I32),             _I,  "call",               False, 2018, "calls",    "Call that may not change state: (gas, address, data, length)."),
    HostFunction("ethereum", "create",              _IV,                              _I,  "create",             True,  2018, "calls",    "Create: (value u128, init code, length, out address). 0, 1, or 2 with revert data."),
    HostFunction("ethereum", "finish",              _II,                              (),  "finish",             False, 2018, "calls",    "End the frame with output: (data, length)."),
    HostFunction("ethereum", "revert",              _II,                              (),  "finish",             False, 2018, "calls",    "End the frame, undo its effects, keep the gas left: (data, length)."),
    HostFunction("ethereum", "selfDestruct",        _I,                               (),  "selfdestruct",       True,  2018, "calls",    "Send the balance to an address and end the frame: (address)."),
    HostFunction("ethereum", "create2",             (I32, I32, I32, I32, I32),        _I,  "fork",               True,  2026, "calls",    "Create at an address of salt and code: (value u128, init code, length, salt bytes32, out address)."),
    HostFunction("ethereum", "getChainId",          _I,                               (),  "context",            False, 2026, "context",  "Chain id: (out u256)."),
    HostFunction("ethereum", "getSelfBalance",      _I,                               (),  "fork",               False, 2026, "state",    "Own balance in wei: (out u256)."),
    HostFunction("ethereum", "getBaseFee",          _I,                               (),  "context",            False, 2026, "context",  "Base fee of the block in wei: (out u256)."),
    HostFunction("ethereum", "getBlobBaseFee",      _I,                               (),  "context",            False, 2026, "context",  "Blob base fee of the block in wei: (out u256)."),
    HostFunction("ethereum", "getBlobHash",         _II,                              _I,  "blob_hash",          False, 2026, "context",  "Versioned hash of a blob: (index, out bytes32). 0, or 1 with memory untouched."),
    HostFunction("ethereum", "getPrevRandao",       _I,                               (),  "context",            False, 2026, "context",  "Previous randao: (out bytes32)."),
    HostFunction("ethereum", "getExternalCodeHash", _II,                              (),  "fork",               False, 2026, "state",    "Hash of an account's code: (address, out bytes32)."),
    HostFunction("ethereum", "transientLoad",       _II,                              (),  "fork",               False, 2026, "state",    "Read own transient storage: (key bytes32, out bytes32)."),
    HostFunction("ethereum", "transientStore",      _II,                              (),  "fork",               True,  2026, "state",    "Write own transient storage: (key bytes32, value bytes32)."),
    HostFunction("bignum",   "add256",              _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "out = a + b: (a, b, out)."),
    HostFunction("bignum",   "sub256",              _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "out = a - b: (a, b, out)."),
    HostFunction("bignum",   "mul256",              _III,                             (),  "bignum_mul",         False, 2026, "bignum",   "out = a * b: (a, b, out)."),
    HostFunction("bignum",   "div256",              _III,                             (),  "bignum_div",         False, 2026, "bignum",   "out = a / b, 0 if b is 0: (a, b, out)."),
    HostFunction("bignum",   "sdiv256",             _III,                             (),  "bignum_div",         False, 2026, "bignum",   "Signed a / b, truncating, 0 if b is 0: (a, b, out)."),
    HostFunction("bignum",   "mod256",              _III,                             (),  "bignum_div",         False, 2026, "bignum",   "out = a % b, 0 if b is 0: (a, b, out)."),
    HostFunction("bignum",   "smod256",             _III,                             (),  "bignum_div",         False, 2026, "bignum",   "Signed a % b with the sign of a, 0 if b is 0: (a, b, out)."),
    HostFunction("bignum",   "exp256",              _III,                             (),  "bignum_exp",         False, 2026, "bignum",   "out = a ** b: (a, b, out); priced by the bytes of b."),
    HostFunction("bignum",   "signextend256",       _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "Extend the sign of byte a of b: (a, b, out)."),
    HostFunction("bignum",   "and256",              _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "out = a & b: (a, b, out)."),
    HostFunction("bignum",   "or256",               _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "out = a | b: (a, b, out)."),
    HostFunction("bignum",   "xor256",              _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "out = a ^ b: (a, b, out)."),
    HostFunction("bignum",   "shl256",              _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "out = b << a: (a, b, out)."),
    HostFunction("bignum",   "shr256",              _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "out = b >> a, zeros come in: (a, b, out)."),
    HostFunction("bignum",   "sar256",              _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "out = b >> a, the sign comes in: (a, b, out)."),
    HostFunction("bignum",   "byte256",             _III,                             (),  "bignum_cheap",       False, 2026, "bignum",   "Byte a of b, counted from the most significant, 0 beyond 31: (a, b, out)."),
    HostFunction("bignum",   "addmod256",           _IV,                              (),  "bignum_addmod",      False, 2026, "bignum",   "out = (a + b) % m without wrapping, 0 if m is 0: (a, b, m, out)."),
    HostFunction("bignum",   "mulmod256",           _IV,                              (),  "bignum_mulmod",      False, 2026, "bignum",   "out = (a * b) % m without wrapping, 0 if m is 0: (a, b, m, out)."),
    HostFunction("bignum",   "not256",              _II,                              (),  "bignum_cheap",       False, 2026, "bignum",   "out = ~a: (a, out)."),
    HostFunction("bignum",   "lt256",               _II,                              _I,  "bignum_cheap",       False, 2026, "bignum",   "a < b, unsigned: (a, b)."),
    HostFunction("bignum",   "gt256",               _II,                              _I,  "bignum_cheap",       False, 2026, "bignum",   "a > b, unsigned: (a, b)."),
    HostFunction("bignum",   "slt256",              _II,                              _I,  "bignum_cheap",       False, 2026, "bignum",   "a < b, signed: (a, b)."),
    HostFunction("bignum",   "sgt256",              _II,                              _I,  "bignum_cheap",       False, 2026, "bignum",   "a > b, signed: (a, b)."),
    HostFunction("bignum",   "eq256",               _II,                              _I,  "bignum_cheap",       False, 2026, "bignum",   "a == b: (a, b)."),
    HostFunction("bignum",   "iszero256",           _I,                               _I,  "bignum_cheap",       False, 2026, "bignum",   "a == 0: (a)."),
    HostFunction("crypto",   "keccak256",           _III,                             (),  "keccak256",          False, 2026, "crypto",   "Keccak-256: (data, length, out bytes32)."),
    HostFunction("crypto",   "sha256",              _III,                             (),  "sha256",             False, 2026, "crypto",   "SHA-256: (data, length, out bytes32)."),
    HostFunction("debug",    "print32",             _I,                               (),  "free",               False, 2018, "debug",    "Print a number: (value)."),
    HostFunction("debug",    "print64",             _L,                               (),  "free",               False, 2018, "debug",    "Print a number: (value)."),
    HostFunction("debug",    "printMem",            _II,                              (),  "free",               False, 2018, "debug",    "Print memory as text: (offset, length)."),
    HostFunction("debug",    "printMemHex",         _II,                              (),  "free",               False, 2018, "debug",    "Print memory as hex: (offset, length)."),
    HostFunction("debug",    "printStorage",        _I,                               (),  "free",               False, 2018, "debug",    "Print a storage value as text: (key bytes32)."),
    HostFunction("debug",    "printStorageHex",     _I,                               (),  "free",               False, 2018, "debug",    "Print a storage value as hex: (key bytes32)."),
)
# fmt: on
