/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels16.h"

static int32_t least(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* The mean over the part of the window at (y0, x0) that lies inside the input, of the channel at `in`. */
static int16_t mean(const struct eg_pool *p, const int16_t *in, int32_t y0, int32_t x0) {
    const struct eg_geometry *g = &p->geometry;
    int32_t sum = 0;
    int32_t count = 0;

    for (int32_t y = most(y0, 0); y < least(y0 + g->kernel_h, g->in_h); y++) {
        for (int32_t x = most(x0, 0); x < least(x0 + g->kernel_w, g->in_w); x++) {
            sum += in[(y * g->in_w + x) * g->in_c];
            count++;
        }
    }
    sum = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
    return eg_clamp16(sum, p->activation_min, p->activation_max);
}

void eg_pool16(const struct eg_pool *p, int32_t frames, const int16_t *in, int16_t *out) {
    const struct eg_geometry *g = &p->geometry;

    for (int32_t frame = 0; frame < frames; frame++) {
        for (int32_t y = 0; y < g->out_h; y++) {
            for (int32_t x = 0; x < g->out_w; x++) {
                for (int32_t c = 0; c < g->in_c; c++) {
                    *out++ = mean(p, in + c, y * g->stride_h - g->pad_top, x * g->stride_w - g->pad_left);
                }
            }
        }
        in += g->in_h * g->in_w * g->in_c;
    }
}
