/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels16.h"

/* The compiler has proven that the sum of all products of an output stays within int32. */
static void position(const struct eg_depthwise16 *p, const int8_t *patch, int16_t *out) {
    const int16_t *first = (const int16_t *)(const void *)patch;
    int32_t taps = p->geometry.kernel_h * p->geometry.kernel_w;
    int32_t channels = p->geometry.in_c / 2;
    int32_t outputs = channels * p->multiplicity;
    int32_t o = 0;

    for (int32_t c = 0; c < channels; c++) {
        for (int32_t m = 0; m < p->multiplicity; m++, o++) {
            const int8_t *weight = p->weights + o;
            const int16_t *x = first + c;
            int32_t sum = 0;

            for (int32_t tap = 0; tap < taps; tap++) {
                sum += *weight * *x;
                weight += outputs;
                x += channels;
            }
            out[o] = eg_clamp16(eg_requantise64(p->bias[o] + sum, p->multiplier[o], p->shift[o]),
                                p->activation_min, p->activation_max);
        }
    }
}

void eg_depthwise16(const struct eg_depthwise16 *p, int32_t frames, const int16_t *in, int16_t *scratch,
                    int16_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const int8_t *frame = (const int8_t *)in;

    for (int32_t i = 0; i < frames; i++) {
        for (int32_t y = 0; y < g->out_h; y++) {
            for (int32_t x = 0; x < g->out_w; x++) {
                position(p, eg_patch(g, frame, y, x, (int8_t *)scratch), out);
                out += g->in_c / 2 * p->multiplicity;
            }
        }
        frame += g->in_h * g->in_w * g->in_c;
    }
}

void eg_depthwise16_step(const struct eg_depthwise16 *p, int8_t *ring, uint32_t *head, const int16_t *in,
                         int16_t *scratch, int16_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const int8_t *row = (const int8_t *)in;

    for (int32_t x = 0; x < g->out_w; x++) {
        position(p, eg_patch_ring(g, ring, *head, row, x, (int8_t *)scratch), out);
        out += g->in_c / 2 * p->multiplicity;
    }
    eg_ring_push(g, ring, head, row);
}
