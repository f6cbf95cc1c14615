/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

#include <stddef.h>

/* Whether rows are one position long, and their kernels too. */
static int narrow(const struct eg_geometry *g) {
    return g->in_w == 1 && g->kernel_w == 1 && g->pad_left == 0;
}

static int inside(int32_t x, int32_t size) {
    return (uint32_t)x < (uint32_t)size;
}

/* The taps of one row of the kernel, columns from x0 on. */
static const int8_t **row_taps(const struct eg_geometry *g, const int8_t *row, int32_t x0,
                               const int8_t *border, const int8_t **taps) {
    for (int32_t kx = 0; kx < g->kernel_w; kx++, x0 += g->dilation_w) {
        *taps++ = row != NULL && inside(x0, g->in_w) ? row + x0 * g->in_c : border;
    }
    return taps;
}

void eg_taps(const struct eg_geometry *g, const int8_t *frame, int32_t y, int32_t x, const int8_t *border,
             const int8_t *taps[EG_TAPS]) {
    int32_t y0 = y * g->stride_h - g->pad_top;
    int32_t x0 = x * g->stride_w - g->pad_left;
    int32_t pitch = g->in_w * g->in_c;

    if (narrow(g)) {
        for (int32_t ky = g->kernel_h; ky > 0; ky--, y0 += g->dilation_h) {
            *taps++ = inside(y0, g->in_h) ? frame + y0 * pitch : border;
        }
        return;
    }
    for (int32_t ky = 0; ky < g->kernel_h; ky++, y0 += g->dilation_h) {
        taps = row_taps(g, inside(y0, g->in_h) ? frame + y0 * pitch : NULL, x0, border, taps);
    }
}

void eg_taps_ring(const struct eg_geometry *g, const int8_t *ring, uint32_t head, const int8_t *row, int32_t x,
                  const int8_t *border, const int8_t *taps[EG_TAPS]) {
    int32_t pitch = g->in_w * g->in_c;
    int32_t stride = g->dilation_h * pitch;
    int32_t bytes = (g->kernel_h - 1) * stride;
    int32_t offset = (int32_t)head * pitch;
    int32_t x0 = x * g->stride_w - g->pad_left;

    if (narrow(g)) {
        for (int32_t ky = g->kernel_h - 1; ky > 0; ky--) {
            *taps++ = ring + offset;
            offset += stride;
            offset = offset >= bytes ? offset - bytes : offset;
        }
        *taps = row;
        return;
    }
    for (int32_t ky = 0; ky < g->kernel_h - 1; ky++) {
        taps = row_taps(g, ring + offset, x0, border, taps);
        offset += stride;
        offset = offset >= bytes ? offset - bytes : offset;
    }
    row_taps(g, row, x0, border, taps);
}
