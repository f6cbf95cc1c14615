/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_packed_add.h: ADD of two values of one shape.
 */
#ifndef EG_PACKED_ADD_H
#define EG_PACKED_ADD_H

#include "eg_dsp.h"

/* out may be a or b. */
static EG_INLINE void eg_packed_add(const struct eg_packed_add *p, int32_t frames, const int8_t *a,
                                    const int8_t *b, int8_t *out) {
    int32_t count = p->count * frames;

    EG_UNROLL(8)
    for (int32_t i = 0; i < count; i++) {
        int32_t x = a[i] * (1 << 20) + p->zero_a;
        int32_t y = b[i] * (1 << 21) + p->zero_b;
        int32_t common = eg_smmlar(y, p->b.multiplier, p->b.offset + (y >> 31)) >> p->b.shift;

        out[i] = eg_narrow(x + 2 * common, p->out.multiplier, p->out.offset, p->out.shift);
    }
}

#endif
