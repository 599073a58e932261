//! Contracts in Rust: Solidity's ABI and storage layout over the host functions of `eei`. No standard library, no
//! allocation, no other crate.
//!
//! `dispatch!` calls the function whose signature the call data name; arguments and results are Rust values:
//!
//!     address -> Address   uint256 -> U256   uint8..uint128 -> u8..u128   bool -> bool   bytes32 -> Word
//!     string, bytes -> Bytes
//!
//! A panic (an index out of range, an unwrap of nothing) traps, which costs all gas; `revert` keeps what is left.
#![no_std]

pub mod abi;
pub mod calls;
pub mod eei;
pub mod keccak;
pub mod storage;
pub mod u256;

pub use abi::{argument, returned, revert, revert_empty, Argument, Bytes, Function, Return, Value};
pub use calls::{
    call, call_delegate, call_static, create, create2, return_data, revert_returned, CallData, Outcome, ALL_GAS,
};
pub use keccak::keccak256_const;
pub use storage::{Mapping, Slot, Stored, Text};
pub use u256::U256;

use eei::ethereum;

/// 32 bytes as the ABI and storage have them: numbers big-endian.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Word(pub [u8; 32]);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Address(pub [u8; 20]);

impl Address {
    pub const ZERO: Address = Address([0; 20]);

    /// A precompiled contract, or another address below 256.
    pub const fn small(number: u8) -> Address {
        let mut out = [0; 20];
        out[19] = number;
        Address(out)
    }

    pub fn is_zero(&self) -> bool {
        self.0 == [0; 20]
    }
}

/// First four bytes of the hash of a signature such as "transfer(address,uint256)".
pub const fn selector_of(signature: &str) -> u32 {
    let hash = keccak256_const(signature.as_bytes());
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// Hash of an event's signature.
pub const fn topic_of(signature: &str) -> Word {
    Word(keccak256_const(signature.as_bytes()))
}

pub fn keccak256(data: &[u8]) -> Word {
    let mut out = Word([0; 32]);
    unsafe { eei::crypto::keccak256(data.as_ptr(), data.len() as u32, out.0.as_mut_ptr()) };
    out
}

pub fn sha256(data: &[u8]) -> Word {
    let mut out = Word([0; 32]);
    unsafe { eei::crypto::sha256(data.as_ptr(), data.len() as u32, out.0.as_mut_ptr()) };
    out
}

// ---- the message and the block ----

pub fn caller() -> Address {
    let mut out = Address::ZERO;
    unsafe { ethereum::getCaller(out.0.as_mut_ptr()) };
    out
}

pub fn own_address() -> Address {
    let mut out = Address::ZERO;
    unsafe { ethereum::getAddress(out.0.as_mut_ptr()) };
    out
}

/// Wei sent along.
pub fn call_value() -> u128 {
    let mut out = [0; 16];
    unsafe { ethereum::getCallValue(out.as_mut_ptr()) };
    u128::from_le_bytes(out)
}

/// Revert if value was sent.
#[inline(never)]
pub fn refuse_value() {
    if call_value() != 0 {
        revert_empty()
    }
}

pub fn own_balance() -> U256 {
    let mut out = U256::ZERO;
    unsafe { ethereum::getSelfBalance(out.0.as_mut_ptr().cast()) };
    out
}

/// Seconds since 1970 of the block.
pub fn timestamp_s() -> u64 {
    unsafe { ethereum::getBlockTimestamp() }
}

pub fn block_number() -> u64 {
    unsafe { ethereum::getBlockNumber() }
}

pub fn gas_left() -> u64 {
    unsafe { ethereum::getGasLeft() }
}

// ---- what went wrong ----

/// `Panic(0x11)`, as Solidity has it.
pub fn arithmetic_overflow() -> ! {
    abi::revert_panic(0x11)
}

/// `Panic(0x12)`, as Solidity has it.
pub fn division_by_zero() -> ! {
    abi::revert_panic(0x12)
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

/// Run the function whose signature's selector the call data begin with and return what it returns; comes back only if
/// there is none: `dispatch! { "transfer(address,uint256)" => transfer, ... }`.
#[macro_export]
macro_rules! dispatch {
    ($($signature:literal => $function:expr),* $(,)?) => {
        if let Some(selector) = $crate::abi::selector() {
            $(
                if selector == const { $crate::selector_of($signature) } {
                    $crate::returned($function, 4)
                }
            )*
        }
    };
}

/// Run a constructor on its arguments, with which the module was deployed.
#[macro_export]
macro_rules! construct {
    ($function:expr) => {
        $crate::abi::apply($function, 0)
    };
}

/// An event: `emit!("Transfer(address,address,uint256)", [from, to], [amount])`: up to three indexed values, then data.
#[macro_export]
macro_rules! emit {
    ($signature:literal, [$($indexed:expr),*], [$($data:expr),*]) => {
        $crate::abi::log(
            const { &$crate::topic_of($signature) },
            &[$($crate::Value::to_word($indexed)),*],
            &[$($crate::Value::to_word($data)),*],
        )
    };
}
