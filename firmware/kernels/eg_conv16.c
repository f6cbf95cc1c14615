/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels16.h"

/* Patches and rings are gathered as bytes; where they lie is aligned for int16. */
static const int16_t *values(const int8_t *bytes) {
    return (const int16_t *)(const void *)bytes;
}

void eg_conv16(const struct eg_conv16 *p, int32_t frames, const int16_t *in, int16_t *scratch, int16_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const int8_t *frame = (const int8_t *)in;

    for (int32_t i = 0; i < frames; i++) {
        for (int32_t y = 0; y < g->out_h; y++) {
            for (int32_t x = 0; x < g->out_w; x++) {
                eg_dense16(&p->dense, 1, values(eg_patch(g, frame, y, x, (int8_t *)scratch)), out);
                out += p->dense.outputs;
            }
        }
        frame += g->in_h * g->in_w * g->in_c;
    }
}

void eg_conv16_step(const struct eg_conv16 *p, int8_t *ring, uint32_t *head, const int16_t *in,
                    int16_t *scratch, int16_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const int8_t *row = (const int8_t *)in;

    for (int32_t x = 0; x < g->out_w; x++) {
        const int8_t *patch = eg_patch_ring(g, ring, *head, row, x, (int8_t *)scratch);

        eg_dense16(&p->dense, 1, values(patch), out);
        out += p->dense.outputs;
    }
    eg_ring_push(g, ring, head, row);
}
