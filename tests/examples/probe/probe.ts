// Everything the layer offers, once.
import {
  ALL_GAS,
  add256,
  argument,
  argumentAddress,
  argumentBytes,
  argumentLength,
  call,
  callData,
  callDelegate,
  callStatic,
  callValue,
  caller,
  copyWord,
  create,
  create2,
  eth_callDataCopy,
  eth_log,
  finish,
  hash,
  isZero,
  keccak256,
  mappingSlot,
  mulmod256,
  ownAddress,
  returnData,
  returnStoredString,
  returnWord,
  revert,
  revertEmpty,
  revertReturned,
  selector,
  sha256,
  storageGet,
  storageSet,
  storeString,
  take,
  toU32,
  transientGet,
  transientSet,
  word,
} from "ewasm";

let length: u32 = 0;

function bytes(index: u32): usize {
  const start = argumentBytes(4, index);
  length = argumentLength(start);
  const to = take(length);
  eth_callDataCopy(to, start, length);
  return to;
}

function done(failed: u32): void {
  if (failed != 0) revertReturned();
}

function poking(): usize {
  const data = callData(0x32145f90, 1);
  copyWord(data + 4, argument(4, 1));
  return data;
}

export function deploy(): void {
  storageSet(word(0), argument(0, 0));
}

export function main(): void {
  switch (selector()) {
    case 0xbe9a6555: // start()
      returnWord(storageGet(word(0)));
    case 0x32145f90: // poke(uint256)
      return storageSet(word(0), argument(4, 0));
    case 0x7f8d53c6: // put(address,uint256)
      return storageSet(mappingSlot(argumentAddress(4, 0), word(1)), argument(4, 1));
    case 0xc2bc2efc: // get(address)
      returnWord(storageGet(mappingSlot(argumentAddress(4, 0), word(1))));
    case 0x9289b504: { // flip(address,bytes32)
      const slot = mappingSlot(argument(4, 1), mappingSlot(argumentAddress(4, 0), word(3)));
      storageSet(slot, word(isZero(storageGet(slot)) ? 1 : 0));
      returnWord(storageGet(slot));
    }
    case 0x1b352c43: { // note(string)
      const start = argumentBytes(4, 0);
      const size = argumentLength(start);
      if (size > 1024) revert("probe: too long");
      return storeString(word(2), start, size);
    }
    case 0x57de26a4: // read()
      returnStoredString(word(2));
    case 0x771602f7: // add(uint256,uint256)
      returnWord(add256(argument(4, 0), argument(4, 1)));
    case 0x4902ddae: // mulmod(uint256,uint256,uint256)
      returnWord(mulmod256(argument(4, 0), argument(4, 1), argument(4, 2)));
    case 0x23fc7ef3: { // keccak(bytes)
      const data = bytes(0);
      returnWord(keccak256(data, length));
    }
    case 0x34c1b4ba: { // sha(bytes)
      const data = bytes(0);
      returnWord(sha256(data, length));
    }
    case 0xb7d7a4e0: { // say(uint256,uint256)
      const data = take(64);
      copyWord(data, argument(4, 1));
      copyWord(data + 32, caller());
      return eth_log(data, 64, 2, hash(0x6f02c35d17433f16, 0x77e22a8ba8b3efbe, 0xc37a6adfb69020c2, 0x719fc99e4bf09a03), argument(4, 0), 0, 0);
    }
    case 0xa9cc4718: // fail()
      revert("probe: on purpose");
    case 0x67e404ce: // sender()
      returnWord(caller());
    case 0x7104ddb2: // self()
      returnWord(ownAddress());
    case 0x295b4e17: // paid()
      returnWord(callValue());
    case 0x8ea23721: { // small(uint8)
      if (toU32(argument(4, 0), 256) > 255) revertEmpty();
      returnWord(argument(4, 0));
    }
    case 0x63f5563b: { // ask(address)
      done(callStatic(ALL_GAS, argumentAddress(4, 0), callData(0xbe9a6555, 0), 4));
      finish(returnData(), 32);
    }
    case 0xa46136f9: // tell(address,uint256)
      return done(call(ALL_GAS, argumentAddress(4, 0), poking(), 36));
    case 0x4b8a3529: // borrow(address,uint256)
      return done(callDelegate(ALL_GAS, argumentAddress(4, 0), poking(), 36));
    case 0x19041386: // try(address)
      returnWord(word(call(ALL_GAS, argumentAddress(4, 0), callData(0xa9cc4718, 0), 4)));
    case 0xaf325da2: { // make(bytes)
      const code = bytes(0);
      returnWord(create(code, length));
    }
    case 0x54f246f7: { // make2(bytes,bytes32)
      const code = bytes(0);
      returnWord(create2(code, length, argument(4, 1)));
    }
    case 0x598beeb9: // remember(bytes32)
      transientSet(word(7), argument(4, 0));
      returnWord(transientGet(word(7)));
    default:
      revertEmpty();
  }
}
