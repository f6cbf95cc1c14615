/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_taps.h: where the taps of an output lie.  For the packed kernels alone.
 */
#ifndef EG_TAPS_H
#define EG_TAPS_H

#include "eg_dsp.h"

#include <stddef.h>

enum { EG_TAPS = 24 }; /* at most */

/* Whether rows are one position long, and their kernels too. */
static EG_INLINE int eg_one_column(const struct eg_geometry *g) {
    return g->in_w == 1 && g->kernel_w == 1 && g->pad_left == 0;
}

static EG_INLINE int eg_inside(int32_t x, int32_t size) {
    return (uint32_t)x < (uint32_t)size;
}

/* The taps of one row of the kernel, columns from x0 on. */
static EG_INLINE const int8_t **eg_row_taps(const struct eg_geometry *g, const int8_t *row, int32_t x0,
                                            const int8_t *border, const int8_t **taps) {
    for (int32_t kx = 0; kx < g->kernel_w; kx++, x0 += g->dilation_w) {
        *taps++ = row != NULL && eg_inside(x0, g->in_w) ? row + x0 * g->in_c : border;
    }
    return taps;
}

/* Where the kernel_h * kernel_w taps of output (y, x) begin in `frame`, in_c values each; `border`, in_c zero
 * points, where one leaves the input.  Returns whether they lie one behind the other. */
static EG_INLINE int eg_taps(const struct eg_geometry *g, const int8_t *frame, int32_t y, int32_t x,
                             const int8_t *border, const int8_t *taps[EG_TAPS]) {
    int32_t y0 = y * g->stride_h - g->pad_top;
    int32_t x0 = x * g->stride_w - g->pad_left;
    int32_t pitch = g->in_w * g->in_c;

    if (eg_one_column(g)) {
        for (int32_t ky = g->kernel_h; ky > 0; ky--, y0 += g->dilation_h) {
            *taps++ = eg_inside(y0, g->in_h) ? frame + y0 * pitch : border;
        }
        y0 -= g->kernel_h * g->dilation_h;
        return g->dilation_h == 1 && y0 >= 0 && y0 + g->kernel_h <= g->in_h;
    }
    for (int32_t ky = 0; ky < g->kernel_h; ky++, y0 += g->dilation_h) {
        taps = eg_row_taps(g, eg_inside(y0, g->in_h) ? frame + y0 * pitch : NULL, x0, border, taps);
    }
    return 0;
}

/* The same for column x of the newest row, the rows before it in a ring. */
static EG_INLINE void eg_taps_ring(const struct eg_geometry *g, const int8_t *ring, uint32_t head,
                                   const int8_t *row, int32_t x, const int8_t *border,
                                   const int8_t *taps[EG_TAPS]) {
    int32_t pitch = g->in_w * g->in_c;
    int32_t stride = g->dilation_h * pitch;
    int32_t bytes = (g->kernel_h - 1) * stride;
    int32_t offset = (int32_t)head * pitch;
    int32_t x0 = x * g->stride_w - g->pad_left;

    if (eg_one_column(g)) {
        for (int32_t ky = g->kernel_h - 1; ky > 0; ky--) {
            *taps++ = ring + offset;
            offset += stride;
            offset = offset >= bytes ? offset - bytes : offset;
        }
        *taps = row;
        return;
    }
    for (int32_t ky = 0; ky < g->kernel_h - 1; ky++) {
        taps = eg_row_taps(g, ring + offset, x0, border, taps);
        offset += stride;
        offset = offset >= bytes ? offset - bytes : offset;
    }
    eg_row_taps(g, row, x0, border, taps);
}

/* eg_ring_push() in as many instructions as the row has words. */
static EG_INLINE void eg_taps_push(const struct eg_geometry *g, int8_t *ring, uint32_t *head,
                                   const int8_t *row) {
    uint32_t rows = (uint32_t)((g->kernel_h - 1) * g->dilation_h);
    uint32_t pitch = (uint32_t)(g->in_w * g->in_c);

    if (rows > 0) {
        __builtin_memcpy(ring + *head * pitch, row, pitch);
        *head = *head + 1 == rows ? 0 : *head + 1;
    }
}

#endif
