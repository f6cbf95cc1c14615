/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_head.h: a model's last layer, a packed dense one, whose constants may be replaced while the model stays.
 *
 * What comes in is plain, as the .tflite has it, and is packed here, so that it does not depend on how a
 * kernel likes its constants.
 */
#ifndef EG_HEAD_H
#define EG_HEAD_H

#include <stdint.h>

/* Constants as struct eg_packed has them; all sizes as there. */
struct eg_head {
    uint32_t *constants; /* those that the kernel reads */
    const uint32_t *own; /* the model's own */
    int32_t count;       /* words of either */
    int32_t outputs;
    int32_t depth;
    int32_t words;
    int32_t input_zero_point;
    int32_t output_zero_point;
};

/* Takes scales [outputs][3] (bias, multiplier, shift: TFLite's quantised multiplier is
 * multiplier * 2^(shift - 31)) and weights [outputs][depth]; NULL for both: the model's own.  Returns 1, or 0
 * where the layer would not be computed exactly (SPEC.md section 8); nothing has changed then. */
int eg_head_take(const struct eg_head *head, const int32_t scales[], const int8_t weights[]);

#endif
