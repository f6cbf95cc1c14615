/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels16.h"

void eg_relu16(const struct eg_relu16 *p, int32_t count, const int16_t *in, int16_t *out) {
    for (int32_t i = 0; i < count; i++) {
        int32_t x = in[i] >= 0 ? eg_requantise(in[i], p->multiplier, p->shift)
                               : eg_requantise(in[i], p->multiplier_below, p->shift_below);

        out[i] = eg_clamp16(x, p->activation_min, p->activation_max);
    }
}
