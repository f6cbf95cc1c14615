/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels16.h"

typedef int32_t combine(const struct eg_binary *p, int32_t a, int32_t b);

/* Both operands are brought to a common scale with 15 bits below the point before they meet. */
static int32_t left(const struct eg_binary *p, int32_t a) {
    return eg_requantise(a * (1 << 15), p->multiplier_a, p->shift_a);
}

static int32_t right(const struct eg_binary *p, int32_t b) {
    return eg_requantise(b * (1 << 15), p->multiplier_b, p->shift_b);
}

static int32_t add(const struct eg_binary *p, int32_t a, int32_t b) {
    return left(p, a) + right(p, b);
}

static int32_t subtract(const struct eg_binary *p, int32_t a, int32_t b) {
    return left(p, a) - right(p, b);
}

static int32_t multiply(const struct eg_binary *p, int32_t a, int32_t b) {
    (void)p;
    return a * b;
}

static void each(const struct eg_binary *p, combine *meet, int32_t frames, const int16_t *a, const int16_t *b,
                 int16_t *out) {
    int32_t rows = p->size[0] * p->size[1] * p->size[2];

    for (int32_t frame = 0; frame < frames; frame++) {
        for (int32_t row = 0; row < rows; row++) {
            int32_t i0 = row / (p->size[1] * p->size[2]);
            int32_t i1 = row / p->size[2] % p->size[1];
            int32_t i2 = row % p->size[2];
            const int16_t *x = a + i0 * p->stride_a[0] + i1 * p->stride_a[1] + i2 * p->stride_a[2];
            const int16_t *y = b + i0 * p->stride_b[0] + i1 * p->stride_b[1] + i2 * p->stride_b[2];

            for (int32_t i = 0; i < p->size[3]; i++, x += p->stride_a[3], y += p->stride_b[3]) {
                int32_t result = eg_requantise(meet(p, *x, *y), p->multiplier, p->shift);

                *out++ = eg_clamp16(result, p->activation_min, p->activation_max);
            }
        }
        a += p->frame_a;
        b += p->frame_b;
    }
}

void eg_add16(const struct eg_binary *p, int32_t frames, const int16_t *a, const int16_t *b, int16_t *out) {
    each(p, add, frames, a, b, out);
}

void eg_sub16(const struct eg_binary *p, int32_t frames, const int16_t *a, const int16_t *b, int16_t *out) {
    each(p, subtract, frames, a, b, out);
}

void eg_mul16(const struct eg_binary *p, int32_t frames, const int16_t *a, const int16_t *b, int16_t *out) {
    each(p, multiply, frames, a, b, out);
}
