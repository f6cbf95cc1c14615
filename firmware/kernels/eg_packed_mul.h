/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_packed_mul.h: MUL of two values of one shape.
 */
#ifndef EG_PACKED_MUL_H
#define EG_PACKED_MUL_H

#include "eg_dsp.h"

/* out may be a or b. */
static EG_INLINE void eg_packed_mul(const struct eg_packed_mul *p, int32_t frames, const int8_t *a,
                                    const int8_t *b, int8_t *out) {
    int32_t count = p->count * frames;

    EG_UNROLL(8)
    for (int32_t i = 0; i < count; i++) {
        int32_t twice = (2 * a[i] - p->zero_a) * (b[i] - p->zero_b);

        out[i] = eg_narrow(twice, p->out.multiplier, p->out.offset, p->out.shift);
    }
}

#endif
