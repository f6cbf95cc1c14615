/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

/* Where index `i`, counted from the first value of the input, finds its value among `size`. */
static int32_t mirrored(int32_t i, int32_t size, int32_t edge) {
    if (i < 0) {
        return edge - 1 - i;
    }
    return i < size ? i : 2 * size - 1 - edge - i;
}

void eg_mirror_pad(const struct eg_mirror_pad *p, int32_t frames, const int8_t *in, int8_t *out) {
    int32_t rows = p->out[0] * p->out[1] * p->out[2] * p->out[3];
    int32_t frame_size = p->in[0] * p->in[1] * p->in[2] * p->in[3] * p->in[4];

    for (int32_t frame = 0; frame < frames; frame++, in += frame_size) {
        for (int32_t row = 0; row < rows; row++) {
            int32_t from = 0, left = row, step = p->in[4];

            for (int axis = 3; axis >= 0; axis--) {
                int32_t i = left % p->out[axis] - p->before[axis];

                from += mirrored(i, p->in[axis], p->edge) * step;
                left /= p->out[axis];
                step *= p->in[axis];
            }
            for (int32_t i = 0; i < p->out[4]; i++) {
                *out++ = in[from + mirrored(i - p->before[4], p->in[4], p->edge)];
            }
        }
    }
}
