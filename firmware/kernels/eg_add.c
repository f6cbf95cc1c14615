/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_broadcast.h"

/* Both operands are brought to a common scale with 20 bits below the point before they meet. */
static int32_t common_a(const struct eg_binary *p, int8_t x) {
    return eg_requantise((x - p->zero_point_a) * (1 << 20), p->multiplier_a, p->shift_a);
}

static int32_t common_b(const struct eg_binary *p, int8_t y) {
    return eg_requantise((y - p->zero_point_b) * (1 << 20), p->multiplier_b, p->shift_b);
}

static int8_t output(const struct eg_binary *p, int32_t sum) {
    sum = eg_requantise(sum, p->multiplier, p->shift) + p->output_zero_point;
    return eg_clamp(sum, p->activation_min, p->activation_max);
}

static int8_t sum(const struct eg_binary *p, int8_t x, int8_t y) {
    return output(p, common_a(p, x) + common_b(p, y));
}

static int8_t difference(const struct eg_binary *p, int8_t x, int8_t y) {
    return output(p, common_a(p, x) - common_b(p, y));
}

void eg_add(const struct eg_binary *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out) {
    eg_broadcast(p, sum, frames, a, b, out);
}

void eg_sub(const struct eg_binary *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out) {
    eg_broadcast(p, difference, frames, a, b, out);
}
