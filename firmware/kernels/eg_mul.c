/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

void eg_mul(const struct eg_binary *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out) {
    int32_t rows = p->size[0] * p->size[1] * p->size[2];

    for (int32_t frame = 0; frame < frames; frame++) {
        for (int32_t row = 0; row < rows; row++) {
            int32_t i0 = row / (p->size[1] * p->size[2]);
            int32_t i1 = row / p->size[2] % p->size[1];
            int32_t i2 = row % p->size[2];
            const int8_t *x = a + i0 * p->stride_a[0] + i1 * p->stride_a[1] + i2 * p->stride_a[2];
            const int8_t *y = b + i0 * p->stride_b[0] + i1 * p->stride_b[1] + i2 * p->stride_b[2];

            for (int32_t i = 0; i < p->size[3]; i++, x += p->stride_a[3], y += p->stride_b[3]) {
                int32_t product = (*x - p->zero_point_a) * (*y - p->zero_point_b);

                product = eg_requantise(product, p->multiplier, p->shift) + p->output_zero_point;
                *out++ = eg_clamp(product, p->activation_min, p->activation_max);
            }
        }
        a += p->frame_a;
        b += p->frame_b;
    }
}
