/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_packed_dense.h: FULLY_CONNECTED, and convolutions of one tap, as eg_packed_conv.h.
 */
#ifndef EG_PACKED_DENSE_H
#define EG_PACKED_DENSE_H

#include "eg_dot.h"

/* A position's inputs as int16, zeros up to a multiple of four. */
static EG_INLINE void eg_dense_unpack(const struct eg_packed_dense *p, const int8_t *in, uint32_t *to,
                                      int32_t pitch) {
    int32_t rest = p->depth % 4;

    to = eg_unpack(in, p->depth - rest, to, pitch);
    if (rest != 0) {
        int8_t last[4] = {0};

        __builtin_memcpy(last, in + p->depth - rest, (size_t)rest);
        eg_unpack(last, 4, to, pitch);
    }
}

static EG_INLINE void eg_dense_run(const struct eg_packed_dense *p, const struct eg_pass *pass,
                                   int32_t positions, const int8_t *in, uint32_t *patches, int8_t *out) {
    int32_t row = p->packed.outputs;

    if (positions % 2 != 0) {
        eg_dense_unpack(p, in, patches, 1);
        eg_dot(pass, patches, out);
        in -= p->depth;
        out -= row;
    }
    for (positions /= 2; positions > 0; positions--) {
        eg_dense_unpack(p, in, patches + 1, 2);
        eg_dense_unpack(p, in - p->depth, patches, 2);
        eg_dot2(pass, patches, out - row, row);
        in -= 2 * p->depth;
        out -= 2 * row;
    }
}

static EG_INLINE void eg_packed_dense(const struct eg_packed_dense *p, int32_t positions, const int8_t *in,
                                      uint32_t *scratch, int8_t *out) {

    in += (positions - 1) * p->depth;
    out += (positions - 1) * p->packed.outputs;
    if (positions < EG_WORTH_STAGING) {
        struct eg_pass all = eg_pass(&p->packed, 0, p->packed.outputs);

        eg_dense_run(p, &all, positions, in, scratch, out);
        return;
    }
    for (int32_t first = 0; first < p->packed.outputs; first += p->packed.staged) {
        struct eg_pass pass = eg_staged(&p->packed, first, scratch + 2 * p->packed.words);

        eg_dense_run(p, &pass, positions, in, scratch, out + first);
    }
}

#endif
