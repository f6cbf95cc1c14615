/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_paired_conv.h: a convolution of stride 1 along a window, on the products of eg_paired.h.
 *
 * Positions a dilation apart are neighbours: each of the first `dilation` rows begins a run of them.  They go
 * from the last to the first, as in eg_packed_conv.h, four at a time.
 */
#ifndef EG_PAIRED_CONV_H
#define EG_PAIRED_CONV_H

#include "eg_scalar.h"
#include "eg_paired.h"
#include "eg_taps.h"

#if EG_PAIRS

/* Four values of a channel each of row i as two words. */
struct eg_two {
    uint32_t even, odd;
};

static EG_INLINE struct eg_two eg_two(const int8_t *row) {
    uint32_t four = eg_load4(row);
    struct eg_two two = {eg_even(four), eg_odd(four)};

    return two;
}

static EG_INLINE void eg_two_sum(uint32_t *to, struct eg_two x, struct eg_two y) {
    to[0] = eg_add16(x.even, y.even);
    to[2] = eg_add16(x.odd, y.odd);
}

static EG_INLINE void eg_two_difference(uint32_t *to, struct eg_two x, struct eg_two y) {
    to[0] = eg_sub16(x.even, y.even);
    to[2] = eg_sub16(x.odd, y.odd);
}

static EG_INLINE void eg_two_copy(uint32_t *to, struct eg_two x) {
    to[0] = x.even;
    to[2] = x.odd;
}

/* Nothing is brought forward over this: registers are few. */
#define EG_IN_ORDER() __asm__ volatile("" ::: "memory")

/* The sums of two positions' inputs for three taps. */
static EG_INLINE void eg_sums_of_three(struct eg_two d0, struct eg_two d1, struct eg_two d2, struct eg_two d3,
                                       uint32_t *both, uint32_t *apart, uint32_t *first, uint32_t *second) {
    eg_two_difference(first, d0, d2);
    eg_two_sum(both, d1, d2);
    eg_two_difference(apart, d2, d1);
    eg_two_difference(second, d3, d1);
    EG_IN_ORDER();
}

static EG_INLINE void eg_sums_of_two(struct eg_two d0, struct eg_two d1, struct eg_two d2, uint32_t *both,
                                     uint32_t *first, uint32_t *second) {
    eg_two_copy(both, d1);
    eg_two_difference(first, d0, d1);
    eg_two_difference(second, d2, d1);
    EG_IN_ORDER();
}

/* The sums of four positions' inputs for eg_tiles(), from the rows of their taps, `pitch` apart. */
static EG_INLINE void eg_paired_sums(struct eg_groups g, const int8_t *in, int32_t pitch, uint32_t *x) {
    uint32_t *both = x, *apart = both + 2 * g.both;
    uint32_t *first = apart + 2 * g.apart, *second = first + 2 * g.first;

    for (int32_t three = 0; three < g.threes; three++, in += 3 * pitch - 2 * g.row) {
        for (int32_t i = 0; i < g.row; i += 2, in += 4, both += 4, apart += 4, first += 4, second += 4) {
            struct eg_two d0 = eg_two(in), d1 = eg_two(in + pitch), d2 = eg_two(in + 2 * pitch);
            struct eg_two d3 = eg_two(in + 3 * pitch), d4, d5;

            eg_sums_of_three(d0, d1, d2, d3, both, apart, first, second);
            d4 = eg_two(in + 4 * pitch);
            d5 = eg_two(in + 5 * pitch);
            eg_sums_of_three(d2, d3, d4, d5, both + 1, apart + 1, first + 1, second + 1);
        }
    }
    for (int32_t i = 0; g.rest == 2 && i < g.row; i += 2, in += 4, both += 4, first += 4, second += 4) {
        struct eg_two d0 = eg_two(in), d1 = eg_two(in + pitch), d2 = eg_two(in + 2 * pitch), d3, d4;

        eg_sums_of_two(d0, d1, d2, both, first, second);
        d3 = eg_two(in + 3 * pitch);
        d4 = eg_two(in + 4 * pitch);
        eg_sums_of_two(d2, d3, d4, both + 1, first + 1, second + 1);
    }
    for (int32_t i = 0; g.rest == 1 && i < g.row; i += 2, in += 4, first += 4, second += 4) {
        eg_two_copy(first, eg_two(in));
        eg_two_copy(second, eg_two(in + pitch));
        eg_two_copy(first + 1, eg_two(in + 2 * pitch));
        eg_two_copy(second + 1, eg_two(in + 3 * pitch));
    }
}

