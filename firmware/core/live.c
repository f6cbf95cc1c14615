/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include "app.h"
#include "bytes.h"
#include "calibration.h"
#include "engine.h"
#include "keep.h"
#include "port.h"

enum {
    HEADER = 18, /* bytes of a LIVE body before its values */
    RAW_BYTES = (SCAN_ROOM * 3 + 1) / 2,
    FAULT_BYTES = 2 * SENSE_MAP_BYTES,
    KEEP_ALIVE_MIN_MS = 100,
    SILENCE_MS = 250,           /* at least, before an ADC counts as silent */
    STUCK_MIN = 10,             /* frames */
    JITTER_MAX_TICKS = 4000000, /* more is told as this much */
};
_Static_assert(HEADER + RAW_BYTES + FAULT_BYTES < FRAME_BODY_MAX, "a frame of raw counts fits a body");

/* A variable, since without sensors a comparison with 0 would make no sense. */
static const size_t channels = SCAN_CHANNELS;

static const uint8_t map[] = SCAN_MAP; /* [model input]: sensor */

static struct {
    /* asked for */
    uint8_t content, every;
    uint16_t keep_alive_ms;
    uint32_t rate_mhz;
    /* derived from it */
    uint32_t period_ticks, ticks_per_us, silence_ms, stuck_after;
    /* state */
    bool running;
    uint8_t seq, flags;
    enum live_end ended;
    uint32_t heard_ms, frame_ms; /* when the host was heard, when a frame came */
    uint32_t last_ticks, time_us, spare_ticks, same;
    /* counters since START */
    uint32_t samples, sent, lost, missed, jitter_max_ns, latency_max_us, cycles_max;
    uint64_t jitter_sum_ns;
} live;

static struct port_scan_frame frame;
static uint16_t before[SCAN_ROOM];
static struct sense_result sensed;

bool live_running(void) {
    return live.running;
}

void live_heard(void) {
    live.heard_ms = port_uptime_ms();
}

