//! SHA-256 (FIPS 180-4) of the whole call data, computed in WebAssembly: any bytes in, 32 bytes out.
//!
//! ewasm build: -O3
#![no_std]
#![no_main]
use ewasm::abi::finish;
use ewasm::Bytes;

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes, worked out by the compiler.
const K: [u32; 64] = constants();
const CHUNK: usize = 4096;

/// The largest whole number whose cube is not above `n`.
const fn cube_root(n: u128) -> u128 {
    let (mut low, mut high) = (0u128, 1u128 << 42);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if middle * middle * middle <= n {
            low = middle
        } else {
            high = middle
        }
    }
    low
}

const fn constants() -> [u32; 64] {
    let (mut out, mut found, mut n) = ([0; 64], 0, 2u128);
    while found < 64 {
        let (mut prime, mut divisor) = (true, 2);
        while divisor * divisor <= n {
            prime &= n % divisor != 0;
            divisor += 1;
        }
        if prime {
            // Shifted by 3 * 32 bits, the root is shifted by 32.
            out[found] = cube_root(n << 96) as u32;
            found += 1;
        }
        n += 1;
    }
    out
}

fn compress(state: &mut [u32; 8], block: &[u8]) {
    let mut schedule = [0u32; 64];
    for (word, bytes) in schedule.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for i in 16..64 {
        let (x, y) = (schedule[i - 15], schedule[i - 2]);
        let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
        let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
        schedule[i] = schedule[i - 16].wrapping_add(s0).wrapping_add(schedule[i - 7]).wrapping_add(s1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for i in 0..64 {
        let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let chosen = (e & f) ^ (!e & g);
        let t1 = h.wrapping_add(sum).wrapping_add(chosen).wrapping_add(K[i]).wrapping_add(schedule[i]);
        let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t2 = sum.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
    }
    for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *old = old.wrapping_add(new);
    }
}

#[no_mangle]
extern "C" fn main() {
    let mut state = [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ];
    let size = unsafe { ewasm::eei::ethereum::getCallDataSize() };
    let mut buffer = [0u8; CHUNK];
    let mut offset = 0;
    loop {
        let length = (size - offset).min(CHUNK as u32);
        Bytes { offset, length }.read(&mut buffer);
        offset += length;
        if (length as usize) < CHUNK {
            break;
        }
        buffer.chunks_exact(64).for_each(|block| compress(&mut state, block));
    }
    let rest = size as usize % CHUNK;
    let whole = rest / 64 * 64;
    buffer[..whole].chunks_exact(64).for_each(|block| compress(&mut state, block));
    let mut last = [0u8; 128];
    last[..rest - whole].copy_from_slice(&buffer[whole..rest]);
    last[rest - whole] = 0x80;
    let end = if rest - whole < 56 { 64 } else { 128 };
    last[end - 8..end].copy_from_slice(&(size as u64 * 8).to_be_bytes());
    last[..end].chunks_exact(64).for_each(|block| compress(&mut state, block));
    let mut out = [0u8; 32];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    finish(&out)
}