/* The parts of the caller's scratch. */
struct eg_paired_scratch {
    int8_t *rows;    /* at the borders of the input */
    int8_t *nowhere; /* the outputs of positions that are none */
    uint32_t *sums;
    uint32_t *stage;
};

/* What all tiles of a pass have in common. */
static EG_INLINE void eg_paired_tiles(struct eg_groups g, int32_t outputs, const struct eg_paired_scratch *s,
                                      int32_t rectified, struct eg_tiles *tiles) {
    tiles->x = s->sums;
    tiles->w = s->stage;
    tiles->runs[0] = eg_run(g.both, s->sums + 2 * g.both);
    tiles->runs[1] = eg_run(g.apart, s->sums + 2 * (g.both + g.apart));
    tiles->runs[2] = eg_run(g.first, s->sums + 2 * (g.both + g.apart + g.first));
    tiles->runs[3] = eg_run(g.second, s->sums + 2 * eg_groups_words(g));
    tiles->tiles = outputs / EG_TILE;
    tiles->rectified = rectified;
    tiles->second = g.second * EG_TILE * (int32_t)sizeof(uint32_t);
}

/* The rows of four positions' taps one behind the other, zero points where they leave the input. */
static EG_INLINE const int8_t *eg_paired_gather(const struct eg_geometry *g, const int8_t *in, int32_t row,
                                                int8_t *to) {
    for (int32_t i = 0; i < g->kernel_h + EG_PAIRED_POSITIONS - 1; i++, row += g->dilation_h) {
        if (eg_inside(row, g->in_h)) {
            __builtin_memcpy(to + i * g->in_c, in + row * g->in_c, (size_t)g->in_c);
        } else {
            __builtin_memset(to + i * g->in_c, g->zero_point, (size_t)g->in_c);
        }
    }
    return to;
}

/* Four positions from `y` on, a dilation apart, of which those before the first have no outputs. */
static EG_INLINE void eg_paired_four(const struct eg_packed_conv *p, int32_t y, const int8_t *in,
                                     const struct eg_paired_scratch *s, struct eg_tiles *tiles, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const struct eg_groups groups = eg_groups(g->kernel_h, g->in_c);
    int32_t row = y - g->pad_top;
    int32_t next = g->dilation_h * p->packed.outputs;
    int32_t past = (g->kernel_h + EG_PAIRED_POSITIONS - 2) * g->dilation_h;

    if (row >= 0 && row + past < g->in_h) {
        eg_paired_sums(groups, in + row * g->in_c, g->dilation_h * g->in_c, s->sums);
    } else {
        eg_paired_sums(groups, eg_paired_gather(g, in, row, s->rows), g->in_c, s->sums);
    }
    out += y * p->packed.outputs;
    tiles->out[0] = y < 0 ? s->nowhere : out;
    tiles->out[2] = y + g->dilation_h < 0 ? s->nowhere : out + next;
    tiles->out[1] = y + 2 * g->dilation_h < 0 ? s->nowhere : out + 2 * next;
    tiles->out[3] = out + 3 * next;
    eg_tiles(tiles);
}

static EG_INLINE void eg_paired_conv(const struct eg_packed_conv *p, const int8_t *in, uint32_t *scratch,
                                     int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const struct eg_groups groups = eg_groups(g->kernel_h, g->in_c);
    int32_t every = EG_PAIRED_POSITIONS * g->dilation_h;
    struct eg_paired_scratch s;
    struct eg_tiles tiles;

    s.rows = (int8_t *)scratch;
    s.nowhere = s.rows + (g->kernel_h + EG_PAIRED_POSITIONS - 1) * g->in_c;
    s.sums = (uint32_t *)(void *)(s.nowhere + p->packed.staged);
    s.stage = s.sums + 2 * eg_groups_words(groups);
    for (int32_t first = 0; first < p->packed.outputs; first += p->packed.staged) {
        struct eg_pass pass = eg_pass(&p->packed, first, p->packed.staged);

        eg_paired_tiles(groups, pass.outputs, &s, p->packed.rectified, &tiles);
        eg_paired_stage(g->kernel_h, groups.row, pass.constants, pass.outputs, s.stage);
        for (int32_t last = g->out_h - 1; last >= 0 && last >= g->out_h - g->dilation_h; last--) {
            for (int32_t y = last; y >= 0; y -= every) {
                eg_paired_four(p, y - every + g->dilation_h, in, &s, &tiles, out + first);
            }
        }
    }
}

#endif

#endif
