/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels16.h"

void eg_mean16(const struct eg_mean *p, int32_t outer, const int16_t *in, int16_t *out) {
    for (int32_t row = 0; row < outer; row++, in += p->count * p->inner) {
        for (int32_t i = 0; i < p->inner; i++) {
            int32_t mean = -p->zero_points;

            for (int32_t k = 0; k < p->count; k++) {
                mean += in[k * p->inner + i];
            }
            mean = eg_requantise(mean, p->multiplier, p->shift) + p->output_zero_point;
            *out++ = eg_clamp16(mean, -32768, 32767);
        }
    }
}
