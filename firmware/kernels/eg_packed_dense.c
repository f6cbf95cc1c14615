/* SPDX-License-Identifier: Apache-2.0
 *
 * FULLY_CONNECTED and convolutions of one tap on packed weights; see eg_packed_conv.c.
 */
#include "eg_dot.h"

#include <string.h>

/* A position's inputs as int16, zeros up to a multiple of four. */
static EG_INLINE void unpack(const struct eg_packed_dense *p, const int8_t *in, uint32_t *to, int32_t pitch) {
    int32_t rest = p->depth % 4;

    to = eg_unpack(in, p->depth - rest, to, pitch);
    if (rest != 0) {
        int8_t last[4] = {0};

        memcpy(last, in + p->depth - rest, (size_t)rest);
        eg_unpack(last, 4, to, pitch);
    }
}

static void run(const struct eg_packed_dense *p, const struct eg_pass *pass, int32_t positions,
                const int8_t *in, uint32_t *patches, int8_t *out) {
    int32_t row = p->packed.outputs;

    if (positions % 2 != 0) {
        unpack(p, in, patches, 1);
        eg_dot(pass, patches, out);
        in -= p->depth;
        out -= row;
    }
    for (positions /= 2; positions > 0; positions--) {
        unpack(p, in, patches + 1, 2);
        unpack(p, in - p->depth, patches, 2);
        eg_dot2(pass, patches, out - row, row);
        in -= 2 * p->depth;
        out -= 2 * row;
    }
}

void eg_packed_dense(const struct eg_packed_dense *p, int32_t positions, const int8_t *in, uint32_t *scratch,
                     int8_t *out) {
    uint32_t *stage = positions < EG_WORTH_STAGING ? NULL : scratch + 2 * p->packed.words;
    int32_t outputs = stage == NULL ? p->packed.outputs : p->packed.staged;

    in += (positions - 1) * p->depth;
    out += (positions - 1) * p->packed.outputs;
    for (int32_t first = 0; first < p->packed.outputs; first += outputs) {
        struct eg_pass pass = eg_pass(&p->packed, first, outputs, stage);

        run(p, &pass, positions, in, scratch, out + first);
    }
}
