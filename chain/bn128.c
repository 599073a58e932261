/* The curve alt_bn128 for precompiles 6, 7 and 8 (EIP-196, EIP-197).
 *
 * Three fields in a tower: Fp2 = Fp[u] / (u^2 + 1), Fp6 = Fp2[v] / (v^3 - xi) with xi = 9 + u, Fp12 = Fp6[w] / (w^2 - v).
 * G1 is y^2 = x^3 + 3 over Fp; G2 is a subgroup of the twist y^2 = x^3 + 3 / xi over Fp2, whose points (x, y) are
 * (x w^2, y w^3) on the curve over Fp12. What is read and written is big-endian, 32 bytes a number, zeros for the point
 * at infinity.
 *
 * The caller writes to what `input` returns, and reads the results of `add` and `mul` there. A pairing check is `start`,
 * `pairs` for each part of the input, `finish`. `add`, `mul` and `pairs` return 0 for an input that is malformed.
 * Whatever the numbers are, no function takes more memory than there is from the start.
 */
#define P_LIMBS {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}
#define ONE_LIMBS {0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}
#define SQUARE_LIMBS {0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6, 0x06d89f71cab8351f}
#define INVERSE 0x87d20782e4866389ull
#define SPARE_BITS 2
#include "limbs.h"

enum { PAIR_BYTES = 192, MOST_PAIRS = 16 };

typedef struct { fp re, im; } fp2;
typedef struct { fp2 c0, c1, c2; } fp6;
typedef struct { fp6 c0, c1; } fp12;

static const fp THREE = {{0x7a17caa950ad28d7, 0x1f6ac17ae15521b9, 0x334bea4e696bd284, 0x2a1f6744ce179d8e}};
/* 3 / xi */
static const fp2 TWIST = {
    {{0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d}},
    {{0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d}},
};
/* xi to the power of n (P - 1) / 6, for n from 1 to 5. */
static const fp2 GAMMA[6] = {
    {{{0}}, {{0}}},
    {{{0xaf9ba69633144907, 0xca6b1d7387afb78a, 0x11bded5ef08a2087, 0x02f34d751a1f3a7c}},
     {{0xa222ae234c492d72, 0xd00f02a4565de15b, 0xdc2ff3a253dfc926, 0x10a75716b3899551}}},
    {{{0xb5773b104563ab30, 0x347f91c8a9aa6454, 0x7a007127242e0991, 0x1956bcd8118214ec}},
     {{0x6e849f1ea0aa4757, 0xaa1c7b6d89f89141, 0xb6e713cdfae0ca3a, 0x26694fbb4e82ebc3}}},
    {{{0xe4bbdd0c2936b629, 0xbb30f162e133bacb, 0x31a9d1b6f9645366, 0x253570bea500f8dd}},
     {{0xa1d77ce45ffe77c7, 0x07affd117826d1db, 0x6d16bd27bb7edc6b, 0x2c87200285defecc}}},
    {{{0x7361d77f843abe92, 0xa5bb2bd3273411fb, 0x9c941f314b3e2399, 0x15df9cddbb9fd3ec}},
     {{0x5dddfd154bd8c949, 0x62cb29a5a4445b60, 0x37bc870a0c7dd2b9, 0x24830a9d3171f0fd}}},
    {{{0xc970692f41690fe7, 0xe240342127694b0b, 0x32bee66b83c459e8, 0x12aabced0ab08841}},
     {{0x0d485d2340aebfa9, 0x05193418ab2fcc57, 0xd3b0a40b8a4910f5, 0x2f21ebb535d2925a}}},
};
/* The number that the curve is made from: P and the order are polynomials of it. */
#define X 0x44e992b44a6909f1ull
enum { X_BITS = 63 };
/* The digits of 6 X + 2, each -1, 0 or 1, the lowest first. */
enum { LOOP_DIGITS = 66 };
static const signed char LOOP[LOOP_DIGITS] = {
    0, 0,  0, 1, 0, 1, 0, -1, 0, 0, -1, 0, 0, 0, 1,  0, 0, -1, 0, -1, 0, 0,  0, 1, 0, -1, 0,  0, 0, 0, -1, 0, 0,
    1, 0, -1, 0, 0, 1, 0, 0,  0, 0, 0,  -1, 0, 0, -1, 0, 1, 0,  -1, 0, 0, 0, -1, 0, -1, 0, 0, 0, 1, 0, -1, 0, 1,
};

