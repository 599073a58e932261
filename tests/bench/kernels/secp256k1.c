// Multiplication in the field of secp256k1, p = 2^256 - 2^32 - 977, on eight words of 32 bits: what a signature is made of.
#include "kernel.h"

// out = a * b, not always fully reduced: below 2^256.
__attribute__((noinline)) static void multiply(u32 *out, const u32 *a, const u32 *b) {
    u32 product[16] = {0};
    for (int i = 0; i < 8; i++) {
        u64 carry = 0;
        for (int j = 0; j < 8; j++) {
            carry += (u64)a[i] * b[j] + product[i + j];
            product[i + j] = (u32)carry;
            carry >>= 32;
        }
        product[i + 8] = (u32)carry;
    }
    // 2^256 = 2^32 + 977: fold the upper half down twice.
    u64 carry = 0;
    u32 below = 0;
    for (int i = 0; i < 8; i++) {
        carry += product[i] + (u64)product[i + 8] * 977 + below;
        below = product[i + 8];
        out[i] = (u32)carry;
        carry >>= 32;
    }
    carry += below;
    while (carry) {
        u64 times = carry;
        u64 sum = (u64)out[0] + times * 977;
        out[0] = (u32)sum;
        sum = (sum >> 32) + out[1] + times;
        out[1] = (u32)sum;
        carry = sum >> 32;
        for (int i = 2; i < 8; i++) {
            carry += out[i];
            out[i] = (u32)carry;
            carry >>= 32;
        }
    }
}

EXPORT("main") void run(void) {
    u32 x[8] = {0x16f81798, 0x59f2815b, 0x2dce28d9, 0x029bfcdb, 0xce870b07, 0x55a06295, 0xf9dcbbac, 0x79be667e};
    u32 y[8] = {0xfb10d4b8, 0x9c47d08f, 0xa6855419, 0xfd17b448, 0x0e1108a8, 0x5da4fbfc, 0x26a3c465, 0x483ada77};
    for (int i = 0; i < 150000; i++) {
        multiply(x, x, y);
        multiply(y, y, x);
    }
    give((u64)x[0] << 32 | y[7]);
}
