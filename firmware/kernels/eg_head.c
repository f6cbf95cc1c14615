/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_head.h"

#include <stddef.h>
#include <string.h>

enum {
    TILE = 4,            /* outputs that lie together; EG_TILE of eg_dot.h */
    MOST_SHIFT = 21,     /* what eg_narrow() is exact for, as packed.py has it */
    LARGEST = (1 << 30), /* an accumulator stays below, since it is given twice */
};

/* The bias with the input's zero point folded in, twice. */
static uint32_t folded(const struct eg_head *head, int32_t bias, const int8_t *weights) {
    int32_t sum = 0;

    for (int32_t i = 0; i < head->depth; i++) {
        sum += weights[i];
    }
    return 2 * ((uint32_t)bias - (uint32_t)(head->input_zero_point * sum));
}

/* Whether no input leads out of int32: what folding.py proves when a model is compiled. */
static int fits(const struct eg_head *head, const int32_t scale[3], const int8_t *weights) {
    int32_t zero_point = head->input_zero_point;
    int32_t reach = zero_point < 0 ? 127 - zero_point : zero_point + 128; /* 128 or more */
    int32_t magnitude = 0;

    for (int32_t i = 0; i < head->depth; i++) {
        magnitude += weights[i] < 0 ? -weights[i] : weights[i];
    }
    int64_t bias = scale[0] < 0 ? -(int64_t)scale[0] : scale[0];
    return bias + (int64_t)magnitude * reach < LARGEST && scale[1] >= 1 << 30 && scale[2] < 0 &&
           scale[2] >= -MOST_SHIFT;
}

/* Word `at` of a row of weights, twice: int16 pairs of four inputs are 0 and 2, 1 and 3. */
static uint32_t pair(const struct eg_head *head, const int8_t *row, int32_t at) {
    int32_t first = at / 2 * 4 + at % 2;
    int32_t low = first < head->depth ? 2 * row[first] : 0;
    int32_t high = first + 2 < head->depth ? 2 * row[first + 2] : 0;

    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

static void pack(const struct eg_head *head, const int32_t scales[], const int8_t weights[]) {
    uint32_t *to = head->constants;
    int32_t together;

    for (int32_t first = 0; first < head->outputs; first += together) {
        const int8_t *rows = weights + first * head->depth;

        together = head->outputs - first >= TILE ? TILE : 1;
        for (int32_t i = 0; i < together; i++) {
            *to++ = folded(head, scales[3 * (first + i)], rows + i * head->depth);
        }
        for (int32_t at = 0; at < head->words; at++) {
            for (int32_t i = 0; i < together; i++) {
                *to++ = pair(head, rows + i * head->depth, at);
            }
        }
        for (int32_t i = 0; i < together; i++) {
            const int32_t *scale = scales + 3 * (first + i);
            uint32_t shift = (uint32_t)-scale[2];

            *to++ = (uint32_t)scale[1];
            *to++ = ((uint32_t)head->output_zero_point << shift) + (1u << shift >> 1);
            *to++ = shift;
        }
    }
}

int eg_head_take(const struct eg_head *head, const int32_t scales[], const int8_t weights[]) {
    if (!scales) {
        memcpy(head->constants, head->own, (size_t)head->count * sizeof *head->own);
        return 1;
    }
    for (int32_t o = 0; o < head->outputs; o++) {
        if (!fits(head, scales + 3 * o, weights + o * head->depth)) {
            return 0;
        }
    }
    pack(head, scales, weights);
    return 1;
}
