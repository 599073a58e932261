/* What a contract can ask of its host. Made by `make contracts` from ewasm/eei/table.py: do not edit.
 *
 * An address is 20 bytes, a bytes32 (hash, storage key or value, topic) 32 bytes, copied as they are. Numbers in memory
 * are little-endian: a u128 16 bytes (value, balance, gas price), a u256 32 bytes. `out` is where a result is written.
 */
#ifndef EWASM_H
#define EWASM_H

#include <stdint.h>

typedef struct {
    uint8_t at[32];
} u256;

#define EWASM_EXPORT(name) __attribute__((export_name(name)))
#define EWASM_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

/* ---- module ethereum ---- */

/* Use up gas: (gas). Negative fails. */
EWASM_IMPORT("ethereum", "useGas")
void eth_useGas(uint64_t gas);

/* Whole gas left behind this call's own price. */
EWASM_IMPORT("ethereum", "getGasLeft")
uint64_t eth_getGasLeft(void);

/* Own address: (out address). */
EWASM_IMPORT("ethereum", "getAddress")
void eth_getAddress(void *out);

/* Sender of the message: (out address). */
EWASM_IMPORT("ethereum", "getCaller")
void eth_getCaller(void *out);

/* Sender of the transaction: (out address). */
EWASM_IMPORT("ethereum", "getTxOrigin")
void eth_getTxOrigin(void *out);

/* Beneficiary of the block: (out address). */
EWASM_IMPORT("ethereum", "getBlockCoinbase")
void eth_getBlockCoinbase(void *out);

/* Wei sent with the message: (out u128). */
EWASM_IMPORT("ethereum", "getCallValue")
void eth_getCallValue(void *out);

/* Effective gas price in wei: (out u128). */
EWASM_IMPORT("ethereum", "getTxGasPrice")
void eth_getTxGasPrice(void *out);

/* Difficulty, since the merge the previous randao: (out u256). */
EWASM_IMPORT("ethereum", "getBlockDifficulty")
void eth_getBlockDifficulty(void *out);

/* Gas limit of the block. */
EWASM_IMPORT("ethereum", "getBlockGasLimit")
uint64_t eth_getBlockGasLimit(void);

/* Number of the block. */
EWASM_IMPORT("ethereum", "getBlockNumber")
uint64_t eth_getBlockNumber(void);

/* Timestamp of the block in seconds. */
EWASM_IMPORT("ethereum", "getBlockTimestamp")
uint64_t eth_getBlockTimestamp(void);

/* Balance of an account in wei: (address, out u128). */
EWASM_IMPORT("ethereum", "getExternalBalance")
void eth_getExternalBalance(const void *address, void *out);

/* Hash of a recent block: (number, out bytes32). 0, or 1 with memory untouched. */
EWASM_IMPORT("ethereum", "getBlockHash")
uint32_t eth_getBlockHash(uint64_t number, void *out);

/* Bytes of call data. */
EWASM_IMPORT("ethereum", "getCallDataSize")
uint32_t eth_getCallDataSize(void);

/* Bytes of the running code as submitted. */
EWASM_IMPORT("ethereum", "getCodeSize")
uint32_t eth_getCodeSize(void);

/* Bytes that the last call or create returned. */
EWASM_IMPORT("ethereum", "getReturnDataSize")
uint32_t eth_getReturnDataSize(void);

/* Copy call data: (out, offset, length). Beyond its end fails. */
EWASM_IMPORT("ethereum", "callDataCopy")
void eth_callDataCopy(void *out, uint32_t offset, uint32_t length);

/* Copy the running code: (out, offset, length). Beyond its end fails. */
EWASM_IMPORT("ethereum", "codeCopy")
void eth_codeCopy(void *out, uint32_t offset, uint32_t length);

/* Copy what the last call returned: (out, offset, length). Beyond its end fails. */
EWASM_IMPORT("ethereum", "returnDataCopy")
void eth_returnDataCopy(void *out, uint32_t offset, uint32_t length);

/* Copy an account's code: (address, out, offset, length). Beyond its end fails. */
EWASM_IMPORT("ethereum", "externalCodeCopy")
void eth_externalCodeCopy(const void *address, void *out, uint32_t offset, uint32_t length);

/* Bytes of an account's code: (address). */
EWASM_IMPORT("ethereum", "getExternalCodeSize")
uint32_t eth_getExternalCodeSize(const void *address);

/* Read own storage: (key bytes32, out bytes32). */
EWASM_IMPORT("ethereum", "storageLoad")
void eth_storageLoad(const void *key, void *out);

/* Write own storage: (key bytes32, value bytes32). */
EWASM_IMPORT("ethereum", "storageStore")
void eth_storageStore(const void *key, const void *value);

