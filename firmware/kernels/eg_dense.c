/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

enum { LANES = 4 };

static int32_t dot(const int8_t *weights, const int8_t *x, int32_t depth, int32_t sum) {
    for (int32_t k = 0; k < depth; k++) {
        sum += weights[k] * x[k];
    }
    return sum;
}

/* Four outputs at once, so that each input is loaded once for all of them. */
static void dot4(const int8_t *w0, const int8_t *x, int32_t depth, const int32_t bias[LANES],
                 int32_t sum[LANES]) {
    const int8_t *w1 = w0 + depth;
    const int8_t *w2 = w1 + depth;
    const int8_t *w3 = w2 + depth;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];

    for (int32_t k = 0; k < depth; k++) {
        int32_t value = x[k];

        s0 += w0[k] * value;
        s1 += w1[k] * value;
        s2 += w2[k] * value;
        s3 += w3[k] * value;
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
}

static int8_t finish(const struct eg_dense *p, int32_t o, int32_t sum) {
    int32_t scaled = eg_requantise(sum, p->multiplier[o], p->shift[o]);

    return eg_clamp(scaled + p->output_zero_point, p->activation_min, p->activation_max);
}

void eg_dense(const struct eg_dense *p, int32_t positions, const int8_t *in, int8_t *out) {
    for (int32_t i = 0; i < positions; i++) {
        const int8_t *weights = p->weights;
        int32_t o = 0;

        for (; o + LANES <= p->outputs; o += LANES) {
            int32_t sum[LANES];

            dot4(weights, in, p->depth, p->bias + o, sum);
            for (int32_t lane = 0; lane < LANES; lane++) {
                *out++ = finish(p, o + lane, sum[lane]);
            }
            weights += LANES * p->depth;
        }
        for (; o < p->outputs; o++) {
            *out++ = finish(p, o, dot(weights, in, p->depth, p->bias[o]));
            weights += p->depth;
        }
        in += p->depth;
    }
}
