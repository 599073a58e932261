/* Sums of two products over secp256r1, for precompile 0x100 (EIP-7951).
 *
 * The caller writes to what `input` returns: u1, u2, then x and y of a point q of the curve, then two numbers, each 32
 * bytes, big-endian, and all but u1 and u2 below P. `check` is 1 if x of u1 g + u2 q, g the generator, is one of the two.
 */
#define P_LIMBS {0xffffffffffffffff, 0x00000000ffffffff, 0x0000000000000000, 0xffffffff00000001}
#define ONE_LIMBS {0x0000000000000001, 0xffffffff00000000, 0xffffffffffffffff, 0x00000000fffffffe}
#define SQUARE_LIMBS {0x0000000000000003, 0xfffffffbffffffff, 0xfffffffffffffffe, 0x00000004fffffffd}
#define INVERSE 0x1ull
#define SPARE_BITS 0
#include "limbs.h"

typedef struct { fp x, y, z; } point;

static const point GENERATOR = {
    {{0x79e730d418a9143c, 0x75ba95fc5fedb601, 0x79fb732b77622510, 0x18905f76a53755c6}},
    {{0xddf25357ce95560a, 0x8b4ab8e4ba19e45c, 0xd2e88688dd21f325, 0x8571ff1825885d85}},
    {ONE_LIMBS},
};

/* Of y^2 = x^3 - 3 x + b: 3 x^2 - 3 z^4 is 3 (x - z^2) (x + z^2). */
APART void twice(point *out, const point *p) {
    fp zz, yy, a, e, d, s;
    mul_fp(&zz, &p->z, &p->z);
    mul_fp(&yy, &p->y, &p->y);
    sub(&a, &p->x, &zz);
    add(&d, &p->x, &zz);
    mul_fp(&d, &d, &a);
    add(&e, &d, &d);
    add(&e, &e, &d);
    mul_fp(&s, &p->x, &yy);
    add(&s, &s, &s);
    add(&s, &s, &s);
    mul_fp(&a, &p->y, &p->z);
    add(&out->z, &a, &a);
    mul_fp(&d, &e, &e);
    sub(&d, &d, &s);
    sub(&out->x, &d, &s);
    sub(&s, &s, &out->x);
    mul_fp(&s, &s, &e);
    mul_fp(&yy, &yy, &yy);
    add(&yy, &yy, &yy);
    add(&yy, &yy, &yy);
    add(&yy, &yy, &yy);
    sub(&out->y, &s, &yy);
}

#define SQUARE_FP(out, a) mul_fp(out, a, a)
SUM_OF_POINTS(fp, point, twice, sum, sub, mul_fp, SQUARE_FP, is_nothing, is_same)

static u8 bytes[192] __attribute__((aligned(16)));

EXPORT("input") u8 *where_input_is(void) { return bytes; }

static void multiples(point *out, const point *p) {
    out[0] = (point){0};
    for (int i = 1; i < 16; i++) sum(&out[i], &out[i - 1], p);
}

EXPORT("check") u32 check(void) {
    static point of_generator[16], of_q[16];
    fp u1, u2, zz, number;
    point q, result = {0};
    read_word(&u1, bytes);
    read_word(&u2, bytes + 32);
    read_word(&q.x, bytes + 64);
    read_word(&q.y, bytes + 96);
    mul_fp(&q.x, &q.x, &SQUARE);
    mul_fp(&q.y, &q.y, &SQUARE);
    q.z = ONE;
    if (is_nothing(&of_generator[1].z)) multiples(of_generator, &GENERATOR);
    multiples(of_q, &q);
    for (int i = 63; i >= 0; i--) {
        for (int j = 0; j < 4; j++) twice(&result, &result);
        sum(&result, &result, &of_generator[u1.at[i / 16] >> (i % 16 * 4) & 15]);
        sum(&result, &result, &of_q[u2.at[i / 16] >> (i % 16 * 4) & 15]);
    }
    if (is_nothing(&result.z)) return 0;
    mul_fp(&zz, &result.z, &result.z);
    for (int i = 0; i < 2; i++) {
        read_word(&number, bytes + 128 + 32 * i);
        mul_fp(&number, &number, &SQUARE);
        mul_fp(&number, &number, &zz);
        if (is_same(&number, &result.x)) return 1;
    }
    return 0;
}