/* Fp */

/* 1 / a, as a to the power of P - 2 (Fermat), four bits at a time. */
APART void invert(fp *out, const fp *a) {
    fp power[16] = {ONE}, result = ONE;
    for (int i = 1; i < 16; i++) mul_fp(&power[i], &power[i - 1], a);
    for (int i = 63; i >= 0; i--) {
        for (int j = 0; j < 4; j++) mul_fp(&result, &result, &result);
        u64 limb = P.at[i / 16] - (i < 16 ? 2 : 0);
        mul_fp(&result, &result, &power[limb >> (i % 16 * 4) & 15]);
    }
    *out = result;
}

/* Fp2 */

FAST void add2(fp2 *out, const fp2 *a, const fp2 *b) {
    add(&out->re, &a->re, &b->re);
    add(&out->im, &a->im, &b->im);
}

FAST void sub2(fp2 *out, const fp2 *a, const fp2 *b) {
    sub(&out->re, &a->re, &b->re);
    sub(&out->im, &a->im, &b->im);
}

FAST void negate2(fp2 *out, const fp2 *a) {
    negate(&out->re, &a->re);
    negate(&out->im, &a->im);
}

FAST void conjugate2(fp2 *out, const fp2 *a) {
    out->re = a->re;
    negate(&out->im, &a->im);
}

APART void mul2(fp2 *out, const fp2 *a, const fp2 *b) {
    fp re, im, left, right;
    mul(&re, &a->re, &b->re);
    mul(&im, &a->im, &b->im);
    add(&left, &a->re, &a->im);
    add(&right, &b->re, &b->im);
    mul(&left, &left, &right);
    sub(&left, &left, &re);
    sub(&out->im, &left, &im);
    sub(&out->re, &re, &im);
}

APART void square2(fp2 *out, const fp2 *a) {
    fp sum, difference, twice;
    add(&sum, &a->re, &a->im);
    sub(&difference, &a->re, &a->im);
    add(&twice, &a->re, &a->re);
    mul(&out->im, &twice, &a->im);
    mul(&out->re, &sum, &difference);
}

FAST void scale2(fp2 *out, const fp2 *a, const fp *k) {
    mul(&out->re, &a->re, k);
    mul(&out->im, &a->im, k);
}

/* Times xi. */
APART void mul_xi(fp2 *out, const fp2 *a) {
    fp2 nine;
    fp re;
    add2(&nine, a, a);
    add2(&nine, &nine, &nine);
    add2(&nine, &nine, &nine);
    add2(&nine, &nine, a);
    sub(&re, &nine.re, &a->im);
    add(&out->im, &nine.im, &a->re);
    out->re = re;
}

static void invert2(fp2 *out, const fp2 *a) {
    fp left, right;
    mul_fp(&left, &a->re, &a->re);
    mul_fp(&right, &a->im, &a->im);
    add(&left, &left, &right);
    invert(&left, &left);
    conjugate2(out, a);
    scale2(out, out, &left);
}

FAST int is_nothing2(const fp2 *a) { return is_nothing(&a->re) & is_nothing(&a->im); }
FAST int is_same2(const fp2 *a, const fp2 *b) { return is_same(&a->re, &b->re) & is_same(&a->im, &b->im); }

/* Fp6 */

static void add6(fp6 *out, const fp6 *a, const fp6 *b) {
    add2(&out->c0, &a->c0, &b->c0);
    add2(&out->c1, &a->c1, &b->c1);
    add2(&out->c2, &a->c2, &b->c2);
}

static void sub6(fp6 *out, const fp6 *a, const fp6 *b) {
    sub2(&out->c0, &a->c0, &b->c0);
    sub2(&out->c1, &a->c1, &b->c1);
    sub2(&out->c2, &a->c2, &b->c2);
}

/* Times v. */
static void mul_v(fp6 *out, const fp6 *a) {
    fp2 first;
    mul_xi(&first, &a->c2);
    out->c2 = a->c1;
    out->c1 = a->c0;
    out->c0 = first;
}

/* (a + b) (c + d) - x - y */
static void cross(fp2 *out, const fp2 *a, const fp2 *b, const fp2 *c, const fp2 *d, const fp2 *x, const fp2 *y) {
    fp2 left, right;
    add2(&left, a, b);
    add2(&right, c, d);
    mul2(&left, &left, &right);
    sub2(&left, &left, x);
    sub2(out, &left, y);
}

