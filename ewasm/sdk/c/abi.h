/* A small layer of the Solidity ABI over ewasm.h: words, selectors, storage slots, strings, revert reasons.
 *
 * A word is 32 bytes, big-endian, as the ABI and storage have it. A u256 is 32 bytes, little-endian, as `bignum` has
 * it. Only `to_u256` and `to_word` cross from one to the other.
 */
#ifndef EWASM_ABI_H
#define EWASM_ABI_H

#include "ewasm.h"

typedef struct { uint8_t at[32]; } word;

/* One copy a contract, not one a use: every byte of code is paid for when it is deployed. */
#define SHARED static inline __attribute__((noinline))

/* Unaligned eight bytes; the compiler makes one load or store of it. */
typedef struct __attribute__((packed)) { uint64_t value; } chunk;

static inline uint64_t get_u64(const void *from) { return ((const chunk *)from)->value; }
static inline void put_u64(void *to, uint64_t value) { ((chunk *)to)->value = value; }

SHARED void copy(uint8_t *to, const uint8_t *from, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) to[i] = from[i];
}

SHARED void zero(uint8_t *to, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) to[i] = 0;
}

static inline void copy_word(word *to, const word *from) {
    for (int i = 0; i < 32; i += 8) put_u64(to->at + i, get_u64(from->at + i));
}

static inline uint64_t swap_u64(uint64_t value) { return __builtin_bswap64(value); }

SHARED void reverse(void *to, const void *from) {
    const uint8_t *source = from;
    uint8_t *target = to;
    uint64_t a = get_u64(source), b = get_u64(source + 8), c = get_u64(source + 16), d = get_u64(source + 24);
    put_u64(target, swap_u64(d));
    put_u64(target + 8, swap_u64(c));
    put_u64(target + 16, swap_u64(b));
    put_u64(target + 24, swap_u64(a));
}

static inline void to_u256(u256 *to, const word *from) { reverse(to, from); }
static inline void to_word(word *to, const u256 *from) { reverse(to, from); }

SHARED word small_word(uint32_t value) {
    word result = {{0}};
    result.at[28] = (uint8_t)(value >> 24);
    result.at[29] = (uint8_t)(value >> 16);
    result.at[30] = (uint8_t)(value >> 8);
    result.at[31] = (uint8_t)value;
    return result;
}

SHARED int is_zero(const word *w) {
    return (get_u64(w->at) | get_u64(w->at + 8) | get_u64(w->at + 16) | get_u64(w->at + 24)) == 0;
}

/* The low 32 bits of a word that must be smaller than 2^31, else `limit`. */
static inline uint32_t word_to_u32(const word *w, uint32_t limit) {
    uint64_t high = get_u64(w->at) | get_u64(w->at + 8) | get_u64(w->at + 16);
    uint64_t low = swap_u64(get_u64(w->at + 24));
    return high != 0 || low > 0x7fffffff ? limit : (uint32_t)low;
}

/* Revert with nothing to say, as Solidity does for malformed call data. */
SHARED _Noreturn void revert_empty(void) { eth_revert(0, 0); }

/* Revert with `Error(string)`; every common client decodes the reason. */
SHARED _Noreturn void revert_with(const char *reason, uint32_t length) {
    static uint8_t buffer[4 + 64 + 96];
    static const uint8_t selector[4] = {0x08, 0xc3, 0x79, 0xa0};
    copy(buffer, selector, 4);
    buffer[4 + 31] = 0x20;
    buffer[4 + 63] = (uint8_t)length;
    copy(buffer + 68, (const uint8_t *)reason, length);
    eth_revert(buffer, 68 + ((length + 31) & ~31u));
}

/* For string literals of at most 96 bytes. */
#define REVERT(text)                                                          \
    do {                                                                      \
        _Static_assert(sizeof(text) - 1 <= 96, "reason longer than 96 bytes"); \
        revert_with(text, sizeof(text) - 1);                                  \
    } while (0)

SHARED _Noreturn void return_word(const word *w) { eth_finish(w->at, 32); }

SHARED _Noreturn void return_true(void) {
    static word yes;
    yes.at[31] = 1;
    return_word(&yes);
}

/* The first four bytes of call data as a big-endian number; 0 where there are fewer. */
static inline uint32_t selector(void) {
    uint8_t four[4];
    if (eth_getCallDataSize() < 4) return 0;
    eth_callDataCopy(four, 0, 4);
    return (uint32_t)four[0] << 24 | (uint32_t)four[1] << 16 | (uint32_t)four[2] << 8 | four[3];
}

/* Argument `index` as a word; `base` is 4 behind a selector and 0 in a constructor. */
SHARED void argument(word *to, uint32_t base, uint32_t index) {
    uint32_t offset = base + 32 * index;
    if (eth_getCallDataSize() < offset + 32) revert_empty();
    eth_callDataCopy(to->at, offset, 32);
}

/* Argument `index`, refused unless it is an address: twelve zero bytes, then twenty. */
SHARED void argument_address(word *to, uint32_t base, uint32_t index) {
    argument(to, base, index);
    if ((get_u64(to->at) | (uint32_t)get_u64(to->at + 8)) != 0) revert_empty();
}

