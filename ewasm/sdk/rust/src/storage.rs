//! Storage as Solidity lays it out.

use core::marker::PhantomData;

use crate::abi::{finish_text, Value};
use crate::eei::ethereum;
use crate::{keccak256, revert_empty, Bytes, Word, U256};

/// Something that lies in storage behind one key.
pub trait Stored {
    fn at_key(key: Word) -> Self;
}

#[inline(never)]
pub fn load(key: &Word) -> Word {
    let mut out = Word([0; 32]);
    unsafe { ethereum::storageLoad(key.0.as_ptr(), out.0.as_mut_ptr()) };
    out
}

pub fn store(key: &Word, value: &Word) {
    unsafe { ethereum::storageStore(key.0.as_ptr(), value.0.as_ptr()) }
}

/// Storage that lasts as long as the transaction.
pub fn transient_load(key: &Word) -> Word {
    let mut out = Word([0; 32]);
    unsafe { ethereum::transientLoad(key.0.as_ptr(), out.0.as_mut_ptr()) };
    out
}

pub fn transient_store(key: &Word, value: &Word) {
    unsafe { ethereum::transientStore(key.0.as_ptr(), value.0.as_ptr()) }
}

/// A value that has a slot to itself.
pub struct Slot<T> {
    key: Word,
    kind: PhantomData<T>,
}

impl<T> Stored for Slot<T> {
    fn at_key(key: Word) -> Slot<T> {
        Slot { key, kind: PhantomData }
    }
}

impl<T: Value> Slot<T> {
    pub const fn at(slot: u64) -> Slot<T> {
        Slot { key: U256::from_u64(slot).to_word(), kind: PhantomData }
    }

    /// Another contract's layout may have left what is no T: that reverts.
    pub fn get(&self) -> T {
        T::from_word(&load(&self.key)).unwrap_or_else(|| revert_empty())
    }

    pub fn set(&self, value: T) {
        store(&self.key, &value.to_word())
    }
}

/// The value of `key` lies at keccak256(key . slot). S is a Slot, a Text or a Mapping.
pub struct Mapping<K, S> {
    key: Word,
    kind: PhantomData<(K, S)>,
}

impl<K, S> Stored for Mapping<K, S> {
    fn at_key(key: Word) -> Mapping<K, S> {
        Mapping { key, kind: PhantomData }
    }
}

impl<K: Value, S: Stored> Mapping<K, S> {
    pub const fn at(slot: u64) -> Mapping<K, S> {
        Mapping { key: U256::from_u64(slot).to_word(), kind: PhantomData }
    }

    pub fn of(&self, key: K) -> S {
        S::at_key(pair_hash(&key.to_word(), &self.key))
    }
}

impl<K: Value, V: Value> Mapping<K, Slot<V>> {
    pub fn get(&self, key: K) -> V {
        self.of(key).get()
    }

    pub fn set(&self, key: K, value: V) {
        self.of(key).set(value)
    }
}

#[inline(never)]
fn pair_hash(key: &Word, slot: &Word) -> Word {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(&key.0);
    pair[32..].copy_from_slice(&slot.0);
    keccak256(&pair)
}

/// A string: up to 31 bytes in the slot with twice the length as last byte, more behind keccak256(slot).
pub struct Text {
    key: Word,
}

impl Stored for Text {
    fn at_key(key: Word) -> Text {
        Text { key }
    }
}

impl Text {
    pub const fn at(slot: u64) -> Text {
        Text { key: U256::from_u64(slot).to_word() }
    }

    /// Store bytes from call data.
    #[inline(never)]
    pub fn set(&self, text: Bytes) {
        let piece = |done: u32| {
            let mut word = [0; 32];
            let length = (text.length - done).min(32);
            unsafe { ethereum::callDataCopy(word.as_mut_ptr(), text.offset + done, length) };
            Word(word)
        };
        if text.length < 32 {
            let mut short = piece(0);
            short.0[31] = 2 * text.length as u8;
            return store(&self.key, &short);
        }
        store(&self.key, &(2 * text.length as u64 + 1).to_word());
        let mut key = U256::from_word(&keccak256(&self.key.0));
        let mut done = 0;
        while done < text.length {
            store(&key.to_word(), &piece(done));
            key = key.wrapping_add(U256::ONE);
            done += 32;
        }
    }

    /// Reads into `memory`, of which whole words are written; the length, or None where the text does not fit.
    #[inline(never)]
    pub fn get(&self, memory: &mut [u8]) -> Option<usize> {
        let mut head = load(&self.key);
        if head.0[31] & 1 == 0 {
            let length = head.0[31] as usize / 2;
            head.0[31] = 0;
            memory.get_mut(..32)?.copy_from_slice(&head.0);
            return Some(length);
        }
        let length = (u64::from_word(&head)? / 2) as usize;
        let mut key = U256::from_word(&keccak256(&self.key.0));
        for piece in memory.get_mut(..length.next_multiple_of(32))?.chunks_exact_mut(32) {
            piece.copy_from_slice(&load(&key.to_word()).0);
            key = key.wrapping_add(U256::ONE);
        }
        Some(length)
    }

    /// End the call with the text; `memory` has room for 64 bytes and the text.
    pub fn finish(&self, memory: &mut [u8]) -> ! {
        match self.get(&mut memory[64..]) {
            Some(length) => finish_text(memory, length),
            None => revert_empty(),
        }
    }
}
