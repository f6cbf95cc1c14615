/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

void eg_conv(const struct eg_conv *p, int32_t frames, const int8_t *in, int8_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;

    for (int32_t frame = 0; frame < frames; frame++) {
        for (int32_t y = 0; y < g->out_h; y++) {
            for (int32_t x = 0; x < g->out_w; x++) {
                eg_dense(&p->dense, 1, eg_patch(g, in, y, x, scratch), out);
                out += p->dense.outputs;
            }
        }
        in += g->in_h * g->in_w * g->in_c;
    }
}

void eg_conv_step(const struct eg_conv *p, int8_t *ring, uint32_t *head, const int8_t *in, int8_t *scratch,
                  int8_t *out) {
    const struct eg_geometry *g = &p->geometry;

    for (int32_t x = 0; x < g->out_w; x++) {
        eg_dense(&p->dense, 1, eg_patch_ring(g, ring, *head, in, x, scratch), out);
        out += p->dense.outputs;
    }
    eg_ring_push(g, ring, head, in);
}
