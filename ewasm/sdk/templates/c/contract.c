/* A counter that says when it changes. Storage: slot 0 the number. */
#include "abi.h"

enum {
    NUMBER = 0x8381f58a,     /* number() */
    INCREMENT = 0xd09de08a,  /* increment() */
    SET_NUMBER = 0x3fb5c1cb, /* setNumber(uint256) */
};

static const word NUMBER_SLOT = {{0}};

/* keccak256("NumberChanged(address,uint256)") */
static const uint8_t NUMBER_CHANGED[32] = {
    0x70, 0xde, 0x80, 0x34, 0xc3, 0x1e, 0x91, 0xb3, 0xa3, 0x0e, 0x57, 0xea, 0xc0, 0x1a, 0xc4, 0x03,
    0x96, 0x72, 0x1a, 0x81, 0x83, 0xa1, 0x59, 0xe9, 0xa0, 0xb3, 0x24, 0xa7, 0x18, 0x83, 0x86, 0xe4};

static void change(const word *number) {
    word by;
    zero(by.at, 12);
    eth_getCaller(by.at + 12);
    eth_storageStore(NUMBER_SLOT.at, number->at);
    eth_log(number->at, 32, 2, NUMBER_CHANGED, by.at, 0, 0);
}

static void increment(void) {
    word stored;
    u256 number;
    static const u256 one = {{1}};
    eth_storageLoad(NUMBER_SLOT.at, stored.at);
    to_u256(&number, &stored);
    bignum_add256(&number, &one, &number);
    to_word(&stored, &number);
    if (is_zero(&stored)) REVERT("the counter is full");
    change(&stored);
}

/* The constructor: its arguments are call data. */
EWASM_EXPORT("deploy") void deploy(void) {
    word start;
    refuse_value();
    argument(&start, 0, 0);
    eth_storageStore(NUMBER_SLOT.at, start.at);
}

/* Every call. */
EWASM_EXPORT("main") void contract_main(void) {
    word number;
    refuse_value();
    switch (selector()) {
    case NUMBER:
        eth_storageLoad(NUMBER_SLOT.at, number.at);
        return_word(&number);
    case INCREMENT:
        increment();
        break;
    case SET_NUMBER:
        argument(&number, 4, 0);
        change(&number);
        break;
    default:
        revert_empty();
    }
}
