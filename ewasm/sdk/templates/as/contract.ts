// A counter that says when it changes. Storage: slot 0 the number.
import {
  Word,
  add256,
  argument,
  caller,
  emit,
  hash,
  isZero,
  refuseValue,
  returnWord,
  revert,
  revertEmpty,
  selector,
  storageGet,
  storageSet,
  word,
} from "ewasm";

const SLOT: u64 = 0;

function change(number: Word): void {
  storageSet(word(SLOT), number);
  // keccak256("NumberChanged(address,uint256)")
  const topic = hash(0x70de8034c31e91b3, 0xa30e57eac01ac403, 0x96721a8183a159e9, 0xa0b324a7188386e4);
  emit(topic, number, 1, caller());
}

function increment(): void {
  const next = add256(storageGet(word(SLOT)), word(1));
  if (isZero(next)) revert("the counter is full");
  change(next);
}

// The constructor: its arguments are call data.
export function deploy(): void {
  refuseValue();
  storageSet(word(SLOT), argument(0, 0));
}

// Every call.
export function main(): void {
  refuseValue();
  switch (selector()) {
    case 0x8381f58a: // number()
      returnWord(storageGet(word(SLOT)));
    case 0xd09de08a: // increment()
      return increment();
    case 0x3fb5c1cb: // setNumber(uint256)
      return change(argument(4, 0));
    default:
      revertEmpty();
  }
}
