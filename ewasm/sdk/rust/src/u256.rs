//! 256-bit numbers. Little-endian limbs, as the host's `bignum` has them in memory.

use core::cmp::Ordering;
use core::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Not, Rem, Shl, Shr, Sub};

use crate::eei::bignum;
use crate::{arithmetic_overflow, division_by_zero, Word};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct U256(pub [u64; 4]);

impl U256 {
    pub const ZERO: U256 = U256([0; 4]);
    pub const ONE: U256 = U256([1, 0, 0, 0]);
    pub const MAX: U256 = U256([u64::MAX; 4]);

    pub const fn from_u64(value: u64) -> U256 {
        U256([value, 0, 0, 0])
    }

    pub const fn from_u128(value: u128) -> U256 {
        U256([value as u64, (value >> 64) as u64, 0, 0])
    }

    /// From 32 bytes as the ABI and storage have them.
    #[inline(never)]
    pub fn from_word(word: &Word) -> U256 {
        // Any bytes are a number, wherever they lie.
        let limbs: [u64; 4] = unsafe { word.0.as_ptr().cast::<[u64; 4]>().read_unaligned() };
        U256([u64::from_be(limbs[3]), u64::from_be(limbs[2]), u64::from_be(limbs[1]), u64::from_be(limbs[0])])
    }

    #[inline(never)]
    pub const fn to_word(self) -> Word {
        let limbs = [self.0[3].to_be(), self.0[2].to_be(), self.0[1].to_be(), self.0[0].to_be()];
        // Both are 32 bytes without rules of their own.
        Word(unsafe { core::mem::transmute::<[u64; 4], [u8; 32]>(limbs) })
    }

    pub fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The number, if it is below 2^64.
    pub fn to_u64(&self) -> Option<u64> {
        (self.0[1] | self.0[2] | self.0[3] == 0).then_some(self.0[0])
    }

    /// The number, if it is below 2^128.
    pub fn to_u128(&self) -> Option<u128> {
        (self.0[2] | self.0[3] == 0).then_some(self.0[0] as u128 | (self.0[1] as u128) << 64)
    }

    /// The sum modulo 2^256, and whether it wrapped.
    #[inline(never)]
    pub fn overflowing_add(self, other: U256) -> (U256, bool) {
        let mut out = [0; 4];
        let mut carry = false;
        for i in 0..4 {
            let (sum, first) = self.0[i].overflowing_add(other.0[i]);
            let (sum, second) = sum.overflowing_add(carry as u64);
            out[i] = sum;
            carry = first | second;
        }
        (U256(out), carry)
    }

    /// The difference modulo 2^256, and whether it wrapped.
    #[inline(never)]
    pub fn overflowing_sub(self, other: U256) -> (U256, bool) {
        let mut out = [0; 4];
        let mut borrow = false;
        for i in 0..4 {
            let (difference, first) = self.0[i].overflowing_sub(other.0[i]);
            let (difference, second) = difference.overflowing_sub(borrow as u64);
            out[i] = difference;
            borrow = first | second;
        }
        (U256(out), borrow)
    }

    pub fn wrapping_add(self, other: U256) -> U256 {
        self.overflowing_add(other).0
    }

    pub fn wrapping_sub(self, other: U256) -> U256 {
        self.overflowing_sub(other).0
    }

    pub fn wrapping_mul(self, other: U256) -> U256 {
        self.with(&other, bignum::mul256)
    }

    pub fn checked_add(self, other: U256) -> Option<U256> {
        let (sum, wrapped) = self.overflowing_add(other);
        (!wrapped).then_some(sum)
    }

    pub fn checked_sub(self, other: U256) -> Option<U256> {
        let (difference, wrapped) = self.overflowing_sub(other);
        (!wrapped).then_some(difference)
    }

    pub fn checked_mul(self, other: U256) -> Option<U256> {
        let product = self.wrapping_mul(other);
        (self.is_zero() || product.with(&self, bignum::div256) == other).then_some(product)
    }

