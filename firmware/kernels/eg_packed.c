/* SPDX-License-Identifier: Apache-2.0
 *
 * Dot products on words of two int16: SMLAD takes two products at once.
 *
 * A patch is unpacked to int16 once and then met by all outputs, four at a time.  Over a window two
 * neighbouring positions go together, their words taking turns in the scratch, and the weights of a
 * pass are copied to RAM first: each is read for every position, and a read from flash waits.
 *
 * Positions run from the last to the first, so a causal convolution may write over its own input: what an
 * output replaces, no earlier output looks at.
 */
#include "eg_dsp.h"

#include <string.h>

enum {
    TILE = 4,        /* outputs that share the loads of a patch */
    WORTH_STAGING = 8, /* positions from which copying the weights pays */
};

/* Outputs on their way: their own weights and all that finishes them. */
struct pass {
    const uint32_t *weights;
    const int32_t *bias;
    const struct eg_scale *scale;
    int32_t outputs;
    int32_t words; /* of a patch */
};

/* Where a position lies; positions are counted backwards. */
struct cursor {
    const int8_t *frame;
    int32_t y, x;
};

/* Four outputs of one position. */
static void tile1(const uint32_t *w, const uint32_t *x, int32_t words, const int32_t bias[TILE],
                  int32_t sum[TILE]) {
    const uint32_t *end = x + words;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];

    for (; x != end; x += 2, w += 2 * TILE) {
        uint32_t a = x[0], b = x[1];

        s0 = eg_smlad(a, w[0], s0);
        s1 = eg_smlad(a, w[1], s1);
        s2 = eg_smlad(a, w[2], s2);
        s3 = eg_smlad(a, w[3], s3);
        s0 = eg_smlad(b, w[4], s0);
        s1 = eg_smlad(b, w[5], s1);
        s2 = eg_smlad(b, w[6], s2);
        s3 = eg_smlad(b, w[7], s3);
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
}

#if defined(__ARM_FEATURE_DSP) && !defined(__clang__)
/* Two words of weights for each of four outputs, at two positions: fourteen registers, all there are. */
#define PAIR \
    "ldrd %[a], %[b], [%[x]], #8\n\t" \
    "ldrd %[v], %[u], [%[w]], #8\n\t" \
    "smlad %[s0], %[a], %[v], %[s0]\n\tsmlad %[t0], %[b], %[v], %[t0]\n\t" \
    "smlad %[s1], %[a], %[u], %[s1]\n\tsmlad %[t1], %[b], %[u], %[t1]\n\t" \
    "ldrd %[v], %[u], [%[w]], #8\n\t" \
    "smlad %[s2], %[a], %[v], %[s2]\n\tsmlad %[t2], %[b], %[v], %[t2]\n\t" \
    "smlad %[s3], %[a], %[u], %[s3]\n\tsmlad %[t3], %[b], %[u], %[t3]\n\t"

