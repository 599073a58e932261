//! Calls of other contracts, and new contracts.

use crate::abi::{revert_data, Value};
use crate::eei::ethereum;
use crate::{Address, Word};

/// More than there ever is: a call gets all but a 64th of what is left.
pub const ALL_GAS: u64 = i64::MAX as u64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Success,
    Failure,
    Revert,
}

fn outcome(code: u32) -> Outcome {
    match code {
        0 => Outcome::Success,
        2 => Outcome::Revert,
        _ => Outcome::Failure,
    }
}

/// A selector and N words: `CallData::new(selector_of("transfer(address,uint256)"), [to.to_word(), amount.to_word()])`.
#[repr(C)]
pub struct CallData<const N: usize> {
    selector: [u8; 4],
    words: [Word; N],
}

impl<const N: usize> CallData<N> {
    pub fn new(selector: u32, words: [Word; N]) -> CallData<N> {
        CallData { selector: selector.to_be_bytes(), words }
    }

    pub fn as_bytes(&self) -> &[u8] {
        // Bytes only, in the order of the fields, so without padding.
        unsafe { core::slice::from_raw_parts((self as *const CallData<N>).cast(), 4 + 32 * N) }
    }
}

pub fn call(gas: u64, to: &Address, value: u128, data: &[u8]) -> Outcome {
    let wei = value.to_le_bytes();
    let length = data.len() as u32;
    outcome(unsafe { ethereum::call(gas, to.0.as_ptr(), wei.as_ptr(), data.as_ptr(), length) })
}

/// A call that may not change state.
pub fn call_static(gas: u64, to: &Address, data: &[u8]) -> Outcome {
    outcome(unsafe { ethereum::callStatic(gas, to.0.as_ptr(), data.as_ptr(), data.len() as u32) })
}

/// Run another contract's code on this one's state.
pub fn call_delegate(gas: u64, to: &Address, data: &[u8]) -> Outcome {
    outcome(unsafe { ethereum::callDelegate(gas, to.0.as_ptr(), data.as_ptr(), data.len() as u32) })
}

/// The address of a new contract, or None if its creation failed.
pub fn create(value: u128, init_code: &[u8]) -> Option<Address> {
    let wei = value.to_le_bytes();
    let mut out = Address::ZERO;
    let length = init_code.len() as u32;
    let code = unsafe { ethereum::create(wei.as_ptr(), init_code.as_ptr(), length, out.0.as_mut_ptr()) };
    (code == 0).then_some(out)
}

/// The same, at an address that follows from sender, salt and code.
pub fn create2(value: u128, init_code: &[u8], salt: &Word) -> Option<Address> {
    let wei = value.to_le_bytes();
    let mut out = Address::ZERO;
    let length = init_code.len() as u32;
    let salt = salt.0.as_ptr();
    let code = unsafe { ethereum::create2(wei.as_ptr(), init_code.as_ptr(), length, salt, out.0.as_mut_ptr()) };
    (code == 0).then_some(out)
}

/// What the last call returned, as far as `memory` reaches.
pub fn return_data(memory: &mut [u8]) -> &mut [u8] {
    let size = unsafe { ethereum::getReturnDataSize() } as usize;
    let length = memory.len().min(size);
    let out = &mut memory[..length];
    unsafe { ethereum::returnDataCopy(out.as_mut_ptr(), 0, out.len() as u32) };
    out
}

/// The word that the last call returned; None where it returned less than 32 bytes, or no V.
pub fn returned_value<V: Value>() -> Option<V> {
    let mut word = [0; 32];
    (return_data(&mut word).len() == 32).then_some(Word(word)).as_ref().and_then(V::from_word)
}

/// Revert with what the last call returned, up to 1,024 bytes.
pub fn revert_returned() -> ! {
    let mut memory = [0; 1024];
    revert_data(return_data(&mut memory))
}
