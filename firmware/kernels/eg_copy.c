/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

void eg_copy(const struct eg_copy *p, int32_t frames, const int8_t *in, int8_t *out) {
    int32_t rows = p->size[0] * p->size[1] * p->size[2] * p->size[3];

    for (int32_t frame = 0; frame < frames; frame++, in += p->frame) {
        for (int32_t row = 0; row < rows; row++) {
            int32_t from = p->start, left = row;

            for (int axis = 3; axis >= 0; axis--) {
                from += left % p->size[axis] * p->stride[axis];
                left /= p->size[axis];
            }
            for (int32_t i = 0; i < p->size[4]; i++, from += p->stride[4]) {
                *out++ = in[from];
            }
        }
    }
}
