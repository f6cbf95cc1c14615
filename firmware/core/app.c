/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"

#include "build.h"
#include "bytes.h"
#include "calibration.h"
#include "engine.h"
#include "frame.h"
#include "keep.h"
#include "link.h"
#include "live.h"
#include "mlperf.h"
#include "personal.h"
#include "port.h"
#include "request.h"

enum {
    STRING_MAX = 31,
    STEP_HEADER = 4,       /* request: first */
    STEP_REPLY_HEADER = 6, /* reply: first, samples, estimates */
};

static struct frame_decoder decoder;
static struct link link_state;
static uint32_t samples_seen; /* since RESET */
static uint32_t longest_call; /* cycles */

static void fail_length(struct link_reply *reply, const struct request *request) {
    request_fail(reply, request, LINK_BAD_LENGTH, (uint32_t)request->length);
}

/* True if the model runs in `mode`; else the reply says so. */
static bool has_mode(struct link_reply *reply, const struct request *request, uint8_t mode) {
    uint8_t modes = engine_info()->modes;
    if (modes & mode) {
        return true;
    }
    request_fail(reply, request, LINK_NO_MODE, modes);
    return false;
}

static void restart_stream(void) {
    if (engine_info()->modes & ENGINE_MODE_STREAM) {
        engine_reset();
    }
    samples_seen = 0;
}

static uint32_t sample_bytes(void) {
    return engine_info()->input_channels * engine_value_bytes();
}

static uint32_t estimate_bytes(void) {
    return engine_info()->output_channels * engine_value_bytes();
}

static uint8_t *put_string(uint8_t *to, const char *text) {
    size_t length = strlen(text);
    if (length > STRING_MAX) {
        length = STRING_MAX;
    }
    *to = (uint8_t)length;
    memcpy(to + 1, text, length);
    return to + 1 + length;
}

static void describe(struct link_reply *reply) {
    const struct engine_info *info = engine_info();
    const struct port_facts *facts = port_facts();
    uint8_t *body = reply->body;

    memset(body, 0, 116);
    body[0] = APP_PROTOCOL;
    body[1] = LINK_CREDITS;
    bytes_put_u16(body + 2, FRAME_BODY_MAX);
    bytes_put_u32(body + 4, facts->clock_hz);
    body[8] = (uint8_t)facts->reset_cause;
    body[9] = (uint8_t)(info->modes | (facts->parts & PORT_SCAN ? APP_MODE_LIVE : 0) |
                        (personal_holds() ? APP_MODE_PERSONAL : 0));
    bytes_put_u16(body + 10, info->period);
    bytes_put_u16(body + 12, info->input_channels);
    bytes_put_u16(body + 14, info->output_channels);
    bytes_put_u16(body + 16, info->window_samples);
    bytes_put_u16(body + 18, info->window_estimates);
    bytes_put_u16(body + 20, (uint16_t)info->lookahead);
    bytes_put_u16(body + 22, (uint16_t)engine_value_bytes());
    bytes_put_f32(body + 24, info->sample_rate_hz);
    bytes_put_f32(body + 28, info->input_scale);
    bytes_put_u32(body + 32, (uint32_t)info->input_zero_point);
    bytes_put_f32(body + 36, info->output_scale);
    bytes_put_u32(body + 40, (uint32_t)info->output_zero_point);
    memcpy(body + 44, facts->device_id, sizeof facts->device_id);
    memcpy(body + 52, info->model_sha256, sizeof info->model_sha256);
    memcpy(body + 84, build_sha256, sizeof build_sha256);
    uint8_t *end = put_string(body + 116, build_board);
    end = put_string(end, info->engine);
    end = put_string(end, info->model);
    end = put_string(end, build_version);
    reply->length = (uint16_t)(end - body);
}

static void hello(const struct request *request, struct link_reply *reply) {
    live_end(LIVE_TAKEN_OVER);
    keep_load();
    restart_stream();
    if (request->length != 2) {
        fail_length(reply, request);
    } else if (request->body[0] > APP_PROTOCOL || request->body[1] < APP_PROTOCOL) {
        request_fail(reply, request, LINK_PROTOCOL, APP_PROTOCOL + 256u * APP_PROTOCOL);
    } else {
        link_state.greeted = true;
        describe(reply);
    }
}

