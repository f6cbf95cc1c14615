/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_kernels16.h: the operators of eg_kernels.h for int16x8 models, with the bits of TFLite Micro.
 *
 * Activations are int16 and symmetric (zero point 0), weights int8, biases int64.  What is said there of
 * frames, rings and overlapping buffers holds here.  A geometry's in_c counts bytes: twice the channels, so
 * that patches and rings are gathered by the same code.
 */
#ifndef EG_KERNELS16_H
#define EG_KERNELS16_H

#include "eg_kernels.h"

/* Dot products: outputs[o] = clamp((sum * multiplier[o] + half) >> shift[o]),
 * sum = bias[o] + sum over k of weights[o][k] * x[k]; the compiler has proven that |sum| < 2^47 and that what
 * is clamped fits 32 bits. */
struct eg_dense16 {
    const int8_t *weights;     /* [outputs][depth] */
    const int64_t *bias;       /* [outputs] */
    const int16_t *multiplier; /* [outputs], 0 to 2^15 - 1 */
    const int8_t *shift;       /* [outputs], 8 to 46, to the right */
    int32_t depth;
    int32_t outputs;
    int32_t activation_min;
    int32_t activation_max;
};

/* CONV_2D: the dense part takes patches of kernel_h * kernel_w * channels values. */
struct eg_conv16 {
    struct eg_geometry geometry;
    struct eg_dense16 dense;
};

/* DEPTHWISE_CONV_2D: output channel c * multiplicity + m looks at input channel c alone. */
struct eg_depthwise16 {
    struct eg_geometry geometry;
    const int8_t *weights; /* [kernel_h * kernel_w][channels * multiplicity] */
    const int64_t *bias;   /* as in eg_dense16, [channels * multiplicity] */
    const int16_t *multiplier;
    const int8_t *shift;
    int32_t multiplicity;
    int32_t activation_min, activation_max;
};

/* LOGISTIC and TANH: x * multiplier / 2^shift, rounded half up, is x in units of 1 / (3 * 4096). */
struct eg_curve16 {
    int32_t multiplier;
    int32_t shift; /* 0 to 31 */
};

/* RELU and RELU6 standing alone, LEAKY_RELU, QUANTIZE. */
struct eg_relu16 {
    int32_t multiplier, shift;             /* of 0 and more, as eg_requantise() takes them */
    int32_t multiplier_below, shift_below; /* of less than 0 */
    int32_t activation_min, activation_max;
};

/* in [positions][depth] -> out [positions][outputs]. */
void eg_dense16(const struct eg_dense16 *p, int32_t positions, const int16_t *in, int16_t *out);

/* in [frames][in_h][in_w][channels] -> out [frames][out_h][out_w][outputs]; scratch: one patch. */
void eg_conv16(const struct eg_conv16 *p, int32_t frames, const int16_t *in, int16_t *scratch, int16_t *out);
void eg_depthwise16(const struct eg_depthwise16 *p, int32_t frames, const int16_t *in, int16_t *scratch,
                    int16_t *out);

/* One row in, one row out; ring [(kernel_h - 1) * dilation_h][in_w][in_c] bytes, all 0 at the start. */
void eg_conv16_step(const struct eg_conv16 *p, int8_t *ring, uint32_t *head, const int16_t *in,
                    int16_t *scratch, int16_t *out);
void eg_depthwise16_step(const struct eg_depthwise16 *p, int8_t *ring, uint32_t *head, const int16_t *in,
                         int16_t *scratch, int16_t *out);

/* out = a + b, a - b, a * b in real numbers; out may be a or b where that one is not broadcast. */
void eg_add16(const struct eg_binary *p, int32_t frames, const int16_t *a, const int16_t *b, int16_t *out);
void eg_sub16(const struct eg_binary *p, int32_t frames, const int16_t *a, const int16_t *b, int16_t *out);
void eg_mul16(const struct eg_binary *p, int32_t frames, const int16_t *a, const int16_t *b, int16_t *out);

/* in [frames][in_h][in_w][in_c] -> out [frames][out_h][out_w][in_c]; in_c counts values here. */
void eg_pool16(const struct eg_pool *p, int32_t frames, const int16_t *in, int16_t *out);

/* in [outer][count][inner] -> out [outer][inner]. */
void eg_mean16(const struct eg_mean *p, int32_t outer, const int16_t *in, int16_t *out);

/* Functions of one value at a time; out may be in. */
void eg_logistic16(const struct eg_curve16 *p, int32_t count, const int16_t *in, int16_t *out);
void eg_tanh16(const struct eg_curve16 *p, int32_t count, const int16_t *in, int16_t *out);
void eg_relu16(const struct eg_relu16 *p, int32_t count, const int16_t *in, int16_t *out);

/* For the kernels alone. */

static inline int16_t eg_clamp16(int32_t x, int32_t low, int32_t high) {
    x = x < low ? low : x;
    return (int16_t)(x > high ? high : x);
}

/* MultiplyByQuantizedMultiplier of TFLite for 64-bit sums: 16 bits of the multiplier, one rounding, half up.
 */
static inline int32_t eg_requantise64(int64_t x, int32_t multiplier, int32_t shift) {
    return (int32_t)((x * multiplier + ((int64_t)1 << (shift - 1))) >> shift);
}

#endif
