//! A counter that says when it changes. Storage: slot 0 the number.
#![no_std]
#![no_main]
use ewasm::{caller, construct, dispatch, emit, refuse_value, revert, revert_empty, Slot, U256};

const NUMBER: Slot<U256> = Slot::at(0);

fn number() -> U256 {
    NUMBER.get()
}

fn set_number(value: U256) {
    NUMBER.set(value);
    emit!("NumberChanged(address,uint256)", [caller()], [value]);
}

fn increment() {
    match NUMBER.get().checked_add(U256::ONE) {
        Some(next) => set_number(next),
        None => revert("the counter is full"),
    }
}

fn init(start: U256) {
    NUMBER.set(start)
}

/// The constructor: its arguments are call data.
#[no_mangle]
extern "C" fn deploy() {
    refuse_value();
    construct!(init)
}

/// Every call.
#[no_mangle]
extern "C" fn main() {
    refuse_value();
    dispatch! {
        "number()" => number,
        "increment()" => increment,
        "setNumber(uint256)" => set_number,
    }
    revert_empty()
}
