/* ERC-20 token. Storage is laid out as Solidity lays out
 *
 *     mapping(address => uint256) balances;                        // slot 0
 *     mapping(address => mapping(address => uint256)) allowances;  // slot 1
 *     uint256 totalSupply;                                         // slot 2
 *     string name;                                                 // slot 3
 *     string symbol;                                               // slot 4
 *
 * so that tools which read a Solidity token's storage read this one's too.
 */
#include "abi.h"

enum {
    NAME = 0x06fdde03,
    SYMBOL = 0x95d89b41,
    DECIMALS = 0x313ce567,
    TOTAL_SUPPLY = 0x18160ddd,
    BALANCE_OF = 0x70a08231,
    TRANSFER = 0xa9059cbb,
    ALLOWANCE = 0xdd62ed3e,
    APPROVE = 0x095ea7b3,
    TRANSFER_FROM = 0x23b872dd,
};

/* keccak256("Transfer(address,address,uint256)") */
static const uint8_t TRANSFER_TOPIC[32] = {
    0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa,
    0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef};

/* keccak256("Approval(address,address,uint256)") */
static const uint8_t APPROVAL_TOPIC[32] = {
    0x8c, 0x5b, 0xe1, 0xe5, 0xeb, 0xec, 0x7d, 0x5b, 0xd1, 0x4f, 0x71, 0x42, 0x7d, 0x1e, 0x84, 0xf3,
    0xdd, 0x03, 0x14, 0xc0, 0xf7, 0xb2, 0x29, 0x1e, 0x5b, 0x20, 0x0a, 0xc8, 0xc7, 0xc3, 0xb9, 0x25};

static const word BALANCES = {{0}};
static const word ALLOWANCES = {{[31] = 1}};
static const word SUPPLY_SLOT = {{[31] = 2}};
static const word NAME_SLOT = {{[31] = 3}};
static const word SYMBOL_SLOT = {{[31] = 4}};

#define STRING_LIMIT 1024

static void emit(const uint8_t topic[32], const word *from, const word *to, const word *amount) {
    eth_log(amount->at, 32, 3, topic, from->at, to->at, 0);
}

static void caller(word *to) {
    zero(to->at, 12);
    eth_getCaller(to->at + 12);
}

static void allowance_slot(word *to, const word *owner, const word *spender) {
    word inner;
    mapping_slot(&inner, owner, &ALLOWANCES);
    mapping_slot(to, spender, &inner);
}

/* Subtract `amount` from the word stored at `slot`; 0 if it is larger than what is there. */
static int take(const word *slot, const u256 *amount) {
    word stored;
    u256 left;
    eth_storageLoad(slot->at, stored.at);
    to_u256(&left, &stored);
    if (bignum_lt256(&left, amount)) return 0;
    bignum_sub256(&left, amount, &left);
    to_word(&stored, &left);
    eth_storageStore(slot->at, stored.at);
    return 1;
}

/* No sum of balances passes the total supply, so this cannot wrap. */
static void give(const word *slot, const u256 *amount) {
    word stored;
    u256 sum;
    eth_storageLoad(slot->at, stored.at);
    to_u256(&sum, &stored);
    bignum_add256(&sum, amount, &sum);
    to_word(&stored, &sum);
    eth_storageStore(slot->at, stored.at);
}

static void move(const word *from, const word *to, const word *amount_word) {
    word slot;
    u256 amount;
    if (is_zero(to)) REVERT("ERC20: transfer to the zero address");
    to_u256(&amount, amount_word);
    mapping_slot(&slot, from, &BALANCES);
    if (!take(&slot, &amount)) REVERT("ERC20: insufficient balance");
    mapping_slot(&slot, to, &BALANCES);
    give(&slot, &amount);
    emit(TRANSFER_TOPIC, from, to, amount_word);
}

/* An allowance of 2^256 - 1 is never used up. */
static void spend(const word *owner, const word *spender, const word *amount_word) {
    word slot, stored;
    u256 amount;
    allowance_slot(&slot, owner, spender);
    eth_storageLoad(slot.at, stored.at);
    if ((get_u64(stored.at) & get_u64(stored.at + 8) & get_u64(stored.at + 16) & get_u64(stored.at + 24)) ==
        0xffffffffffffffffu)
        return;
    to_u256(&amount, amount_word);
    if (!take(&slot, &amount)) REVERT("ERC20: insufficient allowance");
}

