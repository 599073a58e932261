// What a contract can ask of its host. Made by `make contracts` from ewasm/eei/table.py: do not edit.
//
// An address is 20 bytes, a bytes32 (hash, storage key or value, topic) 32 bytes, copied as they are. Numbers in
// memory are little-endian: a u128 16 bytes (value, balance, gas price), a u256 32 bytes. `out` is where a result is
// written.

// ---- module ethereum ----

/** Use up gas: (gas). Negative fails. */
// @ts-ignore: decorator
@external("ethereum", "useGas")
export declare function eth_useGas(gas: u64): void;

/** Whole gas left behind this call's own price. */
// @ts-ignore: decorator
@external("ethereum", "getGasLeft")
export declare function eth_getGasLeft(): u64;

/** Own address: (out address). */
// @ts-ignore: decorator
@external("ethereum", "getAddress")
export declare function eth_getAddress(out: usize): void;

/** Sender of the message: (out address). */
// @ts-ignore: decorator
@external("ethereum", "getCaller")
export declare function eth_getCaller(out: usize): void;

/** Sender of the transaction: (out address). */
// @ts-ignore: decorator
@external("ethereum", "getTxOrigin")
export declare function eth_getTxOrigin(out: usize): void;

/** Beneficiary of the block: (out address). */
// @ts-ignore: decorator
@external("ethereum", "getBlockCoinbase")
export declare function eth_getBlockCoinbase(out: usize): void;

/** Wei sent with the message: (out u128). */
// @ts-ignore: decorator
@external("ethereum", "getCallValue")
export declare function eth_getCallValue(out: usize): void;

/** Effective gas price in wei: (out u128). */
// @ts-ignore: decorator
@external("ethereum", "getTxGasPrice")
export declare function eth_getTxGasPrice(out: usize): void;

/** Difficulty, since the merge the previous randao: (out u256). */
// @ts-ignore: decorator
@external("ethereum", "getBlockDifficulty")
export declare function eth_getBlockDifficulty(out: usize): void;

/** Gas limit of the block. */
// @ts-ignore: decorator
@external("ethereum", "getBlockGasLimit")
export declare function eth_getBlockGasLimit(): u64;

/** Number of the block. */
// @ts-ignore: decorator
@external("ethereum", "getBlockNumber")
export declare function eth_getBlockNumber(): u64;

/** Timestamp of the block in seconds. */
// @ts-ignore: decorator
@external("ethereum", "getBlockTimestamp")
export declare function eth_getBlockTimestamp(): u64;

/** Balance of an account in wei: (address, out u128). */
// @ts-ignore: decorator
@external("ethereum", "getExternalBalance")
export declare function eth_getExternalBalance(address: usize, out: usize): void;

/** Hash of a recent block: (number, out bytes32). 0, or 1 with memory untouched. */
// @ts-ignore: decorator
@external("ethereum", "getBlockHash")
export declare function eth_getBlockHash(number: u64, out: usize): u32;

/** Bytes of call data. */
// @ts-ignore: decorator
@external("ethereum", "getCallDataSize")
export declare function eth_getCallDataSize(): u32;

/** Bytes of the running code as submitted. */
// @ts-ignore: decorator
@external("ethereum", "getCodeSize")
export declare function eth_getCodeSize(): u32;

/** Bytes that the last call or create returned. */
// @ts-ignore: decorator
@external("ethereum", "getReturnDataSize")
export declare function eth_getReturnDataSize(): u32;

/** Copy call data: (out, offset, length). Beyond its end fails. */
// @ts-ignore: decorator
@external("ethereum", "callDataCopy")
export declare function eth_callDataCopy(out: usize, offset: u32, length: u32): void;

/** Copy the running code: (out, offset, length). Beyond its end fails. */
// @ts-ignore: decorator
@external("ethereum", "codeCopy")
export declare function eth_codeCopy(out: usize, offset: u32, length: u32): void;

/** Copy what the last call returned: (out, offset, length). Beyond its end fails. */
// @ts-ignore: decorator
@external("ethereum", "returnDataCopy")
export declare function eth_returnDataCopy(out: usize, offset: u32, length: u32): void;

/** Copy an account's code: (address, out, offset, length). Beyond its end fails. */
// @ts-ignore: decorator
@external("ethereum", "externalCodeCopy")
export declare function eth_externalCodeCopy(address: usize, out: usize, offset: u32, length: u32): void;

/** Bytes of an account's code: (address). */
// @ts-ignore: decorator
@external("ethereum", "getExternalCodeSize")
export declare function eth_getExternalCodeSize(address: usize): u32;

/** Read own storage: (key bytes32, out bytes32). */
// @ts-ignore: decorator
@external("ethereum", "storageLoad")
export declare function eth_storageLoad(key: usize, out: usize): void;

