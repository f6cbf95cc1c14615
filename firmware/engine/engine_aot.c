/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine around the C that `edgegrf compile` wrote (model.h): static buffers, no interpreter.
 */
#include "engine.h"

#include "model.h"

#include <string.h>

#if MODEL_VALUE_BYTES == 2
typedef int16_t value;
#else
typedef int8_t value;
#endif

#if MODEL_MODES & 1
static value window_in[MODEL_WINDOW_SAMPLES * MODEL_INPUT_CHANNELS];
static value window_out[MODEL_WINDOW_ESTIMATES * MODEL_OUTPUT_CHANNELS];
#endif

#if MODEL_HEAD_OUTPUTS
static uint32_t record[ENGINE_RECORD_BYTES(MODEL_INPUT_CHANNELS, MODEL_HEAD_OUTPUTS, MODEL_HEAD_DEPTH) / 4];
#endif

static const struct engine_info info = {
    .engine = "aot",
    .model = MODEL_MODEL_NAME,
    .model_sha256 = MODEL_SHA256,
    .modes = MODEL_MODES,
    .input_channels = MODEL_INPUT_CHANNELS,
    .output_channels = MODEL_OUTPUT_CHANNELS,
    .value_bytes = MODEL_VALUE_BYTES,
    .period = MODEL_PERIOD,
    .lookahead = MODEL_LOOKAHEAD,
    .sample_rate_hz = MODEL_SAMPLE_RATE_HZ,
    .input_scale = MODEL_INPUT_SCALE,
    .input_zero_point = MODEL_INPUT_ZERO_POINT,
    .output_scale = MODEL_OUTPUT_SCALE,
    .output_zero_point = MODEL_OUTPUT_ZERO_POINT,
#if MODEL_HEAD_OUTPUTS
    .head_outputs = MODEL_HEAD_OUTPUTS,
    .head_depth = MODEL_HEAD_DEPTH,
    .record = (uint8_t *)record,
#endif
#if MODEL_MODES & 1
    .window_samples = MODEL_WINDOW_SAMPLES,
    .window_estimates = MODEL_WINDOW_ESTIMATES,
    .window_in = (int8_t *)window_in,
    .window_out = (const int8_t *)window_out,
#endif
};

const struct engine_info *engine_info(void) {
    return &info;
}

void engine_reset(void) {
#if MODEL_MODES & 2
    model_reset();
#endif
}

int engine_step(const int8_t *sample, int8_t *estimate) {
#if MODEL_MODES & 2 && MODEL_VALUE_BYTES == 2
    /* what comes from the link lies on any address */
    static value in[MODEL_INPUT_CHANNELS], out[MODEL_OUTPUT_CHANNELS];

    memcpy(in, sample, sizeof in);
    int given = model_step(in, out);
    memcpy(estimate, out, sizeof out);
    return given;
#elif MODEL_MODES & 2
    return model_step(sample, estimate);
#else
    (void)sample;
    (void)estimate;
    return 0;
#endif
}

void engine_window(void) {
#if MODEL_MODES & 1
    model_window(window_in, window_out);
#endif
}

int engine_head(const int32_t *scales, const int8_t *weights) {
#if MODEL_HEAD_OUTPUTS
    return model_head(scales, weights);
#else
    (void)scales;
    (void)weights;
    return 0;
#endif
}
