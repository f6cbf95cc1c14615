/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels16.h"

enum {
    LANES = 4,
    CHUNK = 256, /* products of at most 2^22 whose sum stays within int32 */
};

static int64_t dot(const int8_t *weights, const int16_t *x, int32_t depth, int64_t sum) {
    while (depth > 0) {
        int32_t count = depth < CHUNK ? depth : CHUNK;
        int32_t part = 0;

        for (int32_t k = 0; k < count; k++) {
            part += weights[k] * x[k];
        }
        sum += part;
        weights += count;
        x += count;
        depth -= count;
    }
    return sum;
}

/* Four outputs at once, so that each input is loaded once for all of them. */
static void dot4(const int8_t *w0, const int16_t *x, int32_t depth, const int64_t bias[LANES],
                 int64_t sum[LANES]) {
    const int8_t *w1 = w0 + depth;
    const int8_t *w2 = w1 + depth;
    const int8_t *w3 = w2 + depth;

    for (int32_t lane = 0; lane < LANES; lane++) {
        sum[lane] = bias[lane];
    }
    for (int32_t done = 0; done < depth; done += CHUNK) {
        int32_t end = depth - done < CHUNK ? depth : done + CHUNK;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;

        for (int32_t k = done; k < end; k++) {
            int32_t value = x[k];

            s0 += w0[k] * value;
            s1 += w1[k] * value;
            s2 += w2[k] * value;
            s3 += w3[k] * value;
        }
        sum[0] += s0;
        sum[1] += s1;
        sum[2] += s2;
        sum[3] += s3;
    }
}

static int16_t finish(const struct eg_dense16 *p, int32_t o, int64_t sum) {
    return eg_clamp16(eg_requantise64(sum, p->multiplier[o], p->shift[o]), p->activation_min,
                      p->activation_max);
}

void eg_dense16(const struct eg_dense16 *p, int32_t positions, const int16_t *in, int16_t *out) {
    for (int32_t i = 0; i < positions; i++) {
        const int8_t *weights = p->weights;
        int32_t o = 0;

        for (; o + LANES <= p->outputs; o += LANES) {
            int64_t sum[LANES];

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