void live_end(enum live_end cause) {
    if (live.running) {
        port_scan_stop();
        live.running = false;
        live.ended = cause;
    }
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static uint32_t model_rate_mhz(void) {
    float rate = engine_info()->sample_rate_hz;
    return rate > 0 ? (uint32_t)(rate * 1000.0f + 0.5f) : SCAN_RATE_HZ * 1000u;
}

/* Bytes of a LIVE body with faults and an estimate in it. */
static size_t body_length(uint8_t content) {
    const struct engine_info *info = engine_info();
    uint32_t values = (content & LIVE_PRESSURE ? (uint32_t)SCAN_CHANNELS : 0u) +
                      (content & LIVE_ESTIMATE ? info->output_channels : 0u);
    return HEADER + (content & LIVE_RAW ? RAW_BYTES : 0u) + FAULT_BYTES + values * engine_value_bytes();
}

/* Notes when a frame was taken: how far its interval is from the period, and the time since sample 0. */
static void note_time(uint32_t number) {
    uint32_t before_it = live.samples + live.lost, steps = number - before_it + 1;
    uint32_t expected = steps * live.period_ticks;
    uint32_t interval = before_it ? frame.ticks - live.last_ticks : expected;
    int32_t away = (int32_t)(interval - expected);
    uint32_t jitter_ns =
        least((uint32_t)(away < 0 ? -away : away), JITTER_MAX_TICKS) * 1000u / live.ticks_per_us;
    live.jitter_max_ns = most(live.jitter_max_ns, jitter_ns);
    live.jitter_sum_ns += jitter_ns;
    live.last_ticks = frame.ticks;
    uint32_t ticks = live.spare_ticks + interval - (before_it ? 0 : live.period_ticks);
    live.time_us += ticks / live.ticks_per_us;
    live.spare_ticks = ticks % live.ticks_per_us;
    live.lost += steps - 1;
    live.samples++;
}

static void look_for_stuck_counts(void) {
    const size_t size = SCAN_CHANNELS * sizeof before[0];
    live.same = memcmp(frame.counts, before, size) == 0 ? live.same + 1 : 0;
    memcpy(before, frame.counts, size);
    live.flags =
        (uint8_t)(live.same >= live.stuck_after ? live.flags | LIVE_STUCK : live.flags & ~LIVE_STUCK);
}

static uint8_t *put_raw(uint8_t *to) {
    for (size_t i = 0; i < channels; i += 2) {
        uint32_t pair = frame.counts[i] | (i + 1 < channels ? (uint32_t)frame.counts[i + 1] << 12 : 0u);
        *to++ = (uint8_t)pair;
        *to++ = (uint8_t)(pair >> 8);
        if (i + 1 < channels) {
            *to++ = (uint8_t)(pair >> 16);
        }
    }
    return to;
}

static uint8_t *put_value(uint8_t *to, int16_t value) {
    *to++ = (uint8_t)value;
    if (engine_value_bytes() == 2) {
        *to++ = (uint8_t)(value >> 8);
    }
    return to;
}

static uint8_t *put_pressure(uint8_t *to) {
    for (size_t i = 0; i < channels; i++) {
        to = put_value(to, sensed.values[i]);
    }
    return to;
}

static uint8_t *put_faults(uint8_t *to) {
    memcpy(to, sensed.open, SENSE_MAP_BYTES);
    memcpy(to + SENSE_MAP_BYTES, sensed.saturated, SENSE_MAP_BYTES);
    return to + FAULT_BYTES;
}

/* Sends the body in app_scratch(), whose values end at `end`. */
static void send(uint8_t flags, uint32_t sample, uint32_t cycles, uint32_t latency_us, const uint8_t *end) {
    uint8_t *body = app_scratch();
    bytes_put_u32(body, sample);
    bytes_put_u32(body + 4, live.time_us);
    bytes_put_u32(body + 8, cycles);
    bytes_put_u16(body + 12, (uint16_t)least(latency_us, UINT16_MAX));
    bytes_put_u16(body + 14, (uint16_t)least(live.lost, UINT16_MAX));
    body[16] = flags;
    body[17] = flags & LIVE_SILENT ? 0 : live.content & (LIVE_RAW | LIVE_PRESSURE);
    live.sent++;
    app_send(LINK_LIVE, live.seq++, body, (size_t)(end - body));
}

/* Runs the model on the frame; returns whether it gave an estimate, which then lies at `to`. */
static bool estimate(uint8_t *to, uint32_t *cycles) {
    uint8_t sample[2 * sizeof map], *end = sample;
    for (size_t i = 0; i < sizeof map; i++) {
        end = put_value(end, sensed.values[map[i]]);
    }
    uint32_t start = port_cycles();
    bool given = engine_step((const int8_t *)sample, (int8_t *)to);
    *cycles = port_cycles() - start;
    live.cycles_max = most(live.cycles_max, *cycles);
    return given;
}

static void take(void) {
    note_time(frame.number);
    look_for_stuck_counts();
    calibration_apply(frame.counts, &sensed);

    uint8_t flags = (uint8_t)(live.flags | (sensed.faulty ? LIVE_HAS_FAULTS : 0));
    uint8_t *to = app_scratch() + HEADER;
    uint32_t cycles = 0;
    to = live.content & LIVE_RAW ? put_raw(to) : to;
    to = live.content & LIVE_PRESSURE ? put_pressure(to) : to;
    to = sensed.faulty ? put_faults(to) : to;
    if (live.content & LIVE_ESTIMATE && estimate(to, &cycles)) {
        flags |= LIVE_HAS_ESTIMATE;
        to += engine_info()->output_channels * engine_value_bytes();
    }
    uint32_t late = port_scan_ticks() - frame.ticks;
    if (late > live.period_ticks) {
        flags |= LIVE_MISSED;
        live.missed++;
    }
    uint32_t latency_us = late / live.ticks_per_us;
    live.latency_max_us = most(live.latency_max_us, latency_us);
    if (frame.number % live.every == 0) {
        send(flags, frame.number, cycles, latency_us, to);
    }
}

bool live_turn(void) {
    if (!live.running) {
        return false;
    }
    uint32_t now = port_uptime_ms();
    if (now - live.heard_ms > live.keep_alive_ms) {
        live_end(LIVE_HOST_GONE);
        return true;
    }
    if (port_scan_fetch(&frame)) {
        live.frame_ms = now;
        live.flags &= (uint8_t)~LIVE_SILENT;
        take();
        return true;
    }
    if (now - live.frame_ms > live.silence_ms) {
        live.frame_ms = now;
        live.flags |= LIVE_SILENT;
        send(live.flags, live.samples + live.lost, 0, 0, app_scratch() + HEADER);
    }
    return false;
}

static bool has_scan(struct link_reply *reply, const struct request *request) {
    uint8_t parts = port_facts()->parts;
    if (parts & PORT_SCAN) {
        return true;
    }
    request_fail(reply, request, LINK_NO_PART, parts);
    return false;
}

/* What START asks for, or how it is refused. */
static bool understand(const struct request *request, struct link_reply *reply, uint32_t *rate_mhz) {
    *rate_mhz = bytes_get_u32(request->body);
    live.every = request->body[4];
    live.content = request->body[5];
    live.keep_alive_ms = bytes_get_u16(request->body + 6);
    bool known = !(live.content & ~(LIVE_RAW | LIVE_PRESSURE | LIVE_ESTIMATE));
    if (live.every == 0 || live.content == 0 || !known || live.keep_alive_ms < KEEP_ALIVE_MIN_MS ||
        body_length(live.content) > FRAME_BODY_MAX) {
        request_fail(reply, request, LINK_OUT_OF_RANGE, FRAME_BODY_MAX);
        return false;
    }
    if (live.content & LIVE_ESTIMATE && !(engine_info()->modes & ENGINE_MODE_STREAM)) {
        request_fail(reply, request, LINK_NO_MODE, engine_info()->modes);
        return false;
    }
    if (*rate_mhz == 0) {
        *rate_mhz = model_rate_mhz();
    }
    return true;
}

static void begin(uint32_t rate_mhz) {
    uint32_t tick_hz = port_facts()->scan_tick_hz;
    live.rate_mhz = rate_mhz;
    live.period_ticks = (uint32_t)sense_divide((uint64_t)tick_hz * 1000 + rate_mhz / 2, rate_mhz);
    live.ticks_per_us = tick_hz / 1000000;
    live.silence_ms = most(SILENCE_MS, 4 * (1000000 / rate_mhz));
    live.stuck_after = most(STUCK_MIN, rate_mhz / 1000);
    live.same = live.time_us = live.spare_ticks = 0;
    live.samples = live.sent = live.lost = live.missed = 0;
    live.jitter_max_ns = live.latency_max_us = live.cycles_max = 0;
    live.jitter_sum_ns = 0;
    live.seq = 0;
    live.flags = (uint8_t)((calibration_generation() ? 0 : LIVE_UNCALIBRATED) |
                           (rate_mhz != model_rate_mhz() ? LIVE_OFF_RATE : 0));
    memset(before, 0xFF, sizeof before);
    live.heard_ms = live.frame_ms = port_uptime_ms();
    live.running = true;
}

void live_start(const struct request *request, struct link_reply *reply) {
    uint32_t rate_mhz;
    live_end(LIVE_STOPPED);
    if (!has_scan(reply, request) || !request_has_length(reply, request, 8) ||
        !understand(request, reply, &rate_mhz)) {
        return;
    }
    keep_load();
    if (live.content & LIVE_ESTIMATE) {
        engine_reset();
    }
    rate_mhz = port_scan_start(rate_mhz);
    if (rate_mhz == 0) {
        request_fail(reply, request, LINK_OUT_OF_RANGE, model_rate_mhz());
        return;
    }
    begin(rate_mhz);
    bytes_put_u32(reply->body, rate_mhz);
    reply->length = 4;
}

void live_stop(const struct request *request, struct link_reply *reply) {
    if (!has_scan(reply, request) || !request_has_length(reply, request, 0)) {
        return;
    }
    live_end(LIVE_STOPPED);
    live_status(request, reply);
}

void live_status(const struct request *request, struct link_reply *reply) {
    if (!has_scan(reply, request) || !request_has_length(reply, request, 0)) {
        return;
    }
    const uint32_t numbers[] = {
        live.rate_mhz,
        live.samples,
        live.sent,
        live.lost,
        live.missed,
        live.jitter_max_ns,
        live.samples ? (uint32_t)sense_divide(live.jitter_sum_ns, live.samples) : 0,
        live.latency_max_us,
        live.cycles_max,
        calibration_generation(),
    };
    reply->body[0] = (uint8_t)(live.flags | (live.running ? LIVE_RUNNING : 0));
    reply->body[1] = live.content;
    reply->body[2] = live.every;
    reply->body[3] = (uint8_t)live.ended;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        bytes_put_u32(reply->body + 4 + 4 * i, numbers[i]);
    }
    reply->length = 4 + sizeof numbers;
}

void live_scan(const struct request *request, struct link_reply *reply) {
    if (!has_scan(reply, request) || !request_has_length(reply, request, 0)) {
        return;
    }
    uint8_t *to = reply->body;
    to[0] = SCAN_ROWS;
    to[1] = SCAN_COLUMNS;
    bytes_put_u16(to + 2, SCAN_CHANNELS);
    bytes_put_u32(to + 4, model_rate_mhz());
    bytes_put_u32(to + 8, SCAN_SETTLE_US);
    bytes_put_u32(to + 12, port_facts()->scan_tick_hz);
    bytes_put_u16(to + 16, SCAN_OPEN_BELOW);
    bytes_put_u16(to + 18, SCAN_SATURATED_FROM);
    bytes_put_u16(to + 20, PORT_SCAN_FULL);
    to[22] = port_facts()->parts;
    to[23] = sizeof map;
    memcpy(to + 24, map, sizeof map);
    reply->length = 24 + sizeof map;
}
