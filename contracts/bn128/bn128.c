/* The curve alt_bn128 (EIP-196) in WebAssembly: what precompiles 6 and 7 do, to compare with them.
 *
 * abi: function add(uint256 x1, uint256 y1, uint256 x2, uint256 y2) pure returns (uint256 x, uint256 y)
 * abi: function mul(uint256 x, uint256 y, uint256 k) pure returns (uint256 x, uint256 y)
 *
 * A point is on y^2 = x^3 + 3 over the field of P, or (0, 0) for the point at infinity; anything else reverts. Numbers are
 * eight limbs of 32 bits, the lowest first, in Montgomery's form (times 2^256 mod P) while they are worked with.
 *
 * ewasm build: -O2
 */
#include "abi.h"

enum { ADD = 0xe022d77c /* add(uint256,uint256,uint256,uint256) */, MUL = 0xe91cac2d /* mul(uint256,uint256,uint256) */ };

typedef struct { uint32_t at[8]; } field;
/* Jacobian: (x / z^2, y / z^3); z = 0 is the point at infinity. */
typedef struct { field x, y, z; } point;

static const field P = {{0xd87cfd47, 0x3c208c16, 0x6871ca8d, 0x97816a91, 0x8181585d, 0xb85045b6, 0xe131a029, 0x30644e72}};
/* 2^256 mod P, which is 1; 2^512 mod P, which brings a number into Montgomery's form; 3. */
static const field ONE = {{0xc58f0d9d, 0xd35d438d, 0xf5c70b3d, 0x0a78eb28, 0x7879462c, 0x666ea36f, 0x9a07df2f, 0x0e0a77c1}};
static const field SQUARE = {{0x538afa89, 0xf32cfc5b, 0xd44501fb, 0xb5e71911, 0x0a417ff6, 0x47ab1eff, 0xcab8351f, 0x06d89f71}};
static const field THREE = {{0x50ad28d7, 0x7a17caa9, 0xe15521b9, 0x1f6ac17a, 0x696bd284, 0x334bea4e, 0xce179d8e, 0x2a1f6744}};
/* -1 / P mod 2^32 */
#define INVERSE 0xe4866389u

static int is_nothing(const field *a) {
    uint32_t any = 0;
    for (int i = 0; i < 8; i++) any |= a->at[i];
    return any == 0;
}

static int is_same(const field *a, const field *b) {
    uint32_t any = 0;
    for (int i = 0; i < 8; i++) any |= a->at[i] ^ b->at[i];
    return any == 0;
}

/* out = a - b; what has to be borrowed (0 or 1). */
static uint32_t minus(field *out, const field *a, const field *b) {
    uint64_t borrow = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t d = (uint64_t)a->at[i] - b->at[i] - borrow;
        out->at[i] = (uint32_t)d;
        borrow = d >> 63;
    }
    return (uint32_t)borrow;
}

