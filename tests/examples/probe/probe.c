/* Everything the layer offers, once. */
#include "abi.h"

static const uint8_t SAID[32] = {
    0x6f, 0x02, 0xc3, 0x5d, 0x17, 0x43, 0x3f, 0x16, 0x77, 0xe2, 0x2a, 0x8b, 0xa8, 0xb3, 0xef, 0xbe,
    0xc3, 0x7a, 0x6a, 0xdf, 0xb6, 0x90, 0x20, 0xc2, 0x71, 0x9f, 0xc9, 0x9e, 0x4b, 0xf0, 0x9a, 0x03};
static uint8_t memory[64 + 4096];
static const word KEY = {{7}};
static const word NOTED = {{[31] = 2}};

static uint32_t bytes(uint32_t index) {
    uint32_t length, offset = argument_bytes(4, index, &length);
    if (length > 4096) REVERT("probe: too long");
    eth_callDataCopy(memory, offset, length);
    return length;
}

static void done(uint32_t failed) {
    if (failed) revert_returned(memory, sizeof memory);
}

static uint32_t poking(void) {
    static const uint8_t poke[4] = {0x32, 0x14, 0x5f, 0x90};
    copy(memory, poke, 4);
    argument((word *)(memory + 4), 4, 1);
    return 36;
}

EWASM_EXPORT("deploy") void deploy(void) {
    word value;
    argument(&value, 0, 0);
    store_slot(0, &value);
}

EWASM_EXPORT("main") void contract_main(void) {
    static const uint8_t start[4] = {0xbe, 0x9a, 0x65, 0x55}, fail[4] = {0xa9, 0xcc, 0x47, 0x18};
    word a = {{0}}, b, c, slot;
    u256 x, y, z;
    uint8_t value[16];
    uint32_t length, offset;
    switch (selector()) {
    case 0xbe9a6555: /* start() */
        load_slot(&a, 0);
        return_word(&a);
    case 0x32145f90: /* poke(uint256) */
        argument(&a, 4, 0);
        store_slot(0, &a);
        return;
    case 0x7f8d53c6: /* put(address,uint256) */
        argument_address(&a, 4, 0);
        argument(&b, 4, 1);
        mapping_at(&slot, &a, 1);
        eth_storageStore(slot.at, b.at);
        return;
    case 0xc2bc2efc: /* get(address) */
        argument_address(&a, 4, 0);
        mapping_at(&slot, &a, 1);
        eth_storageLoad(slot.at, b.at);
        return_word(&b);
    case 0x9289b504: /* flip(address,bytes32) */
        argument_address(&a, 4, 0);
        argument(&b, 4, 1);
        mapping_at(&slot, &a, 3);
        mapping_slot(&slot, &b, &slot);
        eth_storageLoad(slot.at, c.at);
        c.at[31] ^= 1;
        eth_storageStore(slot.at, c.at);
        return_word(&c);
    case 0x1b352c43: /* note(string) */
        offset = argument_bytes(4, 0, &length);
        if (length > 1024) REVERT("probe: too long");
        store_text(&NOTED, offset, length);
        return;
    case 0x57de26a4: /* read() */
        return_text(memory, load_text(&NOTED, memory + 64, 1024));
    case 0x771602f7: /* add(uint256,uint256) */
        argument(&a, 4, 0);
        argument(&b, 4, 1);
        to_u256(&x, &a);
        to_u256(&y, &b);
        bignum_add256(&x, &y, &x);
        to_word(&a, &x);
        return_word(&a);
    case 0x4902ddae: /* mulmod(uint256,uint256,uint256) */
        argument(&a, 4, 0);
        argument(&b, 4, 1);
        argument(&c, 4, 2);
        to_u256(&x, &a);
        to_u256(&y, &b);
        to_u256(&z, &c);
        bignum_mulmod256(&x, &y, &z, &x);
        to_word(&a, &x);
        return_word(&a);
    case 0x23fc7ef3: /* keccak(bytes) */
        length = bytes(0);
        crypto_keccak256(memory, length, a.at);
        return_word(&a);
    case 0x34c1b4ba: /* sha(bytes) */
        length = bytes(0);
        crypto_sha256(memory, length, a.at);
        return_word(&a);
    case 0xb7d7a4e0: /* say(uint256,uint256) */
        argument(&a, 4, 0);
        argument((word *)memory, 4, 1);
        caller_word((word *)(memory + 32));
        eth_log(memory, 64, 2, SAID, a.at, 0, 0);
        return;
    case 0xa9cc4718: /* fail() */
        REVERT("probe: on purpose");
    case 0x67e404ce: /* sender() */
        caller_word(&a);
        return_word(&a);
    case 0x7104ddb2: /* self() */
        own_word(&a);
        return_word(&a);
    case 0x295b4e17: /* paid() */
        eth_getCallValue(value);
        for (int i = 0; i < 16; i++) a.at[31 - i] = value[i];
        return_word(&a);
    case 0x8ea23721: /* small(uint8) */
        argument(&a, 4, 0);
        if (word_to_u32(&a, 256) > 255) revert_empty();
        return_word(&a);
    case 0x63f5563b: /* ask(address) */
        argument_address(&a, 4, 0);
        done(eth_callStatic(ALL_GAS, a.at + 12, start, 4));
        eth_returnDataCopy(b.at, 0, 32);
        return_word(&b);
    case 0xa46136f9: /* tell(address,uint256) */
        argument_address(&a, 4, 0);
        length = poking();
        done(eth_call(ALL_GAS, a.at + 12, NO_VALUE, memory, length));
        return;
    case 0x4b8a3529: /* borrow(address,uint256) */
        argument_address(&a, 4, 0);
        length = poking();
        done(eth_callDelegate(ALL_GAS, a.at + 12, memory, length));
        return;
    case 0x19041386: /* try(address) */
        argument_address(&a, 4, 0);
        b = small_word(eth_call(ALL_GAS, a.at + 12, NO_VALUE, fail, 4));
        return_word(&b);
    case 0xaf325da2: /* make(bytes) */
        length = bytes(0);
        if (eth_create(NO_VALUE, memory, length, a.at + 12) != 0) zero(a.at, 32);
        return_word(&a);
    case 0x54f246f7: /* make2(bytes,bytes32) */
        length = bytes(0);
        argument(&b, 4, 1);
        if (eth_create2(NO_VALUE, memory, length, b.at, a.at + 12) != 0) zero(a.at, 32);
        return_word(&a);
    case 0x598beeb9: /* remember(bytes32) */
        argument(&a, 4, 0);
        eth_transientStore(KEY.at, a.at);
        eth_transientLoad(KEY.at, b.at);
        return_word(&b);
    default:
        revert_empty();
    }
}
