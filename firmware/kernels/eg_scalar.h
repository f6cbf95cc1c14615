/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_scalar.h: the packed kernels for cores that multiply one pair of numbers at a time.
 *
 * Constants are those of struct eg_packed, read as int16: of a tile of four outputs each weight is loaded
 * once for three positions, and each input once for four outputs.  Sums are kept modulo 2^32, as by
 * eg_smlad(). Positions run backwards, as in eg_packed_conv.h; the patches of three are gathered before their
 * outputs are written, so these may take the inputs' place.
 */
#ifndef EG_SCALAR_H
#define EG_SCALAR_H

#include "eg_taps.h"

enum {
    EG_SCALAR_OUTPUTS = 4, /* that go together, */
    EG_SCALAR_POSITIONS = 3,
};

/* What becomes of an accumulator, given twice: eg_narrow() with the scale in registers. */
struct eg_scalar_scale {
    int32_t multiplier, offset, shift;
};

static EG_INLINE struct eg_scalar_scale eg_scalar_scale(const uint32_t *w) {
    struct eg_scalar_scale scale = {(int32_t)w[0], (int32_t)w[1], (int32_t)w[2]};

    return scale;
}

static EG_INLINE void eg_scalar_put(uint32_t twice, struct eg_scalar_scale by, int8_t *out) {
    int32_t sum = (int32_t)twice;
    int32_t x = eg_smmlar(sum, by.multiplier, by.offset + (sum >> 31)) >> by.shift;

    if ((uint32_t)x + 128u > 255u) {
        x = x < 0 ? -128 : 127;
    }
    *(uint8_t *)out = (uint8_t)x; /* which needs no sign */
}

/* A tile's outputs at three positions, whose patches of `depth` lie one behind the other in x; returns the
 * constants behind it. */
const uint32_t *eg_scalar_tile3(const uint32_t *w, const int8_t *x, int32_t depth, int8_t *out, int32_t next);

/* The same at one position. */
const uint32_t *eg_scalar_tile1(const uint32_t *w, const int8_t *x, int32_t depth, int8_t *out);

/* One output that is left over, at one position. */
static EG_INLINE const uint32_t *eg_scalar_single(const uint32_t *w, const int8_t *x, int32_t depth,
                                                  int8_t *out) {
    const eg_half *h = (const eg_half *)(w + 1);
    uint32_t sum = w[0];

    for (const int8_t *end = x + depth; x != end; x += 4, h += 4) {
        sum += (uint32_t)(h[0] * x[0]) + (uint32_t)(h[2] * x[1]);
        sum += (uint32_t)(h[1] * x[2]) + (uint32_t)(h[3] * x[3]);
    }
    w += 1 + depth / 2;
    eg_scalar_put(sum, eg_scalar_scale(w), out);
    return w + EG_SCALE_WORDS;
}

/* All outputs at `positions` (1 or 3) that lie one behind the other, from their patches in x. */
static EG_INLINE void eg_scalar_dot(const struct eg_packed *p, int32_t positions, const int8_t *x,
                                    int8_t *out) {
    const int32_t depth = 2 * p->words;
    const uint32_t *w = p->constants;
    int32_t o = 0;

    for (; o + EG_SCALAR_OUTPUTS <= p->outputs; o += EG_SCALAR_OUTPUTS) {
        const uint32_t *tile = w;

        if (positions == EG_SCALAR_POSITIONS) {
            w = eg_scalar_tile3(tile, x, depth, out + o, p->outputs);
            continue;
        }
        for (int32_t i = 0; i < positions; i++) {
            w = eg_scalar_tile1(tile, x + i * depth, depth, out + i * p->outputs + o);
        }
    }
    for (; o < p->outputs; o++) {
        const uint32_t *single = w;

        for (int32_t i = 0; i < positions; i++) {
            w = eg_scalar_single(single, x + i * depth, depth, out + i * p->outputs + o);
        }
    }
}

/* Copies by words where both addresses allow it. */
static EG_INLINE void eg_scalar_copy(int8_t *to, const int8_t *from, int32_t count) {
    if (count % 4 == 0 && ((uintptr_t)to % 4 | (uintptr_t)from % 4) == 0) {
        EG_UNROLL(4)
        for (; count > 0; count -= 4, to += 4, from += 4) {
            __builtin_memcpy(__builtin_assume_aligned(to, 4), __builtin_assume_aligned(from, 4), 4);
        }
    } else {
        __builtin_memcpy(to, from, (size_t)count);
    }
}

