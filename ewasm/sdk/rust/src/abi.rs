//! Solidity's ABI: arguments from call data, results, revert reasons, events.

use crate::eei::ethereum;
use crate::{Address, Word, U256};

/// What fits a word.
pub trait Value: Copy {
    fn to_word(self) -> Word;

    /// None where the word holds no value of this type.
    fn from_word(word: &Word) -> Option<Self>;
}

impl Value for Word {
    fn to_word(self) -> Word {
        self
    }

    fn from_word(word: &Word) -> Option<Word> {
        Some(*word)
    }
}

impl Value for U256 {
    fn to_word(self) -> Word {
        U256::to_word(self)
    }

    fn from_word(word: &Word) -> Option<U256> {
        Some(U256::from_word(word))
    }
}

impl Value for Address {
    #[inline(never)]
    fn to_word(self) -> Word {
        let mut out = [0; 32];
        out[12..].copy_from_slice(&self.0);
        Word(out)
    }

    #[inline(never)]
    fn from_word(word: &Word) -> Option<Address> {
        if word.0[..12] != [0; 12] {
            return None;
        }
        let mut out = [0; 20];
        out.copy_from_slice(&word.0[12..]);
        Some(Address(out))
    }
}

impl Value for bool {
    fn to_word(self) -> Word {
        U256::from_u64(self as u64).to_word()
    }

    fn from_word(word: &Word) -> Option<bool> {
        u64::from_word(word).filter(|value| *value < 2).map(|value| value == 1)
    }
}

