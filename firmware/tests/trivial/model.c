/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

static int before;
static int weight[MODEL_HEAD_DEPTH] = {1, 1, 1};

static int8_t clamp(int value) {
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

static int sum(const int8_t sample[]) {
    return weight[0] * sample[0] + weight[1] * sample[1] + weight[2] * sample[2];
}

void model_window(const int8_t in[], int8_t out[]) {
    int last = 0;
    for (int t = 0; t < MODEL_WINDOW_SAMPLES; t++) {
        int now = sum(in + t * MODEL_INPUT_CHANNELS);
        out[t] = clamp(now / 2 + last);
        last = now;
    }
}

void model_reset(void) {
    before = 0;
}

int model_step(const int8_t sample[], int8_t estimate[]) {
    int now = sum(sample);
    estimate[0] = clamp(now / 2 + before);
    before = now;
    return 1;
}

int model_head(const int32_t scales[], const int8_t weights[]) {
    if (scales && scales[2] >= 0) {
        return 0;
    }
    for (int i = 0; i < MODEL_HEAD_DEPTH; i++) {
        weight[i] = weights ? weights[i] : 1;
    }
    return 1;
}
