/* Numbers modulo a prime P of 256 bits or less, and sums of points, for the curves in this folder.
 *
 * A number is four limbs of 64 bits, the lowest first, in Montgomery's form (times 2^256 mod P) while it is worked with.
 * Whoever includes this says P_LIMBS, ONE_LIMBS (2^256 mod P, which is 1), SQUARE_LIMBS (2^512 mod P, which brings a
 * number into Montgomery's form), INVERSE (-1 / P mod 2^64) and SPARE_BITS, how many of the highest limb P leaves.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned __int128 u128;

#define EXPORT(name) __attribute__((export_name(name)))
#define FAST static __attribute__((always_inline)) inline
#define APART static __attribute__((noinline))

typedef struct { u64 at[4]; } fp;

static const fp P = {P_LIMBS};
static const fp ONE = {ONE_LIMBS};
static const fp SQUARE = {SQUARE_LIMBS};

FAST int is_nothing(const fp *a) { return (a->at[0] | a->at[1] | a->at[2] | a->at[3]) == 0; }

FAST int is_same(const fp *a, const fp *b) {
    return ((a->at[0] ^ b->at[0]) | (a->at[1] ^ b->at[1]) | (a->at[2] ^ b->at[2]) | (a->at[3] ^ b->at[3])) == 0;
}

/* out = a - b; what has to be borrowed (0 or 1). */
FAST u64 minus(fp *out, const fp *a, const fp *b) {
    u64 borrow = 0;
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        u128 d = (u128)a->at[i] - b->at[i] - borrow;
        out->at[i] = (u64)d;
        borrow = (u64)(d >> 64) & 1;
    }
    return borrow;
}

/* out = a + b; what is carried out (0 or 1). */
FAST u64 plus(fp *out, const fp *a, const fp *b) {
    u128 carry = 0;
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        carry += (u128)a->at[i] + b->at[i];
        out->at[i] = (u64)carry;
        carry >>= 64;
    }
    return (u64)carry;
}

/* Takes P away from what is below 2 P, if it can be taken; `top` is the bit above the highest limb. */
FAST void reduce(fp *out, const fp *a, u64 top) {
    fp less;
    u64 keep = -(minus(&less, a, &P) & ~top);
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) out->at[i] = (a->at[i] & keep) | (less.at[i] & ~keep);
}

FAST void add(fp *out, const fp *a, const fp *b) {
    fp sum;
    u64 top = plus(&sum, a, b);
    reduce(out, &sum, SPARE_BITS ? 0 : top);
}

FAST void sub(fp *out, const fp *a, const fp *b) {
    fp difference, back;
    u64 take = -minus(&difference, a, b);
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) back.at[i] = P.at[i] & take;
    plus(out, &difference, &back);
}

FAST void negate(fp *out, const fp *a) {
    fp nothing = {{0}};
    sub(out, &nothing, a);
}

/* out = a * b / 2^256 mod P: each limb of b, then the multiple of P that clears the lowest limb. */
FAST void mul(fp *out, const fp *a, const fp *b) {
    u64 t[5] = {0};
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        u128 left = (u128)a->at[0] * b->at[i] + t[0];
        u64 m = (u64)left * INVERSE;
        u128 right = (u128)m * P.at[0] + (u64)left;
#pragma clang loop unroll(full)
        for (int j = 1; j < 4; j++) {
            left = (u128)a->at[j] * b->at[i] + t[j] + (u64)(left >> 64);
            right = (u128)m * P.at[j] + (u64)left + (u64)(right >> 64);
            t[j - 1] = (u64)right;
        }
#if SPARE_BITS
        /* With a bit to spare what is carried fits into one limb. */
        t[3] = (u64)(left >> 64) + (u64)(right >> 64);
#else
        right = (u128)t[4] + (u64)(left >> 64) + (u64)(right >> 64);
        t[3] = (u64)right;
        t[4] = (u64)(right >> 64);
#endif
    }
    fp result = {{t[0], t[1], t[2], t[3]}};
    reduce(out, &result, SPARE_BITS ? 0 : t[4]);
}

APART void mul_fp(fp *out, const fp *a, const fp *b) { mul(out, a, b); }

static void read_word(fp *to, const u8 *from) {
    for (int i = 0; i < 4; i++) {
        u64 limb = 0;
        for (int j = 0; j < 8; j++) limb = limb << 8 | from[8 * (3 - i) + j];
        to->at[i] = limb;
    }
}

/* Points are Jacobian: (x / z^2, y / z^3); z = 0 is the point at infinity. A sum is the same on every curve y^2 = x^3 +
 * a x + b, a double is not. */
#define SUM_OF_POINTS(FIELD, POINT, TWICE, SUM, SUB, MUL, SQR, IS_NOTHING, IS_SAME) \
    APART void SUM(POINT *out, const POINT *p, const POINT *q) { \
        FIELD zz1, zz2, u1, u2, s1, s2, h, r, hh, hhh, v, t; \
        if (IS_NOTHING(&p->z)) { \
            *out = *q; \
            return; \
        } \
        if (IS_NOTHING(&q->z)) { \
            *out = *p; \
            return; \
        } \
        SQR(&zz1, &p->z); \
        SQR(&zz2, &q->z); \
        MUL(&u1, &p->x, &zz2); \
        MUL(&u2, &q->x, &zz1); \
        MUL(&s1, &p->y, &q->z); \
        MUL(&s1, &s1, &zz2); \
        MUL(&s2, &q->y, &p->z); \
        MUL(&s2, &s2, &zz1); \
        if (IS_SAME(&u1, &u2)) { \
            if (IS_SAME(&s1, &s2)) \
                TWICE(out, p); \
            else \
                *out = (POINT){0}; \
            return; \
        } \
        SUB(&h, &u2, &u1); \
        SUB(&r, &s2, &s1); \
        SQR(&hh, &h); \
        MUL(&hhh, &h, &hh); \
        MUL(&v, &u1, &hh); \
        MUL(&t, &p->z, &q->z); \
        MUL(&out->z, &t, &h); \
        SQR(&t, &r); \
        SUB(&t, &t, &hhh); \
        SUB(&t, &t, &v); \
        SUB(&out->x, &t, &v); \
        SUB(&t, &v, &out->x); \
        MUL(&t, &r, &t); \
        MUL(&s1, &s1, &hhh); \
        SUB(&out->y, &t, &s1); \
    }
