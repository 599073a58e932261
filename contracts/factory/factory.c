/* A factory: contracts that make contracts, at addresses that follow from a counter (create) or from salt and code
 * (create2, EIP-1014). Init code is EVM code, an init module, or a module that is its own constructor.
 *
 * abi: function make(bytes code) payable returns (address)
 * abi: function make2(bytes code, bytes32 salt) payable returns (address)
 * abi: function addressOf(bytes code, bytes32 salt) view returns (address)
 * abi: function made() view returns (uint256)
 * abi: event Made(address indexed made, address indexed by, uint256 number)
 */
#include "abi.h"

enum {
    MAKE = 0xaf325da2,       /* make(bytes) */
    MAKE2 = 0x54f246f7,      /* make2(bytes,bytes32) */
    ADDRESS_OF = 0x393ccc76, /* addressOf(bytes,bytes32) */
    MADE = 0x49f92f2e,       /* made() */
};

#define CODE_LIMIT 65536

/* keccak256("Made(address,address,uint256)") */
static const uint8_t MADE_TOPIC[32] = {
    0xca, 0x2e, 0x17, 0x1d, 0x23, 0x6d, 0x36, 0xf0, 0x87, 0xcd, 0x5f, 0x84, 0x2c, 0xd6, 0x22, 0x27,
    0x28, 0xdf, 0x50, 0x5d, 0x67, 0xce, 0x8a, 0x89, 0x06, 0x91, 0x6f, 0x91, 0x98, 0x75, 0xf2, 0x12};

static uint8_t code[CODE_LIMIT];

static uint32_t read_code(void) {
    uint32_t length, offset = argument_bytes(4, 0, &length);
    if (length > CODE_LIMIT) REVERT("Factory: code too long");
    eth_callDataCopy(code, offset, length);
    return length;
}

static _Noreturn void finished(uint32_t failed, const word *address) {
    word by, number;
    /* Why the constructor refused is the best answer there is. */
    if (failed) revert_returned(code, CODE_LIMIT);
    load_slot(&number, 0);
    next_key(&number);
    store_slot(0, &number);
    caller_word(&by);
    emit_event(MADE_TOPIC, address, &by, 0, &number);
    return_word(address);
}

EWASM_EXPORT("main") void contract_main(void) {
    static struct { uint8_t mark; uint8_t sender[20]; word salt, hash; } place = {.mark = 0xff};
    word address = {{0}}, salt;
    uint8_t value[16];
    uint32_t length;
    eth_getCallValue(value);
    switch (selector()) {
    case MAKE:
        length = read_code();
        finished(eth_create(value, code, length, address.at + 12), &address);
    case MAKE2:
        length = read_code();
        argument(&salt, 4, 1);
        finished(eth_create2(value, code, length, salt.at, address.at + 12), &address);
    case ADDRESS_OF:
        refuse_value();
        length = read_code();
        argument(&place.salt, 4, 1);
        eth_getAddress(place.sender);
        crypto_keccak256(code, length, place.hash.at);
        crypto_keccak256(&place, 85, address.at);
        zero(address.at, 12);
        return_word(&address);
    case MADE:
        refuse_value();
        load_slot(&address, 0);
        return_word(&address);
    default:
        revert_empty();
    }
}
