/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_kernels.h: int8 operators that give the bits of TFLite Micro's reference kernels.
 *
 * One operator per file; the code that `edgegrf compile` writes fills the structs and makes the calls.
 * Nothing here allocates, keeps state of its own or checks its arguments: the compiler has checked every
 * shape and has proven that no int32 accumulator overflows.  Activations are int8, channels last.
 *
 * A "frame" is what one call repeats over: in window mode the time steps of the window (or 1, where an
 * operator mixes them), in stream mode one.  Two buffers of a call overlap only where said.
 *
 * Right shifts of negative numbers must be arithmetic, as every compiler for these chips does it; the
 * first test of a host library would fail otherwise.
 */
#ifndef EG_KERNELS_H
#define EG_KERNELS_H

#include <stdint.h>

/* Dot products: outputs[o] = requantise(bias[o] + sum over k of weights[o][k] * x[k]). */
struct eg_dense {
    const int8_t *weights;     /* [outputs][depth] */
    const int32_t *bias;       /* [outputs], the input's zero point folded in */
    const int32_t *multiplier; /* [outputs], Q31; 0 gives the zero point */
    const int8_t *shift;       /* [outputs], > 0 left before, < 0 right after the multiplication */
    int32_t depth;             /* inputs of one dot product, >= 1 */
    int32_t outputs;           /* >= 1 */
    int32_t output_zero_point;
    int32_t activation_min; /* the result is clamped to activation_min .. activation_max */
    int32_t activation_max;
};

/* Where a kernel window lies over its input; rows may be time. */
struct eg_geometry {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left; /* rows and columns of zero points before the input; those after it follow */
    int32_t zero_point;        /* of the input */
};

/* CONV_2D: the dense part takes patches of kernel_h * kernel_w * in_c values. */
struct eg_conv {
    struct eg_geometry geometry;
    struct eg_dense dense;
};

/* DEPTHWISE_CONV_2D: output channel c * multiplicity + m looks at input channel c alone. */
struct eg_depthwise {
    struct eg_geometry geometry;
    const int8_t *weights; /* [kernel_h * kernel_w][in_c * multiplicity] */
    const int32_t *bias;   /* as in eg_dense, [in_c * multiplicity] */
    const int32_t *multiplier;
    const int8_t *shift;
    int32_t multiplicity;
    int32_t output_zero_point;
    int32_t activation_min, activation_max;
};

/* What makes an int8 output of a sum in the packed kernels, eg_narrow() in eg_dsp.h. */
struct eg_scale {
    int32_t multiplier; /* Q31 */
    int32_t offset;     /* output zero point * 2^shift + 2^(shift - 1) */
    int32_t shift;      /* to the right, 1 to 21 */
};

/* Dot products on int16 pairs, where the outputs clamp to int8 and nothing else.
 *
 * The inputs are padded with zero weights to a multiple of four and taken in fours; a word holds the weights,
 * twice, of inputs 0 and 2 or 1 and 3 of such a four.  Constants lie in the order of their use: of every four
 * outputs the biases [4] (twice, the input's zero point folded in), the weights [words][4] and the scales
 * [4], each as in struct eg_scale; then the same of every output that is left, by itself. */
struct eg_packed {
    const uint32_t *constants;
    int32_t words; /* of an output's weights: half its inputs, even */
    int32_t outputs;
    int32_t staged;    /* outputs of a pass over many positions, a multiple of 4 or all */
    int32_t rectified; /* whether the outputs' zero point is -128, so that nothing below it is rounded */
};

/* As eg_dense. */
struct eg_packed_dense {
    struct eg_packed packed;
    int32_t depth;
};

/* As eg_conv, of at most EG_TAPS taps. */
struct eg_packed_conv {
    struct eg_geometry geometry;
    struct eg_packed packed;
};

/* DEPTHWISE_CONV_2D with one output per channel and channels in fours, of at most EG_TAPS taps.  Constants as
 * in struct eg_packed, the weights of four channels [taps][2]: channels 0 and 2, then 1 and 3. */
struct eg_packed_depthwise {
    struct eg_geometry geometry;
    const uint32_t *constants;
    int32_t rectified;               /* as in struct eg_packed */
    int32_t least_shift, most_shift; /* of the scales */
};

/* ADD and SUB of two values of one shape, on 20 bits below the point as eg_add() has them.  The operand of
 * the larger scale, a, comes to the common scale by a shift alone. */
