/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_paired.h: two neighbouring outputs of a convolution from fewer products than their taps.
 *
 * Of three taps g at inputs d0 to d3 (Winograd's F(2, 3)), with weights that are given twice anyway:
 *
 *   both  = (d1 + d2) (g0 + g1 + g2) / 2      first  = (d0 - d2) g0      y0 = both + apart + first
 *   apart = (d2 - d1) (g0 - g1 + g2) / 2      second = (d3 - d1) g2      y1 = both - apart + second
 *
 * four products where six were; of two taps, at d0 to d2:
 *
 *   both = d1 (g0 + g1)     first = (d0 - d1) g0     second = (d2 - d1) g1     apart = 0
 *
 * three where four were; of a single one first = d0 g0, second = d1 g0.  Sums over taps and channels are
 * taken of each kind before they meet.  All of it is exact: halves are those of even numbers, and what wraps
 * around on the way does so modulo 2^32, within which the outputs lie.  For the packed kernels alone.
 */
#ifndef EG_PAIRED_H
#define EG_PAIRED_H

#include "eg_tiles.h"

enum { EG_PAIRED_POSITIONS = 4 }; /* two pairs go together */

/* The taps of an output as groups, and the words of each kind of product. */
struct eg_groups {
    int32_t row; /* words of one tap: half the channels */
    int32_t threes, rest;
    int32_t both, apart, first, second;
};

static EG_INLINE struct eg_groups eg_groups(int32_t taps, int32_t channels) {
    struct eg_groups g;

    g.row = channels / 2;
    g.threes = taps / 3;
    g.rest = taps % 3;
    g.both = (g.threes + (g.rest == 2)) * g.row;
    g.apart = g.threes * g.row;
    g.first = g.second = (g.threes + (g.rest != 0)) * g.row;
    return g;
}

static EG_INLINE int32_t eg_groups_words(struct eg_groups g) {
    return g.both + g.apart + g.first + g.second;
}

/* Weights of `taps` times `row` words, laid out as in struct eg_packed, of `outputs`, a multiple of four, as
 * the sums above, those of `both` first, then `apart`, `first` and `second`. */
void eg_paired_stage(int32_t taps, int32_t row, const uint32_t *constants, int32_t outputs, uint32_t *to);

#endif
