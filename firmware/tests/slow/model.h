/* SPDX-License-Identifier: Apache-2.0
 *
 * A model whose every step takes long (some 25 ms at 64 MHz): what arrives meanwhile must not be lost.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

#define MODEL_MODES 2
#define MODEL_INPUT_CHANNELS 24
#define MODEL_OUTPUT_CHANNELS 1
#define MODEL_VALUE_BYTES 1
#define MODEL_WINDOW_SAMPLES 0
#define MODEL_WINDOW_ESTIMATES 0
#define MODEL_PERIOD 2
#define MODEL_LOOKAHEAD 0
#define MODEL_SAMPLE_RATE_HZ 100.0f
#define MODEL_INPUT_SCALE 1.0f
#define MODEL_INPUT_ZERO_POINT 0
#define MODEL_OUTPUT_SCALE 1.0f
#define MODEL_OUTPUT_ZERO_POINT 0
#define MODEL_MODEL_NAME "a name of more than thirty-one characters, cut by HELLO"
#define MODEL_SHA256 {0x51}

void model_reset(void);
int model_step(const int8_t sample[], int8_t estimate[]);

#endif
