// ERC-20 token, laid out in storage as contracts/erc20/erc20.c is.
import {
  Word,
  add256,
  argument,
  argumentAddress,
  argumentBytes,
  argumentLength,
  caller,
  emit,
  hash,
  isMax,
  isZero,
  lessThan,
  mappingSlot,
  refuseValue,
  returnStoredString,
  returnWord,
  revert,
  selector,
  storageGet,
  storageSet,
  storeString,
  sub256,
  word,
} from "ewasm";

const BALANCES: u64 = 0;
const ALLOWANCES: u64 = 1;
const SUPPLY: u64 = 2;
const NAME: u64 = 3;
const SYMBOL: u64 = 4;

function emitTransfer(from: Word, to: Word, amount: Word): void {
  // keccak256("Transfer(address,address,uint256)")
  const topic = hash(0xddf252ad1be2c89b, 0x69c2b068fc378daa, 0x952ba7f163c4a116, 0x28f55a4df523b3ef);
  emit(topic, amount, 2, from, to);
}

function emitApproval(owner: Word, spender: Word, amount: Word): void {
  // keccak256("Approval(address,address,uint256)")
  const topic = hash(0x8c5be1e5ebec7d5b, 0xd14f71427d1e84f3, 0xdd0314c0f7b2291e, 0x5b200ac8c7c3b925);
  emit(topic, amount, 2, owner, spender);
}

function allowanceSlot(owner: Word, spender: Word): Word {
  return mappingSlot(spender, mappingSlot(owner, word(ALLOWANCES)));
}

function move(from: Word, to: Word, amount: Word): void {
  if (isZero(to)) revert("ERC20: transfer to the zero address");
  const source = mappingSlot(from, word(BALANCES));
  const held = storageGet(source);
  if (lessThan(held, amount)) revert("ERC20: insufficient balance");
  storageSet(source, sub256(held, amount));
  // No sum of balances passes the total supply, so this cannot wrap.
  const target = mappingSlot(to, word(BALANCES));
  storageSet(target, add256(storageGet(target), amount));
  emitTransfer(from, to, amount);
}

// An allowance of 2^256 - 1 is never used up.
function spend(owner: Word, spender: Word, amount: Word): void {
  const slot = allowanceSlot(owner, spender);
  const left = storageGet(slot);
  if (isMax(left)) return;
  if (lessThan(left, amount)) revert("ERC20: insufficient allowance");
  storageSet(slot, sub256(left, amount));
}

function setString(slot: u64, index: u32): void {
  const start = argumentBytes(0, index);
  const length = argumentLength(start);
  if (length > 1024) revert("ERC20: name or symbol too long");
  storeString(word(slot), start, length);
}

// constructor(string name, string symbol, uint256 supply): the whole supply goes to the sender.
export function deploy(): void {
  refuseValue();
  setString(NAME, 0);
  setString(SYMBOL, 1);
  const supply = argument(0, 2);
  const owner = caller();
  storageSet(word(SUPPLY), supply);
  storageSet(mappingSlot(owner, word(BALANCES)), supply);
  emitTransfer(word(), owner, supply);
}

function transfer(): void {
  const to = argumentAddress(4, 0);
  move(caller(), to, argument(4, 1));
  returnWord(word(1));
}

function approve(): void {
  const spender = argumentAddress(4, 0);
  const amount = argument(4, 1);
  if (isZero(spender)) revert("ERC20: approve to the zero address");
  const owner = caller();
  storageSet(allowanceSlot(owner, spender), amount);
  emitApproval(owner, spender, amount);
  returnWord(word(1));
}

function transferFrom(): void {
  const from = argumentAddress(4, 0);
  const to = argumentAddress(4, 1);
  const amount = argument(4, 2);
  spend(from, caller(), amount);
  move(from, to, amount);
  returnWord(word(1));
}

export function main(): void {
  refuseValue();
  switch (selector()) {
    case 0x06fdde03: // name()
      returnStoredString(word(NAME));
    case 0x95d89b41: // symbol()
      returnStoredString(word(SYMBOL));
    case 0x313ce567: // decimals()
      returnWord(word(18));
    case 0x18160ddd: // totalSupply()
      returnWord(storageGet(word(SUPPLY)));
    case 0x70a08231: // balanceOf(address)
      returnWord(storageGet(mappingSlot(argumentAddress(4, 0), word(BALANCES))));
    case 0xdd62ed3e: // allowance(address,address)
      returnWord(storageGet(allowanceSlot(argumentAddress(4, 0), argumentAddress(4, 1))));
    case 0xa9059cbb: // transfer(address,uint256)
      transfer();
    case 0x095ea7b3: // approve(address,uint256)
      approve();
    case 0x23b872dd: // transferFrom(address,address,uint256)
      transferFrom();
    default:
      revert("ERC20: no such function");
  }
}
