/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_dot.h: the outputs of one or two unpacked patches.  For the packed kernels alone.
 */
#ifndef EG_DOT_H
#define EG_DOT_H

#include "eg_dsp.h"

#include <string.h>

enum {
    EG_TILE = 4,          /* outputs that share the loads of a patch */
    EG_WORTH_STAGING = 8, /* positions from which copying the weights to RAM pays */
};

/* Outputs that are computed one after the other, laid out as in struct eg_packed. */
struct eg_pass {
    const uint32_t *constants;
    int32_t outputs;
    int32_t words; /* of a patch */
    int32_t rectified;
};

/* Four outputs of one position; returns the constants behind theirs. */
static EG_INLINE const uint32_t *eg_tile(const uint32_t *w, const uint32_t *x, int32_t words, int8_t *out) {
    int32_t s0 = (int32_t)w[0], s1 = (int32_t)w[1], s2 = (int32_t)w[2], s3 = (int32_t)w[3];

    w += EG_TILE;
    EG_UNROLL(4)
    for (int32_t i = 0; i < words; i += 2) {
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
        w += 2 * EG_TILE;
#endif
    }
    out[0] = eg_narrow_next(s0, &w);
    out[1] = eg_narrow_next(s1, &w);
    out[2] = eg_narrow_next(s2, &w);
    out[3] = eg_narrow_next(s3, &w);
    return w;
}

/* One output; x moves by `pitch` words. */
static EG_INLINE const uint32_t *eg_single(const uint32_t *w, const uint32_t *x, int32_t words, int32_t pitch,
                                           int8_t *out) {
    int32_t sum = (int32_t)*w++;

    for (int32_t i = 0; i < words; i++, x += pitch) {
        sum = eg_smlad(*x, *w++, sum);
    }
    *out = eg_narrow_next(sum, &w);
    return w;
}

/* out [outputs] of the patch x [words]. */
static EG_INLINE void eg_dot(const struct eg_pass *p, const uint32_t *x, int8_t *out) {
    const uint32_t *w = p->constants;

    for (int32_t tiles = p->outputs / EG_TILE; tiles > 0; tiles--, out += EG_TILE) {
        w = eg_tile(w, x, p->words, out);
    }
    for (int32_t rest = p->outputs % EG_TILE; rest > 0; rest--, out++) {
        w = eg_single(w, x, p->words, 1, out);
    }
}

/* `count` of p's outputs from `first` on. */
static EG_INLINE struct eg_pass eg_pass(const struct eg_packed *p, int32_t first, int32_t count) {
    struct eg_pass pass;

    pass.constants = p->constants + first * (p->words + 1 + EG_SCALE_WORDS);
    pass.outputs = first + count < p->outputs ? count : p->outputs - first;
    pass.words = p->words;
    pass.rectified = p->rectified;
    return pass;
}

/* The same, copied to `words`. */
static EG_INLINE struct eg_pass eg_staged(const struct eg_packed *p, int32_t first, uint32_t *words) {
    struct eg_pass pass = eg_pass(p, first, p->staged);
    int32_t count = pass.outputs * (p->words + 1 + EG_SCALE_WORDS);

    memcpy(words, pass.constants, (size_t)count * sizeof *words);
    pass.constants = words;
    return pass;
}

/* `count` values, a multiple of four, to int16, each word `pitch` behind the one before; returns the end. */
static EG_INLINE uint32_t *eg_unpack(const int8_t *x, int32_t count, uint32_t *to, int32_t pitch) {
    for (; count >= 16; count -= 16, x += 16, to += 8 * pitch) {
        uint32_t a = eg_load4(x), b = eg_load4(x + 4), c = eg_load4(x + 8), d = eg_load4(x + 12);

        to[0] = eg_even(a);
        to[pitch] = eg_odd(a);
        to[2 * pitch] = eg_even(b);
        to[3 * pitch] = eg_odd(b);
        to[4 * pitch] = eg_even(c);
        to[5 * pitch] = eg_odd(c);
        to[6 * pitch] = eg_even(d);
        to[7 * pitch] = eg_odd(d);
    }
    for (; count > 0; count -= 4, x += 4, to += 2 * pitch) {
        uint32_t a = eg_load4(x);

        to[0] = eg_even(a);
        to[pitch] = eg_odd(a);
    }
    return to;
}

#endif
