// A wallet of several owners: a call is made once enough of them have confirmed its hash. Each hash holds the wallet's own
// address and a running number, so that no confirmation serves twice.
//
// abi: constructor(address[] owners, uint256 threshold)
// abi: function hashOf(address to, uint256 value, bytes data) view returns (bytes32)
// abi: function confirm(bytes32 hash)
// abi: function revoke(bytes32 hash)
// abi: function execute(address to, uint256 value, bytes data) returns (bytes)
// abi: function confirmations(bytes32 hash) view returns (uint256)
// abi: function isOwner(address who) view returns (bool)
// abi: function threshold() view returns (uint256)
// abi: function number() view returns (uint256)
// abi: event Confirmed(bytes32 indexed hash, address indexed owner)
// abi: event Revoked(bytes32 indexed hash, address indexed owner)
// abi: event Executed(bytes32 indexed hash, uint256 number)
// abi: receive() payable
//
// hashOf is that of the next call; an owner confirms it, and then anybody executes. Empty call data are a gift of wei.
import {
  ALL_GAS,
  Word,
  add256,
  argument,
  argumentAddress,
  argumentBytes,
  argumentLength,
  caller,
  copyWord,
  emit,
  eth_call,
  eth_callDataCopy,
  eth_getCallDataSize,
  eth_getReturnDataSize,
  eth_log,
  finish,
  hash,
  isZero,
  keccak256,
  lessThan,
  mappingSlot,
  ownAddress,
  refuseValue,
  returnData,
  returnWord,
  revert,
  revertEmpty,
  revertReturned,
  selector,
  storageGet,
  storageSet,
  sub256,
  take,
  toU256,
  toU32,
  word,
} from "ewasm";

const OWNERS: u64 = 0; // mapping(address => bool)
const CONFIRMED: u64 = 1; // mapping(bytes32 => mapping(address => bool))
const COUNTS: u64 = 2; // mapping(bytes32 => uint256)
const THRESHOLD: u64 = 3;
const NUMBER: u64 = 4;

function isOwner(who: Word): bool {
  return !isZero(storageGet(mappingSlot(who, word(OWNERS))));
}

// Call data of a call: where they lie in memory, and how many.
let data: usize = 0;
let dataLength: u32 = 0;

function readData(): void {
  const start = argumentBytes(4, 2);
  dataLength = argumentLength(start);
  data = take(dataLength);
  eth_callDataCopy(data, start, dataLength);
}

function nextHash(to: Word, value: Word): Word {
  const message = take(160);
  copyWord(message, ownAddress());
  copyWord(message + 32, storageGet(word(NUMBER)));
  copyWord(message + 64, to);
  copyWord(message + 96, value);
  copyWord(message + 128, keccak256(data, dataLength));
  return keccak256(message, 160);
}

export function deploy(): void {
  refuseValue();
  const size = eth_getCallDataSize();
  const start = argumentBytes(0, 0);
  const count = argumentLength(start); // of words; bounds of bytes are checked here, of words below
  const threshold = argument(0, 1);
  if (count > 64 || start + 32 * count > size) revertEmpty();
  for (let i: u32 = 0; i < count; i++) {
    const owner = argumentAddress(start, i);
    if (isZero(owner) || isOwner(owner)) revert("Multisig: an owner is zero or there twice");
    storageSet(mappingSlot(owner, word(OWNERS)), word(1));
  }
  if (isZero(threshold) || lessThan(word(count), threshold)) revert("Multisig: the threshold is not met by all owners");
  storageSet(word(THRESHOLD), threshold);
}

function confirm(): void {
  const which = argument(4, 0);
  const who = caller();
  if (!isOwner(who)) revert("Multisig: not an owner");
  const slot = mappingSlot(who, mappingSlot(which, word(CONFIRMED)));
  if (!isZero(storageGet(slot))) revert("Multisig: confirmed already");
  storageSet(slot, word(1));
  const counts = mappingSlot(which, word(COUNTS));
  storageSet(counts, add256(storageGet(counts), word(1)));
  // keccak256("Confirmed(bytes32,address)")
  emitEmpty(hash(0xd4964a7cd99f5c1f, 0xa8f2420fb5e1d3bd, 0x26eadf16e2658cf2, 0xe29a67dfda38601e), 2, which, who);
}

// Whoever thinks better of it takes back a confirmation while the call has not been made.
function revoke(): void {
  const which = argument(4, 0);
  const who = caller();
  const slot = mappingSlot(who, mappingSlot(which, word(CONFIRMED)));
  if (isZero(storageGet(slot))) revert("Multisig: not confirmed");
  storageSet(slot, word());
  const counts = mappingSlot(which, word(COUNTS));
  storageSet(counts, sub256(storageGet(counts), word(1)));
  // keccak256("Revoked(bytes32,address)")
  emitEmpty(hash(0x5bc2baf870c5baf1, 0x89838b5e0b0e3b04, 0xa3263e2df5d305d1, 0xc15f3e6022f5dc45), 2, which, who);
}

// An event without data.
function emitEmpty(topic: Word, indexed: u32, a: Word, b: Word): void {
  eth_log(0, 0, 1 + indexed, topic, a, b, 0);
}

function execute(): void {
  const to = argumentAddress(4, 0);
  const value = argument(4, 1);
  readData();
  const which = nextHash(to, value);
  if (lessThan(storageGet(mappingSlot(which, word(COUNTS))), storageGet(word(THRESHOLD)))) {
    revert("Multisig: not confirmed by enough owners");
  }
  // Before the call, so that nothing it does can make it again.
  const number = storageGet(word(NUMBER));
  storageSet(word(NUMBER), add256(number, word(1)));
  const wei = toU256(value);
  if ((load<u64>(wei, 16) | load<u64>(wei, 24)) != 0) revert("Multisig: more wei than there is");
  if (eth_call(ALL_GAS, to + 12, wei, data, dataLength) != 0) revertReturned();
  const length = eth_getReturnDataSize();
  const returned = returnData();
  // keccak256("Executed(bytes32,uint256)")
  emit(hash(0x3a7a2319bce6d060, 0xc98aa49682d12788, 0xf621b7e2e68701a9, 0xa082398b39da0f97), number, 1, which);
  const padded = (length + 31) & ~31;
  const answer = take(64 + padded);
  store<u8>(answer, 32, 31);
  store<u32>(answer, bswap(length), 60);
  for (let i: u32 = 0; i < length; i++) store<u8>(answer + i, load<u8>(returned + i), 64);
  finish(answer, 64 + padded);
}

export function main(): void {
  if (eth_getCallDataSize() == 0) return;
  refuseValue();
  switch (selector()) {
    case 0xe0fcdf3a: {
      readData();
      returnWord(nextHash(argumentAddress(4, 0), argument(4, 1)));
    }
    case 0x797af627:
      return confirm();
    case 0xb75c7dc6:
      return revoke();
    case 0xb61d27f6:
      return execute();
    case 0xec95bfe7:
      returnWord(storageGet(mappingSlot(argument(4, 0), word(COUNTS))));
    case 0x2f54bf6e:
      returnWord(word(isOwner(argumentAddress(4, 0)) ? 1 : 0));
    case 0x42cde4e8:
      returnWord(storageGet(word(THRESHOLD)));
    case 0x8381f58a:
      returnWord(storageGet(word(NUMBER)));
    default:
      revertEmpty();
  }
}