/* Log: (data, length, topics, four topic pointers); only the first `topics` are read. */
EWASM_IMPORT("ethereum", "log")
void eth_log(const void *data, uint32_t length, uint32_t topics, const void *topic1, const void *topic2, const void *topic3, const void *topic4);

/* Call: (gas, address, value u128, data, length). 0 success, 1 failure, 2 revert. */
EWASM_IMPORT("ethereum", "call")
uint32_t eth_call(uint64_t gas, const void *address, const void *value, const void *data, uint32_t length);

/* Call with the callee's code on own state: (gas, address, value u128, data, length). */
EWASM_IMPORT("ethereum", "callCode")
uint32_t eth_callCode(uint64_t gas, const void *address, const void *value, const void *data, uint32_t length);

/* callCode that keeps sender and value: (gas, address, data, length). */
EWASM_IMPORT("ethereum", "callDelegate")
uint32_t eth_callDelegate(uint64_t gas, const void *address, const void *data, uint32_t length);

/* Call that may not change state: (gas, address, data, length). */
EWASM_IMPORT("ethereum", "callStatic")
uint32_t eth_callStatic(uint64_t gas, const void *address, const void *data, uint32_t length);

/* Create: (value u128, init code, length, out address). 0, 1, or 2 with revert data. */
EWASM_IMPORT("ethereum", "create")
uint32_t eth_create(const void *value, const void *init_code, uint32_t length, void *out);

/* End the frame with output: (data, length). */
EWASM_IMPORT("ethereum", "finish")
_Noreturn void eth_finish(const void *data, uint32_t length);

/* End the frame, undo its effects, keep the gas left: (data, length). */
EWASM_IMPORT("ethereum", "revert")
_Noreturn void eth_revert(const void *data, uint32_t length);

/* Send the balance to an address and end the frame: (address). */
EWASM_IMPORT("ethereum", "selfDestruct")
_Noreturn void eth_selfDestruct(const void *address);

/* Create at an address of salt and code: (value u128, init code, length, salt bytes32, out address). */
EWASM_IMPORT("ethereum", "create2")
uint32_t eth_create2(const void *value, const void *init_code, uint32_t length, const void *salt, void *out);

/* Chain id: (out u256). */
EWASM_IMPORT("ethereum", "getChainId")
void eth_getChainId(void *out);

/* Own balance in wei: (out u256). */
EWASM_IMPORT("ethereum", "getSelfBalance")
void eth_getSelfBalance(void *out);

/* Base fee of the block in wei: (out u256). */
EWASM_IMPORT("ethereum", "getBaseFee")
void eth_getBaseFee(void *out);

/* Blob base fee of the block in wei: (out u256). */
EWASM_IMPORT("ethereum", "getBlobBaseFee")
void eth_getBlobBaseFee(void *out);

/* Versioned hash of a blob: (index, out bytes32). 0, or 1 with memory untouched. */
EWASM_IMPORT("ethereum", "getBlobHash")
uint32_t eth_getBlobHash(uint32_t index, void *out);

/* Previous randao: (out bytes32). */
EWASM_IMPORT("ethereum", "getPrevRandao")
void eth_getPrevRandao(void *out);

/* Hash of an account's code: (address, out bytes32). */
EWASM_IMPORT("ethereum", "getExternalCodeHash")
void eth_getExternalCodeHash(const void *address, void *out);

/* Read own transient storage: (key bytes32, out bytes32). */
EWASM_IMPORT("ethereum", "transientLoad")
void eth_transientLoad(const void *key, void *out);

/* Write own transient storage: (key bytes32, value bytes32). */
EWASM_IMPORT("ethereum", "transientStore")
void eth_transientStore(const void *key, const void *value);

/* ---- module bignum ---- */

/* out = a + b: (a, b, out). */
EWASM_IMPORT("bignum", "add256")
void bignum_add256(const void *a, const void *b, void *out);

/* out = a - b: (a, b, out). */
EWASM_IMPORT("bignum", "sub256")
void bignum_sub256(const void *a, const void *b, void *out);

/* out = a * b: (a, b, out). */
EWASM_IMPORT("bignum", "mul256")
void bignum_mul256(const void *a, const void *b, void *out);

/* out = a / b, 0 if b is 0: (a, b, out). */
EWASM_IMPORT("bignum", "div256")
void bignum_div256(const void *a, const void *b, void *out);

/* Signed a / b, truncating, 0 if b is 0: (a, b, out). */
EWASM_IMPORT("bignum", "sdiv256")
void bignum_sdiv256(const void *a, const void *b, void *out);