/** Write own storage: (key bytes32, value bytes32). */
// @ts-ignore: decorator
@external("ethereum", "storageStore")
export declare function eth_storageStore(key: usize, value: usize): void;

/** Log: (data, length, topics, four topic pointers); only the first `topics` are read. */
// @ts-ignore: decorator
@external("ethereum", "log")
export declare function eth_log(data: usize, length: u32, topics: u32, topic1: usize, topic2: usize, topic3: usize, topic4: usize): void;

/** Call: (gas, address, value u128, data, length). 0 success, 1 failure, 2 revert. */
// @ts-ignore: decorator
@external("ethereum", "call")
export declare function eth_call(gas: u64, address: usize, value: usize, data: usize, length: u32): u32;

/** Call with the callee's code on own state: (gas, address, value u128, data, length). */
// @ts-ignore: decorator
@external("ethereum", "callCode")
export declare function eth_callCode(gas: u64, address: usize, value: usize, data: usize, length: u32): u32;

/** callCode that keeps sender and value: (gas, address, data, length). */
// @ts-ignore: decorator
@external("ethereum", "callDelegate")
export declare function eth_callDelegate(gas: u64, address: usize, data: usize, length: u32): u32;

/** Call that may not change state: (gas, address, data, length). */
// @ts-ignore: decorator
@external("ethereum", "callStatic")
export declare function eth_callStatic(gas: u64, address: usize, data: usize, length: u32): u32;

/** Create: (value u128, init code, length, out address). 0, 1, or 2 with revert data. */
// @ts-ignore: decorator
@external("ethereum", "create")
export declare function eth_create(value: usize, init_code: usize, length: u32, out: usize): u32;

/** End the frame with output: (data, length). */
// @ts-ignore: decorator
@external("ethereum", "finish")
export declare function eth_finish(data: usize, length: u32): void;

/** End the frame, undo its effects, keep the gas left: (data, length). */
// @ts-ignore: decorator
@external("ethereum", "revert")
export declare function eth_revert(data: usize, length: u32): void;

/** Send the balance to an address and end the frame: (address). */
// @ts-ignore: decorator
@external("ethereum", "selfDestruct")
export declare function eth_selfDestruct(address: usize): void;

/** Create at an address of salt and code: (value u128, init code, length, salt bytes32, out address). */
// @ts-ignore: decorator
@external("ethereum", "create2")
export declare function eth_create2(value: usize, init_code: usize, length: u32, salt: usize, out: usize): u32;

/** Chain id: (out u256). */
// @ts-ignore: decorator
@external("ethereum", "getChainId")
export declare function eth_getChainId(out: usize): void;

/** Own balance in wei: (out u256). */
// @ts-ignore: decorator
@external("ethereum", "getSelfBalance")
export declare function eth_getSelfBalance(out: usize): void;

/** Base fee of the block in wei: (out u256). */
// @ts-ignore: decorator
@external("ethereum", "getBaseFee")
export declare function eth_getBaseFee(out: usize): void;

/** Blob base fee of the block in wei: (out u256). */
// @ts-ignore: decorator
@external("ethereum", "getBlobBaseFee")
export declare function eth_getBlobBaseFee(out: usize): void;

/** Versioned hash of a blob: (index, out bytes32). 0, or 1 with memory untouched. */
// @ts-ignore: decorator
@external("ethereum", "getBlobHash")
export declare function eth_getBlobHash(index: u32, out: usize): u32;

/** Previous randao: (out bytes32). */
// @ts-ignore: decorator
@external("ethereum", "getPrevRandao")
export declare function eth_getPrevRandao(out: usize): void;

/** Hash of an account's code: (address, out bytes32). */
// @ts-ignore: decorator
@external("ethereum", "getExternalCodeHash")
export declare function eth_getExternalCodeHash(address: usize, out: usize): void;

/** Read own transient storage: (key bytes32, out bytes32). */
// @ts-ignore: decorator
@external("ethereum", "transientLoad")
export declare function eth_transientLoad(key: usize, out: usize): void;

/** Write own transient storage: (key bytes32, value bytes32). */
// @ts-ignore: decorator
@external("ethereum", "transientStore")
export declare function eth_transientStore(key: usize, value: usize): void;

// ---- module bignum ----

