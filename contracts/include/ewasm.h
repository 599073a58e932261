/* What a contract can ask of its host: imports of the modules `ethereum`, `bignum`, `crypto` and `debug`.
 *
 * Addresses are 20 bytes, hashes, storage keys and values 32 bytes, copied as they are. Numbers in memory are
 * little-endian: 16 bytes (value, balance, gas price) or a u256 of 32 bytes. `res` is where a result is written.
 */
#ifndef EWASM_H
#define EWASM_H

#include <stdint.h>

typedef struct { uint8_t at[32]; } u256;

#define EWASM_EXPORT(name) __attribute__((export_name(name)))
#define EWASM_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

/* ethereum */
EWASM_IMPORT("ethereum", "useGas") void eth_useGas(uint64_t gas);
EWASM_IMPORT("ethereum", "getGasLeft") uint64_t eth_getGasLeft(void);
EWASM_IMPORT("ethereum", "getCaller") void eth_getCaller(void *res);
EWASM_IMPORT("ethereum", "getAddress") void eth_getAddress(void *res);
EWASM_IMPORT("ethereum", "getCallValue") void eth_getCallValue(void *res);
EWASM_IMPORT("ethereum", "getCallDataSize") uint32_t eth_getCallDataSize(void);
EWASM_IMPORT("ethereum", "callDataCopy") void eth_callDataCopy(void *res, uint32_t offset, uint32_t length);
EWASM_IMPORT("ethereum", "getReturnDataSize") uint32_t eth_getReturnDataSize(void);
EWASM_IMPORT("ethereum", "returnDataCopy") void eth_returnDataCopy(void *res, uint32_t offset, uint32_t length);
EWASM_IMPORT("ethereum", "storageLoad") void eth_storageLoad(const void *key, void *res);
EWASM_IMPORT("ethereum", "storageStore") void eth_storageStore(const void *key, const void *value);
EWASM_IMPORT("ethereum", "log") void eth_log(const void *data, uint32_t length, uint32_t n, const void *topic1, const void *topic2, const void *topic3, const void *topic4);
EWASM_IMPORT("ethereum", "call") uint32_t eth_call(uint64_t gas, const void *address, const void *value, const void *data, uint32_t length);
EWASM_IMPORT("ethereum", "finish") _Noreturn void eth_finish(const void *data, uint32_t length);
EWASM_IMPORT("ethereum", "revert") _Noreturn void eth_revert(const void *data, uint32_t length);
EWASM_IMPORT("bignum", "add256") void bignum_add256(const void *a, const void *b, void *out);
EWASM_IMPORT("bignum", "sub256") void bignum_sub256(const void *a, const void *b, void *out);
EWASM_IMPORT("bignum", "lt256") uint32_t bignum_lt256(const void *a, const void *b);
EWASM_IMPORT("crypto", "keccak256") void crypto_keccak256(const void *data, uint32_t length, void *out);

#endif