static void reset(const struct request *request, struct link_reply *reply) {
    if (!has_mode(reply, request, ENGINE_MODE_STREAM)) {
        return;
    }
    if (request->length) {
        fail_length(reply, request);
        return;
    }
    restart_stream();
}

static uint32_t note_call(uint32_t cycles) {
    if (cycles > longest_call) {
        longest_call = cycles;
    }
    return cycles;
}

/* Samples in a STEP body, or 0 where it is empty, ragged or its reply would not fit. */
static size_t count_samples(const struct request *request) {
    const struct engine_info *info = engine_info();
    if (request->length <= STEP_HEADER || (request->length - STEP_HEADER) % sample_bytes()) {
        return 0;
    }
    size_t samples = (request->length - STEP_HEADER) / sample_bytes();
    size_t estimates = (samples + info->period - 1u) / info->period;
    size_t answer = STEP_REPLY_HEADER + 4 * samples + estimates * estimate_bytes();
    return answer <= FRAME_BODY_MAX ? samples : 0;
}

static void step(const struct request *request, struct link_reply *reply) {
    if (!has_mode(reply, request, ENGINE_MODE_STREAM)) {
        return;
    }
    size_t samples = count_samples(request);
    if (samples == 0) {
        fail_length(reply, request);
        return;
    }
    if (bytes_get_u32(request->body) != samples_seen) {
        request_fail(reply, request, LINK_BAD_INDEX, samples_seen);
        return;
    }
    const int8_t *sample = (const int8_t *)request->body + STEP_HEADER;
    uint8_t *times = reply->body + STEP_REPLY_HEADER;
    int8_t *estimate = (int8_t *)times + 4 * samples;
    uint8_t estimates = 0;

    bytes_put_u32(reply->body, samples_seen);
    for (size_t i = 0; i < samples; i++) {
        uint32_t start = port_cycles();
        int given = engine_step(sample, estimate);
        bytes_put_u32(times + 4 * i, note_call(port_cycles() - start));
        sample += sample_bytes();
        if (given) {
            estimate += estimate_bytes();
            estimates++;
        }
    }
    reply->body[4] = (uint8_t)samples;
    reply->body[5] = estimates;
    reply->length = (uint16_t)(estimate - (int8_t *)reply->body);
    samples_seen += (uint32_t)samples;
}

static void write_window(const struct request *request, struct link_reply *reply) {
    const struct engine_info *info = engine_info();
    if (!has_mode(reply, request, ENGINE_MODE_WINDOW)) {
        return;
    }
    if (request->length < 4) {
        fail_length(reply, request);
        return;
    }
    uint32_t size = info->window_samples * sample_bytes();
    uint32_t offset = bytes_get_u32(request->body);
    size_t count = request->length - 4;
    if (offset > size || count > size - offset) {
        request_fail(reply, request, LINK_OUT_OF_RANGE, size);
        return;
    }
    memcpy(info->window_in + offset, request->body + 4, count);
}

static void run_window(const struct request *request, struct link_reply *reply) {
    if (!has_mode(reply, request, ENGINE_MODE_WINDOW)) {
        return;
    }
    if (request->length) {
        fail_length(reply, request);
        return;
    }
    uint32_t start = port_cycles();
    engine_window();
    bytes_put_u32(reply->body, note_call(port_cycles() - start));
    reply->length = 4;
    restart_stream();
}

static void read_window(const struct request *request, struct link_reply *reply) {
    const struct engine_info *info = engine_info();
    if (!has_mode(reply, request, ENGINE_MODE_WINDOW)) {
        return;
    }
    if (request->length != 6) {
        fail_length(reply, request);
        return;
    }
    uint32_t size = info->window_estimates * estimate_bytes();
    uint32_t offset = bytes_get_u32(request->body);
    uint16_t count = bytes_get_u16(request->body + 4);
    if (count == 0 || count > FRAME_BODY_MAX || offset > size || count > size - offset) {
        request_fail(reply, request, LINK_OUT_OF_RANGE, size);
        return;
    }
    memcpy(reply->body, info->window_out + offset, count);
    reply->length = count;
}

