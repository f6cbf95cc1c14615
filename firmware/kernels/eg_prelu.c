/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

void eg_prelu(const struct eg_prelu *p, int32_t positions, const int8_t *in, int8_t *out) {
    for (int32_t position = 0; position < positions; position++) {
        for (int32_t c = 0; c < p->channels; c++) {
            int32_t x = *in++ - p->zero_point;
            int32_t slope = p->alpha[c] - p->alpha_zero_point;

            x = x >= 0 ? eg_requantise(x, p->multiplier, p->shift)
                       : eg_requantise(x * slope, p->multiplier_alpha, p->shift_alpha);
            *out++ = eg_clamp(x + p->output_zero_point, -128, 127);
        }
    }
}
