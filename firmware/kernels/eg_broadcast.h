/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_broadcast.h: the loops of operators on two values, for the generic kernels alone.
 */
#ifndef EG_BROADCAST_H
#define EG_BROADCAST_H

#include "eg_kernels.h"

/* An output of a value of either side. */
typedef int8_t eg_each(const struct eg_binary *p, int8_t x, int8_t y);

static inline void eg_broadcast(const struct eg_binary *p, eg_each *each, int32_t frames, const int8_t *a,
                                const int8_t *b, int8_t *out) {
    int32_t rows = p->size[0] * p->size[1] * p->size[2];

    for (int32_t frame = 0; frame < frames; frame++) {
        for (int32_t row = 0; row < rows; row++) {
            int32_t i0 = row / (p->size[1] * p->size[2]);
            int32_t i1 = row / p->size[2] % p->size[1];
            int32_t i2 = row % p->size[2];
            const int8_t *x = a + i0 * p->stride_a[0] + i1 * p->stride_a[1] + i2 * p->stride_a[2];
            const int8_t *y = b + i0 * p->stride_b[0] + i1 * p->stride_b[1] + i2 * p->stride_b[2];

            for (int32_t i = 0; i < p->size[3]; i++, x += p->stride_a[3], y += p->stride_b[3]) {
                *out++ = each(p, *x, *y);
            }
        }
        a += p->frame_a;
        b += p->frame_b;
    }
}

#endif
