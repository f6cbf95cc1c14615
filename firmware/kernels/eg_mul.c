/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_broadcast.h"

static int8_t product(const struct eg_binary *p, int8_t x, int8_t y) {
    int32_t product = (x - p->zero_point_a) * (y - p->zero_point_b);

    product = eg_requantise(product, p->multiplier, p->shift) + p->output_zero_point;
    return eg_clamp(product, p->activation_min, p->activation_max);
}

void eg_mul(const struct eg_binary *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out) {
    eg_broadcast(p, product, frames, a, b, out);
}
