/* A WebAssembly contract that passes a call on to any contract, EVM or WebAssembly, with the value it was sent.
 *
 *     forward(address target, bytes data) returns (bytes)             a revert below is passed up
 *     tryForward(address target, bytes data) returns (bool, bytes)    a revert below is caught
 *     forwardThenRevert(address target, bytes data)                   the call is made, then everything is undone
 *     forwarded() returns (uint256)                                   how many calls were passed on and kept
 */
#include "abi.h"

enum {
    FORWARD = 0x6fadcf72,
    TRY_FORWARD = 0xae70b059,
    FORWARD_THEN_REVERT = 0xfb5754b3,
    FORWARDED = 0xd5273e32,
};

#define DATA_LIMIT 16384

static const word COUNT_SLOT = {{0}};
static uint8_t data[DATA_LIMIT];
static uint8_t output[96 + DATA_LIMIT + 32];

static void count(void) {
    word stored;
    eth_storageLoad(COUNT_SLOT.at, stored.at);
    for (int i = 31; i >= 0 && ++stored.at[i] == 0; i--) {}
    eth_storageStore(COUNT_SLOT.at, stored.at);
}

/* What the callee returned, into `output` from `at` on: its length as a word, then the bytes, padded with zeros. */
static uint32_t put_returned(uint32_t at) {
    uint32_t length = eth_getReturnDataSize();
    if (length > DATA_LIMIT) REVERT("Forwarder: returned data too long");
    word w = small_word(length);
    copy(output + at, w.at, 32);
    zero(output + at + 32 + (length & ~31u), 32);
    eth_returnDataCopy(output + at + 32, 0, length);
    return at + 32 + ((length + 31) & ~31u);
}

/* Pass arguments 0 (target) and 1 (data) on with all the gas there is. Returns 0 success, 1 failure, 2 revert. */
static uint32_t pass_on(void) {
    word target;
    uint8_t value[16];
    uint32_t length, offset;
    argument_address(&target, 4, 0);
    offset = argument_bytes(4, 1, &length);
    if (length > DATA_LIMIT) REVERT("Forwarder: call data too long");
    eth_callDataCopy(data, offset, length);
    eth_getCallValue(value);
    return eth_call(0x7fffffffffffffff, target.at + 12, value, data, length);
}

EWASM_EXPORT("main") void contract_main(void) {
    word w;
    uint32_t failed;
    switch (selector()) {
    case FORWARD:
        count();
        failed = pass_on();
        if (failed) {
            put_returned(0);
            eth_revert(output + 32, eth_getReturnDataSize());
        }
        output[31] = 32;
        eth_finish(output, put_returned(32));
    case TRY_FORWARD:
        failed = pass_on();
        if (!failed) count();
        output[31] = !failed;
        output[63] = 64;
        eth_finish(output, put_returned(64));
    case FORWARD_THEN_REVERT:
        count();
        failed = pass_on();
        if (failed) REVERT("Forwarder: the call itself failed");
        REVERT("Forwarder: undone on request");
    case FORWARDED:
        eth_storageLoad(COUNT_SLOT.at, w.at);
        return_word(&w);
    default:
        REVERT("Forwarder: no such function");
    }
}
