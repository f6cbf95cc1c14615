/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution on packed weights: patches are unpacked to int16 and multiplied by eg_dot.c.  Over a window two
 * neighbouring positions go together, and the weights of a pass are copied to RAM first: each is read for
 * every position, and a read from flash waits.
 *
 * Positions run from the last to the first, so a causal convolution may write over its own input: what an
 * output replaces, no earlier output looks at.
 */
#include "eg_dot.h"

#include <string.h>

/* Where a position lies; positions are counted backwards. */
struct cursor {
    const int8_t *frame;
    int32_t y, x;
};

/* The parts of the caller's scratch. */
struct scratch {
    uint32_t *patches; /* of two positions */
    int8_t *border;    /* zero points, as far as a tap looks */
    int8_t *gathered;
    uint32_t *weights; /* of a pass */
};

static struct scratch divide(const struct eg_packed_conv *p, uint32_t *words) {
    struct scratch s;
    int32_t border = (p->geometry.in_c + 3) / 4;

    s.patches = words;
    s.border = (int8_t *)(words + 2 * p->packed.words);
    s.gathered = (int8_t *)(words + 2 * p->packed.words + border);
    s.weights = words + 2 * p->packed.words + border + p->packed.words / 2;
    return s;
}

/* The patch that `taps` point at, neighbours in one go; `gathered` is for channels that are no fours. */
static EG_INLINE void unpack(const struct eg_packed_conv *p, const int8_t *const taps[EG_TAPS], int8_t *gathered,
                          uint32_t *to, int32_t pitch) {
    const struct eg_geometry *g = &p->geometry;
    const int8_t *const *end = taps + g->kernel_h * g->kernel_w;

    if (g->in_c % 4 != 0) {
        int8_t *last = gathered;

        for (; taps != end; taps++, last += g->in_c) {
            memcpy(last, *taps, (size_t)g->in_c);
        }
        memset(last, 0, (size_t)(gathered + 2 * p->packed.words - last));
        eg_unpack(gathered, 2 * p->packed.words, to, pitch);
        return;
    }
    while (taps != end) {
        const int8_t *from = *taps++;
        int32_t length = g->in_c;

        for (; taps != end && *taps == from + length; taps++) {
            length += g->in_c;
        }
        to = eg_unpack(from, length, to, pitch);
    }
}

static void back(const struct eg_geometry *g, struct cursor *at) {
    if (--at->x < 0) {
        at->x = g->out_w - 1;
        if (--at->y < 0) {
            at->y = g->out_h - 1;
            at->frame -= g->in_h * g->in_w * g->in_c;
        }
    }
}

/* Unpack the patch at `at`, words taking turns with another's, and go on to the position before. */
static void take(const struct eg_packed_conv *p, struct cursor *at, const struct scratch *s, uint32_t *to) {
    const int8_t *taps[EG_TAPS];

    eg_taps(&p->geometry, at->frame, at->y, at->x, s->border, taps);
    unpack(p, taps, s->gathered, to, 2);
    back(&p->geometry, at);
}

/* All `count` positions of a pass; `at` is the last and `out` its outputs. */
static void run(const struct eg_packed_conv *p, const struct eg_pass *pass, int32_t count, struct cursor at,
                const struct scratch *s, int8_t *out) {
    int32_t row = p->packed.outputs;

    if (count % 2 != 0) {
        const int8_t *taps[EG_TAPS];

        eg_taps(&p->geometry, at.frame, at.y, at.x, s->border, taps);
        unpack(p, taps, s->gathered, s->patches, 1);
        back(&p->geometry, &at);
        eg_dot(pass, s->patches, out);
        out -= row;
    }
    for (count /= 2; count > 0; count--) {
        take(p, &at, s, s->patches + 1);
        take(p, &at, s, s->patches);
        out -= row;
        eg_dot2(pass, s->patches, out, row);
        out -= row;
    }
}

void eg_packed_conv(const struct eg_packed_conv *p, int32_t frames, const int8_t *in, uint32_t *scratch,
                    int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    struct scratch s = divide(p, scratch);
    int32_t count = frames * g->out_h * g->out_w;
    uint32_t *stage = count < EG_WORTH_STAGING ? NULL : s.weights;
    int32_t outputs = stage == NULL ? p->packed.outputs : p->packed.staged;
    struct cursor last;

    memset(s.border, g->zero_point, (size_t)g->in_c);
    last.frame = in + (frames - 1) * g->in_h * g->in_w * g->in_c;
    last.y = g->out_h - 1;
    last.x = g->out_w - 1;
    out += (count - 1) * p->packed.outputs;
    for (int32_t first = 0; first < p->packed.outputs; first += outputs) {
        struct eg_pass pass = eg_pass(&p->packed, first, outputs, stage);

        run(p, &pass, count, last, &s, out + first);
    }
}

void eg_packed_conv_step(const struct eg_packed_conv *p, int8_t *ring, uint32_t *head, const int8_t *in,
                         uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    struct scratch s = divide(p, scratch);
    struct eg_pass all = eg_pass(&p->packed, 0, p->packed.outputs, NULL);

    if (g->in_w > 1) {
        memset(s.border, g->zero_point, (size_t)g->in_c);
    }
    for (int32_t x = 0; x < g->out_w; x++) {
        const int8_t *taps[EG_TAPS];

        eg_taps_ring(g, ring, *head, in, x, s.border, taps);
        unpack(p, taps, s.gathered, s.patches, 1);
        eg_dot(&all, s.patches, out);
        out += p->packed.outputs;
    }
    eg_ring_push(g, ring, head, in);
}