    /// `self` to the power of `exponent` modulo 2^256.
    pub fn wrapping_pow(self, exponent: U256) -> U256 {
        self.with(&exponent, bignum::exp256)
    }

    /// (self + other) % modulus without wrapping, 0 if the modulus is 0.
    pub fn add_mod(self, other: U256, modulus: U256) -> U256 {
        let mut out = U256::ZERO;
        unsafe { bignum::addmod256(self.at(), other.at(), modulus.at(), out.at_mut()) };
        out
    }

    /// (self * other) % modulus without wrapping, 0 if the modulus is 0.
    pub fn mul_mod(self, other: U256, modulus: U256) -> U256 {
        let mut out = U256::ZERO;
        unsafe { bignum::mulmod256(self.at(), other.at(), modulus.at(), out.at_mut()) };
        out
    }

    fn with(&self, other: &U256, operation: unsafe extern "C" fn(*const u8, *const u8, *mut u8)) -> U256 {
        let mut out = U256::ZERO;
        unsafe { operation(self.at(), other.at(), out.at_mut()) };
        out
    }

    fn at(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }

    fn at_mut(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

impl PartialOrd for U256 {
    fn partial_cmp(&self, other: &U256) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    fn lt(&self, other: &U256) -> bool {
        self.overflowing_sub(*other).1
    }

    fn gt(&self, other: &U256) -> bool {
        other < self
    }
}

impl Ord for U256 {
    fn cmp(&self, other: &U256) -> Ordering {
        if self == other {
            Ordering::Equal
        } else if self < other {
            Ordering::Less
        } else {
            Ordering::Greater
        }
    }
}

impl From<u64> for U256 {
    fn from(value: u64) -> U256 {
        U256::from_u64(value)
    }
}

impl From<u128> for U256 {
    fn from(value: u128) -> U256 {
        U256::from_u128(value)
    }
}

// Operators refuse to wrap, as Solidity's do: a panic code instead of a wrong number.

impl Add for U256 {
    type Output = U256;
    fn add(self, other: U256) -> U256 {
        self.checked_add(other).unwrap_or_else(|| arithmetic_overflow())
    }
}

impl Sub for U256 {
    type Output = U256;
    fn sub(self, other: U256) -> U256 {
        self.checked_sub(other).unwrap_or_else(|| arithmetic_overflow())
    }
}

impl Mul for U256 {
    type Output = U256;
    fn mul(self, other: U256) -> U256 {
        self.checked_mul(other).unwrap_or_else(|| arithmetic_overflow())
    }
}

impl Div for U256 {
    type Output = U256;
    fn div(self, other: U256) -> U256 {
        if other.is_zero() {
            division_by_zero()
        }
        self.with(&other, bignum::div256)
    }
}

impl Rem for U256 {
    type Output = U256;
    fn rem(self, other: U256) -> U256 {
        if other.is_zero() {
            division_by_zero()
        }
        self.with(&other, bignum::mod256)
    }
}

impl Shl<u32> for U256 {
    type Output = U256;
    fn shl(self, bits: u32) -> U256 {
        U256::from_u64(bits as u64).with(&self, bignum::shl256)
    }
}

impl Shr<u32> for U256 {
    type Output = U256;
    fn shr(self, bits: u32) -> U256 {
        U256::from_u64(bits as u64).with(&self, bignum::shr256)
    }
}

impl BitAnd for U256 {
    type Output = U256;
    fn bitand(self, other: U256) -> U256 {
        U256(core::array::from_fn(|i| self.0[i] & other.0[i]))
    }
}

impl BitOr for U256 {
    type Output = U256;
    fn bitor(self, other: U256) -> U256 {
        U256(core::array::from_fn(|i| self.0[i] | other.0[i]))
    }
}

impl BitXor for U256 {
    type Output = U256;
    fn bitxor(self, other: U256) -> U256 {
        U256(core::array::from_fn(|i| self.0[i] ^ other.0[i]))
    }
}

impl Not for U256 {
    type Output = U256;
    fn not(self) -> U256 {
        U256(core::array::from_fn(|i| !self.0[i]))
    }
}
