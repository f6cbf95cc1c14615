/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine around TFLite Micro's interpreter, from the SDK's own package: the same .tflite, byte by byte.
 * model.h, model_operators.h and model_data.c are what `edgegrf build --engine tflm` wrote.
 *
 * A model with states (MODEL_TFLM_STATES) is a step model: it streams.  Any other runs windows.
 */
#include <string.h>

#include "engine.h"
#include "model.h"
#include "model_operators.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {
#include "model_data.h"
}

namespace {

constexpr int kStreams = MODEL_MODES & ENGINE_MODE_STREAM;
constexpr size_t kSamples = kStreams ? 1 : MODEL_WINDOW_SAMPLES;
constexpr size_t kEstimates = kStreams ? 1 : MODEL_WINDOW_ESTIMATES;
constexpr size_t kInputBytes = kSamples * MODEL_INPUT_CHANNELS * MODEL_VALUE_BYTES;
constexpr size_t kOutputBytes = kEstimates * MODEL_OUTPUT_CHANNELS * MODEL_VALUE_BYTES;

/* A state of a step model: what its output holds after a step is its input at the next. */
struct State {
    uint8_t input, output;
    uint16_t bytes, offset; /* in states[] */
    int16_t zero_point;
};

#if MODEL_TFLM_STATES
constexpr State kStates[] = MODEL_TFLM_STATE_TABLE;
alignas(16) uint8_t states[MODEL_TFLM_STATE_BYTES];
#endif

alignas(16) uint8_t arena[MODEL_TFLM_ARENA_BYTES];
alignas(4) int8_t window_in[kInputBytes], window_out[kOutputBytes];

tflite::MicroInterpreter *interpreter;

struct engine_info make_info(void) {
    struct engine_info made = {};
    const uint8_t sha256[32] = MODEL_SHA256;
    memcpy(made.model_sha256, sha256, sizeof sha256);
    made.engine = "tflm";
    made.model = MODEL_MODEL_NAME;
    made.input_channels = MODEL_INPUT_CHANNELS;
    made.output_channels = MODEL_OUTPUT_CHANNELS;
    made.value_bytes = MODEL_VALUE_BYTES;
    made.window_samples = kStreams ? 0 : MODEL_WINDOW_SAMPLES;
    made.window_estimates = kStreams ? 0 : MODEL_WINDOW_ESTIMATES;
    made.period = MODEL_PERIOD;
    made.lookahead = MODEL_LOOKAHEAD;
    made.sample_rate_hz = MODEL_SAMPLE_RATE_HZ;
    made.input_scale = MODEL_INPUT_SCALE;
    made.input_zero_point = MODEL_INPUT_ZERO_POINT;
    made.output_scale = MODEL_OUTPUT_SCALE;
    made.output_zero_point = MODEL_OUTPUT_ZERO_POINT;
    made.window_in = kStreams ? nullptr : window_in;
    made.window_out = kStreams ? nullptr : window_out;
    return made;
}

void forget(void) {
#if MODEL_TFLM_STATES
    for (const State &state : kStates) {
        for (size_t i = 0; i < state.bytes; i += MODEL_VALUE_BYTES) {
            memcpy(states + state.offset + i, &state.zero_point, MODEL_VALUE_BYTES); /* little-endian */
        }
    }
#endif
}

/* Sets the interpreter up; false when this release of TFLite Micro refuses the model or needs a larger arena.
 */
bool begin(void) {
    tflite::InitializeTarget();
    const tflite::Model *model = tflite::GetModel(model_data);
    static tflite::MicroMutableOpResolver<MODEL_TFLM_OPERATORS> resolver;
    if (model->version() != TFLITE_SCHEMA_VERSION || model_operators(&resolver) != kTfLiteOk) {
        return false;
    }
    static tflite::MicroInterpreter made(model, resolver, arena, sizeof arena);
    interpreter = &made;
    return made.AllocateTensors() == kTfLiteOk && made.input(MODEL_TFLM_INPUT)->bytes == kInputBytes &&
           made.output(MODEL_TFLM_OUTPUT)->bytes == kOutputBytes;
}

void infer(const int8_t *in, int8_t *out) {
    memcpy(interpreter->input(MODEL_TFLM_INPUT)->data.raw, in, kInputBytes);
#if MODEL_TFLM_STATES
    for (const State &state : kStates) {
        memcpy(interpreter->input(state.input)->data.raw, states + state.offset, state.bytes);
    }
#endif
    interpreter->Invoke(); /* cannot fail once the tensors are allocated: every shape is fixed */
    memcpy(out, interpreter->output(MODEL_TFLM_OUTPUT)->data.raw, kOutputBytes);
#if MODEL_TFLM_STATES
    for (const State &state : kStates) {
        memcpy(states + state.offset, interpreter->output(state.output)->data.raw, state.bytes);
    }
#endif
}

} /* namespace */

/* A model that does not start offers no mode: HELLO then says so, and every run is answered NO_MODE. */
const struct engine_info *engine_info(void) {
    static struct engine_info info;
    if (!info.engine) {
        info = make_info();
        info.modes = begin() ? MODEL_MODES : 0;
        forget();
    }
    return &info;
}

void engine_reset(void) {
    forget();
}

int engine_step(const int8_t *sample, int8_t *estimate) {
    if (!kStreams) {
        return 0;
    }
    infer(sample, estimate);
    return 1;
}

void engine_window(void) {
    if (!kStreams) {
        infer(window_in, window_out);
    }
}

int engine_head(const int32_t *, const int8_t *) {
    return 0; /* TFLite Micro reads its constants from the model's own bytes */
}
