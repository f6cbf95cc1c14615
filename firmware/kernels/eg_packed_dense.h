/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_packed_dense.h: FULLY_CONNECTED, and convolutions of one tap, as eg_packed_conv.h.
 */
#ifndef EG_PACKED_DENSE_H
#define EG_PACKED_DENSE_H

#include "eg_scalar.h"
#include "eg_tiles.h"

#if EG_PAIRS

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
    struct eg_tiles tiles;

    eg_tiles_of(pass, patches, &tiles);
    while (positions > 0) {
        int32_t back = positions > 1 ? 1 : 0; /* an odd one goes with itself */

        eg_dense_unpack(p, in, patches + 1, 2);
        eg_dense_unpack(p, in - back * p->depth, patches, 2);
        eg_dot2(pass, &tiles, out - back * p->packed.outputs, out);
        in -= 2 * p->depth;
        out -= 2 * p->packed.outputs;
        positions -= 2;
    }
}

/* Fewer outputs than a tile, straight from the inputs. */
static EG_INLINE void eg_dense_few(const struct eg_packed_dense *p, int32_t positions, const int8_t *in,
                                   int8_t *out) {
    for (; positions > 0; positions--, in -= p->depth, out -= p->packed.outputs) {
        const uint32_t *w = p->packed.constants;

        for (int32_t o = 0; o < p->packed.outputs; o++) {
            int32_t even = (int32_t)*w++, odd = 0;

            EG_UNROLL(4)
            for (int32_t i = 0; i < p->depth; i += 4, w += 2) {
                uint32_t four = eg_load4(in + i);

                even = eg_smlad(eg_even(four), w[0], even);
                odd = eg_smlad(eg_odd(four), w[1], odd);
            }
            out[o] = eg_narrow_next((int32_t)((uint32_t)even + (uint32_t)odd), &w);
        }
    }
}

static EG_INLINE void eg_packed_dense(const struct eg_packed_dense *p, int32_t positions, const int8_t *in,
                                      uint32_t *scratch, int8_t *out) {

    in += (positions - 1) * p->depth;
    out += (positions - 1) * p->packed.outputs;
    if (p->packed.outputs < EG_TILE && p->depth % 4 == 0) {
        eg_dense_few(p, positions, in, out);
        return;
    }
    if (positions < EG_WORTH_STAGING) {
        struct eg_pass all = eg_pass(&p->packed, 0, p->packed.outputs);

        for (; positions > 0; positions--, in -= p->depth, out -= p->packed.outputs) {
            eg_dense_unpack(p, in, scratch, 1);
            eg_dot(&all, scratch, out);
        }
        return;
    }
    for (int32_t first = 0; first < p->packed.outputs; first += p->packed.staged) {
        struct eg_pass pass = eg_staged(&p->packed, first, scratch + 2 * p->packed.words);

        eg_dense_run(p, &pass, positions, in, scratch, out + first);
    }
}

#endif

#endif
