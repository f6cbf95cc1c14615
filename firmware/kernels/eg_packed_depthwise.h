/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_packed_depthwise.h: depthwise convolution four channels at a time, straight from the rows where the
 * taps lie.  Positions run backwards, as in eg_packed_conv.h.
 */
#ifndef EG_PACKED_DEPTHWISE_H
#define EG_PACKED_DEPTHWISE_H

#include "eg_taps.h"

static EG_INLINE void eg_depthwise_position(const struct eg_packed_depthwise *p,
                                            const int8_t *const taps[EG_TAPS], int8_t *out) {
    int32_t count = p->geometry.kernel_h * p->geometry.kernel_w;
    int32_t channel = 0;
    const uint32_t *w = p->constants;

    for (const int8_t *end = out + p->geometry.in_c; out != end; out += 4, channel += 4) {
        int32_t s0 = (int32_t)w[0], s1 = (int32_t)w[1], s2 = (int32_t)w[2], s3 = (int32_t)w[3];

        w += 4;
        EG_UNROLL(8)
        for (int32_t i = 0; i < count; i++) {
#if defined(__ARM_FEATURE_DSP)
            uint32_t four = eg_load4(taps[i] + channel);
            uint32_t even, u, v;

            /* in one piece, or gcc brings forward the loads of all taps and puts sums on the stack */
            __asm__ volatile("ldrd %[v], %[u], [%[w]], #8\n\t"
                             "sxtb16 %[even], %[four]\n\t"
                             "smlabb %[s0], %[even], %[v], %[s0]\n\tsmlatt %[s2], %[even], %[v], %[s2]\n\t"
                             "sxtb16 %[even], %[four], ror #8\n\t"
                             "smlabb %[s1], %[even], %[u], %[s1]\n\tsmlatt %[s3], %[even], %[u], %[s3]"
                             : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [w] "+r"(w),
                               [even] "=&r"(even), [u] "=&r"(u), [v] "=&r"(v)
                             : [four] "r"(four)
                             : "memory");
#elif EG_PAIRS
            uint32_t four = eg_load4(taps[i] + channel);

            s0 = eg_smlabb(eg_even(four), w[0], s0);
            s1 = eg_smlabb(eg_odd(four), w[1], s1);
            s2 = eg_smlatt(eg_even(four), w[0], s2);
            s3 = eg_smlatt(eg_odd(four), w[1], s3);
            w += 2;
#else
            const int8_t *x = taps[i] + channel;
            const eg_half *h = (const eg_half *)w;

            s0 = (int32_t)((uint32_t)s0 + (uint32_t)(h[0] * x[0]));
            s1 = (int32_t)((uint32_t)s1 + (uint32_t)(h[2] * x[1]));
            s2 = (int32_t)((uint32_t)s2 + (uint32_t)(h[1] * x[2]));
            s3 = (int32_t)((uint32_t)s3 + (uint32_t)(h[3] * x[3]));
            w += 2;
#endif
        }
        out[0] = eg_narrow_next(s0, &w);
        out[1] = eg_narrow_next(s1, &w);
        out[2] = eg_narrow_next(s2, &w);
        out[3] = eg_narrow_next(s3, &w);
    }
}

static EG_INLINE const int8_t *eg_depthwise_border(const struct eg_packed_depthwise *p, uint32_t *scratch) {
    return __builtin_memset(scratch, p->geometry.zero_point, (size_t)p->geometry.in_c);
}

static EG_INLINE void eg_packed_depthwise(const struct eg_packed_depthwise *p, int32_t frames,
                                          const int8_t *in, uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const int8_t *zeros = eg_depthwise_border(p, scratch);
    const int8_t *taps[EG_TAPS];

    in += frames * g->in_h * g->in_w * g->in_c;
    out += frames * g->out_h * g->out_w * g->in_c;
    for (int32_t frame = 0; frame < frames; frame++) {
        in -= g->in_h * g->in_w * g->in_c;
        for (int32_t y = g->out_h - 1; y >= 0; y--) {
            for (int32_t x = g->out_w - 1; x >= 0; x--) {
                eg_taps(g, in, y, x, zeros, taps);
                out -= g->in_c;
                eg_depthwise_position(p, taps, out);
            }
        }
    }
}

static EG_INLINE void eg_packed_depthwise_step(const struct eg_packed_depthwise *p, int8_t *ring,
                                               uint32_t *head, const int8_t *in, uint32_t *scratch,
                                               int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const int8_t *zeros = g->in_w > 1 ? eg_depthwise_border(p, scratch) : NULL;
    const int8_t *taps[EG_TAPS];

    for (int32_t x = 0; x < g->out_w; x++) {
        eg_taps_ring(g, ring, *head, in, x, zeros, taps);
        eg_depthwise_position(p, taps, out);
        out += g->in_c;
    }
    eg_taps_push(g, ring, head, in);
}

#endif
