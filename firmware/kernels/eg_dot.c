/* SPDX-License-Identifier: Apache-2.0
 *
 * Dot products on words of two int16: SMLAD takes two products at once.  Four outputs share the loads of a
 * patch; where two patches are there, they share the loads of the weights.
 */
#include "eg_dot.h"

#include <string.h>

enum { TILE = 4 };

/* The outputs of one tile, from one row of sums. */
static inline void finish(const int32_t sum[TILE], const struct eg_scale *scale, int8_t *out) {
    out[0] = eg_narrow(sum[0], scale);
    out[1] = eg_narrow(sum[1], scale + 1);
    out[2] = eg_narrow(sum[2], scale + 2);
    out[3] = eg_narrow(sum[3], scale + 3);
}

/* Four outputs of one position. */
static void tile1(const uint32_t *w, const uint32_t *x, int32_t words, const int32_t bias[TILE],
                  int32_t sum[TILE]) {
    const uint32_t *end = x + words;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];

    for (; x != end; x += 2, w += 2 * TILE) {
        uint32_t a = x[0], b = x[1];

        s0 = eg_smlad(a, w[0], s0);
        s1 = eg_smlad(a, w[1], s1);
        s2 = eg_smlad(a, w[2], s2);
        s3 = eg_smlad(a, w[3], s3);
        s0 = eg_smlad(b, w[4], s0);
        s1 = eg_smlad(b, w[5], s1);
        s2 = eg_smlad(b, w[6], s2);
        s3 = eg_smlad(b, w[7], s3);
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
}

#if defined(__ARM_FEATURE_DSP) && !defined(__clang__)
/* Two words of weights for each of four outputs, at two positions: fourteen registers, all there are. */
#define PAIR \
    "ldrd %[a], %[b], [%[x]], #8\n\t" \
    "ldrd %[v], %[u], [%[w]], #8\n\t" \
    "smlad %[s0], %[a], %[v], %[s0]\n\tsmlad %[t0], %[b], %[v], %[t0]\n\t" \
    "smlad %[s1], %[a], %[u], %[s1]\n\tsmlad %[t1], %[b], %[u], %[t1]\n\t" \
    "ldrd %[v], %[u], [%[w]], #8\n\t" \
    "smlad %[s2], %[a], %[v], %[s2]\n\tsmlad %[t2], %[b], %[v], %[t2]\n\t" \
    "smlad %[s3], %[a], %[u], %[s3]\n\tsmlad %[t3], %[b], %[u], %[t3]\n\t"

/* The loop of tile2() below as gcc does not find it: no accumulator on the stack. */
static void tile2(const uint32_t *w, const uint32_t *x, int32_t words, const int32_t bias[TILE],
                  int32_t sum[2 * TILE]) {
    const uint32_t *end = x + 2 * words;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    int32_t t0 = s0, t1 = s1, t2 = s2, t3 = s3;

    do {
        uint32_t a, b, u, v;

        __asm__ volatile(PAIR PAIR
                         : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [t0] "+r"(t0),
                           [t1] "+r"(t1), [t2] "+r"(t2), [t3] "+r"(t3), [x] "+r"(x), [w] "+r"(w),
                           [a] "=&r"(a), [b] "=&r"(b), [u] "=&r"(u), [v] "=&r"(v)
                         :
                         : "memory");
    } while (x != end);
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
    sum[4] = t0;
    sum[5] = t1;
    sum[6] = t2;
    sum[7] = t3;
}
#else
/* Four outputs of two positions, whose words take turns in x. */
static void tile2(const uint32_t *w, const uint32_t *x, int32_t words, const int32_t bias[TILE],
                  int32_t sum[2 * TILE]) {
    const uint32_t *end = x + 2 * words;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    int32_t t0 = s0, t1 = s1, t2 = s2, t3 = s3;

    for (; x != end; x += 2, w += TILE) {
        uint32_t a = x[0], b = x[1];

        s0 = eg_smlad(a, w[0], s0);
        t0 = eg_smlad(b, w[0], t0);
        s1 = eg_smlad(a, w[1], s1);
        t1 = eg_smlad(b, w[1], t1);
        s2 = eg_smlad(a, w[2], s2);
        t2 = eg_smlad(b, w[2], t2);
        s3 = eg_smlad(a, w[3], s3);
        t3 = eg_smlad(b, w[3], t3);
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
    sum[4] = t0;
    sum[5] = t1;
    sum[6] = t2;
    sum[7] = t3;
}
#endif

static int32_t single(const uint32_t *w, const uint32_t *x, int32_t words, int32_t pitch, int32_t sum) {
    for (int32_t i = 0; i < words; i++, x += pitch) {
        sum = eg_smlad(*x, w[i], sum);
    }
    return sum;
}

void eg_dot(const struct eg_pass *p, const uint32_t *x, int8_t *out) {
    const uint32_t *w = p->weights;
    int32_t o = 0;

    for (; o + TILE <= p->outputs; o += TILE, w += TILE * p->words) {
        int32_t sum[TILE];

        tile1(w, x, p->words, p->bias + o, sum);
        finish(sum, p->scale + o, out + o);
    }
    for (; o < p->outputs; o++, w += p->words) {
        out[o] = eg_narrow(single(w, x, p->words, 1, p->bias[o]), p->scale + o);
    }
}

void eg_dot2(const struct eg_pass *p, const uint32_t *x, int8_t *out, int32_t next) {
    const uint32_t *w = p->weights;
    int32_t o = 0;

    for (; o + TILE <= p->outputs; o += TILE, w += TILE * p->words) {
        int32_t sum[2 * TILE];

        tile2(w, x, p->words, p->bias + o, sum);
        finish(sum, p->scale + o, out + o);
        finish(sum + TILE, p->scale + o, out + o + next);
    }
    for (; o < p->outputs; o++, w += p->words) {
        out[o] = eg_narrow(single(w, x, p->words, 2, p->bias[o]), p->scale + o);
        out[o + next] = eg_narrow(single(w, x + 1, p->words, 2, p->bias[o]), p->scale + o);
    }
}

struct eg_pass eg_pass(const struct eg_packed *p, int32_t first, int32_t count, uint32_t *stage) {
    struct eg_pass pass;

    pass.weights = p->weights + first * p->words;
    pass.bias = p->bias + first;
    pass.scale = p->scale + first;
    pass.outputs = first + count < p->outputs ? count : p->outputs - first;
    pass.words = p->words;
    if (stage != NULL) {
        memcpy(stage, pass.weights, (size_t)(pass.outputs * pass.words) * sizeof *stage);
        pass.weights = stage;
    }
    return pass;
}
