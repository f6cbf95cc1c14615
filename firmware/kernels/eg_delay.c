/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

#include <string.h>

void eg_delay(int32_t rows, int32_t bytes, int8_t *ring, uint32_t *head, const int8_t *in, int8_t *out) {
    eg_delay_get(bytes, ring, *head, out);
    eg_delay_put(rows, bytes, ring, head, in);
}

void eg_delay_put(int32_t rows, int32_t bytes, int8_t *ring, uint32_t *head, const int8_t *in) {
    memcpy(ring + (int32_t)*head * bytes, in, (size_t)bytes);
    *head = *head + 1 == (uint32_t)rows ? 0 : *head + 1;
}

void eg_delay_get(int32_t bytes, const int8_t *ring, uint32_t head, int8_t *out) {
    memcpy(out, ring + (int32_t)head * bytes, (size_t)bytes);
}

void eg_spread(int32_t parts, int32_t bytes, int8_t *ring, uint32_t *head, const int8_t *in, int8_t *out) {
    memcpy(ring, in, (size_t)(parts * bytes));
    memcpy(out, in, (size_t)bytes);
    *head = 1;
}

void eg_spread_next(int32_t bytes, const int8_t *ring, uint32_t *head, int8_t *out) {
    memcpy(out, ring + (int32_t)*head * bytes, (size_t)bytes);
    *head += 1;
}