static void mul6(fp6 *out, const fp6 *a, const fp6 *b) {
    fp2 t0, t1, t2, high, c1, c2;
    mul2(&t0, &a->c0, &b->c0);
    mul2(&t1, &a->c1, &b->c1);
    mul2(&t2, &a->c2, &b->c2);
    cross(&high, &a->c1, &a->c2, &b->c1, &b->c2, &t1, &t2);
    cross(&c1, &a->c0, &a->c1, &b->c0, &b->c1, &t0, &t1);
    cross(&c2, &a->c0, &a->c2, &b->c0, &b->c2, &t0, &t2);
    mul_xi(&high, &high);
    add2(&out->c0, &t0, &high);
    mul_xi(&t2, &t2);
    add2(&out->c1, &c1, &t2);
    add2(&out->c2, &c2, &t1);
}

/* Times b0 + b1 v. */
static void mul6_two(fp6 *out, const fp6 *a, const fp2 *b0, const fp2 *b1) {
    fp2 t0, t1, high, c1, c2;
    mul2(&t0, &a->c0, b0);
    mul2(&t1, &a->c1, b1);
    mul2(&high, &a->c2, b1);
    cross(&c1, &a->c0, &a->c1, b0, b1, &t0, &t1);
    mul2(&c2, &a->c2, b0);
    mul_xi(&high, &high);
    add2(&out->c0, &t0, &high);
    out->c1 = c1;
    add2(&out->c2, &c2, &t1);
}

static void invert6(fp6 *out, const fp6 *a) {
    fp2 x, y, z, t, norm;
    square2(&x, &a->c0);
    mul2(&t, &a->c1, &a->c2);
    mul_xi(&t, &t);
    sub2(&x, &x, &t);
    square2(&y, &a->c2);
    mul_xi(&y, &y);
    mul2(&t, &a->c0, &a->c1);
    sub2(&y, &y, &t);
    square2(&z, &a->c1);
    mul2(&t, &a->c0, &a->c2);
    sub2(&z, &z, &t);
    mul2(&norm, &a->c2, &y);
    mul2(&t, &a->c1, &z);
    add2(&norm, &norm, &t);
    mul_xi(&norm, &norm);
    mul2(&t, &a->c0, &x);
    add2(&norm, &norm, &t);
    invert2(&norm, &norm);
    mul2(&out->c0, &x, &norm);
    mul2(&out->c1, &y, &norm);
    mul2(&out->c2, &z, &norm);
}

/* Fp12 */

static void mul12(fp12 *out, const fp12 *a, const fp12 *b) {
    fp6 t0, t1, left, right;
    mul6(&t0, &a->c0, &b->c0);
    mul6(&t1, &a->c1, &b->c1);
    add6(&left, &a->c0, &a->c1);
    add6(&right, &b->c0, &b->c1);
    mul6(&left, &left, &right);
    sub6(&left, &left, &t0);
    sub6(&out->c1, &left, &t1);
    mul_v(&t1, &t1);
    add6(&out->c0, &t0, &t1);
}

static void square12(fp12 *out, const fp12 *a) {
    fp6 t, left, right;
    mul6(&t, &a->c0, &a->c1);
    add6(&left, &a->c0, &a->c1);
    mul_v(&right, &a->c1);
    add6(&right, &right, &a->c0);
    mul6(&left, &left, &right);
    sub6(&left, &left, &t);
    add6(&out->c1, &t, &t);
    mul_v(&t, &t);
    sub6(&out->c0, &left, &t);
}

/* Times l0 + (l1 + l2 v) w: what lines are. */
static void mul12_line(fp12 *f, const fp2 *l0, const fp2 *l1, const fp2 *l2) {
    fp6 t0, t1, sum;
    fp2 both;
    mul2(&t0.c0, &f->c0.c0, l0);
    mul2(&t0.c1, &f->c0.c1, l0);
    mul2(&t0.c2, &f->c0.c2, l0);
    mul6_two(&t1, &f->c1, l1, l2);
    add6(&sum, &f->c0, &f->c1);
    add2(&both, l0, l1);
    mul6_two(&sum, &sum, &both, l2);
    sub6(&sum, &sum, &t0);
    sub6(&f->c1, &sum, &t1);
    mul_v(&t1, &t1);
    add6(&f->c0, &t0, &t1);
}

