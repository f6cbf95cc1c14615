/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_packed_add.h: ADD and SUB of two values of one shape.
 */
#ifndef EG_PACKED_ADD_H
#define EG_PACKED_ADD_H

#include "eg_dsp.h"

/* The operand of the smaller scale, twice at the common one. */
static EG_INLINE int32_t eg_add_other(const struct eg_packed_add *p, int8_t b) {
    int32_t y = b * (1 << 21) + p->zero_b;

    if (p->b.shift == 0) {
        return y / 2; /* of the same scale, and even */
    }
    return 2 * (eg_smmlar(y, p->b.multiplier, p->b.offset + (y >> 31)) >> p->b.shift);
}

/* out may be a or b. */
static EG_INLINE void eg_packed_add(const struct eg_packed_add *p, int32_t frames, const int8_t *a,
                                    const int8_t *b, int8_t *out) {
    int32_t count = p->count * frames;

    EG_UNROLL(8)
    for (int32_t i = 0; i < count; i++) {
        int32_t x = a[i] * (1 << 20) + p->zero_a;
        int32_t sum = p->sign_a * x + p->sign_b * eg_add_other(p, b[i]);

        out[i] = p->rectified ? eg_rectify(sum, p->out.multiplier, p->out.offset, p->out.shift)
                              : eg_narrow(sum, p->out.multiplier, p->out.offset, p->out.shift);
    }
}

#endif
