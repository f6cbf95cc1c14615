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

enum {
    EG_LANES = 4,
    EG_SHIFTS = 4, /* different ones, for each of which there is code */
    EG_LONG = 12,  /* outputs of a run from which assembly pays */
};

/* What a channel's outputs are made of; the assembly knows the layout. */
struct eg_lane {
    uintptr_t from, to;
    int32_t entry;
    uint32_t x[3]; /* the column's first words */
    int32_t multiplier, offset;
    uint32_t pairs[EG_TAPS]; /* weights 0 and 1, 1 and 2, 2 and 3, ... */
    int32_t bias, shift, rounds;
};

/* The lane of channel `i` of four from their constants, laid out as in struct eg_packed_depthwise. */
static EG_INLINE void eg_lane_of(const uint32_t *w, int32_t taps, int32_t i, struct eg_lane *lane) {
    const uint32_t *scales = w + EG_LANES + 2 * taps + i * EG_SCALE_WORDS;
    const uint32_t *at = w + EG_LANES + i % 2;

    lane->bias = (int32_t)w[i];
    lane->multiplier = (int32_t)scales[0];
    lane->offset = (int32_t)scales[1];
    lane->shift = (int32_t)scales[2];
    for (int32_t tap = 1; tap < taps; tap++, at += 2) {
        lane->pairs[tap - 1] = i < 2 ? (at[0] & 0xffffu) | at[2] << 16 : at[0] >> 16 | (at[2] & 0xffff0000u);
    }
}

