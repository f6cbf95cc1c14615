/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_kernels.h"

#include <string.h>

/* A range of rows or columns, `to` excluded. */
struct span {
    int32_t from, to;
};

/* The part of `kernel` taps from `origin` on that lies in low .. high - 1. */
static struct span overlap(int32_t origin, int32_t kernel, int32_t low, int32_t high) {
    struct span s;

    s.from = origin < low ? low : origin;
    s.to = origin + kernel < high ? origin + kernel : high;
    s.to = s.to < s.from ? s.from : s.to;
    return s;
}

/* What one output looks at along one axis: places of the input, and how many it counts with the PAD's. */
struct look {
    struct span inside;
    int32_t count;
};

static struct look look(int32_t origin, int32_t kernel, int32_t size, const int32_t counted[2]) {
    struct span all = overlap(origin, kernel, -counted[0], size + counted[1]);
    struct look l = {overlap(origin, kernel, 0, size), all.to - all.from};

    return l;
}

static struct look look_across(const struct eg_pool *p, int32_t x) {
    const struct eg_geometry *g = &p->geometry;

    return look(x * g->stride_w - g->pad_left, g->kernel_w, g->in_w, p->counted_columns);
}

/* The sum and the largest of some values, so far. */
struct pooled {
    int32_t sum, most, count;
};

static void take_row(const struct eg_geometry *g, const int8_t *row, struct span columns, struct pooled *s) {
    for (int32_t x = columns.from; x < columns.to; x++) {
        int32_t value = row[x * g->in_c];

        s->sum += value;
        s->most = value > s->most ? value : s->most;
        s->count++;
    }
}

/* `count` values, those not yet taken being zero points. */
static int8_t result(const struct eg_pool *p, struct pooled s, int32_t count, int average) {
    int32_t zero_point = p->geometry.zero_point;

    if (!average) {
        s.sum = count > s.count && zero_point > s.most ? zero_point : s.most;
    } else {
        s.sum += (count - s.count) * zero_point;
        s.sum = s.sum > 0 ? (s.sum + count / 2) / count : (s.sum - count / 2) / count;
    }
    return eg_clamp(s.sum, p->activation_min, p->activation_max);
}

static void pool(const struct eg_pool *p, int32_t frames, const int8_t *in, int8_t *out, int average) {
    const struct eg_geometry *g = &p->geometry;
    int32_t pitch = g->in_w * g->in_c;

    for (int32_t frame = 0; frame < frames; frame++, in += g->in_h * pitch) {
        for (int32_t y = 0; y < g->out_h; y++) {
            struct look rows = look(y * g->stride_h - g->pad_top, g->kernel_h, g->in_h, p->counted_rows);

            for (int32_t x = 0; x < g->out_w; x++) {
                struct look columns = look_across(p, x);

                for (int32_t c = 0; c < g->in_c; c++) {
                    struct pooled s = {0, -128, 0};

                    for (int32_t row = rows.inside.from; row < rows.inside.to; row++) {
                        take_row(g, in + row * pitch + c, columns.inside, &s);
                    }
                    *out++ = result(p, s, rows.count * columns.count, average);
                }
            }
        }
    }
}

/* A ring's head: the slot of the oldest row, and in the upper half how many rows have come, up to all. */
static int32_t slot_of(uint32_t head) {
    return (int32_t)(head & 0xFFFFu);
}

static int32_t seen_of(uint32_t head) {
    return (int32_t)(head >> 16);
}

static void pool_step(const struct eg_pool *p, int8_t *ring, uint32_t *head, const int8_t *in, int8_t *out,
                      int average) {
    const struct eg_geometry *g = &p->geometry;
    int32_t past = g->kernel_h - 1, pitch = g->in_w * g->in_c;
    int32_t seen = seen_of(*head), missing = past - seen;
    int32_t counted = missing < p->counted_rows[0] ? missing : p->counted_rows[0];

    for (int32_t x = 0; x < g->out_w; x++) {
        struct look columns = look_across(p, x);

        for (int32_t c = 0; c < g->in_c; c++) {
            struct pooled s = {0, -128, 0};

            for (int32_t row = missing; row < past; row++) {
                int32_t slot = slot_of(*head) + row;

                slot = slot >= past ? slot - past : slot;
                take_row(g, ring + slot * pitch + c, columns.inside, &s);
            }
            take_row(g, in + c, columns.inside, &s);
            *out++ = result(p, s, (seen + 1 + counted) * columns.count, average);
        }
    }
    eg_pool_push(p, ring, head, in);
}

void eg_pool_push(const struct eg_pool *p, int8_t *ring, uint32_t *head, const int8_t *row) {
    const struct eg_geometry *g = &p->geometry;
    int32_t past = g->kernel_h - 1, pitch = g->in_w * g->in_c;
    int32_t slot = slot_of(*head), seen = seen_of(*head);

    if (past > 0) {
        memcpy(ring + slot * pitch, row, (size_t)pitch);
        slot = slot + 1 == past ? 0 : slot + 1;
        seen = seen < past ? seen + 1 : past;
        *head = (uint32_t)slot | (uint32_t)seen << 16;
    }
}

void eg_average_pool(const struct eg_pool *p, int32_t frames, const int8_t *in, int8_t *out) {
    pool(p, frames, in, out, 1);
}

void eg_max_pool(const struct eg_pool *p, int32_t frames, const int8_t *in, int8_t *out) {
    pool(p, frames, in, out, 0);
}

void eg_average_pool_step(const struct eg_pool *p, int8_t *ring, uint32_t *head, const int8_t *in,
                          int8_t *out) {
    pool_step(p, ring, head, in, out, 1);
}

void eg_max_pool_step(const struct eg_pool *p, int8_t *ring, uint32_t *head, const int8_t *in, int8_t *out) {
    pool_step(p, ring, head, in, out, 0);
}
