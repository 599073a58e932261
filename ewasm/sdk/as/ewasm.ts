// Contracts in AssemblyScript: Solidity's ABI and storage layout over the host functions of `eei`.
//
// A Word is the place of 32 bytes in memory as the ABI and storage have them: numbers big-endian, addresses behind twelve
// zero bytes. Memory is taken from the start of the heap and never given back: a call is short.
export * from "./eei";
import {
  bignum_add256,
  bignum_sub256,
  bignum_mul256,
  bignum_div256,
  bignum_mod256,
  bignum_addmod256,
  bignum_mulmod256,
  crypto_keccak256,
  crypto_sha256,
  eth_call,
  eth_callDataCopy,
  eth_callDelegate,
  eth_callStatic,
  eth_create,
  eth_create2,
  eth_finish,
  eth_getAddress,
  eth_getCallDataSize,
  eth_getCaller,
  eth_getCallValue,
  eth_getReturnDataSize,
  eth_log,
  eth_returnDataCopy,
  eth_revert,
  eth_storageLoad,
  eth_storageStore,
  eth_transientLoad,
  eth_transientStore,
} from "./eei";

export type Word = usize;

// Takes the place of the library's own, which would import a function.
export function abort(message: usize = 0, file: usize = 0, line: u32 = 0, column: u32 = 0): void {
  unreachable();
}

// ---- words ----

// Not the library's heap: that one is set up by a start function, which a contract must not have (nor can it use `new`).
let used: usize = 0;

/** `length` bytes of zeros. */
export function take(length: usize): usize {
  if (length > 0x1000000) unreachable();
  const at = __heap_base + used;
  used += (length + 7) & ~7;
  const end = __heap_base + used;
  if (end > <usize>memory.size() << 16) {
    if (memory.grow(<i32>((end + 0xffff) >>> 16) - memory.size()) < 0) unreachable();
  }
  return at;
}

export function word(value: u64 = 0): Word {
  const to = take(32);
  store<u64>(to, bswap(value), 24);
  return to;
}

function reverse(to: usize, from: usize): void {
  const a = load<u64>(from);
  const b = load<u64>(from, 8);
  const c = load<u64>(from, 16);
  const d = load<u64>(from, 24);
  store<u64>(to, bswap(d));
  store<u64>(to, bswap(c), 8);
  store<u64>(to, bswap(b), 16);
  store<u64>(to, bswap(a), 24);
}

/** The number in a word as the host's 256-bit arithmetic has it: little-endian. */
export function toU256(from: Word): usize {
  const to = take(32);
  reverse(to, from);
  return to;
}

/** A word of a little-endian number. */
export function toWord(from: usize): Word {
  return toU256(from);
}

export function isZero(a: Word): bool {
  return (load<u64>(a) | load<u64>(a, 8) | load<u64>(a, 16) | load<u64>(a, 24)) == 0;
}

/** Whether the word is 2^256 - 1. */
export function isMax(a: Word): bool {
  return (load<u64>(a) & load<u64>(a, 8) & load<u64>(a, 16) & load<u64>(a, 24)) == u64.MAX_VALUE;
}

export function copyBytes(to: usize, from: usize, length: u32): void {
  for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
}

/** The low 32 bits of a word that must be smaller than 2^31, else `limit`. */
export function toU32(a: Word, limit: u32): u32 {
  const low = bswap(load<u64>(a, 24));
  return (load<u64>(a) | load<u64>(a, 8) | load<u64>(a, 16)) != 0 || low > 0x7fffffff ? limit : <u32>low;
}

// ---- arithmetic on words, wrapping at 2^256; division by zero gives 0 ----

export function lessThan(a: Word, b: Word): bool {
  for (let i: usize = 0; i < 32; i += 8) {
    const x = bswap(load<u64>(a + i));
    const y = bswap(load<u64>(b + i));
    if (x != y) return x < y;
  }
  return false;
}

export function add256(a: Word, b: Word): Word {
  const x = toU256(a);
  bignum_add256(x, toU256(b), x);
  return toWord(x);
}

export function sub256(a: Word, b: Word): Word {
  const x = toU256(a);
  bignum_sub256(x, toU256(b), x);
  return toWord(x);
}

export function mul256(a: Word, b: Word): Word {
  const x = toU256(a);
  bignum_mul256(x, toU256(b), x);
  return toWord(x);
}

export function div256(a: Word, b: Word): Word {
  const x = toU256(a);
  bignum_div256(x, toU256(b), x);
  return toWord(x);
}

export function mod256(a: Word, b: Word): Word {
  const x = toU256(a);
  bignum_mod256(x, toU256(b), x);
  return toWord(x);
}