static uint32_t plus(field *out, const field *a, const field *b) {
    uint64_t carry = 0;
    for (int i = 0; i < 8; i++) {
        carry += (uint64_t)a->at[i] + b->at[i];
        out->at[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return (uint32_t)carry;
}

/* P is below 2^254, so a sum of two does not carry out. */
static void add(field *out, const field *a, const field *b) {
    field sum, less;
    plus(&sum, a, b);
    *out = minus(&less, &sum, &P) ? sum : less;
}

static void sub(field *out, const field *a, const field *b) {
    field difference;
    if (minus(&difference, a, b)) plus(&difference, &difference, &P);
    *out = difference;
}

/* out = a * b / 2^256 mod P: each limb of a, then the multiple of P that clears the lowest limb. */
static void mul(field *out, const field *a, const field *b) {
    uint32_t t[9] = {0};
    for (int i = 0; i < 8; i++) {
        uint64_t carry = 0, x = a->at[i];
#pragma clang loop unroll(full)
        for (int j = 0; j < 8; j++) {
            carry += x * b->at[j] + t[j];
            t[j] = (uint32_t)carry;
            carry >>= 32;
        }
        uint64_t top = t[8] + carry;
        uint64_t m = (uint32_t)(t[0] * INVERSE);
        carry = (m * P.at[0] + t[0]) >> 32;
#pragma clang loop unroll(full)
        for (int j = 1; j < 8; j++) {
            carry += m * P.at[j] + t[j];
            t[j - 1] = (uint32_t)carry;
            carry >>= 32;
        }
        top += carry;
        t[7] = (uint32_t)top;
        t[8] = (uint32_t)(top >> 32);
    }
    field result, less;
    for (int i = 0; i < 8; i++) result.at[i] = t[i];
    *out = minus(&less, &result, &P) ? result : less;
}

static void square(field *out, const field *a) { mul(out, a, a); }

/* 1 / a, as a to the power of P - 2 (Fermat). */
static void invert(field *out, const field *a) {
    field result = ONE, base = *a;
    for (int i = 0; i < 256; i++) {
        uint32_t limb = P.at[i / 32] - (i < 32 ? 2 : 0);
        if (limb >> (i % 32) & 1) mul(&result, &result, &base);
        square(&base, &base);
    }
    *out = result;
}

static void twice(point *out, const point *p) {
    field a, b, c, d, e, f, t;
    square(&a, &p->x);
    square(&b, &p->y);
    square(&c, &b);
    add(&d, &p->x, &b);
    square(&d, &d);
    sub(&d, &d, &a);
    sub(&d, &d, &c);
    add(&d, &d, &d);
    add(&e, &a, &a);
    add(&e, &e, &a);
    square(&f, &e);
    mul(&t, &p->y, &p->z);
    add(&out->z, &t, &t);
    sub(&f, &f, &d);
    sub(&out->x, &f, &d);
    sub(&d, &d, &out->x);
    mul(&d, &e, &d);
    add(&c, &c, &c);
    add(&c, &c, &c);
    add(&c, &c, &c);
    sub(&out->y, &d, &c);
}

static void sum(point *out, const point *p, const point *q) {
    field zz1, zz2, u1, u2, s1, s2, h, r, hh, hhh, v, t;
    if (is_nothing(&p->z)) {
        *out = *q;
        return;
    }
    if (is_nothing(&q->z)) {
        *out = *p;
        return;
    }
    square(&zz1, &p->z);
    square(&zz2, &q->z);
    mul(&u1, &p->x, &zz2);
    mul(&u2, &q->x, &zz1);
    mul(&s1, &p->y, &q->z);
    mul(&s1, &s1, &zz2);
    mul(&s2, &q->y, &p->z);
    mul(&s2, &s2, &zz1);
    if (is_same(&u1, &u2)) {
        if (is_same(&s1, &s2)) {
            twice(out, p);
        } else {
            *out = (point){0};
        }
        return;
    }
    sub(&h, &u2, &u1);
    sub(&r, &s2, &s1);
    square(&hh, &h);
    mul(&hhh, &h, &hh);
    mul(&v, &u1, &hh);
    mul(&t, &p->z, &q->z);
    mul(&out->z, &t, &h);
    square(&t, &r);
    sub(&t, &t, &hhh);
    sub(&t, &t, &v);
    sub(&out->x, &t, &v);
    sub(&t, &v, &out->x);
    mul(&t, &r, &t);
    mul(&s1, &s1, &hhh);
    sub(&out->y, &t, &s1);
}

static void read_number(field *to, uint32_t index) {
    word w;
    argument(&w, 4, index);
    for (int i = 0; i < 8; i++) {
        const uint8_t *from = w.at + 28 - 4 * i;
        to->at[i] = (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
    }
}

static void read_point(point *to, uint32_t index) {
    field left, right, spare;
    read_number(&to->x, index);
    read_number(&to->y, index + 1);
    if (!minus(&spare, &to->x, &P) || !minus(&spare, &to->y, &P)) REVERT("bn128: not below P");
    if (is_nothing(&to->x) && is_nothing(&to->y)) {
        *to = (point){0};
        return;
    }
    mul(&to->x, &to->x, &SQUARE);
    mul(&to->y, &to->y, &SQUARE);
    to->z = ONE;
    square(&left, &to->y);
    square(&right, &to->x);
    mul(&right, &right, &to->x);
    add(&right, &right, &THREE);
    if (!is_same(&left, &right)) REVERT("bn128: not on the curve");
}

static void write_number(uint8_t *to, const field *a) {
    field one = {{1}}, plain;
    mul(&plain, a, &one);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++) to[31 - 4 * i - j] = (uint8_t)(plain.at[i] >> (8 * j));
}

static _Noreturn void return_point(const point *p) {
    static uint8_t out[64];
    if (!is_nothing(&p->z)) {
        field inverse, power, x, y;
        invert(&inverse, &p->z);
        square(&power, &inverse);
        mul(&x, &p->x, &power);
        mul(&power, &power, &inverse);
        mul(&y, &p->y, &power);
        write_number(out, &x);
        write_number(out + 32, &y);
    }
    eth_finish(out, 64);
}

EWASM_EXPORT("main") void contract_main(void) {
    static point a, b, result;
    field k;
    refuse_value();
    switch (selector()) {
    case ADD:
        read_point(&a, 0);
        read_point(&b, 2);
        sum(&result, &a, &b);
        return_point(&result);
    case MUL:
        read_point(&a, 0);
        read_number(&k, 2);
        for (int i = 255; i >= 0; i--) {
            if (!is_nothing(&result.z)) twice(&result, &result);
            if (k.at[i / 32] >> (i % 32) & 1) sum(&result, &result, &a);
        }
        return_point(&result);
    default:
        revert_empty();
    }
}
