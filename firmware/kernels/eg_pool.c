/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

/* The part of `kernel` taps from `origin` on that lies inside an input of `size`. */
struct span {
    int32_t from, to;
};

static struct span overlap(int32_t origin, int32_t kernel, int32_t size) {
    struct span s;

    s.from = origin < 0 ? 0 : origin;
    s.to = origin + kernel < size ? origin + kernel : size;
    return s;
}

static int8_t mean(const struct eg_pool *p, const int8_t *in, struct span rows, struct span columns) {
    const struct eg_geometry *g = &p->geometry;
    int32_t count = (rows.to - rows.from) * (columns.to - columns.from);
    int32_t sum = 0;

    for (int32_t y = rows.from; y < rows.to; y++) {
        for (int32_t x = columns.from; x < columns.to; x++) {
            sum += in[(y * g->in_w + x) * g->in_c];
        }
    }
    sum = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
    return eg_clamp(sum, p->activation_min, p->activation_max);
}

void eg_pool(const struct eg_pool *p, int32_t frames, const int8_t *in, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;

    for (int32_t frame = 0; frame < frames; frame++) {
        for (int32_t y = 0; y < g->out_h; y++) {
            struct span rows = overlap(y * g->stride_h - g->pad_top, g->kernel_h, g->in_h);

            for (int32_t x = 0; x < g->out_w; x++) {
                struct span columns = overlap(x * g->stride_w - g->pad_left, g->kernel_w, g->in_w);

                for (int32_t c = 0; c < g->in_c; c++) {
                    *out++ = mean(p, in + c, rows, columns);
                }
            }
        }
        in += g->in_h * g->in_w * g->in_c;
    }
}
