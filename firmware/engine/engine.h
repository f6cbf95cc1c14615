/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h: what runs the model, whatever it is made of.
 *
 * One engine is linked into an image; engine_aot.c wraps the C that `edgegrf compile` wrote.  All
 * buffers are static, sized when compiling; nothing here allocates, and no call fails halfway.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ENGINE_MODE_WINDOW = 1, /* engine_window() works */
    ENGINE_MODE_STREAM = 2, /* engine_step() works */
};

struct engine_info {
    const char *engine;        /* "aot" */
    const char *model;         /* the model's name, for people */
    uint8_t model_sha256[32];  /* of the .tflite file */
    uint8_t modes;             /* ENGINE_MODE_* bits */
    uint16_t input_channels;   /* values of one sample in */
    uint16_t output_channels;  /* values of one estimate out */
    uint8_t value_bytes;       /* of one value: 2 int16, little-endian; 0 or 1 int8 */
    uint16_t window_samples;   /* samples of a window in; 0 without window mode */
    uint16_t window_estimates; /* estimates of a window out; 0 without window mode */
    uint16_t period;           /* samples in per estimate out, in stream mode; 1 for most models */
    int16_t lookahead;         /* samples beyond the last of its period that an estimate waits for */
    float sample_rate_hz;      /* of the samples; 0 when the model came without a manifest */
    float input_scale;         /* real = scale * (q - zero_point), in the manifest's unit */
    int32_t input_zero_point;
    float output_scale;
    int32_t output_zero_point;
    uint16_t head_outputs;    /* of the last layer, if engine_head() replaces its constants; else 0 */
    uint16_t head_depth;      /* its inputs */
    uint8_t *record;          /* ENGINE_RECORD_BYTES(), on a word's address, to be filled by the caller */
    int8_t *window_in;        /* bytes of [window_samples][input_channels], to be filled by the caller */
    const int8_t *window_out; /* bytes of [window_estimates][output_channels], of engine_window() */
};

/* What a wearer's record (core/personal.h) takes of a model whose last layer may be replaced: a header, a
 * gain of two bytes for each input, then of the last layer three words for each output, and its weights. */
#define ENGINE_WORDS(bytes) (((bytes) + 3) / 4 * 4)
#define ENGINE_RECORD_HEADER 76
#define ENGINE_RECORD_BYTES(inputs, outputs, depth)                                                          \
    (ENGINE_RECORD_HEADER + ENGINE_WORDS(2 * (inputs)) + 12 * (outputs) +                                    \
     ENGINE_WORDS((outputs) * (depth)) + 4)

/* Always the same record; its pointers are valid from boot on. */
const struct engine_info *engine_info(void);

/* Bytes of a value that goes into the model or comes out: 1 or 2. */
static inline uint32_t engine_value_bytes(void) {
    return engine_info()->value_bytes > 1 ? engine_info()->value_bytes : 1;
}

/* Forget all samples: the next engine_step() sees the first sample of a walk. */
void engine_reset(void);

/* Take the bytes of one sample [input_channels], on any address; returns 1 when those of estimate
 * [output_channels] were written: with sample period - 1 + lookahead and every `period` samples from then on,
 * else 0.  Requires ENGINE_MODE_STREAM. */
int engine_step(const int8_t *sample, int8_t *estimate);

/* Run window_in through the model into window_out.  Requires ENGINE_MODE_WINDOW.  A stream ends with it:
 * engine_reset() before the next engine_step(). */
void engine_window(void);

/* Take other constants for the last layer: scales [head_outputs][3] are bias, multiplier and shift, weights
 * [head_outputs][head_depth], as the .tflite has them; NULL for both: the model's own.  Returns 1, or 0 where
 * they cannot be computed with; nothing has changed then. */
int engine_head(const int32_t *scales, const int8_t *weights);

#ifdef __cplusplus
}
#endif

#endif