static void conjugate12(fp12 *out, const fp12 *a) {
    fp6 nothing = {0};
    out->c0 = a->c0;
    sub6(&out->c1, &nothing, &a->c1);
}

static void invert12(fp12 *out, const fp12 *a) {
    fp6 left, right;
    mul6(&left, &a->c0, &a->c0);
    mul6(&right, &a->c1, &a->c1);
    mul_v(&right, &right);
    sub6(&left, &left, &right);
    invert6(&left, &left);
    mul6(&out->c0, &a->c0, &left);
    mul6(&right, &a->c1, &left);
    fp6 nothing = {0};
    sub6(&out->c1, &nothing, &right);
}

static void frobenius2(fp2 *out, const fp2 *a, int power) {
    conjugate2(out, a);
    if (power) mul2(out, out, &GAMMA[power]);
}

/* To the power of P. */
static void frobenius12(fp12 *out, const fp12 *a) {
    frobenius2(&out->c0.c0, &a->c0.c0, 0);
    frobenius2(&out->c1.c0, &a->c1.c0, 1);
    frobenius2(&out->c0.c1, &a->c0.c1, 2);
    frobenius2(&out->c1.c1, &a->c1.c1, 3);
    frobenius2(&out->c0.c2, &a->c0.c2, 4);
    frobenius2(&out->c1.c2, &a->c1.c2, 5);
}

/* (a + b y)^2 in Fp2[y] / (y^2 - xi) */
static void square4(fp2 *out0, fp2 *out1, const fp2 *a, const fp2 *b) {
    fp2 aa, bb, both;
    square2(&aa, a);
    square2(&bb, b);
    add2(&both, a, b);
    square2(&both, &both);
    sub2(&both, &both, &aa);
    sub2(out1, &both, &bb);
    mul_xi(&bb, &bb);
    add2(out0, &aa, &bb);
}

/* out = 3 t - 2 a, or 3 t + 2 a */
static void three_less(fp2 *out, const fp2 *t, const fp2 *a) {
    fp2 d;
    sub2(&d, t, a);
    add2(&d, &d, &d);
    add2(out, &d, t);
}

static void three_more(fp2 *out, const fp2 *t, const fp2 *a) {
    fp2 d;
    add2(&d, t, a);
    add2(&d, &d, &d);
    add2(out, &d, t);
}

/* The square of what has a norm of 1 over Fp6 and over Fp4 (Granger and Scott): three squares over Fp4 = Fp2[w^3]. */
static void square_unit(fp12 *out, const fp12 *a) {
    fp2 a0, a1, b0, b1, c0, c1;
    square4(&a0, &a1, &a->c0.c0, &a->c1.c1);
    square4(&b0, &b1, &a->c1.c0, &a->c0.c2);
    square4(&c0, &c1, &a->c0.c1, &a->c1.c2);
    mul_xi(&c1, &c1);
    three_less(&out->c0.c0, &a0, &a->c0.c0);
    three_more(&out->c1.c1, &a1, &a->c1.c1);
    three_more(&out->c1.c0, &c1, &a->c1.c0);
    three_less(&out->c0.c2, &c0, &a->c0.c2);
    three_less(&out->c0.c1, &b0, &a->c0.c1);
    three_more(&out->c1.c2, &b1, &a->c1.c2);
}

/* a to the power of X, for such an a. */
static void power_x(fp12 *out, const fp12 *a) {
    fp12 base = *a, result = *a;
    for (int i = X_BITS - 2; i >= 0; i--) {
        square_unit(&result, &result);
        if (X >> i & 1) mul12(&result, &result, &base);
    }
    *out = result;
}

static int is_one12(const fp12 *a) {
    const fp2 *at = &a->c0.c0;
    int rest = 1;
    for (int i = 1; i < 6; i++) rest &= is_nothing2(&at[i]);
    return rest & is_same(&a->c0.c0.re, &ONE) & is_nothing(&a->c0.c0.im);
}