/* The loop of tile2() below as gcc does not find it: no accumulator on the stack. */
static void tile2(const uint32_t *w, const uint32_t *x, int32_t words, const int32_t bias[TILE],
                  int32_t sum[2 * TILE]) {
    const uint32_t *end = x + 2 * words;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    int32_t t0 = s0, t1 = s1, t2 = s2, t3 = s3;

    do {
        uint32_t a, b, u, v;

        __asm__ volatile(PAIR PAIR
                         : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [t0] "+r"(t0),
                           [t1] "+r"(t1), [t2] "+r"(t2), [t3] "+r"(t3), [x] "+r"(x), [w] "+r"(w),
                           [a] "=&r"(a), [b] "=&r"(b), [u] "=&r"(u), [v] "=&r"(v)
                         :
                         : "memory");
    } while (x != end);
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
    sum[4] = t0;
    sum[5] = t1;
    sum[6] = t2;
    sum[7] = t3;
}
#else
/* Four outputs of two positions, whose words take turns in x. */
static void tile2(const uint32_t *w, const uint32_t *x, int32_t words, const int32_t bias[TILE],
                  int32_t sum[2 * TILE]) {
    const uint32_t *end = x + 2 * words;
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    int32_t t0 = s0, t1 = s1, t2 = s2, t3 = s3;

    for (; x != end; x += 2, w += TILE) {
        uint32_t a = x[0], b = x[1];

        s0 = eg_smlad(a, w[0], s0);
        t0 = eg_smlad(b, w[0], t0);
        s1 = eg_smlad(a, w[1], s1);
        t1 = eg_smlad(b, w[1], t1);
        s2 = eg_smlad(a, w[2], s2);
        t2 = eg_smlad(b, w[2], t2);
        s3 = eg_smlad(a, w[3], s3);
        t3 = eg_smlad(b, w[3], t3);
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
    sum[4] = t0;
    sum[5] = t1;
    sum[6] = t2;
    sum[7] = t3;
}
#endif

static int32_t single(const uint32_t *w, const uint32_t *x, int32_t words, int32_t pitch, int32_t sum) {
    for (int32_t i = 0; i < words; i++, x += pitch) {
        sum = eg_smlad(*x, w[i], sum);
    }
    return sum;
}

static void position(const struct pass *p, const uint32_t *x, int8_t *out) {
    const uint32_t *w = p->weights;
    int32_t o = 0;

    for (; o + TILE <= p->outputs; o += TILE, w += TILE * p->words) {
        int32_t sum[TILE];

        tile1(w, x, p->words, p->bias + o, sum);
        for (int32_t i = 0; i < TILE; i++) {
            out[o + i] = eg_narrow(sum[i], p->scale + o + i);
        }
    }
    for (; o < p->outputs; o++, w += p->words) {
        out[o] = eg_narrow(single(w, x, p->words, 1, p->bias[o]), p->scale + o);
    }
}

/* Outputs of two positions, the second `next` behind the first. */
static void positions(const struct pass *p, const uint32_t *x, int8_t *out, int32_t next) {
    const uint32_t *w = p->weights;
    int32_t o = 0;

    for (; o + TILE <= p->outputs; o += TILE, w += TILE * p->words) {
        int32_t sum[2 * TILE];

        tile2(w, x, p->words, p->bias + o, sum);
        for (int32_t i = 0; i < TILE; i++) {
            out[o + i] = eg_narrow(sum[i], p->scale + o + i);
            out[o + i + next] = eg_narrow(sum[TILE + i], p->scale + o + i);
        }
    }
    for (; o < p->outputs; o++, w += p->words) {
        out[o] = eg_narrow(single(w, x, p->words, 2, p->bias[o]), p->scale + o);
        out[o + next] = eg_narrow(single(w, x + 1, p->words, 2, p->bias[o]), p->scale + o);
    }
}

/* `groups` times four values to int16, every pitch-th word. */
static inline uint32_t *extend(const int8_t *x, int32_t groups, uint32_t *to, int32_t pitch) {
    for (; groups > 0; groups--, x += 4, to += 2 * pitch) {
        uint32_t four = eg_load4(x);

        to[0] = eg_even(four);
        to[pitch] = eg_odd(four);
    }
    return to;
}

/* The patch that `taps` point at, neighbours in one go; `gathered` is for channels that are no fours. */
static inline void unpack(const struct eg_packed_conv *p, const int8_t *const taps[EG_TAPS], int8_t *gathered,
                          uint32_t *to, int32_t pitch) {
    const struct eg_geometry *g = &p->geometry;
    int32_t count = g->kernel_h * g->kernel_w;

    if (g->in_c % 4 != 0) {
        for (int32_t i = 0; i < count; i++) {
            memcpy(gathered + i * g->in_c, taps[i], (size_t)g->in_c);
        }
        memset(gathered + count * g->in_c, 0, (size_t)(2 * p->words - count * g->in_c));
        extend(gathered, p->words / 2, to, pitch);
        return;
    }
    for (int32_t i = 0; i < count;) {
        const int8_t *from = taps[i++];
        int32_t length = g->in_c;

        for (; i < count && taps[i] == from + length; i++) {
            length += g->in_c;
        }
        to = extend(from, length / 4, to, pitch);
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
    s.border = (int8_t *)(words + 2 * p->words);
    s.gathered = (int8_t *)(words + 2 * p->words + border);
    s.weights = words + 2 * p->words + border + p->words / 2;
    memset(s.border, p->geometry.zero_point, (size_t)(4 * border));
    return s;
}

/* Unpack the patch at `at` and go on to the position before. */
static void take(const struct eg_packed_conv *p, struct cursor *at, const struct scratch *s, uint32_t *to,
                 int32_t pitch) {
    const int8_t *taps[EG_TAPS];

    eg_taps(&p->geometry, at->frame, at->y, at->x, s->border, taps);
    if (pitch == 1) {
        unpack(p, taps, s->gathered, to, 1);
    } else {
        unpack(p, taps, s->gathered, to, 2);
    }
    back(&p->geometry, at);
}

static struct pass outputs_from(const struct eg_packed_conv *p, int32_t first, int32_t outputs) {
    struct pass pass;

    pass.weights = p->weights + first * p->words;
    pass.bias = p->bias + first;
    pass.scale = p->scale + first;
    pass.outputs = first + outputs < p->outputs ? outputs : p->outputs - first;
    pass.words = p->words;
    return pass;
}

/* All `count` positions of a pass; `at` is the last and `out` its outputs. */
static void run(const struct eg_packed_conv *p, const struct pass *pass, int32_t count, struct cursor at,
                const struct scratch *s, int8_t *out) {
    if (count % 2 != 0) {
        take(p, &at, s, s->patches, 1);
        position(pass, s->patches, out);
        out -= p->outputs;
    }
    for (count /= 2; count > 0; count--) {
        take(p, &at, s, s->patches + 1, 2);
        take(p, &at, s, s->patches, 2);
        out -= p->outputs;
        positions(pass, s->patches, out, p->outputs);
        out -= p->outputs;
    }
}

void eg_packed(const struct eg_packed_conv *p, int32_t frames, const int8_t *in, uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    struct scratch s = divide(p, scratch);
    int32_t count = frames * g->out_h * g->out_w;
    int staging = count >= WORTH_STAGING;
    struct cursor last;

    last.frame = in + (frames - 1) * g->in_h * g->in_w * g->in_c;
    last.y = g->out_h - 1;
    last.x = g->out_w - 1;
    out += (count - 1) * p->outputs;
    for (int32_t first = 0; first < p->outputs; first += staging ? p->staged : p->outputs) {
        struct pass pass = outputs_from(p, first, staging ? p->staged : p->outputs);

        if (staging) {
            memcpy(s.weights, pass.weights, (size_t)(pass.outputs * pass.words) * sizeof *s.weights);
            pass.weights = s.weights;
        }
        run(p, &pass, count, last, &s, out + first);
    }
}

void eg_packed_step(const struct eg_packed_conv *p, int8_t *ring, uint32_t *head, const int8_t *in,
                    uint32_t *scratch, int8_t *out) {
    const struct eg_geometry *g = &p->geometry;
    struct scratch s = divide(p, scratch);
    struct pass all = outputs_from(p, 0, p->outputs);

    for (int32_t x = 0; x < g->out_w; x++) {
        const int8_t *taps[EG_TAPS];

        eg_taps_ring(g, ring, *head, in, x, s.border, taps);
        unpack(p, taps, s.gathered, s.patches, 1);
        position(&all, s.patches, out);
        out += p->outputs;
    }
    eg_ring_push(g, ring, head, in);
}