static uint8_t text[64 + STRING_LIMIT + 32];

/* Key of the first data slot of the string at `slot`; the others follow it. */
static void string_data(word *key, const word *slot) { crypto_keccak256(slot->at, 32, key->at); }

static void next_slot(word *key) {
    for (int i = 31; i >= 0 && ++key->at[i] == 0; i--) {}
}

/* Up to 31 bytes lie in the slot itself with twice the length as last byte, longer ones behind keccak256(slot). */
static void store_string(const word *slot, uint32_t offset, uint32_t length) {
    word key, w;
    if (length > STRING_LIMIT) REVERT("ERC20: name or symbol too long");
    zero(text, length + 32);
    eth_callDataCopy(text, offset, length);
    if (length < 32) {
        copy(w.at, text, 32);
        w.at[31] = (uint8_t)(2 * length);
        eth_storageStore(slot->at, w.at);
        return;
    }
    w = small_word(2 * length + 1);
    eth_storageStore(slot->at, w.at);
    string_data(&key, slot);
    for (uint32_t i = 0; i < length; i += 32, next_slot(&key)) eth_storageStore(key.at, text + i);
}

static _Noreturn void return_string(const word *slot) {
    word key, w;
    uint32_t length;
    eth_storageLoad(slot->at, w.at);
    if (w.at[31] & 1) {
        length = (word_to_u32(&w, 0) - 1) / 2;
        string_data(&key, slot);
        for (uint32_t i = 0; i < length; i += 32, next_slot(&key)) eth_storageLoad(key.at, text + 64 + i);
    } else {
        length = w.at[31] / 2;
        copy(text + 64, w.at, 31);
        text[64 + 31] = 0;
    }
    text[31] = 32;
    w = small_word(length);
    copy(text + 32, w.at, 32);
    eth_finish(text, 64 + ((length + 31) & ~31u));
}

/* constructor(string name, string symbol, uint256 supply): the whole supply goes to the sender. */
EWASM_EXPORT("deploy") void deploy(void) {
    word owner, supply, slot, nobody = {{0}};
    uint32_t offset, length;
    refuse_value();
    offset = argument_bytes(0, 0, &length);
    store_string(&NAME_SLOT, offset, length);
    offset = argument_bytes(0, 1, &length);
    store_string(&SYMBOL_SLOT, offset, length);
    argument(&supply, 0, 2);
    caller(&owner);
    mapping_slot(&slot, &owner, &BALANCES);
    eth_storageStore(SUPPLY_SLOT.at, supply.at);
    eth_storageStore(slot.at, supply.at);
    emit(TRANSFER_TOPIC, &nobody, &owner, &supply);
}

EWASM_EXPORT("main") void contract_main(void) {
    word a, b, amount, slot, me;
    refuse_value();
    switch (selector()) {
    case NAME:
        return_string(&NAME_SLOT);
    case SYMBOL:
        return_string(&SYMBOL_SLOT);
    case DECIMALS:
        a = small_word(18);
        return_word(&a);
    case TOTAL_SUPPLY:
        eth_storageLoad(SUPPLY_SLOT.at, a.at);
        return_word(&a);
    case BALANCE_OF:
        argument_address(&a, 4, 0);
        mapping_slot(&slot, &a, &BALANCES);
        eth_storageLoad(slot.at, a.at);
        return_word(&a);
    case ALLOWANCE:
        argument_address(&a, 4, 0);
        argument_address(&b, 4, 1);
        allowance_slot(&slot, &a, &b);
        eth_storageLoad(slot.at, a.at);
        return_word(&a);
    case TRANSFER:
        argument_address(&a, 4, 0);
        argument(&amount, 4, 1);
        caller(&me);
        move(&me, &a, &amount);
        return_true();
    case APPROVE:
        argument_address(&a, 4, 0);
        argument(&amount, 4, 1);
        if (is_zero(&a)) REVERT("ERC20: approve to the zero address");
        caller(&me);
        allowance_slot(&slot, &me, &a);
        eth_storageStore(slot.at, amount.at);
        emit(APPROVAL_TOPIC, &me, &a, &amount);
        return_true();
    case TRANSFER_FROM:
        argument_address(&a, 4, 0);
        argument_address(&b, 4, 1);
        argument(&amount, 4, 2);
        caller(&me);
        spend(&a, &me, &amount);
        move(&a, &b, &amount);
        return_true();
    default:
        REVERT("ERC20: no such function");
    }
}
