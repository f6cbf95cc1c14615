/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

/* Both operands are brought to a common scale with 20 bits below the point before they meet. */
static int32_t common(int8_t x, int32_t zero_point, int32_t multiplier, int32_t shift) {
    return eg_requantise((x - zero_point) * (1 << 20), multiplier, shift);
}

static void combine(const struct eg_binary *p, int32_t sign, int32_t frames, const int8_t *a, const int8_t *b,
                    int8_t *out) {
    int32_t rows = p->size[0] * p->size[1] * p->size[2];

    for (int32_t frame = 0; frame < frames; frame++) {
        for (int32_t row = 0; row < rows; row++) {
            int32_t i0 = row / (p->size[1] * p->size[2]);
            int32_t i1 = row / p->size[2] % p->size[1];
            int32_t i2 = row % p->size[2];
            const int8_t *x = a + i0 * p->stride_a[0] + i1 * p->stride_a[1] + i2 * p->stride_a[2];
            const int8_t *y = b + i0 * p->stride_b[0] + i1 * p->stride_b[1] + i2 * p->stride_b[2];

            for (int32_t i = 0; i < p->size[3]; i++, x += p->stride_a[3], y += p->stride_b[3]) {
                int32_t sum = common(*x, p->zero_point_a, p->multiplier_a, p->shift_a) +
                              sign * common(*y, p->zero_point_b, p->multiplier_b, p->shift_b);

                sum = eg_requantise(sum, p->multiplier, p->shift) + p->output_zero_point;
                *out++ = eg_clamp(sum, p->activation_min, p->activation_max);
            }
        }
        a += p->frame_a;
        b += p->frame_b;
    }
}

void eg_add(const struct eg_binary *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out) {
    combine(p, 1, frames, a, b, out);
}

void eg_sub(const struct eg_binary *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out) {
    combine(p, -1, frames, a, b, out);
}
