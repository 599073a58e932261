//! Everything the layer offers, once.
#![no_std]
#![no_main]
use ewasm::calls::returned_value;
use ewasm::storage::{transient_load, transient_store};
use ewasm::*;

const FIRST: Slot<U256> = Slot::at(0);
const BALANCES: Mapping<Address, Slot<U256>> = Mapping::at(1);
const NOTED: Text = Text::at(2);
const PAIRS: Mapping<Address, Mapping<Word, Slot<bool>>> = Mapping::at(3);
const KEY: Word = Word([7; 32]);

fn start() -> U256 {
    FIRST.get()
}
fn poke(value: U256) {
    FIRST.set(value)
}
fn put(who: Address, value: U256) {
    BALANCES.set(who, value)
}
fn get(who: Address) -> U256 {
    BALANCES.get(who)
}
fn flip(who: Address, which: Word) -> bool {
    let slot = PAIRS.of(who).of(which);
    slot.set(!slot.get());
    slot.get()
}
fn note(text: Bytes) {
    if text.length > 1024 {
        revert("probe: too long")
    }
    NOTED.set(text)
}
fn read() {
    NOTED.finish(&mut [0; 64 + 1024])
}
fn add(a: U256, b: U256) -> U256 {
    a.wrapping_add(b)
}
fn mulmod(a: U256, b: U256, m: U256) -> U256 {
    a.mul_mod(b, m)
}
fn bytes(data: Bytes, memory: &mut [u8]) -> &mut [u8] {
    data.read(memory).unwrap_or_else(|| revert("probe: too long"))
}
fn keccak(data: Bytes) -> Word {
    keccak256(bytes(data, &mut [0; 4096]))
}
fn sha(data: Bytes) -> Word {
    sha256(bytes(data, &mut [0; 4096]))
}
fn say(a: U256, b: U256) {
    emit!("Said(uint256,uint256,address)", [a], [b, caller()]);
}
fn fail() {
    revert("probe: on purpose")
}
fn paid() -> u128 {
    call_value()
}
fn small(value: u8) -> u8 {
    value
}
fn done(outcome: Outcome) {
    if outcome != Outcome::Success {
        revert_returned()
    }
}
fn ask(to: Address) -> U256 {
    done(call_static(ALL_GAS, &to, CallData::new(selector_of("start()"), []).as_bytes()));
    returned_value().unwrap_or(U256::ZERO)
}
fn poking(value: U256) -> CallData<1> {
    CallData::new(const { selector_of("poke(uint256)") }, [value.to_word()])
}
fn tell(to: Address, value: U256) {
    done(call(ALL_GAS, &to, 0, poking(value).as_bytes()))
}
fn borrow(code: Address, value: U256) {
    done(call_delegate(ALL_GAS, &code, poking(value).as_bytes()))
}
fn try_(to: Address) -> u8 {
    call(ALL_GAS, &to, 0, CallData::new(const { selector_of("fail()") }, []).as_bytes()) as u8
}
fn make(code: Bytes) -> Address {
    create(0, bytes(code, &mut [0; 4096])).unwrap_or(Address::ZERO)
}
fn make2(code: Bytes, salt: Word) -> Address {
    create2(0, bytes(code, &mut [0; 4096]), &salt).unwrap_or(Address::ZERO)
}
fn remember(value: Word) -> Word {
    transient_store(&KEY, &value);
    transient_load(&KEY)
}
// What only this language's layer has: operators that refuse to wrap, several results.
fn sums(a: U256, b: U256) -> (U256, U256, U256) {
    (a + b, a - b, a * b)
}
fn parts(a: U256, b: U256) -> (U256, U256, U256) {
    (a / b, a % b, (a << 3) >> 2)
}

fn init(value: U256) {
    FIRST.set(value)
}
#[no_mangle]
extern "C" fn deploy() {
    construct!(init)
}
#[no_mangle]
extern "C" fn main() {
    dispatch! {
        "start()" => start,
        "poke(uint256)" => poke,
        "put(address,uint256)" => put,
        "get(address)" => get,
        "flip(address,bytes32)" => flip,
        "note(string)" => note,
        "read()" => read,
        "add(uint256,uint256)" => add,
        "mulmod(uint256,uint256,uint256)" => mulmod,
        "keccak(bytes)" => keccak,
        "sha(bytes)" => sha,
        "say(uint256,uint256)" => say,
        "fail()" => fail,
        "sender()" => caller,
        "self()" => own_address,
        "paid()" => paid,
        "small(uint8)" => small,
        "ask(address)" => ask,
        "tell(address,uint256)" => tell,
        "borrow(address,uint256)" => borrow,
        "try(address)" => try_,
        "make(bytes)" => make,
        "make2(bytes,bytes32)" => make2,
        "remember(bytes32)" => remember,
        "sums(uint256,uint256)" => sums,
        "parts(uint256,uint256)" => parts,
    }
    revert_empty()
}