/* Whether f to the power of (P^12 - 1) / order is 1. First (P^6 - 1) (P^2 + 1); then what is left, (P^4 - P^2 + 1) /
 * order, times 2 X (6 X^2 + 3 X + 1), which has no divisor in common with the order (Fuentes-Castaneda, Knapp and
 * Rodriguez-Henriquez): l0 + l1 P + l2 P^2 + l3 P^3 with
 *   l2 = 12 X^3 + 6 X^2 + 6 X, l1 = l2 - 2 X, l0 = l2 + 6 X^2 + 1, l3 = l1 - 1. */
static int is_one_after_all(const fp12 *f) {
    fp12 a, b, x, square, cube, l;
    invert12(&a, f);
    conjugate12(&b, f);
    mul12(&a, &a, &b);
    frobenius12(&b, &a);
    frobenius12(&b, &b);
    mul12(&a, &a, &b);

    power_x(&x, &a);
    square_unit(&x, &x);              /* 2 X */
    square_unit(&b, &x);
    mul12(&b, &b, &x);                /* 6 X */
    power_x(&square, &b);             /* 6 X^2 */
    square_unit(&cube, &square);
    power_x(&cube, &cube);            /* 12 X^3 */
    mul12(&b, &b, &square);
    mul12(&b, &b, &cube);             /* l2 */
    conjugate12(&x, &x);
    mul12(&x, &x, &b);                /* l1 */
    mul12(&l, &b, &square);
    mul12(&l, &l, &a);                /* l0 */
    frobenius12(&cube, &x);
    mul12(&l, &l, &cube);
    frobenius12(&cube, &b);
    frobenius12(&cube, &cube);
    mul12(&l, &l, &cube);
    conjugate12(&a, &a);
    mul12(&x, &x, &a);                /* l3 */
    for (int i = 0; i < 3; i++) frobenius12(&x, &x);
    mul12(&l, &l, &x);
    return is_one12(&l);
}

/* Points, of both groups by the same text. */

#define POINTS(FIELD, POINT, TWICE, SUM, ADD, SUB, MUL, SQR, IS_NOTHING, IS_SAME) \
    typedef struct { FIELD x, y, z; } POINT; \
    APART void TWICE(POINT *out, const POINT *p) { \
        FIELD a, b, c, d, e, f, t; \
        SQR(&a, &p->x); \
        SQR(&b, &p->y); \
        SQR(&c, &b); \
        ADD(&d, &p->x, &b); \
        SQR(&d, &d); \
        SUB(&d, &d, &a); \
        SUB(&d, &d, &c); \
        ADD(&d, &d, &d); \
        ADD(&e, &a, &a); \
        ADD(&e, &e, &a); \
        SQR(&f, &e); \
        MUL(&t, &p->y, &p->z); \
        ADD(&out->z, &t, &t); \
        SUB(&f, &f, &d); \
        SUB(&out->x, &f, &d); \
        SUB(&d, &d, &out->x); \
        MUL(&d, &e, &d); \
        ADD(&c, &c, &c); \
        ADD(&c, &c, &c); \
        ADD(&c, &c, &c); \
        SUB(&out->y, &d, &c); \
    } \
    SUM_OF_POINTS(FIELD, POINT, TWICE, SUM, SUB, MUL, SQR, IS_NOTHING, IS_SAME)

#define SQUARE_FP(out, a) mul_fp(out, a, a)
POINTS(fp, g1, twice1, sum1, add, sub, mul_fp, SQUARE_FP, is_nothing, is_same)
POINTS(fp2, g2, twice2, sum2, add2, sub2, mul2, square2, is_nothing2, is_same2)

/* To the power of P, on the twist. */
static void frobenius_point(g2 *out, const g2 *p) {
    frobenius2(&out->x, &p->x, 2);
    frobenius2(&out->y, &p->y, 3);
    frobenius2(&out->z, &p->z, 0);
}

/* Whether a point q of the twist has the order that G2 has: with F the power of P and a = X q, whether
 * (a + q) + F a + F^2 a = F^3 2 a. By F^2 - t F + P = 0 (t = 6 X^2 + 1) that says that some n q is 0 where the greatest
 * divisor that n and the number of points have in common is the order; and F is P on G2, so all of G2 passes. */
static int is_in_subgroup(const g2 *q) {
    g2 a = *q, sum, power;
    for (int i = X_BITS - 2; i >= 0; i--) {
        twice2(&a, &a);
        if (X >> i & 1) sum2(&a, &a, q);
    }
    sum2(&sum, &a, q);
    frobenius_point(&power, &a);
    sum2(&sum, &sum, &power);
    frobenius_point(&power, &power);
    sum2(&sum, &sum, &power);
    frobenius_point(&power, &power);
    twice2(&power, &power);
    negate2(&power.y, &power.y);
    sum2(&sum, &sum, &power);
    return is_nothing2(&sum.z);
}

