/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

#include <string.h>

/* The input's innermost row that goes to row `index` of the output, or NULL where that is padding. */
static const int8_t *source(const struct eg_pad *p, const int8_t *in, int32_t index) {
    int32_t offset = 0;
    int32_t pitch = p->in[4];

    for (int32_t axis = 3; axis >= 0; axis--) {
        int32_t i = index % p->out[axis] - p->before[axis];

        if (i < 0 || i >= p->in[axis]) {
            return NULL;
        }
        offset += i * pitch;
        pitch *= p->in[axis];
        index /= p->out[axis];
    }
    return in + offset;
}

void eg_pad(const struct eg_pad *p, int32_t frames, const int8_t *in, int8_t *out) {
    int32_t rows = p->out[0] * p->out[1] * p->out[2] * p->out[3];
    int32_t frame_size = p->in[0] * p->in[1] * p->in[2] * p->in[3] * p->in[4];

    for (int32_t frame = 0; frame < frames; frame++) {
        for (int32_t row = 0; row < rows; row++) {
            const int8_t *from = source(p, in, row);

            memset(out, p->value, (size_t)p->out[4]);
            if (from != NULL) {
                memcpy(out + p->before[4], from, (size_t)p->in[4]);
            }
            out += p->out[4];
        }
        in += frame_size;
    }
}