macro_rules! unsigned {
    ($($kind:ty),*) => {$(
        impl Value for $kind {
            fn to_word(self) -> Word {
                U256::from_u128(self as u128).to_word()
            }

            fn from_word(word: &Word) -> Option<$kind> {
                U256::from_word(word).to_u128()?.try_into().ok()
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64, u128);

/// A string or bytes: where they lie in call data.
#[derive(Clone, Copy)]
pub struct Bytes {
    pub offset: u32,
    pub length: u32,
}

impl Bytes {
    /// Copy into `memory`; None where that is too short.
    pub fn read<'a>(&self, memory: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let out = memory.get_mut(..self.length as usize)?;
        unsafe { ethereum::callDataCopy(out.as_mut_ptr(), self.offset, self.length) };
        Some(out)
    }
}

/// What a function of a contract can take.
pub trait Argument: Sized {
    /// Argument `index`, or a revert; `base` is 4 behind a selector and 0 in a constructor.
    fn read(base: u32, index: u32) -> Self;
}

impl<V: Value> Argument for V {
    fn read(base: u32, index: u32) -> V {
        V::from_word(&argument_word(base, index)).unwrap_or_else(|| revert_empty())
    }
}

impl Argument for Bytes {
    #[inline(never)]
    fn read(base: u32, index: u32) -> Bytes {
        let size = unsafe { ethereum::getCallDataSize() };
        let within = |word: &Word| u64::from_word(word).filter(|value| *value <= size as u64).map(|value| value as u32);
        let offset = within(&argument_word(base, index)).unwrap_or_else(|| revert_empty());
        if size - offset < base + 32 {
            revert_empty()
        }
        let start = base + offset;
        let length = within(&call_data_word(start)).unwrap_or_else(|| revert_empty());
        if length > size - start - 32 {
            revert_empty()
        }
        Bytes { offset: start + 32, length }
    }
}

#[inline(never)]
fn argument_word(base: u32, index: u32) -> Word {
    let offset = base + 32 * index;
    if unsafe { ethereum::getCallDataSize() } < offset + 32 {
        revert_empty()
    }
    call_data_word(offset)
}

fn call_data_word(offset: u32) -> Word {
    let mut out = [0; 32];
    unsafe { ethereum::callDataCopy(out.as_mut_ptr(), offset, 32) };
    Word(out)
}

pub fn argument<T: Argument>(base: u32, index: u32) -> T {
    T::read(base, index)
}

/// The first four bytes of call data, if there are as many.
pub fn selector() -> Option<u32> {
    if unsafe { ethereum::getCallDataSize() } < 4 {
        return None;
    }
    let mut four = [0; 4];
    unsafe { ethereum::callDataCopy(four.as_mut_ptr(), 0, 4) };
    Some(u32::from_be_bytes(four))
}

// ---- functions of a contract ----

/// A function of up to six arguments.
pub trait Function<A> {
    type Result: Return;

    fn apply(self, base: u32) -> Self::Result;
}

macro_rules! function {
    ($($name:ident $index:literal),*) => {
        impl<F, R: Return, $($name: Argument),*> Function<($($name,)*)> for F
        where
            F: FnOnce($($name),*) -> R,
        {
            type Result = R;

            fn apply(self, _base: u32) -> R {
                self($($name::read(_base, $index)),*)
            }
        }
    };
}
function!();
function!(A 0);
function!(A 0, B 1);
function!(A 0, B 1, C 2);
function!(A 0, B 1, C 2, D 3);
function!(A 0, B 1, C 2, D 3, E 4);
function!(A 0, B 1, C 2, D 3, E 4, G 5);

pub fn apply<A, F: Function<A>>(function: F, base: u32) -> F::Result {
    function.apply(base)
}

/// Run a function and end the call with its result.
pub fn returned<A, F: Function<A>>(function: F, base: u32) -> ! {
    function.apply(base).finish()
}

/// What a function of a contract can give back.
pub trait Return {
    fn finish(self) -> !;
}

impl Return for () {
    fn finish(self) -> ! {
        finish(&[])
    }
}

impl<V: Value> Return for V {
    fn finish(self) -> ! {
        finish(&self.to_word().0)
    }
}

impl<A: Value, B: Value> Return for (A, B) {
    fn finish(self) -> ! {
        finish_words(&[self.0.to_word(), self.1.to_word()])
    }
}

impl<A: Value, B: Value, C: Value> Return for (A, B, C) {
    fn finish(self) -> ! {
        finish_words(&[self.0.to_word(), self.1.to_word(), self.2.to_word()])
    }
}

/// End the call with `data`.
pub fn finish(data: &[u8]) -> ! {
    unsafe { ethereum::finish(data.as_ptr(), data.len() as u32) }
}

fn finish_words(words: &[Word]) -> ! {
    unsafe { ethereum::finish(words.as_ptr().cast(), 32 * words.len() as u32) }
}

/// End the call with an ABI-encoded string or bytes: `memory` holds 64 bytes of room, then the text of `length` bytes,
/// then zeros up to a multiple of 32.
#[inline(never)]
pub fn finish_text(memory: &mut [u8], length: usize) -> ! {
    memory[..32].copy_from_slice(&32u64.to_word().0);
    memory[32..64].copy_from_slice(&(length as u64).to_word().0);
    finish(&memory[..64 + length.next_multiple_of(32)])
}

// ---- reverts ----

/// Revert with nothing to say, as Solidity does for malformed call data.
#[inline(never)]
pub fn revert_empty() -> ! {
    revert_data(&[])
}

pub fn revert_data(data: &[u8]) -> ! {
    unsafe { ethereum::revert(data.as_ptr(), data.len() as u32) }
}

/// Revert with `Error(string)`; every common client decodes the reason. Longer ones are cut at 96 bytes.
#[inline(never)]
pub fn revert(reason: &str) -> ! {
    let text = &reason.as_bytes()[..reason.len().min(96)];
    let mut data = [0; 68 + 96];
    data[..4].copy_from_slice(&0x08c3_79a0_u32.to_be_bytes());
    data[35] = 32;
    data[67] = text.len() as u8;
    data[68..68 + text.len()].copy_from_slice(text);
    revert_data(&data[..68 + text.len().next_multiple_of(32)])
}

/// Revert with `Panic(uint256)`.
pub fn revert_panic(code: u8) -> ! {
    let mut data = [0; 36];
    data[..4].copy_from_slice(&0x4e48_7b71_u32.to_be_bytes());
    data[35] = code;
    revert_data(&data)
}

// ---- events ----

/// What `emit!` calls: the event's own topic, at most three more, then data.
#[inline(never)]
pub fn log(event: &Word, indexed: &[Word], data: &[Word]) {
    let topic = |index: usize| indexed.get(index).map_or(core::ptr::null(), |word| word.0.as_ptr());
    let length = 32 * data.len() as u32;
    let count = 1 + indexed.len() as u32;
    unsafe { ethereum::log(data.as_ptr().cast(), length, count, event.0.as_ptr(), topic(0), topic(1), topic(2)) }
}
