/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_dsp.h"

/* eg_requantise() of a value given twice; `away` is -1, or 0 where there is no shift to round. */
static int32_t common(int32_t twice, const struct eg_scale *by, int32_t away) {
    int32_t offset = by->offset + (twice >> 31 & away);

    return eg_smmlar(twice, by->multiplier, offset) >> by->shift;
}

void eg_packed_add(const struct eg_packed_add *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out) {
    struct eg_packed_add q = *p; /* out cannot alias it */

    for (int32_t i = q.count * frames; i > 0; i--) {
        int32_t x = *a++ * (1 << 21) + q.zero_a;
        int32_t y = *b++ * (1 << 21) + q.zero_b;
        int32_t sum = common(x, &q.a, q.away_a) +
                      q.sign * common(y, &q.b, q.away_b);

        *out++ = eg_narrow(2 * sum, &q.out);
    }
}
