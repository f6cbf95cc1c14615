/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_dsp.h"

void eg_packed_add(const struct eg_packed_add *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out) {
    struct eg_packed_add q = *p; /* out cannot alias it */
    const int8_t *end = a + q.count * frames;

    while (a != end) {
        int32_t x = *a++ * (1 << 20) + q.zero_a;
        int32_t y = *b++ * (1 << 21) + q.zero_b;
        int32_t common = eg_smmlar(y, q.b.multiplier, q.b.offset + (y >> 31)) >> q.b.shift;

        *out++ = eg_narrow(x + 2 * common, &q.out);
    }
}
