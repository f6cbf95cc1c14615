/* SPDX-License-Identifier: Apache-2.0
 *
 * Dot products on words of two int16: SMLAD takes two products at once.  Four outputs share the loads of a
 * patch; where two patches are there, they share the loads of the weights.
 */
#include "eg_dot.h"

enum { TILE = 4 };

/* Four outputs of one position. */
static inline void tile1(const uint32_t *w, const uint32_t *x, int32_t words, const int32_t bias[TILE],
                         const struct eg_scale *scale, int8_t *out) {
    const uint32_t *end = x + words;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];

    do {
#if defined(__ARM_FEATURE_DSP)
        uint32_t a, b;

        /* a load of four words, which no compiler makes of this: it takes registers in order */
        __asm__ volatile("ldrd %[a], %[b], [%[x]], #8\n\t"
                         "ldm %[w]!, {r4, r5, r6, r8}\n\t"
                         "smlad %[s0], %[a], r4, %[s0]\n\tsmlad %[s1], %[a], r5, %[s1]\n\t"
                         "smlad %[s2], %[a], r6, %[s2]\n\tsmlad %[s3], %[a], r8, %[s3]\n\t"
                         "ldm %[w]!, {r4, r5, r6, r8}\n\t"
                         "smlad %[s0], %[b], r4, %[s0]\n\tsmlad %[s1], %[b], r5, %[s1]\n\t"
                         "smlad %[s2], %[b], r6, %[s2]\n\tsmlad %[s3], %[b], r8, %[s3]"
                         : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [x] "+r"(x),
                           [w] "+r"(w), [a] "=&r"(a), [b] "=&r"(b)
                         :
                         : "r4", "r5", "r6", "r8", "memory");
#else
        s0 = eg_smlad(x[1], w[4], eg_smlad(x[0], w[0], s0));
        s1 = eg_smlad(x[1], w[5], eg_smlad(x[0], w[1], s1));
        s2 = eg_smlad(x[1], w[6], eg_smlad(x[0], w[2], s2));
        s3 = eg_smlad(x[1], w[7], eg_smlad(x[0], w[3], s3));
        x += 2;
        w += 2 * TILE;
#endif
    } while (x != end);
    eg_narrow4(s0, s1, s2, s3, scale, out);
}

#if defined(__ARM_FEATURE_DSP) && !defined(__clang__)
/* A word of weights for each of four outputs, at two positions: fourteen registers, all there are. */
#define PAIR \
    "ldrd %[a], %[b], [%[x]], #8\n\t" \
    "ldrd %[v], %[u], [%[w]], #8\n\t" \
    "smlad %[s0], %[a], %[v], %[s0]\n\tsmlad %[t0], %[b], %[v], %[t0]\n\t" \
    "smlad %[s1], %[a], %[u], %[s1]\n\tsmlad %[t1], %[b], %[u], %[t1]\n\t" \
    "ldrd %[v], %[u], [%[w]], #8\n\t" \
    "smlad %[s2], %[a], %[v], %[s2]\n\tsmlad %[t2], %[b], %[v], %[t2]\n\t" \
    "smlad %[s3], %[a], %[u], %[s3]\n\tsmlad %[t3], %[b], %[u], %[t3]\n\t"

#define TWO_PAIRS PAIR PAIR
#define EIGHT_PAIRS TWO_PAIRS TWO_PAIRS TWO_PAIRS TWO_PAIRS

/* The PAIRs of `code`; gcc by itself keeps accumulators on the stack. */
#define MULTIPLY(code) \
    do { \
        uint32_t a, b, u, v; \
        __asm__ volatile(code \
                         : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [t0] "+r"(t0), \
                           [t1] "+r"(t1), [t2] "+r"(t2), [t3] "+r"(t3), [x] "+r"(x), [w] "+r"(w), \
                           [a] "=&r"(a), [b] "=&r"(b), [u] "=&r"(u), [v] "=&r"(v) \
                         : \
                         : "memory"); \
    } while (0)
#else
#define TWO_PAIRS 2
#define EIGHT_PAIRS 8
#define MULTIPLY(pairs) \
    for (int32_t i = pairs; i > 0; i--, x += 2, w += TILE) { \
        s0 = eg_smlad(x[0], w[0], s0); \
        t0 = eg_smlad(x[1], w[0], t0); \
        s1 = eg_smlad(x[0], w[1], s1); \
        t1 = eg_smlad(x[1], w[1], t1); \
        s2 = eg_smlad(x[0], w[2], s2); \
        t2 = eg_smlad(x[1], w[2], t2); \
        s3 = eg_smlad(x[0], w[3], s3); \
        t3 = eg_smlad(x[1], w[3], t3); \
    }
#endif

/* Four outputs of two positions, whose words take turns in x. */
static inline void tile2(const uint32_t *w, const uint32_t *x, int32_t words, const int32_t bias[TILE],
                         const struct eg_scale *scale, int8_t *out, int32_t next) {
    const uint32_t *end = x + 2 * words;
    const uint32_t *eights = x + 2 * (words & -8);
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    int32_t t0 = s0, t1 = s1, t2 = s2, t3 = s3;

    while (x != eights) {
        MULTIPLY(EIGHT_PAIRS);
    }
    while (x != end) {
        MULTIPLY(TWO_PAIRS);
    }
    eg_narrow4(s0, s1, s2, s3, scale, out);
    eg_narrow4(t0, t1, t2, t3, scale, out + next);
}

static int32_t single(const uint32_t *w, const uint32_t *x, int32_t words, int32_t pitch, int32_t sum) {
    for (int32_t i = 0; i < words; i++, x += pitch) {
        sum = eg_smlad(*x, w[i], sum);
    }
    return sum;
}

void eg_dot(const struct eg_pass *p, const uint32_t *x, int8_t *out) {
    const struct eg_pass q = *p; /* out cannot alias it */
    const uint32_t *w = q.weights;
    int32_t o = 0;

    for (; o + TILE <= q.outputs; o += TILE, w += TILE * q.words) {
        tile1(w, x, q.words, q.bias + o, q.scale + o, out + o);
    }
    for (; o < q.outputs; o++, w += q.words) {
        out[o] = eg_narrow(single(w, x, q.words, 1, q.bias[o]), q.scale + o);
    }
}

void eg_dot2(const struct eg_pass *p, const uint32_t *x, int8_t *out, int32_t next) {
    const struct eg_pass q = *p;
    const uint32_t *w = q.weights;
    int32_t o = 0;

    for (; o + TILE <= q.outputs; o += TILE, w += TILE * q.words) {
        tile2(w, x, q.words, q.bias + o, q.scale + o, out + o, next);
    }
    for (; o < q.outputs; o++, w += q.words) {
        out[o] = eg_narrow(single(w, x, q.words, 2, q.bias[o]), q.scale + o);
        out[o + next] = eg_narrow(single(w, x + 1, q.words, 2, q.bias[o]), q.scale + o);
    }
}