static void stats(const struct request *request, struct link_reply *reply) {
    const struct port_facts *facts = port_facts();
    if (request->length) {
        fail_length(reply, request);
        return;
    }
    const uint32_t numbers[12] = {
        port_stack_used(),     facts->stack_size, facts->flash_bytes, facts->ram_bytes,
        decoder.bytes,         decoder.good,      decoder.damaged,    decoder.wrong_length,
        link_state.duplicates, port_overruns(),   port_uptime_ms(),   longest_call,
    };
    for (size_t i = 0; i < 12; i++) {
        bytes_put_u32(reply->body + 4 * i, numbers[i]);
    }
    reply->length = sizeof numbers;
}

static void fault(const struct request *request, struct link_reply *reply) {
    uint8_t parts = port_facts()->parts;
    if (!(parts & PORT_FAULT)) {
        request_fail(reply, request, LINK_NO_PART, parts);
        return;
    }
    if (!request_has_length(reply, request, 1)) {
        return;
    }
    struct port_fault last;
    port_fault_read(&last);
    const uint32_t numbers[] = {
        last.kind, last.pc, last.lr, last.status, last.address, last.uptime_ms, last.count,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        bytes_put_u32(reply->body + 4 * i, numbers[i]);
    }
    reply->length = sizeof numbers;
    if (request->body[0]) {
        port_fault_clear();
    }
}

static const struct {
    request_handler *handle;
    bool while_live; /* leaves engine, scan and calibration alone, or ends the live stream itself */
} handlers[LINK_TYPES] = {
    [LINK_HELLO] = {hello, true},
    [LINK_RESET] = {reset, false},
    [LINK_STEP] = {step, false},
    [LINK_WRITE] = {write_window, false},
    [LINK_RUN] = {run_window, false},
    [LINK_READ] = {read_window, true},
    [LINK_STATS] = {stats, true},
    [LINK_START] = {live_start, true},
    [LINK_STOP] = {live_stop, true},
    [LINK_STATUS] = {live_status, true},
    [LINK_SCAN] = {live_scan, true},
    [LINK_CAL_READ] = {calibration_read, true},
    [LINK_CAL_WRITE] = {calibration_write, false},
    [LINK_CAL_COMMIT] = {calibration_commit, false},
    [LINK_CAL_ERASE] = {calibration_erase, false},
    [LINK_FAULT] = {fault, true},
    [LINK_PERSONAL_READ] = {personal_read, true},
    [LINK_PERSONAL_WRITE] = {personal_write, false},
    [LINK_PERSONAL_COMMIT] = {personal_commit, false},
    [LINK_PERSONAL_ERASE] = {personal_erase, false},
};

static void execute_request(const struct request *request, struct link_reply *reply) {
    if (request->type >= LINK_TYPES || !handlers[request->type].handle) {
        request_fail(reply, request, LINK_UNKNOWN_TYPE, request->type);
    } else if (live_running() && !handlers[request->type].while_live) {
        request_fail(reply, request, LINK_BUSY, 0);
    } else {
        handlers[request->type].handle(request, reply);
    }
}

uint8_t *app_scratch(void) {
    return link_state.refusal.body; /* never kept: a refusal is sent as soon as it is made */
}

void app_send(uint8_t type, uint8_t seq, const uint8_t *body, size_t length) {
    static uint8_t wire[FRAME_WIRE_MAX];
    port_send(wire, frame_encode(wire, type, seq, body, length));
}

static void answer(const struct request *request, uint8_t seq) {
    bool execute;
    struct link_reply *reply = link_request(&link_state, request->type, seq, &execute);
    if (execute) {
        live_heard();
        execute_request(request, reply);
    }
    app_send(reply->type, reply->seq, reply->body, reply->length);
}

void app_take(const uint8_t *data, size_t length) {
    mlperf_listen(port_uptime_ms());
    for (size_t i = 0; i < length; i++) {
        if (mlperf_take(data[i])) { /* which may have used the engine: a host must greet again */
            frame_forget(&decoder);
            link_state.greeted = false;
            live_end(LIVE_TAKEN_OVER);
            continue;
        }
        size_t content = frame_take(&decoder, data[i]);
        if (content) {
            const struct request request = {
                decoder.content[0],
                decoder.content + FRAME_HEADER,
                content - FRAME_HEADER,
            };
            answer(&request, decoder.content[1]);
        }
    }
}
