/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

#include <string.h>

static int32_t clip(int32_t x, int32_t low, int32_t high) {
    return x < low ? low : (x > high ? high : x);
}

/* One row of a patch: kernel_w columns from column x0 on, zero points outside of the row. */
static int8_t *gather_row(const struct eg_geometry *g, const int8_t *row, int32_t x0, int8_t *to) {
    size_t bytes = (size_t)g->in_c;

    for (int32_t kx = 0; kx < g->kernel_w; kx++, to += bytes) {
        int32_t x = x0 + kx * g->dilation_w;

        if (row == NULL || x < 0 || x >= g->in_w) {
            memset(to, g->zero_point, bytes);
        } else {
            memcpy(to, row + (size_t)x * bytes, bytes);
        }
    }
    return to;
}

const int8_t *eg_patch(const struct eg_geometry *g, const int8_t *frame, int32_t y, int32_t x,
                       int8_t *scratch) {
    int32_t y0 = y * g->stride_h - g->pad_top;
    int32_t x0 = x * g->stride_w - g->pad_left;
    int32_t pitch = g->in_w * g->in_c;
    int8_t *to = scratch;
    int rows_meet = g->kernel_h == 1 || (g->dilation_h == 1 && g->in_w == 1 && g->kernel_w == 1);
    int columns_meet = g->kernel_w == 1 || (g->dilation_w == 1 && g->kernel_h == 1);
    int inside = y0 == clip(y0, 0, g->in_h - (g->kernel_h - 1) * g->dilation_h - 1) &&
                 x0 == clip(x0, 0, g->in_w - (g->kernel_w - 1) * g->dilation_w - 1);

    if (rows_meet && columns_meet && inside) {
        return frame + y0 * pitch + x0 * g->in_c;
    }
    for (int32_t ky = 0; ky < g->kernel_h; ky++) {
        int32_t row = y0 + ky * g->dilation_h;

        to = gather_row(g, row == clip(row, 0, g->in_h - 1) ? frame + row * pitch : NULL, x0, to);
    }
    return scratch;
}

const int8_t *eg_patch_ring(const struct eg_geometry *g, const int8_t *ring, uint32_t head, const int8_t *row,
                            int32_t x, int8_t *scratch) {
    uint32_t rows = (uint32_t)((g->kernel_h - 1) * g->dilation_h);
    uint32_t pitch = (uint32_t)(g->in_w * g->in_c);
    int32_t x0 = x * g->stride_w - g->pad_left;
    uint32_t slot = head;
    int8_t *to = scratch;

    for (int32_t ky = 0; ky < g->kernel_h - 1; ky++) {
        to = gather_row(g, ring + slot * pitch, x0, to);
        slot += (uint32_t)g->dilation_h;
        slot = slot >= rows ? slot - rows : slot;
    }
    gather_row(g, row, x0, to);
    return scratch;
}

void eg_ring_push(const struct eg_geometry *g, int8_t *ring, uint32_t *head, const int8_t *row) {
    uint32_t rows = (uint32_t)((g->kernel_h - 1) * g->dilation_h);
    uint32_t pitch = (uint32_t)(g->in_w * g->in_c);

    if (rows > 0) {
        memcpy(ring + *head * pitch, row, pitch);
        *head = *head + 1 == rows ? 0 : *head + 1;
    }
}