/* The pairing: optimal ate. */

typedef struct {
    fp x, y;
    fp2 qx, qy;
    g2 t;
} pair;

static u8 bytes[PAIR_BYTES * MOST_PAIRS] __attribute__((aligned(16)));
static pair kept[MOST_PAIRS];
static fp12 product;

/* f times the tangent at t, in the first point; t = 2 t. Lines may be scaled by anything of Fp2, so nothing is divided:
 * y zz z - 3 x^2 zz X w + (3 x^3 - 2 y^2) w^3 with z that of 2 t. */
static void tangent(fp12 *f, pair *p) {
    g2 *t = &p->t;
    fp2 a, b, zz, three, l0, l1, l2;
    square2(&a, &t->x);
    square2(&b, &t->y);
    square2(&zz, &t->z);
    add2(&three, &a, &a);
    add2(&three, &three, &a);
    mul2(&l2, &three, &t->x);
    sub2(&l2, &l2, &b);
    sub2(&l2, &l2, &b);
    mul2(&l1, &three, &zz);
    scale2(&l1, &l1, &p->x);
    negate2(&l1, &l1);
    twice2(t, t);
    mul2(&l0, &t->z, &zz);
    scale2(&l0, &l0, &p->y);
    mul12_line(f, &l0, &l1, &l2);
}

/* f times the line through t and q, in the first point; t = t + q. q is no multiple of t's that ends the loop early:
 * t is n q with 1 < n < order - 1, and neither is infinite. */
static void chord(fp12 *f, pair *p, const fp2 *qx, const fp2 *qy) {
    g2 *t = &p->t;
    fp2 h, r, hh, hhh, v, s, l0, l1, l2;
    square2(&hh, &t->z);
    mul2(&h, qx, &hh);
    sub2(&h, &h, &t->x);
    mul2(&r, &hh, &t->z);
    mul2(&r, &r, qy);
    sub2(&r, &r, &t->y);
    square2(&hh, &h);
    mul2(&hhh, &hh, &h);
    mul2(&v, &t->x, &hh);
    mul2(&t->z, &t->z, &h);
    square2(&t->x, &r);
    sub2(&t->x, &t->x, &hhh);
    sub2(&t->x, &t->x, &v);
    sub2(&t->x, &t->x, &v);
    sub2(&v, &v, &t->x);
    mul2(&v, &v, &r);
    mul2(&s, &t->y, &hhh);
    sub2(&t->y, &v, &s);
    scale2(&l0, &t->z, &p->y);
    scale2(&l1, &r, &p->x);
    negate2(&l1, &l1);
    mul2(&l2, &r, qx);
    mul2(&s, qy, &t->z);
    sub2(&l2, &l2, &s);
    mul12_line(f, &l0, &l1, &l2);
}

static void multiply_pairs(u32 count) {
    static fp12 f;
    f = (fp12){0};
    f.c0.c0.re = ONE;
    for (int i = LOOP_DIGITS - 2; i >= 0; i--) {
        if (i < LOOP_DIGITS - 2) square12(&f, &f);
        for (u32 n = 0; n < count; n++) {
            pair *p = &kept[n];
            tangent(&f, p);
            if (LOOP[i] > 0) chord(&f, p, &p->qx, &p->qy);
            if (LOOP[i] < 0) {
                fp2 below;
                negate2(&below, &p->qy);
                chord(&f, p, &p->qx, &below);
            }
        }
    }
    for (u32 n = 0; n < count; n++) {
        pair *p = &kept[n];
        g2 power = {p->qx, p->qy, {ONE, {{0}}}};
        frobenius_point(&power, &power);
        chord(&f, p, &power.x, &power.y);
        frobenius_point(&power, &power);
        negate2(&power.y, &power.y);
        chord(&f, p, &power.x, &power.y);
    }
    mul12(&product, &product, &f);
}

/* Input and output */

/* A number of the field, in Montgomery's form; 0 if it is not below P. */
static int read_fp(fp *to, const u8 *from) {
    fp spare;
    read_word(to, from);
    if (!minus(&spare, to, &P)) return 0;
    mul_fp(to, to, &SQUARE);
    return 1;
}

