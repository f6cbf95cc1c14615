/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_packed_conv.h: convolution on packed weights.
 *
 * Patches are unpacked to int16 and multiplied by eg_dot.c.  Over a window two neighbouring positions go
 * together, and the weights of a pass are copied to RAM first: each is read for every position, and a read
 * from flash waits.
 *
 * Positions run from the last to the first, so a causal convolution may write over its own input: what an
 * output replaces, no earlier output looks at.
 */
#ifndef EG_PACKED_CONV_H
#define EG_PACKED_CONV_H

#include "eg_scalar.h"
#include "eg_taps.h"
#include "eg_tiles.h"

#if EG_PAIRS

/* Where a position lies; positions are counted backwards. */
struct eg_cursor {
    const int8_t *frame;
    int32_t y, x;
};

/* The parts of the caller's scratch. */
struct eg_scratch {
    int8_t *border;    /* zero points, as far as a tap looks */
    int8_t *gathered;  /* a patch of channels that are no fours */
    uint32_t *patches; /* of two positions, in a step over time of one */
    uint32_t *stage;   /* scales and weights of a pass */
};

static EG_INLINE struct eg_scratch eg_conv_divide(const struct eg_packed_conv *p, uint32_t *words) {
    struct eg_scratch s;
    int32_t border = (p->geometry.in_c + 3) / 4;
    int32_t gathered = p->geometry.in_c % 4 == 0 ? 0 : p->packed.words / 2;

    s.border = (int8_t *)words;
    s.gathered = (int8_t *)(words + border);
    s.patches = words + border + gathered;
    s.stage = s.patches + 2 * p->packed.words;
    return s;
}

/* Taps i and i + 2 of a single channel, nothing behind the last. */
static EG_INLINE uint32_t eg_conv_pair(const int8_t *const taps[EG_TAPS], int32_t i, int32_t count) {
    int32_t low = i < count ? *taps[i] : 0, high = i + 2 < count ? *taps[i + 2] : 0;

    return ((uint32_t)low & 0xffffu) | (uint32_t)high << 16;
}

/* The patch that `taps` point at, in one go where they lie one behind the other; `gathered` is for channels
 * that are no fours. */
static EG_INLINE void eg_conv_unpack(const struct eg_packed_conv *p, const int8_t *const taps[EG_TAPS],
                                     int whole, int8_t *gathered, uint32_t *to, int32_t pitch) {
    const struct eg_geometry *g = &p->geometry;
    int32_t count = g->kernel_h * g->kernel_w;

    if (g->in_c == 1) {
        EG_UNROLL(6)
        for (int32_t i = 0; i < 2 * p->packed.words; i += 4, to += 2 * pitch) {
            to[0] = eg_conv_pair(taps, i, count);
            to[pitch] = eg_conv_pair(taps, i + 1, count);
        }
    } else if (g->in_c % 4 != 0) {
        for (int32_t i = 0; i < count; i++) {
            __builtin_memcpy(gathered + i * g->in_c, taps[i], (size_t)g->in_c);
        }
        __builtin_memset(gathered + count * g->in_c, 0, (size_t)(2 * p->packed.words - count * g->in_c));
        eg_unpack(gathered, 2 * p->packed.words, to, pitch);
    } else if (whole) {
        eg_unpack(taps[0], count * g->in_c, to, pitch);
    } else {
        for (int32_t i = 0; i < count; i++) {
            to = eg_unpack(taps[i], g->in_c, to, pitch);
        }
    }
}

static EG_INLINE void eg_conv_back(const struct eg_geometry *g, struct eg_cursor *at) {
    if (--at->x < 0) {
        at->x = g->out_w - 1;
        if (--at->y < 0) {
            at->y = g->out_h - 1;
            at->frame -= g->in_h * g->in_w * g->in_c;
        }
    }
}

/* Unpack the patch at `at`, words taking turns with another's, and go on to the position before. */
static EG_INLINE void eg_conv_take(const struct eg_packed_conv *p, struct eg_cursor *at,
                                   const struct eg_scratch *s, uint32_t *to) {
    const int8_t *taps[EG_TAPS];
    int whole = eg_taps(&p->geometry, at->frame, at->y, at->x, s->border, taps);

    eg_conv_unpack(p, taps, whole, s->gathered, to, 2);
    eg_conv_back(&p->geometry, at);
}

/* All `count` positions of a pass; `at` is the last and `out` its outputs. */
static EG_INLINE void eg_conv_run(const struct eg_packed_conv *p, const struct eg_pass *pass, int32_t count,
                                  struct eg_cursor at, const struct eg_scratch *s, int8_t *out) {
    struct eg_tiles tiles;

    eg_tiles_of(pass, s->patches, &tiles);
    while (count > 0) {
        int8_t *second = out;
        struct eg_cursor same = at;

        eg_conv_take(p, &at, s, s->patches + 1);
        if (count > 1) {
            out -= p->packed.outputs;
            same = at;
        }
        at = same; /* an odd one goes with itself */
        eg_conv_take(p, &at, s, s->patches);
        eg_dot2(pass, &tiles, out, second);
        out -= p->packed.outputs;
        count -= 2;
    }
}

/* The same, one by one. */
static EG_INLINE void eg_conv_few(const struct eg_packed_conv *p, int32_t count, struct eg_cursor at,
                                  const struct eg_scratch *s, int8_t *out) {
    struct eg_pass all = eg_pass(&p->packed, 0, p->packed.outputs);

    for (; count > 0; count--, out -= p->packed.outputs) {
        const int8_t *taps[EG_TAPS];
        int whole = eg_taps(&p->geometry, at.frame, at.y, at.x, s->border, taps);

        eg_conv_unpack(p, taps, whole, s->gathered, s->patches, 1);
        eg_conv_back(&p->geometry, &at);
        eg_dot(&all, s->patches, out);
    }
}

static EG_INLINE void eg_packed_conv(const struct eg_packed_conv *p, int32_t frames, const int8_t *in,
                                     uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    struct eg_scratch s = eg_conv_divide(p, scratch);
    int32_t count = frames * g->out_h * g->out_w;
    struct eg_cursor last;

    __builtin_memset(s.border, g->zero_point, (size_t)g->in_c);
    last.frame = in + (frames - 1) * g->in_h * g->in_w * g->in_c;
    last.y = g->out_h - 1;
    last.x = g->out_w - 1;
    out += (count - 1) * p->packed.outputs;
    if (count < EG_WORTH_STAGING) {
        eg_conv_few(p, count, last, &s, out);
        return;
    }
    for (int32_t first = 0; first < p->packed.outputs; first += p->packed.staged) {
        struct eg_pass pass = eg_staged(&p->packed, first, s.stage);

        eg_conv_run(p, &pass, count, last, &s, out + first);
    }
}

static EG_INLINE void eg_packed_conv_step(const struct eg_packed_conv *p, int8_t *ring, uint32_t *head,
                                          const int8_t *in, uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    struct eg_scratch s = eg_conv_divide(p, scratch);
    struct eg_pass all = eg_pass(&p->packed, 0, p->packed.outputs);

    if (g->in_w > 1) {
        __builtin_memset(s.border, g->zero_point, (size_t)g->in_c);
    }
    for (int32_t x = 0; x < g->out_w; x++) {
        const int8_t *taps[EG_TAPS];

        eg_taps_ring(g, ring, *head, in, x, s.border, taps);
        eg_conv_unpack(p, taps, 0, s.gathered, s.patches, 1);
        eg_dot(&all, s.patches, out);
        out += p->packed.outputs;
    }
    eg_taps_push(g, ring, head, in);
}

#endif

#endif