/** out = a + b: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "add256")
export declare function bignum_add256(a: usize, b: usize, out: usize): void;

/** out = a - b: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "sub256")
export declare function bignum_sub256(a: usize, b: usize, out: usize): void;

/** out = a * b: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "mul256")
export declare function bignum_mul256(a: usize, b: usize, out: usize): void;

/** out = a / b, 0 if b is 0: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "div256")
export declare function bignum_div256(a: usize, b: usize, out: usize): void;

/** Signed a / b, truncating, 0 if b is 0: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "sdiv256")
export declare function bignum_sdiv256(a: usize, b: usize, out: usize): void;

/** out = a % b, 0 if b is 0: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "mod256")
export declare function bignum_mod256(a: usize, b: usize, out: usize): void;

/** Signed a % b with the sign of a, 0 if b is 0: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "smod256")
export declare function bignum_smod256(a: usize, b: usize, out: usize): void;

/** out = a ** b: (a, b, out); priced by the bytes of b. */
// @ts-ignore: decorator
@external("bignum", "exp256")
export declare function bignum_exp256(a: usize, b: usize, out: usize): void;

/** Extend the sign of byte a of b: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "signextend256")
export declare function bignum_signextend256(a: usize, b: usize, out: usize): void;

/** out = a & b: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "and256")
export declare function bignum_and256(a: usize, b: usize, out: usize): void;

/** out = a | b: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "or256")
export declare function bignum_or256(a: usize, b: usize, out: usize): void;

/** out = a ^ b: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "xor256")
export declare function bignum_xor256(a: usize, b: usize, out: usize): void;

/** out = b << a: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "shl256")
export declare function bignum_shl256(a: usize, b: usize, out: usize): void;

/** out = b >> a, zeros come in: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "shr256")
export declare function bignum_shr256(a: usize, b: usize, out: usize): void;

/** out = b >> a, the sign comes in: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "sar256")
export declare function bignum_sar256(a: usize, b: usize, out: usize): void;

/** Byte a of b, counted from the most significant, 0 beyond 31: (a, b, out). */
// @ts-ignore: decorator
@external("bignum", "byte256")
export declare function bignum_byte256(a: usize, b: usize, out: usize): void;

/** out = (a + b) % m without wrapping, 0 if m is 0: (a, b, m, out). */
// @ts-ignore: decorator
@external("bignum", "addmod256")
export declare function bignum_addmod256(a: usize, b: usize, m: usize, out: usize): void;

/** out = (a * b) % m without wrapping, 0 if m is 0: (a, b, m, out). */
// @ts-ignore: decorator
@external("bignum", "mulmod256")
export declare function bignum_mulmod256(a: usize, b: usize, m: usize, out: usize): void;

/** out = ~a: (a, out). */
// @ts-ignore: decorator
@external("bignum", "not256")
export declare function bignum_not256(a: usize, out: usize): void;

/** a < b, unsigned: (a, b). */
// @ts-ignore: decorator
@external("bignum", "lt256")
export declare function bignum_lt256(a: usize, b: usize): u32;

/** a > b, unsigned: (a, b). */
// @ts-ignore: decorator
@external("bignum", "gt256")
export declare function bignum_gt256(a: usize, b: usize): u32;

/** a < b, signed: (a, b). */
// @ts-ignore: decorator
@external("bignum", "slt256")
export declare function bignum_slt256(a: usize, b: usize): u32;

/** a > b, signed: (a, b). */
// @ts-ignore: decorator
@external("bignum", "sgt256")
export declare function bignum_sgt256(a: usize, b: usize): u32;

/** a == b: (a, b). */
// @ts-ignore: decorator
@external("bignum", "eq256")
export declare function bignum_eq256(a: usize, b: usize): u32;

/** a == 0: (a). */
// @ts-ignore: decorator
@external("bignum", "iszero256")
export declare function bignum_iszero256(a: usize): u32;

// ---- module crypto ----

/** Keccak-256: (data, length, out bytes32). */
// @ts-ignore: decorator
@external("crypto", "keccak256")
export declare function crypto_keccak256(data: usize, length: u32, out: usize): void;

/** SHA-256: (data, length, out bytes32). */
// @ts-ignore: decorator
@external("crypto", "sha256")
export declare function crypto_sha256(data: usize, length: u32, out: usize): void;

// ---- module debug ----

/** Print a number: (value). */
// @ts-ignore: decorator
@external("debug", "print32")
export declare function debug_print32(value: u32): void;

/** Print a number: (value). */
// @ts-ignore: decorator
@external("debug", "print64")
export declare function debug_print64(value: u64): void;

/** Print memory as text: (offset, length). */
// @ts-ignore: decorator
@external("debug", "printMem")
export declare function debug_printMem(offset: u32, length: u32): void;

/** Print memory as hex: (offset, length). */
// @ts-ignore: decorator
@external("debug", "printMemHex")
export declare function debug_printMemHex(offset: u32, length: u32): void;

/** Print a storage value as text: (key bytes32). */
// @ts-ignore: decorator
@external("debug", "printStorage")
export declare function debug_printStorage(key: usize): void;

/** Print a storage value as hex: (key bytes32). */
// @ts-ignore: decorator
@external("debug", "printStorageHex")
export declare function debug_printStorageHex(key: usize): void;
