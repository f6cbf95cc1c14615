/* SPDX-License-Identifier: Apache-2.0
 *
 * A model that a reader can compute: estimate = sum of the sample's three channels, each times its weight (1,
 * unless model_head() gave another), halved towards zero, plus the sum of the sample before.  For the tests
 * of what surrounds a model.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

#define MODEL_MODES 3
#define MODEL_INPUT_CHANNELS 3
#define MODEL_OUTPUT_CHANNELS 1
#define MODEL_VALUE_BYTES 1
#define MODEL_WINDOW_SAMPLES 8
#define MODEL_WINDOW_ESTIMATES 8
#define MODEL_PERIOD 1
#define MODEL_LOOKAHEAD 0
#define MODEL_SAMPLE_RATE_HZ 100.0f
#define MODEL_INPUT_SCALE 0.5f
#define MODEL_INPUT_ZERO_POINT (-3)
#define MODEL_OUTPUT_SCALE 0.25f
#define MODEL_OUTPUT_ZERO_POINT 7
#define MODEL_HEAD_OUTPUTS 1
#define MODEL_HEAD_DEPTH 3
#define MODEL_MODEL_NAME "trivial"
#define MODEL_SHA256 {0xAA, 0x55, 1, 2, 3}

void model_window(const int8_t in[], int8_t out[]);
void model_reset(void);
int model_step(const int8_t sample[], int8_t estimate[]);
int model_head(const int32_t scales[], const int8_t weights[]);

#endif
