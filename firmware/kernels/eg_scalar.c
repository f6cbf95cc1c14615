/* SPDX-License-Identifier: Apache-2.0
 *
 * The inner loop of the packed kernels over a window, for cores that multiply one pair of numbers at a time:
 * twelve sums, and a register for each.
 */
#include "eg_scalar.h"

/* Three positions' products with the weights of outputs o and n.  The empty instruction says that the sums
 * are wanted now, each in its register: compilers would rather load all weights first and put sums on the
 * stack. */
#define EG_WEIGHTS(o, n, place)                                                                              \
    do {                                                                                                     \
        int32_t v = h[place], u = h[(place) + 2];                                                            \
        s##o##0 += (uint32_t)(v * a);                                                                        \
        s##n##0 += (uint32_t)(u * a);                                                                        \
        s##o##1 += (uint32_t)(v * b);                                                                        \
        s##n##1 += (uint32_t)(u * b);                                                                        \
        s##o##2 += (uint32_t)(v * c);                                                                        \
        s##n##2 += (uint32_t)(u * c);                                                                        \
        __asm__ volatile(""                                                                                  \
                         : "+r"(s##o##0), "+r"(s##o##1), "+r"(s##o##2), "+r"(s##n##0), "+r"(s##n##1),        \
                           "+r"(s##n##2)                                                                     \
                         :                                                                                   \
                         : "memory");                                                                        \
    } while (0)
#define EG_INPUT(k, place)                                                                                   \
    do {                                                                                                     \
        int32_t a = x[k], b = y[k], c = z[k];                                                                \
        EG_WEIGHTS(0, 1, place);                                                                             \
        EG_WEIGHTS(2, 3, (place) + 4);                                                                       \
    } while (0)
static EG_INLINE void eg_scalar_put3(uint32_t s, uint32_t t, uint32_t u, const uint32_t *w, int8_t *out,
                                     int32_t next) {
    struct eg_scalar_scale by = eg_scalar_scale(w);

    eg_scalar_put(s, by, out);
    eg_scalar_put(t, by, out + next);
    eg_scalar_put(u, by, out + 2 * next);
}

const uint32_t *eg_scalar_tile3(const uint32_t *w, const int8_t *x, int32_t depth, int8_t *out,
                                int32_t next) {
    uint32_t s00 = w[0], s01 = w[0], s02 = w[0], s10 = w[1], s11 = w[1], s12 = w[1];
    uint32_t s20 = w[2], s21 = w[2], s22 = w[2], s30 = w[3], s31 = w[3], s32 = w[3];
    const eg_half *h = (const eg_half *)(w + EG_SCALAR_OUTPUTS);
    const int8_t *y = x + depth, *z = y + depth;

    w += EG_SCALAR_OUTPUTS * (1 + depth / 2);
    for (const int8_t *end = y; x != end; x += 4, y += 4, z += 4, h += 16) {
        EG_INPUT(0, 0);
        EG_INPUT(2, 1);
        EG_INPUT(1, 8);
        EG_INPUT(3, 9);
    }
    eg_scalar_put3(s00, s01, s02, w, out, next);
    eg_scalar_put3(s10, s11, s12, w + EG_SCALE_WORDS, out + 1, next);
    eg_scalar_put3(s20, s21, s22, w + 2 * EG_SCALE_WORDS, out + 2, next);
    eg_scalar_put3(s30, s31, s32, w + 3 * EG_SCALE_WORDS, out + 3, next);
    return w + EG_SCALAR_OUTPUTS * EG_SCALE_WORDS;
}

/* One position's products with the weights of all four outputs. */
#define EG_ALONE(k, place)                                                                                   \
    do {                                                                                                     \
        int32_t a = x[k];                                                                                    \
        s0 += (uint32_t)(h[place] * a);                                                                      \
        s1 += (uint32_t)(h[(place) + 2] * a);                                                                \
        s2 += (uint32_t)(h[(place) + 4] * a);                                                                \
        s3 += (uint32_t)(h[(place) + 6] * a);                                                                \
        __asm__ volatile("" : "+r"(s0), "+r"(s1), "+r"(s2), "+r"(s3) : : "memory");                          \
    } while (0)

const uint32_t *eg_scalar_tile1(const uint32_t *w, const int8_t *x, int32_t depth, int8_t *out) {
    uint32_t s0 = w[0], s1 = w[1], s2 = w[2], s3 = w[3];
    const eg_half *h = (const eg_half *)(w + EG_SCALAR_OUTPUTS);

    w += EG_SCALAR_OUTPUTS * (1 + depth / 2);
    EG_UNROLL(2)
    for (const int8_t *end = x + depth; x != end; x += 4, h += 16) {
        EG_ALONE(0, 0);
        EG_ALONE(2, 1);
        EG_ALONE(1, 8);
        EG_ALONE(3, 9);
    }
    eg_scalar_put(s0, eg_scalar_scale(w), out);
    eg_scalar_put(s1, eg_scalar_scale(w + EG_SCALE_WORDS), out + 1);
    eg_scalar_put(s2, eg_scalar_scale(w + 2 * EG_SCALE_WORDS), out + 2);
    eg_scalar_put(s3, eg_scalar_scale(w + 3 * EG_SCALE_WORDS), out + 3);
    return w + EG_SCALAR_OUTPUTS * EG_SCALE_WORDS;
}
