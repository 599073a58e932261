//! Keccak-256 that the compiler runs: selectors and topics cost nothing at run time.

const ROUNDS: [u64; 24] = round_constants();
const ROTATIONS: [u32; 24] = [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
const LANES: [usize; 24] = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];
const RATE: usize = 136;

/// The bits at 2^j - 1 of each round's constant come from a shift register (FIPS 202, 3.2.5).
const fn round_constants() -> [u64; 24] {
    let mut constants = [0; 24];
    let mut register: u8 = 1;
    let mut round = 0;
    while round < 24 {
        let mut j = 0;
        while j < 7 {
            if register & 1 == 1 {
                constants[round] ^= 1 << ((1 << j) - 1);
            }
            register = if register & 0x80 == 0 { register << 1 } else { (register << 1) ^ 0x71 };
            j += 1;
        }
        round += 1;
    }
    constants
}

const fn permute(mut a: [u64; 25]) -> [u64; 25] {
    let mut round = 0;
    while round < 24 {
        let mut c = [0u64; 5];
        let mut x = 0;
        while x < 5 {
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
            x += 1;
        }
        let mut i = 0;
        while i < 25 {
            a[i] ^= c[(i + 4) % 5] ^ c[(i + 1) % 5].rotate_left(1);
            i += 1;
        }
        let mut lane = a[1];
        i = 0;
        while i < 24 {
            let next = a[LANES[i]];
            a[LANES[i]] = lane.rotate_left(ROTATIONS[i]);
            lane = next;
            i += 1;
        }
        let mut y = 0;
        while y < 25 {
            let row = [a[y], a[y + 1], a[y + 2], a[y + 3], a[y + 4]];
            x = 0;
            while x < 5 {
                a[y + x] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
                x += 1;
            }
            y += 5;
        }
        a[0] ^= ROUNDS[round];
        round += 1;
    }
    a
}

/// The hash of `data`; for use in constants. At run time `crate::keccak256` asks the host, which is cheaper.
pub const fn keccak256_const(data: &[u8]) -> [u8; 32] {
    let mut state = [0u64; 25];
    let mut position = 0;
    let mut i = 0;
    while i < data.len() {
        state[position / 8] ^= (data[i] as u64) << (8 * (position % 8));
        position += 1;
        if position == RATE {
            state = permute(state);
            position = 0;
        }
        i += 1;
    }
    state[position / 8] ^= 1 << (8 * (position % 8));
    state[RATE / 8 - 1] ^= 1 << 63;
    state = permute(state);
    let mut out = [0; 32];
    i = 0;
    while i < 32 {
        out[i] = (state[i / 8] >> (8 * (i % 8))) as u8;
        i += 1;
    }
    out
}
