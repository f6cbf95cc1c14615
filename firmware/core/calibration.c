/* SPDX-License-Identifier: Apache-2.0 */
#include "calibration.h"

#include "bytes.h"
#include "engine.h"
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

    NO_SLOT = PORT_STORE_SLOTS,
};
_Static_assert((int)RECORD <= (int)PORT_STORE_SIZE && RECORD % 4 == 0, "a record is whole words of one slot");

/* A variable, since without sensors a comparison with 0 would make no sense. */
static const size_t channels = SCAN_CHANNELS;

static uint8_t record[RECORD];
static uint32_t multipliers[SCAN_ROOM]; /* of the record in effect */
static uint32_t generation;
static unsigned active; /* slot of the record in effect */

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

static uint32_t multiplier_of(const struct sense_sensor *sensor) {
    return sense_multiplier(sensor->gain_mn, bytes_get_u32(record + WEIGHT_AT), engine_info()->input_scale);
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
    return multiplier_of(sensor) ? 0 : detail(CALIBRATION_RANGE, index);
}

static uint32_t judge(void) {
    uint32_t weight = bytes_get_u32(record + WEIGHT_AT);
    if (bytes_get_u32(record) != MAGIC || bytes_get_u16(record + LENGTH_AT) != BODY ||
        bytes_get_u16(record + CHANNELS_AT) != channels) {
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

static void put_in_effect(uint32_t its_generation, unsigned slot) {
    for (size_t index = 0; index < channels; index++) {
        struct sense_sensor sensor = sensor_at(index);
        multipliers[index] = multiplier_of(&sensor);
    }
    generation = its_generation;
    active = slot;
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

/* Reads a slot into the record; true when it holds a sound one. */
static bool read_slot(unsigned slot) {
    port_store_read(slot, 0, record, sizeof record);
    return frame_crc32(0, record, BODY) == bytes_get_u32(record + BODY) && judge() == 0;
}

void calibration_load(void) {
    unsigned newest = NO_SLOT;
    uint32_t best = 0;

    for (unsigned slot = 0; channels && slot < PORT_STORE_SLOTS; slot++) {
        if (read_slot(slot) && bytes_get_u32(record + GENERATION_AT) > best) {
            best = bytes_get_u32(record + GENERATION_AT);
            newest = slot;
        }
    }
    if (newest != NO_SLOT) {
        read_slot(newest);
    } else {
        fill_default();
    }
    put_in_effect(best, newest);
}

uint32_t calibration_generation(void) {
    return generation;
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

static bool has_parts(struct link_reply *reply, const struct request *request, uint8_t parts) {
    uint8_t present = port_facts()->parts;
    if ((present & parts) == parts) {
        return true;
    }
    request_fail(reply, request, LINK_NO_PART, present);
    return false;
}

void calibration_read(const struct request *request, struct link_reply *reply) {
    if (!has_parts(reply, request, PORT_SCAN) || !request_has_length(reply, request, 4)) {
        return;
    }
    uint16_t offset = bytes_get_u16(request->body), count = bytes_get_u16(request->body + 2);
    if (count == 0 || count > FRAME_BODY_MAX || offset > BODY || count > BODY - offset) {
        request_fail(reply, request, LINK_OUT_OF_RANGE, BODY);
        return;
    }
    memcpy(reply->body, record + offset, count);
    reply->length = count;
}

void calibration_write(const struct request *request, struct link_reply *reply) {
    if (!has_parts(reply, request, PORT_SCAN)) {
        return;
    }
    if (request->length < 3) {
        request_has_length(reply, request, 3);
        return;
    }
    uint16_t offset = bytes_get_u16(request->body);
    size_t count = request->length - 2;
    if (offset > BODY || count > (size_t)(BODY - offset)) {
        request_fail(reply, request, LINK_OUT_OF_RANGE, BODY);
        return;
    }
    memcpy(record + offset, request->body + 2, count);
}

/* Into the slot that is not in effect, the checksum last: until that word is written, the old record is the
 * only sound one. */
static bool store(unsigned slot) {
    bytes_put_u32(record + BODY, frame_crc32(0, record, BODY));
    return port_store_erase(slot) && port_store_write(slot, 0, record, sizeof record) && read_slot(slot);
}

void calibration_commit(const struct request *request, struct link_reply *reply) {
    if (!has_parts(reply, request, PORT_SCAN | PORT_STORE) || !request_has_length(reply, request, 4)) {
        return;
    }
    uint32_t verdict =
        frame_crc32(0, record, BODY) == bytes_get_u32(request->body) ? judge() : (uint32_t)CALIBRATION_RECORD;
    if (verdict) {
        calibration_load();
        request_fail(reply, request, LINK_IMPLAUSIBLE, verdict);
        return;
    }
    unsigned slot = active == 0 ? 1 : 0;
    uint32_t next = generation + 1;
    bytes_put_u32(record + GENERATION_AT, next);
    if (!store(slot)) {
        calibration_load();
        request_fail(reply, request, LINK_STORE, slot);
        return;
    }
    put_in_effect(next, slot);
    bytes_put_u32(reply->body, next);
    reply->length = 4;
}

/* The older slot first: a cut in between leaves the calibration as it was. */
void calibration_erase(const struct request *request, struct link_reply *reply) {
    if (!has_parts(reply, request, PORT_STORE) || !request_has_length(reply, request, 0)) {
        return;
    }
    unsigned first = active == 0 ? 1 : 0;
    bool done = port_store_erase(first) && port_store_erase(1 - first);
    calibration_load();
    if (!done) {
        request_fail(reply, request, LINK_STORE, first);
    }
}