/* out = a % b, 0 if b is 0: (a, b, out). */
EWASM_IMPORT("bignum", "mod256")
void bignum_mod256(const void *a, const void *b, void *out);

/* Signed a % b with the sign of a, 0 if b is 0: (a, b, out). */
EWASM_IMPORT("bignum", "smod256")
void bignum_smod256(const void *a, const void *b, void *out);

/* out = a ** b: (a, b, out); priced by the bytes of b. */
EWASM_IMPORT("bignum", "exp256")
void bignum_exp256(const void *a, const void *b, void *out);

/* Extend the sign of byte a of b: (a, b, out). */
EWASM_IMPORT("bignum", "signextend256")
void bignum_signextend256(const void *a, const void *b, void *out);

/* out = a & b: (a, b, out). */
EWASM_IMPORT("bignum", "and256")
void bignum_and256(const void *a, const void *b, void *out);

/* out = a | b: (a, b, out). */
EWASM_IMPORT("bignum", "or256")
void bignum_or256(const void *a, const void *b, void *out);

/* out = a ^ b: (a, b, out). */
EWASM_IMPORT("bignum", "xor256")
void bignum_xor256(const void *a, const void *b, void *out);

/* out = b << a: (a, b, out). */
EWASM_IMPORT("bignum", "shl256")
void bignum_shl256(const void *a, const void *b, void *out);

/* out = b >> a, zeros come in: (a, b, out). */
EWASM_IMPORT("bignum", "shr256")
void bignum_shr256(const void *a, const void *b, void *out);

/* out = b >> a, the sign comes in: (a, b, out). */
EWASM_IMPORT("bignum", "sar256")
void bignum_sar256(const void *a, const void *b, void *out);

/* Byte a of b, counted from the most significant, 0 beyond 31: (a, b, out). */
EWASM_IMPORT("bignum", "byte256")
void bignum_byte256(const void *a, const void *b, void *out);

/* out = (a + b) % m without wrapping, 0 if m is 0: (a, b, m, out). */
EWASM_IMPORT("bignum", "addmod256")
void bignum_addmod256(const void *a, const void *b, const void *m, void *out);

/* out = (a * b) % m without wrapping, 0 if m is 0: (a, b, m, out). */
EWASM_IMPORT("bignum", "mulmod256")
void bignum_mulmod256(const void *a, const void *b, const void *m, void *out);

/* out = ~a: (a, out). */
EWASM_IMPORT("bignum", "not256")
void bignum_not256(const void *a, void *out);

/* a < b, unsigned: (a, b). */
EWASM_IMPORT("bignum", "lt256")
uint32_t bignum_lt256(const void *a, const void *b);

/* a > b, unsigned: (a, b). */
EWASM_IMPORT("bignum", "gt256")
uint32_t bignum_gt256(const void *a, const void *b);

/* a < b, signed: (a, b). */
EWASM_IMPORT("bignum", "slt256")
uint32_t bignum_slt256(const void *a, const void *b);

/* a > b, signed: (a, b). */
EWASM_IMPORT("bignum", "sgt256")
uint32_t bignum_sgt256(const void *a, const void *b);

/* a == b: (a, b). */
EWASM_IMPORT("bignum", "eq256")
uint32_t bignum_eq256(const void *a, const void *b);

/* a == 0: (a). */
EWASM_IMPORT("bignum", "iszero256")
uint32_t bignum_iszero256(const void *a);

/* ---- module crypto ---- */

/* Keccak-256: (data, length, out bytes32). */
EWASM_IMPORT("crypto", "keccak256")
void crypto_keccak256(const void *data, uint32_t length, void *out);

/* SHA-256: (data, length, out bytes32). */
EWASM_IMPORT("crypto", "sha256")
void crypto_sha256(const void *data, uint32_t length, void *out);

/* ---- module debug ---- */

/* Print a number: (value). */
EWASM_IMPORT("debug", "print32")
void debug_print32(uint32_t value);

/* Print a number: (value). */
EWASM_IMPORT("debug", "print64")
void debug_print64(uint64_t value);

/* Print memory as text: (offset, length). */
EWASM_IMPORT("debug", "printMem")
void debug_printMem(uint32_t offset, uint32_t length);

/* Print memory as hex: (offset, length). */
EWASM_IMPORT("debug", "printMemHex")
void debug_printMemHex(uint32_t offset, uint32_t length);

/* Print a storage value as text: (key bytes32). */
EWASM_IMPORT("debug", "printStorage")
void debug_printStorage(const void *key);

/* Print a storage value as hex: (key bytes32). */
EWASM_IMPORT("debug", "printStorageHex")
void debug_printStorageHex(const void *key);

#endif
