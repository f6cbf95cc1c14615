/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_columns.h: a depthwise convolution of stride 1 along a window, channel by channel.
 *
 * Four channels of the rows that lie a dilation apart are turned into columns of pairs in time, so that SMLAD
 * takes two taps, dilated or not, and a channel's weights and scale stay in registers.  As a column is read
 * as a whole before its outputs are written, they may take the place of the inputs.
 */
#ifndef EG_COLUMNS_H
#define EG_COLUMNS_H

#include "eg_taps.h"

enum { EG_LANES = 4 };

/* What a channel's outputs are made of. */
struct eg_lane {
    uint32_t pairs[EG_TAPS]; /* weights 0 and 1, 1 and 2, 2 and 3, ... */
    int32_t bias, multiplier, offset, shift;
};

/* The lanes of four channels from their constants, laid out as in struct eg_packed_depthwise. */
static EG_INLINE void eg_lanes(const uint32_t *w, int32_t taps, struct eg_lane lanes[EG_LANES]) {
    const uint32_t *scales = w + EG_LANES + 2 * taps;

    for (int32_t i = 0; i < EG_LANES; i++, scales += EG_SCALE_WORDS) {
        const uint32_t *weights = w + EG_LANES + i % 2;
        int32_t half = 16 * (i / 2);

        for (int32_t tap = 1; tap < taps; tap++) {
            uint32_t first = weights[2 * tap - 2] >> half, second = weights[2 * tap] >> half;

            lanes[i].pairs[tap - 1] = (first & 0xffffu) | second << 16;
        }
        lanes[i].bias = (int32_t)w[i];
        lanes[i].multiplier = (int32_t)scales[0];
        lanes[i].offset = (int32_t)scales[1];
        lanes[i].shift = (int32_t)scales[2];
    }
}

/* Four channels at two times as a pair each. */
static EG_INLINE uint32_t *eg_column_put(uint32_t four, uint32_t next, uint32_t *to) {
#if defined(__ARM_FEATURE_DSP)
    uint32_t a, b;

    __asm__ volatile("sxtb16 %[a], %[four]\n\tsxtb16 %[b], %[next]\n\t"
                     "pkhbt r4, %[a], %[b], lsl #16\n\tpkhtb r6, %[b], %[a], asr #16\n\t"
                     "sxtb16 %[a], %[four], ror #8\n\tsxtb16 %[b], %[next], ror #8\n\t"
                     "pkhbt r5, %[a], %[b], lsl #16\n\tpkhtb r8, %[b], %[a], asr #16\n\t"
                     "stm %[to]!, {r4, r5, r6, r8}"
                     : [to] "+r"(to), [a] "=&r"(a), [b] "=&r"(b)
                     : [four] "r"(four), [next] "r"(next)
                     : "r4", "r5", "r6", "r8", "memory");
    return to;
#else
    to[0] = (eg_even(four) & 0xffffu) | eg_even(next) << 16;
    to[1] = (eg_odd(four) & 0xffffu) | eg_odd(next) << 16;
    to[2] = eg_even(four) >> 16 | (eg_even(next) & 0xffff0000u);
    to[3] = eg_odd(four) >> 16 | (eg_odd(next) & 0xffff0000u);
    return to + EG_LANES;
#endif
}

static EG_INLINE uint32_t eg_row_or_border(const struct eg_geometry *g, const int8_t *in, int32_t row,
                                           uint32_t border) {
    return eg_inside(row, g->in_h) ? eg_load4(in + row * g->in_c) : border;
}

/* Columns of `pairs` times two rows from `row` on, a dilation apart; `in` is the first of four channels. */
static EG_INLINE void eg_columns_fill(const struct eg_geometry *g, const int8_t *in, int32_t row,
                                      int32_t pairs, uint32_t *to) {
    uint32_t border = (uint32_t)(g->zero_point & 0xff) * 0x01010101u;
    int32_t every = g->dilation_h * g->in_c;
    int32_t bound = g->in_h > g->dilation_h ? g->in_h - g->dilation_h : 0;

    while (pairs > 0) {
        for (; pairs > 0 && eg_inside(row, bound); pairs--, row += 2 * g->dilation_h) {
            to = eg_column_put(eg_load4(in + row * g->in_c), eg_load4(in + row * g->in_c + every), to);
        }
        if (pairs > 0) {
            uint32_t four = eg_row_or_border(g, in, row, border);

            to = eg_column_put(four, eg_row_or_border(g, in, row + g->dilation_h, border), to);
            pairs--;
            row += 2 * g->dilation_h;
        }
    }
}

static EG_INLINE int8_t eg_lane_narrow(const struct eg_lane *lane, int rectified, int32_t twice) {
    return rectified ? eg_rectify(twice, lane->multiplier, lane->offset, lane->shift)
                     : eg_narrow(twice, lane->multiplier, lane->offset, lane->shift);
}

/* `count` outputs of a lane, `next` apart, from its column. */
static EG_INLINE void eg_lane_run(const struct eg_lane *from, int32_t taps, int rectified,
                                  const uint32_t *column, int32_t count, int8_t *out, int32_t next) {
    const struct eg_lane lane = *from;
    const int32_t words = taps / 2 + 1;
    uint32_t x[EG_TAPS / 2 + 1];

    EG_UNROLL(EG_TAPS)
    for (int32_t i = 1; i < words; i++, column += EG_LANES) {
        x[i] = *column;
    }
    EG_UNROLL(6)
    for (; count > 0; count -= 2, column += EG_LANES, out += 2 * next) {
        int32_t first = lane.bias, second;

        EG_UNROLL(EG_TAPS)
        for (int32_t i = 1; i < words; i++) {
            x[i - 1] = x[i];
        }
        x[words - 1] = *column;
        second = eg_smlatb(x[0], lane.pairs[0], first);
        EG_UNROLL(EG_TAPS)
        for (int32_t i = 0; 2 * i + 1 < taps; i++) {
            first = eg_smlad(x[i], lane.pairs[2 * i], first);
            if (2 * i + 2 < taps) {
                second = eg_smlad(x[i + 1], lane.pairs[2 * i + 1], second);
            }
        }
        if (taps % 2 != 0) {
            first = eg_smlabt(x[words - 1], lane.pairs[taps - 2], first);
        } else {
            second = eg_smlabt(x[words - 1], lane.pairs[taps - 2], second);
        }
        out[0] = eg_lane_narrow(&lane, rectified, first);
        if (count > 1) {
            out[next] = eg_lane_narrow(&lane, rectified, second);
        }
    }
}

static EG_INLINE void eg_column_depthwise(const struct eg_packed_depthwise *p, const int8_t *in,
                                          uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const uint32_t *w = p->constants;
    const int32_t taps = g->kernel_h;
    struct eg_lane lanes[EG_LANES];

    for (int32_t c = 0; c < g->in_c; c += EG_LANES, w += EG_LANES * (1 + EG_SCALE_WORDS) + 2 * taps) {
        eg_lanes(w, taps, lanes);
        for (int32_t row = 0; row < g->dilation_h && row < g->out_h; row++) {
            int32_t count = (g->out_h - row + g->dilation_h - 1) / g->dilation_h;

            eg_columns_fill(g, in + c, row - g->pad_top, (count + 1) / 2 + taps / 2, scratch);
            for (int32_t i = 0; i < EG_LANES; i++) {
                eg_lane_run(&lanes[i], taps, p->rectified, scratch + i, count, out + row * g->in_c + c + i,
                            g->dilation_h * g->in_c);
            }
        }
    }
}

#endif
