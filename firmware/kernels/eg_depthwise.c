/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

static void position(const struct eg_depthwise *p, const int8_t *patch, int8_t *out) {
    int32_t taps = p->geometry.kernel_h * p->geometry.kernel_w;
    int32_t channels = p->geometry.in_c;
    int32_t outputs = channels * p->multiplicity;
    int32_t o = 0;

    for (int32_t c = 0; c < channels; c++) {
        for (int32_t m = 0; m < p->multiplicity; m++, o++) {
            const int8_t *weight = p->weights + o;
            const int8_t *x = patch + c;
            int32_t sum = p->bias[o];

            for (int32_t tap = 0; tap < taps; tap++) {
                sum += *weight * *x;
                weight += outputs;
                x += channels;
            }
            sum = eg_requantise(sum, p->multiplier[o], p->shift[o]) + p->output_zero_point;
            out[o] = eg_clamp(sum, p->activation_min, p->activation_max);
        }
    }
}

void eg_depthwise(const struct eg_depthwise *p, int32_t frames, const int8_t *in, int8_t *scratch,
                  int8_t *out) {
    const struct eg_geometry *g = &p->geometry;

    for (int32_t frame = 0; frame < frames; frame++) {
        for (int32_t y = 0; y < g->out_h; y++) {
            for (int32_t x = 0; x < g->out_w; x++) {
                position(p, eg_patch(g, in, y, x, scratch), out);
                out += g->in_c * p->multiplicity;
            }
        }
        in += g->in_h * g->in_w * g->in_c;
    }
}

void eg_depthwise_step(const struct eg_depthwise *p, int8_t *ring, uint32_t *head, const int8_t *in,
                       int8_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;

    for (int32_t x = 0; x < g->out_w; x++) {
        position(p, eg_patch_ring(g, ring, *head, in, x, scratch), out);
        out += g->in_c * p->multiplicity;
    }
    eg_ring_push(g, ring, head, in);
}
