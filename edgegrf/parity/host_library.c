/* SPDX-License-Identifier: Apache-2.0
 *
 * The generated C as a shared library: loops over windows and samples, for parity/host.py.
 */
#include "model.h"

#if MODEL_VALUE_BYTES == 2
typedef int16_t value;
#else
typedef int8_t value;
#endif

int64_t host_window(const value *in, value *out, int64_t windows);
void host_reset(void);
int64_t host_stream(const value *in, value *out, int64_t samples);

/* Run `windows` windows one after the other; returns how many ran, 0 without window mode. */
int64_t host_window(const value *in, value *out, int64_t windows) {
#if MODEL_MODES & 1
    for (int64_t i = 0; i < windows; i++) {
        model_window(in, out);
        in += MODEL_WINDOW_SAMPLES * MODEL_INPUT_CHANNELS;
        out += MODEL_WINDOW_ESTIMATES * MODEL_OUTPUT_CHANNELS;
    }
    return windows;
#else
    (void)in, (void)out, (void)windows;
    return 0;
#endif
}

void host_reset(void) {
#if MODEL_MODES & 2
    model_reset();
#endif
}

/* Feed `samples` samples; returns how many estimates were written, one behind the other. */
int64_t host_stream(const value *in, value *out, int64_t samples) {
    int64_t estimates = 0;
#if MODEL_MODES & 2
    for (int64_t i = 0; i < samples; i++) {
        if (model_step(in, out)) {
            out += MODEL_OUTPUT_CHANNELS;
            estimates++;
        }
        in += MODEL_INPUT_CHANNELS;
    }
#else
    (void)in, (void)out, (void)samples;
#endif
    return estimates;
}
