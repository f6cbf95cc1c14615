/* SPDX-License-Identifier: Apache-2.0 */
#include "calibration.h"

#include "bytes.h"
#include "engine.h"
#include "keep.h"
#include "personal.h"
#include "port.h"

enum {
    MAGIC = 0x31434745, /* "EGC1" */
    /* the record: header, sensors, CRC-32 of both */
    LENGTH_AT = 4,
    CHANNELS_AT = 6,
    GENERATION_AT = 8,
    WEIGHT_AT = 12,
    HEADER = 16,
    SENSOR = 8 + 2 * SENSE_KNOTS,
    BODY = HEADER + SCAN_ROOM * SENSOR, /* what the host reads and writes */
    RECORD = BODY + 4,

    /* what is plausible; SPEC.md gives the reasons */
    WEIGHT_MIN_MN = 120000,
    WEIGHT_MAX_MN = 4000000,
    DEFAULT_WEIGHT_MN = 700000,
    OFFSET_MAX = 2048,
    BAND_MAX = 512,
    GAIN_MIN_MN = 1000,
    GAIN_MAX_MN = 20000000,
};
_Static_assert(RECORD % 4 == 0, "a record is whole words");

/* A variable, since without sensors a comparison with 0 would make no sense. */
static const size_t channels = SCAN_CHANNELS;

static uint8_t record[RECORD];
static uint32_t multipliers[SCAN_ROOM]; /* of the record in effect */
static uint32_t sealed;                 /* generation of the slot that was read; 0: it is not sound */
static bool holds;                      /* the record was stored; else it is the default */

static struct sense_sensor sensor_at(size_t index) {
    const uint8_t *from = record + HEADER + index * SENSOR;
    struct sense_sensor sensor = {
        .offset = bytes_get_u16(from),
        .band = bytes_get_u16(from + 2),
        .gain_mn = bytes_get_u32(from + 4),
    };
    for (size_t knot = 0; knot < SENSE_KNOTS; knot++) {
        sensor.knots[knot] = bytes_get_u16(from + 8 + 2 * knot);
    }
    return sensor;
}

static uint32_t detail(enum calibration_field field, size_t index) {
    return (uint32_t)field + 256u * (uint32_t)index;
}

static uint32_t multiplier_of(const struct sense_sensor *sensor, size_t index) {
    uint32_t gain_mn = (uint32_t)((uint64_t)sensor->gain_mn * personal_gain(index) / PERSONAL_GAIN_ONE);
    return sense_multiplier(gain_mn, bytes_get_u32(record + WEIGHT_AT), engine_info()->input_scale);
}

/* 0 when the sensor is plausible, else the detail of the refusal. */
static uint32_t judge_sensor(const struct sense_sensor *sensor, size_t index) {
    uint32_t before = 0;
    for (size_t knot = 0; knot < SENSE_KNOTS; before = sensor->knots[knot++]) {
        if (sensor->knots[knot] < before) {
            return detail(CALIBRATION_KNOTS, index);
        }
    }
    if (before == 0) {
        return detail(CALIBRATION_KNOTS, index);
    }
    if (sensor->offset > OFFSET_MAX) {
        return detail(CALIBRATION_OFFSET, index);
    }
    if (sensor->band > BAND_MAX) {
        return detail(CALIBRATION_BAND, index);
    }
    if (sensor->gain_mn < GAIN_MIN_MN || sensor->gain_mn > GAIN_MAX_MN) {
        return detail(CALIBRATION_GAIN, index);
    }
    return multiplier_of(sensor, index) ? 0 : detail(CALIBRATION_RANGE, index);
}

static bool is_record(void) {
    return bytes_get_u32(record) == MAGIC && bytes_get_u16(record + LENGTH_AT) == BODY &&
           bytes_get_u16(record + CHANNELS_AT) == channels;
}

static uint32_t judge(void) {
    uint32_t weight = bytes_get_u32(record + WEIGHT_AT);
    if (!is_record()) {
        return CALIBRATION_RECORD;
    }
    if (weight < WEIGHT_MIN_MN || weight > WEIGHT_MAX_MN) {
        return CALIBRATION_WEIGHT;
    }
    for (size_t index = 0; index < channels; index++) {
        struct sense_sensor sensor = sensor_at(index);
        uint32_t verdict = judge_sensor(&sensor, index);
        if (verdict) {
            return verdict;
        }
    }
    return 0;
}

