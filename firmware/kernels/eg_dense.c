/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

static int32_t dot(const int8_t *weights, const int8_t *x, int32_t depth, int32_t sum)
{
    for (int32_t k = 0; k < depth; k++) {
        sum += weights[k] * x[k];
    }
    return sum;
}

void eg_dense(const struct eg_dense *p, int32_t positions, const int8_t *in, int8_t *out)
{
    for (int32_t i = 0; i < positions; i++) {
        const int8_t *weights = p->weights;

        for (int32_t o = 0; o < p->outputs; o++) {
            int32_t sum = dot(weights, in, p->depth, p->bias[o]);
            int32_t scaled = eg_requantise(sum, p->multiplier[o], p->shift[o]);

            *out++ = eg_clamp(scaled + p->output_zero_point, p->activation_min, p->activation_max);
            weights += p->depth;
        }
        in += p->depth;
    }
}
