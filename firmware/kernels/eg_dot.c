/* SPDX-License-Identifier: Apache-2.0
 *
 * Dot products on words of two int16: SMLAD takes two products at once.  Four outputs share the loads of a
 * patch; where two patches are there, they share the loads of the weights.
 */
#include "eg_dot.h"

#if defined(__ARM_FEATURE_DSP)
/* A word of weights for each of four outputs, at two positions: fourteen registers, all that gcc has. */
#define LOAD2 "ldrd %[v], %[u], [%[w]], #8\n\t"
#define BOTH(n, weights)                                                                                     \
    "smlad %[s" #n "], %[a], %[" weights "], %[s" #n "]\n\tsmlad %[t" #n "], %[b], %[" weights "], %[t" #n   \
    "]\n\t"
#if !defined(__clang__)
#define PAIR "ldrd %[a], %[b], [%[x]], #8\n\t" LOAD2 BOTH(0, "v") BOTH(1, "u") LOAD2 BOTH(2, "v") BOTH(3, "u")
#define SECOND , [u] "=&r"(u)
#define OWN uint32_t u;
#else /* thirteen, one kept back */
#define LOAD1 "ldr %[v], [%[w]], #4\n\t"
#define PAIR                                                                                                 \
    "ldrd %[a], %[b], [%[x]], #8\n\t" LOAD1 BOTH(0, "v") LOAD1 BOTH(1, "v") LOAD1 BOTH(2, "v")               \
        LOAD1 BOTH(3, "v")
#define SECOND
#define OWN
#endif
#define TWO_PAIRS PAIR PAIR
#define EIGHT_PAIRS TWO_PAIRS TWO_PAIRS TWO_PAIRS TWO_PAIRS

/* The PAIRs of `code`; compilers by themselves keep accumulators on the stack. */
#define MULTIPLY(code)                                                                                       \
    do {                                                                                                     \
        uint32_t a, b, v;                                                                                    \
        OWN __asm__ volatile(code : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3),              \
                             [t0] "+r"(t0), [t1] "+r"(t1), [t2] "+r"(t2), [t3] "+r"(t3), [x] "+r"(x),        \
                             [w] "+r"(w), [a] "=&r"(a), [b] "=&r"(b), [v] "=&r"(v)SECOND : : "memory");      \
    } while (0)
#else
#define TWO_PAIRS 2
#define EIGHT_PAIRS 8
#define MULTIPLY(pairs)                                                                                      \
    for (int32_t i = pairs; i > 0; i--, x += 2, w += EG_TILE) {                                              \
        s0 = eg_smlad(x[0], w[0], s0);                                                                       \
        t0 = eg_smlad(x[1], w[0], t0);                                                                       \
        s1 = eg_smlad(x[0], w[1], s1);                                                                       \
        t1 = eg_smlad(x[1], w[1], t1);                                                                       \
        s2 = eg_smlad(x[0], w[2], s2);                                                                       \
        t2 = eg_smlad(x[1], w[2], t2);                                                                       \
        s3 = eg_smlad(x[0], w[3], s3);                                                                       \
        t3 = eg_smlad(x[1], w[3], t3);                                                                       \
    }
#endif

/* Four outputs of two positions, whose words take turns in x; returns the constants behind theirs. */
static inline const uint32_t *tile2(const uint32_t *w, const uint32_t *x, int32_t words, int8_t *out,
                                    int32_t next) {
    const uint32_t *end = x + 2 * words;
    const uint32_t *eights = x + 2 * (words & -8);
    int32_t s0 = (int32_t)w[0], s1 = (int32_t)w[1], s2 = (int32_t)w[2], s3 = (int32_t)w[3];
    int32_t t0 = s0, t1 = s1, t2 = s2, t3 = s3;

    w += EG_TILE;
    while (x != eights) {
        MULTIPLY(EIGHT_PAIRS);
    }
    while (x != end) {
        MULTIPLY(TWO_PAIRS);
    }
    eg_narrow_both(s0, t0, &w, out, next);
    eg_narrow_both(s1, t1, &w, out + 1, next);
    eg_narrow_both(s2, t2, &w, out + 2, next);
    eg_narrow_both(s3, t3, &w, out + 3, next);
    return w;
}

void eg_dot2(const struct eg_pass *p, const uint32_t *x, int8_t *out, int32_t next) {
    const uint32_t *w = p->constants;
    int32_t words = p->words;
    int32_t rest = p->outputs % EG_TILE;
    int8_t *end = out + p->outputs - rest;

    while (out != end) {
        w = tile2(w, x, words, out, next);
        out += EG_TILE;
    }
    for (; rest > 0; rest--, out++) {
        eg_single(w, x, words, 2, out);
        w = eg_single(w, x + 1, words, 2, out + next);
    }
}