/** (a + b) % m without wrapping, 0 if m is 0. */
export function addmod256(a: Word, b: Word, m: Word): Word {
  const x = toU256(a);
  bignum_addmod256(x, toU256(b), toU256(m), x);
  return toWord(x);
}

/** (a * b) % m without wrapping, 0 if m is 0. */
export function mulmod256(a: Word, b: Word, m: Word): Word {
  const x = toU256(a);
  bignum_mulmod256(x, toU256(b), toU256(m), x);
  return toWord(x);
}

// ---- ends ----

/** End the call with `length` bytes. */
export function finish(data: usize, length: u32): void {
  eth_finish(data, length);
  unreachable();
}

export function returnWord(value: Word): void {
  finish(value, 32);
}

/** `memory` holds 64 bytes, the text, and up to 31 bytes of zeros. */
export function returnString(memory: usize, length: u32): void {
  store<u8>(memory, 32, 31);
  store<u32>(memory, bswap(length), 60);
  finish(memory, 64 + ((length + 31) & ~31));
}

/** Revert with nothing to say, as Solidity does for malformed call data. */
export function revertEmpty(): void {
  eth_revert(0, 0);
  unreachable();
}

/** Revert with `Error(string)`; every common client decodes the reason. ASCII. */
export function revert(reason: string): void {
  const length = reason.length;
  const to = take(100 + length);
  store<u32>(to, 0xa079c308);
  store<u8>(to, 32, 35);
  store<u32>(to, bswap(length), 64);
  for (let i = 0; i < length; i++) store<u8>(to + i, load<u8>(changetype<usize>(reason) + (i << 1)), 68);
  eth_revert(to, 68 + ((length + 31) & ~31));
  unreachable();
}

// ---- the message ----

/** The first four bytes of call data as a big-endian number; 0 where there are fewer. */
export function selector(): u32 {
  if (eth_getCallDataSize() < 4) return 0;
  const four = take(4);
  eth_callDataCopy(four, 0, 4);
  return bswap(load<u32>(four));
}

/** The sender, as a word. */
export function caller(): Word {
  const to = take(32);
  eth_getCaller(to + 12);
  return to;
}

/** Wei sent along, as a word. */
export function callValue(): Word {
  const value = take(32);
  eth_getCallValue(value);
  return toWord(value);
}

/** The contract's own address, as a word. */
export function ownAddress(): Word {
  const to = take(32);
  eth_getAddress(to + 12);
  return to;
}

/** Revert if value was sent. */
export function refuseValue(): void {
  const value = take(16);
  eth_getCallValue(value);
  if ((load<u64>(value) | load<u64>(value, 8)) != 0) revertEmpty();
}

/** Argument `index`; `base` is 4 behind a selector and 0 in a constructor. */
export function argument(base: u32, index: u32): Word {
  const to = take(32);
  const offset = base + 32 * index;
  if (eth_getCallDataSize() < offset + 32) revertEmpty();
  eth_callDataCopy(to, offset, 32);
  return to;
}

/** Argument `index`, refused unless it is an address: twelve zero bytes, then twenty. */
export function argumentAddress(base: u32, index: u32): Word {
  const to = argument(base, index);
  if ((load<u64>(to) | <u64>load<u32>(to, 8)) != 0) revertEmpty();
  return to;
}

/** Where the payload of dynamic argument `index` (string or bytes) begins in call data; its length is argumentLength. */
export function argumentBytes(base: u32, index: u32): u32 {
  const size = eth_getCallDataSize();
  const offset = toU32(argument(base, index), size);
  if (offset > size || size - offset < base + 32) revertEmpty();
  return base + offset + 32;
}

/** The length of the payload that argumentBytes found; refused where call data end before it does. */
export function argumentLength(start: u32): u32 {
  const size = eth_getCallDataSize();
  const at = take(32);
  eth_callDataCopy(at, start - 32, 32);
  const length = toU32(at, size);
  if (length > size - start) revertEmpty();
  return length;
}

// ---- calls: 0 success, 1 failure, 2 revert ----

/** Call the contract whose address is in a word, with `value` wei. */
export function call(gas: u64, to: Word, data: usize, length: u32, value: u64 = 0): u32 {
  const wei = take(16);
  store<u64>(wei, value);
  return eth_call(gas, to + 12, wei, data, length);
}

/** A call that may not change state. */
export function callStatic(gas: u64, to: Word, data: usize, length: u32): u32 {
  return eth_callStatic(gas, to + 12, data, length);
}

/** Run the code of the contract whose address is in a word on this contract's state. */
export function callDelegate(gas: u64, to: Word, data: usize, length: u32): u32 {
  return eth_callDelegate(gas, to + 12, data, length);
}

