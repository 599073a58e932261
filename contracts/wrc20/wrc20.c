/* WRC-20, the token that contracts of the Ewasm testnet of 2018 were taught with. Built against the original interface:
 * only `main` and `memory`, host functions of 2018, no constructor. Call data are bytes, not Solidity's ABI:
 *
 *     9993021a  address (20)             balance: 8 bytes, big-endian
 *     5d359fbd  address (20) value (8)   transfer from the sender
 *     2095ac1c  value (8)                mint to oneself; a testnet's faucet
 *
 * Storage: the address behind twelve zero bytes is the key, the balance the last eight bytes of the value.
 */
#include "ewasm.h"

enum { BALANCE = 0x9993021a, TRANSFER = 0x5d359fbd, MINT = 0x2095ac1c };

static uint8_t input[32], key[32], value[32];

static uint64_t number(const uint8_t *from) {
    uint64_t out = 0;
    for (int i = 0; i < 8; i++) out = out << 8 | from[i];
    return out;
}

static void put_number(uint8_t *to, uint64_t number) {
    for (int i = 7; i >= 0; i--, number >>= 8) to[i] = (uint8_t)number;
}

static uint64_t balance(const uint8_t address[20]) {
    for (int i = 0; i < 20; i++) key[12 + i] = address[i];
    eth_storageLoad(key, value);
    return number(value + 24);
}

/* Of the address that `balance` was last asked for. */
static void set_balance(uint64_t to) {
    put_number(value + 24, to);
    eth_storageStore(key, value);
}

static void give(const uint8_t address[20], uint64_t amount) {
    uint64_t held = balance(address);
    if (held + amount < held) eth_revert(0, 0);
    set_balance(held + amount);
}

EWASM_EXPORT("main") void contract_main(void) {
    uint8_t sender[20];
    uint32_t size = eth_getCallDataSize();
    uint64_t amount, held;
    if (size < 4 || size > 32) eth_revert(0, 0);
    eth_callDataCopy(input, 0, size);
    eth_getCaller(sender);
    switch ((uint32_t)(number(input) >> 32)) {
    case BALANCE:
        if (size != 24) eth_revert(0, 0);
        balance(input + 4);
        eth_finish(value + 24, 8);
    case TRANSFER:
        if (size != 32) eth_revert(0, 0);
        amount = number(input + 24);
        held = balance(sender);
        if (held < amount) eth_revert(0, 0);
        set_balance(held - amount);
        give(input + 4, amount);
        break;
    case MINT:
        if (size != 12) eth_revert(0, 0);
        give(sender, number(input + 4));
        break;
    default:
        eth_revert(0, 0);
    }
}