static int read_g1(g1 *to, const u8 *from) {
    fp left, right;
    if (!read_fp(&to->x, from) || !read_fp(&to->y, from + 32)) return 0;
    if (is_nothing(&to->x) && is_nothing(&to->y)) {
        to->z = (fp){{0}};
        return 1;
    }
    to->z = ONE;
    mul_fp(&left, &to->y, &to->y);
    mul_fp(&right, &to->x, &to->x);
    mul_fp(&right, &right, &to->x);
    add(&right, &right, &THREE);
    return is_same(&left, &right);
}

/* The imaginary part comes first (EIP-197). */
static int read_g2(g2 *to, const u8 *from) {
    fp2 left, right;
    if (!read_fp(&to->x.im, from) || !read_fp(&to->x.re, from + 32)) return 0;
    if (!read_fp(&to->y.im, from + 64) || !read_fp(&to->y.re, from + 96)) return 0;
    if (is_nothing2(&to->x) && is_nothing2(&to->y)) {
        to->z = (fp2){{{0}}, {{0}}};
        return 1;
    }
    to->z = (fp2){ONE, {{0}}};
    square2(&left, &to->y);
    square2(&right, &to->x);
    mul2(&right, &right, &to->x);
    add2(&right, &right, &TWIST);
    return is_same2(&left, &right) && is_in_subgroup(to);
}

static void write_fp(u8 *to, const fp *a) {
    fp one = {{1}}, plain;
    mul_fp(&plain, a, &one);
    for (int i = 0; i < 32; i++) to[31 - i] = (u8)(plain.at[i / 8] >> (i % 8 * 8));
}

static void write_g1(u8 *to, const g1 *p) {
    if (is_nothing(&p->z)) {
        for (int i = 0; i < 64; i++) to[i] = 0;
        return;
    }
    fp inverse, power, number;
    invert(&inverse, &p->z);
    mul_fp(&power, &inverse, &inverse);
    mul_fp(&number, &p->x, &power);
    write_fp(to, &number);
    mul_fp(&power, &power, &inverse);
    mul_fp(&number, &p->y, &power);
    write_fp(to + 32, &number);
}

EXPORT("input") u8 *where_input_is(void) { return bytes; }

/* 128 bytes: two points. 64 bytes: their sum. */
EXPORT("add") u32 add_points(void) {
    g1 a, b;
    if (!read_g1(&a, bytes) || !read_g1(&b, bytes + 64)) return 0;
    sum1(&a, &a, &b);
    write_g1(bytes, &a);
    return 1;
}

/* 96 bytes: a point and any number below 2^256. 64 bytes: the product. */
EXPORT("mul") u32 multiply_point(void) {
    static g1 multiple[16];
    g1 result = {0};
    fp k;
    if (!read_g1(&multiple[1], bytes)) return 0;
    read_word(&k, bytes + 64);
    multiple[0] = result;
    for (int i = 2; i < 16; i++) sum1(&multiple[i], &multiple[i - 1], &multiple[1]);
    for (int i = 63; i >= 0; i--) {
        for (int j = 0; j < 4; j++) twice1(&result, &result);
        sum1(&result, &result, &multiple[k.at[i / 16] >> (i % 16 * 4) & 15]);
    }
    write_g1(bytes, &result);
    return 1;
}

EXPORT("start") void start(void) {
    product = (fp12){0};
    product.c0.c0.re = ONE;
}

/* Up to 16 times 192 bytes: a point of G1 and one of G2. */
EXPORT("pairs") u32 take_pairs(u32 count) {
    u32 used = 0;
    if (count > MOST_PAIRS) __builtin_trap();
    for (u32 n = 0; n < count; n++) {
        const u8 *from = bytes + PAIR_BYTES * n;
        pair *p = &kept[used];
        g1 a;
        if (!read_g1(&a, from) || !read_g2(&p->t, from + 64)) return 0;
        if (is_nothing(&a.z) || is_nothing2(&p->t.z)) continue;
        p->x = a.x;
        p->y = a.y;
        p->qx = p->t.x;
        p->qy = p->t.y;
        used++;
    }
    multiply_pairs(used);
    return 1;
}

EXPORT("finish") u32 finish(void) { return (u32)is_one_after_all(&product); }