/** More than there ever is: a call gets all but a 64th of what is left. */
export const ALL_GAS: u64 = 0x7fffffffffffffff;

/** The address of a new contract as a word, or zeros if its creation failed. */
export function create(initCode: usize, length: u32, value: u64 = 0): Word {
  const wei = take(16);
  store<u64>(wei, value);
  const to = take(32);
  return eth_create(wei, initCode, length, to + 12) == 0 ? to : take(32);
}

/** The same, at an address that follows from sender, salt and code. */
export function create2(initCode: usize, length: u32, salt: Word, value: u64 = 0): Word {
  const wei = take(16);
  store<u64>(wei, value);
  const to = take(32);
  return eth_create2(wei, initCode, length, salt, to + 12) == 0 ? to : take(32);
}

/** Call data: a selector and room for `words` words, of which the first lies 4 bytes behind the start. */
export function callData(selector: u32, words: u32): usize {
  const to = take(4 + 32 * words);
  store<u32>(to, bswap(selector));
  return to;
}

/** What the last call returned; eth_getReturnDataSize() says how long it is. */
export function returnData(): usize {
  const length = eth_getReturnDataSize();
  const to = take(length);
  eth_returnDataCopy(to, 0, length);
  return to;
}

/** Revert with what the last call returned. */
export function revertReturned(): void {
  eth_revert(returnData(), eth_getReturnDataSize());
  unreachable();
}

// ---- hashing, storage, events ----

export function keccak256(data: usize, length: u32): Word {
  const to = take(32);
  crypto_keccak256(data, length, to);
  return to;
}

export function sha256(data: usize, length: u32): Word {
  const to = take(32);
  crypto_sha256(data, length, to);
  return to;
}

/** Storage that lasts as long as the transaction. */
export function transientGet(slot: Word): Word {
  const to = take(32);
  eth_transientLoad(slot, to);
  return to;
}

export function transientSet(slot: Word, value: Word): void {
  eth_transientStore(slot, value);
}

export function storageGet(slot: Word): Word {
  const to = take(32);
  eth_storageLoad(slot, to);
  return to;
}

export function storageSet(slot: Word, value: Word): void {
  eth_storageStore(slot, value);
}

/** The slot of `mapping[key]` of the mapping declared at `slot`: keccak256(key . slot), as Solidity lays storage out. */
export function mappingSlot(key: Word, slot: Word): Word {
  const pair = take(64);
  copyWord(pair, key);
  copyWord(pair + 32, slot);
  return keccak256(pair, 64);
}

export function copyWord(to: usize, from: usize): void {
  for (let i: usize = 0; i < 32; i += 8) store<u64>(to + i, load<u64>(from + i));
}

function nextSlot(key: Word): void {
  for (let i = key + 31; i >= key; i--) {
    const byte = load<u8>(i) + 1;
    store<u8>(i, byte);
    if (byte) return;
  }
}

/** Store text from call data as Solidity does: up to 31 bytes in the slot, more behind keccak256(slot). */
export function storeString(slot: Word, offset: u32, length: u32): void {
  const text = take(length + 32);
  eth_callDataCopy(text, offset, length);
  if (length < 32) {
    store<u8>(text, <u8>(2 * length), 31);
    return storageSet(slot, text);
  }
  storageSet(slot, word(2 * length + 1));
  const key = keccak256(slot, 32);
  for (let i: u32 = 0; i < length; i += 32, nextSlot(key)) storageSet(key, text + i);
}

/** End the call with the text stored at `slot`. */
export function returnStoredString(slot: Word): void {
  const head = storageGet(slot);
  let length: u32 = load<u8>(head, 31);
  if (length & 1) {
    length = toU32(head, 0) >> 1;
    const text = take(96 + length);
    const key = keccak256(slot, 32);
    for (let i: u32 = 0; i < length; i += 32, nextSlot(key)) eth_storageLoad(key, text + 64 + i);
    returnString(text, length);
  }
  const text = take(96);
  copyWord(text + 64, head);
  store<u8>(text, 0, 95);
  returnString(text, length >> 1);
}

/** An event with one word of data and up to three indexed words; `topic` is the hash of its signature. */
export function emit(topic: Word, data: Word, indexed: u32 = 0, a: Word = 0, b: Word = 0, c: Word = 0): void {
  eth_log(data, 32, 1 + indexed, topic, a, b, c);
}

/** 32 bytes from four numbers, most significant first: emit(hash(0xddf252ad1be2c89b, ...), ...). */
export function hash(a: u64, b: u64, c: u64, d: u64): Word {
  const to = take(32);
  store<u64>(to, bswap(a));
  store<u64>(to, bswap(b), 8);
  store<u64>(to, bswap(c), 16);
  store<u64>(to, bswap(d), 24);
  return to;
}