struct eg_packed_add {
    int32_t count;          /* values of a frame */
    int32_t zero_a;         /* -zero point * 2^20 */
    int32_t zero_b;         /* -zero point * 2^21 */
    int32_t sign_a, sign_b; /* 1 or -1 */
    int32_t rectified;      /* as in struct eg_packed */
    struct eg_scale b;      /* no zero point in its offset; shift of 1 to 30, or 0: the scales are the same */
    struct eg_scale out;
};

/* MUL of two values of one shape. */
struct eg_packed_mul {
    int32_t count;  /* values of a frame */
    int32_t zero_a; /* twice the zero point */
    int32_t zero_b;
    struct eg_scale out;
};

/* ADD, SUB, MUL with broadcasting: four nested loops of `size`, each operand with its own strides
 * (0 repeats it), and an outer loop over frames. */
struct eg_binary {
    int32_t size[4];
    int32_t stride_a[4], stride_b[4];
    int32_t frame_a, frame_b; /* values to go on per frame */
    int32_t zero_point_a, zero_point_b, output_zero_point;
    int32_t multiplier_a, multiplier_b, multiplier; /* Q31; a and b unused by MUL */
    int32_t shift_a, shift_b, shift;
    int32_t activation_min, activation_max;
};

/* AVERAGE_POOL_2D, the mean rounded half away from zero, and MAX_POOL_2D: of the values inside the input, and
 * of the zero points of a border that a PAD made. */
struct eg_pool {
    struct eg_geometry geometry;
    int32_t counted_rows[2], counted_columns[2]; /* of that border, before the input and after it */
    int32_t activation_min, activation_max;
};

/* PAD of up to five dimensions, fewer ones with leading 1. */
struct eg_pad {
    int32_t in[5], before[5], out[5];
    int8_t value;
};

/* MIRROR_PAD of up to five dimensions, fewer ones with leading 1. */
struct eg_mirror_pad {
    int32_t in[5], before[5], out[5];
    int32_t edge; /* 0 where the outermost value is its own neighbour (SYMMETRIC), 1 where not (REFLECT) */
};

/* SLICE, STRIDED_SLICE, TRANSPOSE, RESIZE_NEAREST_NEIGHBOR: out[i] = in[start + i . stride]. */
struct eg_copy {
    int32_t size[5], stride[5]; /* strides through the input, 0 or less too */
    int32_t start;
    int32_t frame; /* values of the input to go on per frame */
};

/* CONCATENATION: of each input in turn, `size` values, and all that `outer` times. */
struct eg_concat {
    const int32_t *size; /* [parts] */
    int32_t parts;
    int32_t outer; /* repeats in a frame */
};

/* MEAN of `count` values that lie `inner` apart. */
struct eg_mean {
    int32_t count, inner;
    int32_t zero_points;       /* the input's, count times */
    int32_t multiplier, shift; /* Q31, divided by count */
    int32_t output_zero_point;
};

/* PRELU: x where x >= 0, else alpha[channel] x. */
struct eg_prelu {
    const int8_t *alpha; /* [channels] */
    int32_t channels;
    int32_t zero_point, alpha_zero_point, output_zero_point;
    int32_t multiplier, multiplier_alpha; /* Q31 */
    int32_t shift, shift_alpha;
};

/* in [positions][depth] -> out [positions][outputs]. */
void eg_dense(const struct eg_dense *p, int32_t positions, const int8_t *in, int8_t *out);

/* in [frames][in_h][in_w][in_c] -> out [frames][out_h][out_w][outputs]; scratch: one patch. */
void eg_conv(const struct eg_conv *p, int32_t frames, const int8_t *in, int8_t *scratch, int8_t *out);
void eg_depthwise(const struct eg_depthwise *p, int32_t frames, const int8_t *in, int8_t *scratch,
                  int8_t *out);

/* One row in [in_w][in_c], one row out, where rows are time steps and the row is the last that the output
 * looks at.  ring [(kernel_h - 1) * dilation_h][in_w][in_c] holds the rows before, the oldest at *head; a
 * stream starts with all of it at the zero point and *head at 0.  Rows that make no output go through
 * eg_ring_push(). */
void eg_conv_step(const struct eg_conv *p, int8_t *ring, uint32_t *head, const int8_t *in, int8_t *scratch,
                  int8_t *out);
void eg_depthwise_step(const struct eg_depthwise *p, int8_t *ring, uint32_t *head, const int8_t *in,
                       int8_t *scratch, int8_t *out);

/* out = a + b, a - b, a * b in real numbers; out may be a or b where that one is not broadcast. */
void eg_add(const struct eg_binary *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out);
void eg_sub(const struct eg_binary *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out);
void eg_mul(const struct eg_binary *p, int32_t frames, const int8_t *a, const int8_t *b, int8_t *out);