/* Where the payload of dynamic argument `index` (string or bytes) begins in call data, and its length. */
SHARED uint32_t argument_bytes(uint32_t base, uint32_t index, uint32_t *length) {
    word w;
    uint32_t size = eth_getCallDataSize();
    argument(&w, base, index);
    uint32_t offset = word_to_u32(&w, size);
    if (offset > size || size - offset < base + 32) revert_empty();
    eth_callDataCopy(w.at, base + offset, 32);
    *length = word_to_u32(&w, size);
    if (*length > size - offset - base - 32) revert_empty();
    return base + offset + 32;
}

SHARED void refuse_value(void) {
    uint8_t value[16];
    eth_getCallValue(value);
    if ((get_u64(value) | get_u64(value + 8)) != 0) revert_empty();
}

/* `mapping[key]` of the mapping declared at `slot`: keccak256(key . slot), as Solidity lays storage out. */
SHARED void mapping_slot(word *to, const word *key, const word *slot) {
    static struct { word key, slot; } pair;
    copy_word(&pair.key, key);
    copy_word(&pair.slot, slot);
    crypto_keccak256((const uint8_t *)&pair, 64, to->at);
}

/* The sender, and the contract itself, as words. */
static inline void caller_word(word *to) {
    zero(to->at, 12);
    eth_getCaller(to->at + 12);
}

static inline void own_word(word *to) {
    zero(to->at, 12);
    eth_getAddress(to->at + 12);
}

/* The value in the slot that has a number. */
SHARED void load_slot(word *to, uint32_t slot) {
    word key = small_word(slot);
    eth_storageLoad(key.at, to->at);
}

SHARED void store_slot(uint32_t slot, const word *value) {
    word key = small_word(slot);
    eth_storageStore(key.at, value->at);
}

/* `mapping[key]` of the mapping declared at the slot that has a number. */
SHARED void mapping_at(word *to, const word *key, uint32_t slot) {
    word base = small_word(slot);
    mapping_slot(to, key, &base);
}

/* An event of at most three indexed words (pass 0 for the others) and one word of data. */
SHARED void emit_event(const uint8_t topic[32], const word *a, const word *b, const word *c, const word *data) {
    eth_log(data->at, 32, 1 + (a != 0) + (b != 0) + (c != 0), topic, a, b, c);
}

/* Text as Solidity stores it: up to 31 bytes in the slot with twice the length as last byte, more behind
 * keccak256(slot). */
SHARED void next_key(word *key) {
    for (int i = 31; i >= 0 && ++key->at[i] == 0; i--) {}
}

SHARED void store_text(const word *slot, uint32_t offset, uint32_t length) {
    word key, piece;
    if (length >= 32) {
        piece = small_word(2 * length + 1);
        eth_storageStore(slot->at, piece.at);
        crypto_keccak256(slot->at, 32, key.at);
    }
    for (uint32_t done = 0; done == 0 || done < length; done += 32, next_key(&key)) {
        uint32_t part = length - done < 32 ? length - done : 32;
        zero(piece.at, 32);
        eth_callDataCopy(piece.at, offset + done, part);
        if (length < 32) {
            piece.at[31] = (uint8_t)(2 * length);
            eth_storageStore(slot->at, piece.at);
            return;
        }
        eth_storageStore(key.at, piece.at);
    }
}

/* Read into `memory`, which has room for `limit` bytes in whole words; reverts where the text is longer. */
SHARED uint32_t load_text(const word *slot, uint8_t *memory, uint32_t limit) {
    word key, head;
    eth_storageLoad(slot->at, head.at);
    if ((head.at[31] & 1) == 0) {
        uint32_t length = head.at[31] / 2;
        if (limit < 32) revert_empty();
        head.at[31] = 0;
        copy(memory, head.at, 32);
        return length;
    }
    uint32_t length = word_to_u32(&head, 0) / 2;
    if (length > limit) revert_empty();
    crypto_keccak256(slot->at, 32, key.at);
    for (uint32_t done = 0; done < length; done += 32, next_key(&key)) eth_storageLoad(key.at, memory + done);
    return length;
}

/* End the call with an ABI-encoded string or bytes: `memory` holds 64 bytes of room, then the text of `length` bytes,
 * then zeros up to a multiple of 32. */
SHARED _Noreturn void return_text(uint8_t *memory, uint32_t length) {
    word w = small_word(32);
    copy(memory, w.at, 32);
    w = small_word(length);
    copy(memory + 32, w.at, 32);
    eth_finish(memory, 64 + ((length + 31) & ~31u));
}

/* More than there ever is: a call gets all but a 64th of what is left. */
#define ALL_GAS 0x7fffffffffffffffu

static const uint8_t NO_VALUE[16];

/* Revert with what the last call returned, or as much of it as `memory` has room for. */
SHARED _Noreturn void revert_returned(uint8_t *memory, uint32_t room) {
    uint32_t length = eth_getReturnDataSize();
    if (length > room) length = room;
    eth_returnDataCopy(memory, 0, length);
    eth_revert(memory, length);
}

#endif
