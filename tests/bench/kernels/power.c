// Powers modulo 2^256 by squaring, on eight words of 32 bits, as EXP computes them.
#include "kernel.h"

static void multiply(u32 *out, const u32 *a, const u32 *b) {
    u32 product[8] = {0};
    for (int i = 0; i < 8; i++) {
        u64 carry = 0;
        for (int j = 0; i + j < 8; j++) {
            carry += (u64)a[i] * b[j] + product[i + j];
            product[i + j] = (u32)carry;
            carry >>= 32;
        }
    }
    for (int i = 0; i < 8; i++) out[i] = product[i];
}

EXPORT("main") void run(void) {
    u32 base[8] = {3, 1, 4, 1, 5, 9, 2, 6};
    u32 exponent[8] = {0x89abcdef, 0x01234567, 0xdeadbeef, 0x0badf00d, 0xfeedface, 0x12345678, 0x9abcdef0, 0x7fffffff};
    u32 sum = 0;
    for (int round = 0; round < 900; round++) {
        u32 result[8] = {1};
        for (int bit = 255; bit >= 0; bit--) {
            multiply(result, result, result);
            if (exponent[bit / 32] >> (bit % 32) & 1) multiply(result, result, base);
        }
        base[0] ^= result[1] | 1;
        sum += result[7];
    }
    give((u64)sum << 32 | base[0]);
}