/* Four channels at two times as a pair each. */
static EG_INLINE uint32_t *eg_column_put(uint32_t four, uint32_t next, uint32_t *to) {
#if defined(__ARM_FEATURE_DSP)
    uint32_t a, b;

    __asm__ volatile("pkhbt %[a], %[four], %[next], lsl #16\n\tpkhtb %[b], %[next], %[four], asr #16\n\t"
                     "sxtb16 r4, %[a]\n\tsxtb16 r5, %[a], ror #8\n\t"
                     "sxtb16 r6, %[b]\n\tsxtb16 r8, %[b], ror #8\n\t"
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
        int32_t inside = eg_inside(row, bound) ? (bound - row - 1) / (2 * g->dilation_h) + 1 : 0;
        const int8_t *at = in + row * g->in_c;

        inside = inside < pairs ? inside : pairs;
        pairs -= inside;
        row += 2 * inside * g->dilation_h;
        EG_UNROLL(2)
        for (; inside > 0; inside--, at += 2 * every) {
            to = eg_column_put(eg_load4(at), eg_load4(at + every), to);
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
    EG_UNROLL(3)
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

#if defined(__ARM_FEATURE_DSP) && defined(__OPTIMIZE__) && !defined(__clang__)
/* Two outputs, the second `next` behind the first.  r0 is the lane, r1 the column, r2 out, r8 and r9
 * multiplier and offset, r10 and on the weights; r5 to r7 take turns as the column's words, the last of which
 * is read. Instructions of four bytes.  A compiler fetches constants anew for each output, and shifts by a
 * register. */
#define EG_PAIR_OF_THREE(i, x0, x1, narrow)                                                                  \
    "ldr.w " x1 ", [r1, #16*" i "]\n\t"                                                                      \
    "smlatb r4, " x0 ", r10, r7\n\tsmlad r3, " x0 ", r10, r7\n\t"                                            \
    "smlad r4, " x1 ", r11, r4\n\tsmlabt r3, " x1 ", r11, r3\n\t" narrow(x0) EG_PUT_PAIR(i)
#define EG_PAIR_OF_FIVE(i, x0, x1, x2, narrow)                                                               \
    "ldr.w " x2 ", [r1, #16*" i "]\n\tldr.w r3, [r0, %[bias]]\n\t"                                           \
    "smlatb r4, " x0 ", r10, r3\n\tsmlad r3, " x0 ", r10, r3\n\t"                                            \
    "smlad r4, " x1 ", r11, r4\n\tsmlad r3, " x1 ", r12, r3\n\t"                                             \
    "smlad r4, " x2 ", lr, r4\n\tsmlabt r3, " x2 ", lr, r3\n\t" narrow(x0) EG_PUT_PAIR(i)
#define EG_ROUND_PAIR(free)                                                                                  \
    "add.w " free ", r9, r3, asr #31\n\tsmmlar r3, r3, r8, " free "\n\t"                                     \
    "add.w " free ", r9, r4, asr #31\n\tsmmlar r4, r4, r8, " free "\n\t"
#define EG_RECTIFY_PAIR(free) "smmlar r3, r3, r8, r9\n\tsmmlar r4, r4, r8, r9\n\t"
#define EG_PUT_PAIR(i)                                                                                       \
    "ssat r3, #8, r3, asr %[shift]\n\tssat r4, #8, r4, asr %[shift]\n\t"                                     \
    "strb.w r3, [r2, #2*" i "*%c[next]]\n\tstrb.w r4, [r2, #(2*" i "+1)*%c[next]]\n\t"
/* Rounds of some pairs, the first of which is entered where as many are left as there should be. */
#define EG_ROUNDS(pairs, code)                                                                               \
    do {                                                                                                     \
        register struct eg_lane *r0 __asm__("r0") = lane;                                                    \
        __asm__ volatile("ldm r0, {r1, r2, r4-r12, lr}\n\tadr r3, 1f\n\tadd r3, r3, r4\n\t"                  \
                         "bx r3\n\t.p2align 2\n1:\n\t" code "add r1, r1, #16*" pairs                         \
                         "\n\tadd r2, r2, #2*" pairs "*%c[next]\n\t"                                         \
                         "ldr r3, [r0, %[rounds]]\n\tsubs r3, r3, #1\n\tstr r3, [r0, %[rounds]]\n\tbne.w 1b" \
                         :                                                                                   \
                         : "r"(r0), [bias] "i"(offsetof(struct eg_lane, bias)), [next] "i"(next),            \
                           [rounds] "i"(offsetof(struct eg_lane, rounds)), [shift] "i"(shift)                \
                         : "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr",  \
                           "cc", "memory");                                                                  \
    } while (0)
#define EG_LANE_OF_THREE(narrow)                                                                             \
    EG_ROUNDS("4", EG_PAIR_OF_THREE("0", "r5", "r6", narrow) EG_PAIR_OF_THREE("1", "r6", "r5", narrow)       \
                       EG_PAIR_OF_THREE("2", "r5", "r6", narrow) EG_PAIR_OF_THREE("3", "r6", "r5", narrow))
#define EG_LANE_OF_FIVE(narrow)                                                                              \
    EG_ROUNDS("3", EG_PAIR_OF_FIVE("0", "r5", "r6", "r7", narrow) EG_PAIR_OF_FIVE(                           \
                       "1", "r6", "r7", "r5", narrow) EG_PAIR_OF_FIVE("2", "r7", "r5", "r6", narrow))

/* Pairs of outputs, at least one, of three or five taps. */
static EG_INLINE void eg_lane_pairs(struct eg_lane *lane, int32_t taps, int rectified, int32_t shift,
                                    const uint32_t *column, int32_t pairs, int8_t *out, int32_t next) {
    int32_t round = taps == 3 ? 4 : 3;
    int32_t skipped = (round - pairs % round) % round;
    int32_t instructions = taps + (taps == 3 ? 8 : 9) + (rectified ? 0 : 2);

    lane->rounds = (pairs + round - 1) / round;
    lane->from = (uintptr_t)(column + taps / 2 * EG_LANES) - (uintptr_t)(16 * skipped);
    lane->to = (uintptr_t)out - (uintptr_t)(2 * next * skipped);
    lane->entry = 4 * instructions * skipped + 1;
    if (taps == 3) {
        lane->x[0] = lane->x[1] = column[0];
        lane->x[2] = (uint32_t)lane->bias;
        if (rectified) {
            EG_LANE_OF_THREE(EG_RECTIFY_PAIR);
        } else {
            EG_LANE_OF_THREE(EG_ROUND_PAIR);
        }
    } else {
        lane->x[skipped] = column[0];
        lane->x[(skipped + 1) % 3] = column[EG_LANES];
        if (rectified) {
            EG_LANE_OF_FIVE(EG_RECTIFY_PAIR);
        } else {
            EG_LANE_OF_FIVE(EG_ROUND_PAIR);
        }
    }
}

/* Whether there is assembly, and runs long enough for it: its instructions hold shifts and distances. */
static EG_INLINE int eg_lane_assembly(const struct eg_packed_depthwise *p) {
    const struct eg_geometry *g = &p->geometry;
    int taps = g->kernel_h == 3 || g->kernel_h == 5;

    return taps && p->most_shift - p->least_shift < EG_SHIFTS && g->out_h >= EG_LONG * g->dilation_h &&
           8 * g->dilation_h * g->in_c < 4096;
}
#else
static EG_INLINE void eg_lane_pairs(struct eg_lane *lane, int32_t taps, int rectified, int32_t shift,
                                    const uint32_t *column, int32_t pairs, int8_t *out, int32_t next) {
    (void)shift;
    eg_lane_run(lane, taps, rectified, column, 2 * pairs, out, next);
}

static EG_INLINE int eg_lane_assembly(const struct eg_packed_depthwise *p) {
    (void)p;
    return 0;
}
#endif

/* The outputs of a lane in all runs of rows, from columns of `pairs` each. */
static EG_INLINE void eg_lane_rows(const struct eg_packed_depthwise *p, struct eg_lane *lane, int32_t shift,
                                   const uint32_t *column, int32_t pairs, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    int32_t next = g->dilation_h * g->in_c;

    for (int32_t row = 0; row < g->dilation_h && row < g->out_h; row++, out += g->in_c) {
        int32_t count = (g->out_h - row + g->dilation_h - 1) / g->dilation_h;
        int32_t even = shift > 0 ? count / 2 : 0;

        if (even > 0) {
            eg_lane_pairs(lane, g->kernel_h, p->rectified, shift, column, even, out, next);
        }
        eg_lane_run(lane, g->kernel_h, p->rectified, column + even * EG_LANES, count - 2 * even,
                    out + 2 * even * next, next);
        column += pairs * EG_LANES;
    }
}

static EG_INLINE void eg_lane_if_shifted(const struct eg_packed_depthwise *p, struct eg_lane *lane,
                                         int32_t shift, const uint32_t *column, int32_t pairs, int8_t *out) {
    if (shift <= p->most_shift && lane->shift == shift) {
        eg_lane_rows(p, lane, shift, column, pairs, out);
    }
}

/* The same, with the shift as a constant where there is assembly. */
static EG_INLINE void eg_lane_shifted(const struct eg_packed_depthwise *p, struct eg_lane *lane,
                                      const uint32_t *column, int32_t pairs, int8_t *out) {
    if (!eg_lane_assembly(p)) {
        eg_lane_rows(p, lane, 0, column, pairs, out);
        return;
    }
    eg_lane_if_shifted(p, lane, p->least_shift, column, pairs, out);
    eg_lane_if_shifted(p, lane, p->least_shift + 1, column, pairs, out);
    eg_lane_if_shifted(p, lane, p->least_shift + 2, column, pairs, out);
    eg_lane_if_shifted(p, lane, p->least_shift + 3, column, pairs, out);
}

static EG_INLINE void eg_column_depthwise(const struct eg_packed_depthwise *p, const int8_t *in,
                                          uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const uint32_t *w = p->constants;
    const int32_t taps = g->kernel_h;
    const int32_t runs = g->dilation_h < g->out_h ? g->dilation_h : g->out_h;
    const int32_t pairs = ((g->out_h + g->dilation_h - 1) / g->dilation_h + 1) / 2 + taps / 2;
    struct eg_lane lane; /* one at a time: four would be most of the stack */

    for (int32_t c = 0; c < g->in_c; c += EG_LANES, w += EG_LANES * (1 + EG_SCALE_WORDS) + 2 * taps) {
        for (int32_t row = 0; row < runs; row++) {
            eg_columns_fill(g, in + c, row - g->pad_top, pairs, scratch + row * pairs * EG_LANES);
        }
        for (int32_t i = 0; i < EG_LANES; i++) {
            eg_lane_of(w, taps, i, &lane);
            eg_lane_shifted(p, &lane, scratch + i, pairs, out + c + i);
        }
    }
}

#endif