/* in [frames][in_h][in_w][in_c] -> out [frames][out_h][out_w][in_c]. */
void eg_average_pool(const struct eg_pool *p, int32_t frames, const int8_t *in, int8_t *out);
void eg_max_pool(const struct eg_pool *p, int32_t frames, const int8_t *in, int8_t *out);

/* One row in, one row out, where rows are time steps; the ring [kernel_h - 1][in_w][in_c] as in
 * eg_conv_step(), its head counting the rows that have come too.  eg_pool_push() takes a row that makes no
 * output. */
void eg_average_pool_step(const struct eg_pool *p, int8_t *ring, uint32_t *head, const int8_t *in,
                          int8_t *out);
void eg_max_pool_step(const struct eg_pool *p, int8_t *ring, uint32_t *head, const int8_t *in, int8_t *out);
void eg_pool_push(const struct eg_pool *p, int8_t *ring, uint32_t *head, const int8_t *row);

/* A row that waits for others: the oldest of `rows` in the ring comes out, the newest goes in.  _put and _get
 * are the two halves, for rows that come at other times than they are wanted. */
void eg_delay(int32_t rows, int32_t bytes, int8_t *ring, uint32_t *head, const int8_t *in, int8_t *out);
void eg_delay_put(int32_t rows, int32_t bytes, int8_t *ring, uint32_t *head, const int8_t *in);
void eg_delay_get(int32_t bytes, const int8_t *ring, uint32_t head, int8_t *out);

/* A row of `parts` parts that is given out part by part: the first at once, the next ones by _next. */
void eg_spread(int32_t parts, int32_t bytes, int8_t *ring, uint32_t *head, const int8_t *in, int8_t *out);
void eg_spread_next(int32_t bytes, const int8_t *ring, uint32_t *head, int8_t *out);

void eg_pad(const struct eg_pad *p, int32_t frames, const int8_t *in, int8_t *out);
void eg_mirror_pad(const struct eg_mirror_pad *p, int32_t frames, const int8_t *in, int8_t *out);
void eg_copy(const struct eg_copy *p, int32_t frames, const int8_t *in, int8_t *out);
void eg_concat(const struct eg_concat *p, int32_t frames, const int8_t *const in[], int8_t *out);

/* in [outer][count][inner] -> out [outer][inner]. */
void eg_mean(const struct eg_mean *p, int32_t outer, const int8_t *in, int8_t *out);

/* [positions][channels] both; out may be in. */
void eg_prelu(const struct eg_prelu *p, int32_t positions, const int8_t *in, int8_t *out);

/* [rows][count] both, each row to shares of 256 of its sum, less 128; exponential[i] is exp of i steps down,
 * in Q31; count <= 511; out may be in. */
void eg_softmax(const int32_t exponential[256], int32_t rows, int32_t count, const int8_t *in, int8_t *out);

/* out[i] = table[in[i] + 128], for every function of one value; out may be in. */
void eg_lookup(const int8_t table[256], int32_t count, const int8_t *in, int8_t *out);

/* For the kernels alone. */

/* The patch of output (y, x) in `frame`: contiguous in the input itself where it can be, else gathered
 * into scratch with zero points where it leaves the input. */
const int8_t *eg_patch(const struct eg_geometry *g, const int8_t *frame, int32_t y, int32_t x,
                       int8_t *scratch);

/* The same for column x of the newest row, its earlier rows in a ring. */
const int8_t *eg_patch_ring(const struct eg_geometry *g, const int8_t *ring, uint32_t head, const int8_t *row,
                            int32_t x, int8_t *scratch);

/* The newest row takes the place of the oldest, if there is a ring. */
void eg_ring_push(const struct eg_geometry *g, int8_t *ring, uint32_t *head, const int8_t *row);

/* MultiplyByQuantizedMultiplier of TFLite with its two roundings: half up when doubling-high, then half away
 * from zero when shifting right.  Requires |x| * 2^shift < 2^31 and multiplier >= 0. */
static inline int32_t eg_requantise(int32_t x, int32_t multiplier, int32_t shift) {
    int32_t left = shift > 0 ? shift : 0;
    int32_t right = left - shift;
    int64_t product = (int64_t)(x * ((int32_t)1 << left)) * multiplier;
    int32_t high = (int32_t)((product + ((int64_t)1 << 30)) >> 31);
    int32_t mask = (int32_t)(((uint32_t)1 << right) - 1u);
    int32_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);

    return (high >> right) + ((high & mask) > threshold ? 1 : 0);
}

static inline int8_t eg_clamp(int32_t x, int32_t low, int32_t high) {
    x = x < low ? low : x;
    return (int8_t)(x > high ? high : x);
}

#endif