struct keep_record calibration_record(void) {
    return (struct keep_record){record, BODY};
}

bool calibration_fits(void) {
    return judge() == 0;
}

bool calibration_holds(void) {
    return holds;
}

/* Every sensor alike: straight, its full scale the board's. */
static void fill_default(void) {
    memset(record, 0, sizeof record);
    bytes_put_u32(record, MAGIC);
    bytes_put_u16(record + LENGTH_AT, BODY);
    bytes_put_u16(record + CHANNELS_AT, SCAN_CHANNELS);
    bytes_put_u32(record + WEIGHT_AT, DEFAULT_WEIGHT_MN);
    for (size_t index = 0; index < channels; index++) {
        uint8_t *to = record + HEADER + index * SENSOR;
        bytes_put_u32(to + 4, SCAN_FULL_SCALE_N * 1000u);
        for (size_t knot = 1; knot <= SENSE_KNOTS; knot++) {
            bytes_put_u16(to + 6 + 2 * knot, (uint16_t)(knot * 65536 / SENSE_KNOTS - 1));
        }
    }
}

void calibration_take(void) {
    struct keep_record own = calibration_record();
    bool blank = bytes_get_u32(record + WEIGHT_AT) == 0;

    bool sound = is_record() && keep_is_whole(&own) && (blank || judge() == 0);
    sealed = sound ? bytes_get_u32(record + GENERATION_AT) : 0;
    holds = sound && !blank;
    if (!holds) {
        fill_default();
    }
    for (size_t index = 0; index < channels; index++) {
        struct sense_sensor sensor = sensor_at(index);
        multipliers[index] = multiplier_of(&sensor, index);
    }
}

uint32_t calibration_sealed(void) {
    return sealed;
}

void calibration_seal(uint32_t generation) {
    if (!holds) {
        bytes_put_u32(record + WEIGHT_AT, 0);
    }
    bytes_put_u32(record + GENERATION_AT, generation);
}

uint32_t calibration_generation(void) {
    return holds ? sealed : 0;
}

void calibration_apply(const uint16_t counts[SCAN_ROOM], struct sense_result *result) {
    int32_t zero_point = engine_info()->input_zero_point;
    bool wide = engine_value_bytes() == 2;
    int32_t low = wide ? INT16_MIN : INT8_MIN, high = wide ? INT16_MAX : INT8_MAX;

    memset(result, 0, sizeof *result);
    for (size_t index = 0; index < channels; index++) {
        struct sense_sensor sensor = sensor_at(index);
        bool open = sense_faults(result, index, counts[index]);
        int32_t steps = open ? 0 : sense_steps(&sensor, multipliers[index], counts[index]);
        result->values[index] = sense_code(steps, zero_point, low, high);
    }
}

void calibration_read(const struct request *request, struct link_reply *reply) {
    struct keep_record own = calibration_record();
    if (keep_has_parts(request, reply, PORT_SCAN)) {
        keep_read(request, reply, &own);
    }
}

void calibration_write(const struct request *request, struct link_reply *reply) {
    struct keep_record own = calibration_record();
    if (keep_has_parts(request, reply, PORT_SCAN)) {
        keep_write(request, reply, &own);
    }
}

void calibration_commit(const struct request *request, struct link_reply *reply) {
    if (!keep_has_parts(request, reply, PORT_SCAN | PORT_STORE) || !request_has_length(reply, request, 4)) {
        return;
    }
    uint32_t verdict =
        frame_crc32(0, record, BODY) == bytes_get_u32(request->body) ? judge() : (uint32_t)CALIBRATION_RECORD;
    if (verdict) {
        keep_load();
        request_fail(reply, request, LINK_IMPLAUSIBLE, verdict);
        return;
    }
    holds = true;
    if (keep_calibration(request, reply)) {
        bytes_put_u32(reply->body, keep_generation());
        reply->length = 4;
    }
}

void calibration_erase(const struct request *request, struct link_reply *reply) {
    if (!keep_has_parts(request, reply, PORT_STORE) || !request_has_length(reply, request, 0)) {
        return;
    }
    holds = false;
    keep_calibration(request, reply);
}
