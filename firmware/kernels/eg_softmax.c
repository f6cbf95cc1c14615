/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

#define SUM_BITS 12 /* integer bits of the sum of exponentials */

static int32_t leading_zeros(uint32_t x) {
    int32_t count = 0;

    while ((x & 0x80000000u) == 0u) {
        x <<= 1;
        count++;
    }
    return count;
}

/* The upper half of twice the product, rounded half up. */
static int32_t product(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* x / 2^bits, rounded half away from zero; x >= 0. */
static int32_t shifted(int32_t x, int32_t bits) {
    int32_t mask = (int32_t)(((uint32_t)1 << bits) - 1u);

    return (x >> bits) + ((x & mask) > (mask >> 1) ? 1 : 0);
}

static int32_t saturated(int64_t x) {
    return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : (int32_t)x;
}

/* 1 / (1 + x) in Q31 of x in [0, 1): three Newton-Raphson steps from 48/17 - 32/17 d, two integer bits. */
static int32_t one_over_one_plus(int32_t x) {
    int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) >> 1);
    int32_t y = 1515870810 + product(half, -1010580540);

    for (int step = 0; step < 3; step++) {
        int32_t error = ((int32_t)1 << 29) - product(half, y);

        y += saturated((int64_t)product(y, error) * 4);
    }
    return saturated((int64_t)y * 2);
}

void eg_softmax(const int32_t exponential[256], int32_t rows, int32_t count, const int8_t *in, int8_t *out) {
    for (int32_t row = 0; row < rows; row++, in += count, out += count) {
        int32_t most = in[0], sum = 0;

        for (int32_t i = 1; i < count; i++) {
            most = in[i] > most ? in[i] : most;
        }
        for (int32_t i = 0; i < count; i++) {
            sum += shifted(exponential[most - in[i]], SUM_BITS);
        }

        int32_t headroom = leading_zeros((uint32_t)sum);
        int32_t scale = one_over_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
        int32_t bits = SUM_BITS - headroom + 31 - 8;

        for (int32_t i = 0; i < count; i++) {
            int32_t share = product(scale, exponential[most - in[i]]);

            out[i] = eg_clamp(shifted(share, bits) - 128, -128, 127);
        }
    }
}
