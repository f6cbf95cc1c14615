/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

void eg_concat(const struct eg_concat *p, int32_t frames, const int8_t *const in[], int8_t *out) {
    int32_t whole = 0;

    for (int32_t part = 0; part < p->parts; part++) {
        whole += p->size[part];
    }
    for (int32_t part = 0, at = 0; part < p->parts; at += p->size[part++]) {
        const int8_t *from = in[part];

        for (int32_t row = 0; row < frames * p->outer; row++) {
            int8_t *to = out + row * whole + at;

            for (int32_t i = 0; i < p->size[part]; i++) {
                to[i] = *from++;
            }
        }
    }
}
