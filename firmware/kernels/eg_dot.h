/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_dot.h: the outputs of one or two unpacked patches.  For the packed kernels alone.
 */
#ifndef EG_DOT_H
#define EG_DOT_H

#include "eg_dsp.h"

#include <string.h>

enum { EG_WORTH_STAGING = 8 }; /* positions from which copying the weights to RAM pays */

/* Outputs that are computed one after the other, laid out as in struct eg_packed. */
struct eg_pass {
    const uint32_t *weights;
    const int32_t *bias;
    const struct eg_scale *scale;
    int32_t outputs;
    int32_t words; /* of a patch */
};

/* out [outputs] of the patch x [words]. */
void eg_dot(const struct eg_pass *p, const uint32_t *x, int8_t *out);

/* out [outputs] and out + next [outputs] of two patches whose words take turns in x [words][2]. */
void eg_dot2(const struct eg_pass *p, const uint32_t *x, int8_t *out, int32_t next);

/* `count` of p's outputs from `first` on. */
static EG_INLINE struct eg_pass eg_pass(const struct eg_packed *p, int32_t first, int32_t count) {
    struct eg_pass pass;

    pass.weights = p->weights + first * p->words;
    pass.bias = p->bias + first;
    pass.scale = p->scale + first;
    pass.outputs = first + count < p->outputs ? count : p->outputs - first;
    pass.words = p->words;
    return pass;
}

/* The same with weights and scales copied to `words`. */
static EG_INLINE struct eg_pass eg_staged(const struct eg_packed *p, int32_t first, uint32_t *words) {
    struct eg_pass pass = eg_pass(p, first, p->staged);
    size_t scales = (size_t)pass.outputs * sizeof *pass.scale;
    struct eg_scale *scale = (struct eg_scale *)(void *)words;
    uint32_t *weights = words + (size_t)p->staged * sizeof *pass.scale / sizeof *words;

    memcpy(scale, pass.scale, scales);
    memcpy(weights, pass.weights, (size_t)(pass.outputs * pass.words) * sizeof *weights);
    pass.scale = scale;
    pass.weights = weights;
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