/* A patch of `count` values, with zeros up to the depth of the weights. */
static EG_INLINE void eg_scalar_fill(int8_t *patch, int32_t count, int32_t depth) {
    if (count != depth) {
        __builtin_memset(patch + count, 0, (size_t)(depth - count));
    }
}

#if !EG_PAIRS

static EG_INLINE void eg_packed_dense(const struct eg_packed_dense *p, int32_t positions, const int8_t *in,
                                      uint32_t *scratch, int8_t *out) {
    const int32_t depth = 2 * p->packed.words;
    int8_t *patches = (int8_t *)scratch;

    while (positions > 0) {
        int32_t count = positions < EG_SCALAR_POSITIONS ? 1 : EG_SCALAR_POSITIONS;

        positions -= count;
        for (int32_t i = 0; i < count; i++) {
            eg_scalar_copy(patches + i * depth, in + (positions + i) * p->depth, p->depth);
            eg_scalar_fill(patches + i * depth, p->depth, depth);
        }
        eg_scalar_dot(&p->packed, count, patches, out + positions * p->packed.outputs);
    }
}

/* The patch that `taps` point at. */
static EG_INLINE void eg_scalar_gather(const struct eg_packed_conv *p, const int8_t *const taps[EG_TAPS],
                                       int whole, int8_t *patch) {
    const int32_t count = p->geometry.kernel_h * p->geometry.kernel_w;
    const int32_t channels = p->geometry.in_c;

    if (whole) {
        eg_scalar_copy(patch, taps[0], count * channels);
    } else {
        for (int32_t i = 0; i < count; i++) {
            eg_scalar_copy(patch + i * channels, taps[i], channels);
        }
    }
    eg_scalar_fill(patch, count * channels, 2 * p->packed.words);
}

static EG_INLINE int8_t *eg_scalar_border(const struct eg_geometry *g, uint32_t *scratch) {
    return __builtin_memset(scratch, g->zero_point, (size_t)g->in_c);
}

static EG_INLINE void eg_packed_conv(const struct eg_packed_conv *p, int32_t frames, const int8_t *in,
                                     uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const int8_t *border = eg_scalar_border(g, scratch);
    int8_t *patches = (int8_t *)(scratch + (g->in_c + 3) / 4);
    int32_t position = frames * g->out_h * g->out_w;
    int32_t frame = frames - 1, y = g->out_h - 1, x = g->out_w - 1;

    while (position > 0) {
        int32_t count = position < EG_SCALAR_POSITIONS ? 1 : EG_SCALAR_POSITIONS;

        for (int32_t i = count - 1; i >= 0; i--) {
            const int8_t *taps[EG_TAPS];
            int whole = eg_taps(g, in + frame * g->in_h * g->in_w * g->in_c, y, x, border, taps);

            eg_scalar_gather(p, taps, whole, patches + i * 2 * p->packed.words);
            if (--x < 0) {
                x = g->out_w - 1;
                if (--y < 0) {
                    y = g->out_h - 1;
                    frame--;
                }
            }
        }
        position -= count;
        eg_scalar_dot(&p->packed, count, patches, out + position * p->packed.outputs);
    }
}

static EG_INLINE void eg_packed_conv_step(const struct eg_packed_conv *p, int8_t *ring, uint32_t *head,
                                          const int8_t *in, uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    const int8_t *border = g->in_w > 1 ? eg_scalar_border(g, scratch) : NULL;
    int8_t *patch = (int8_t *)(scratch + (g->in_c + 3) / 4);

    for (int32_t x = 0; x < g->out_w; x++, out += p->packed.outputs) {
        const int8_t *taps[EG_TAPS];

        eg_taps_ring(g, ring, *head, in, x, border, taps);
        eg_scalar_gather(p, taps, 0, patch);
        eg_scalar_dot(&p->packed, 1, patch, out);
    }
    eg_taps_push(g, ring, head, in);
}

static EG_INLINE void eg_paired_conv(const struct eg_packed_conv *p, const int8_t *in, uint32_t *scratch,
                                     int8_t *out) {
    eg_packed_conv(p, 1, in, scratch, out);
}

#endif

#endif
