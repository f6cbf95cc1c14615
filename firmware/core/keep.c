/* SPDX-License-Identifier: Apache-2.0 */
#include "keep.h"

#include "bytes.h"
#include "calibration.h"
#include "personal.h"
#include "port.h"

enum {
    CALIBRATION_AT = 0,
    PERSONAL_AT = 3104, /* behind the calibration of 128 sensors */
    NO_SLOT = PORT_STORE_SLOTS,
};

static uint32_t generation;
static unsigned active; /* slot in effect */

bool keep_is_whole(const struct keep_record *record) {
    return frame_crc32(0, record->bytes, record->length) == bytes_get_u32(record->bytes + record->length);
}

static void fetch(unsigned slot, uint32_t at, const struct keep_record *record) {
    if (record->length && slot == NO_SLOT) {
        memset(record->bytes, 0xFF, record->length + 4);
    } else if (record->length) {
        port_store_read(slot, at, record->bytes, record->length + 4);
    }
}

static bool put(unsigned slot, uint32_t at, const struct keep_record *record) {
    bytes_put_u32(record->bytes + record->length, frame_crc32(0, record->bytes, record->length));
    return port_store_write(slot, at, record->bytes, record->length + 4);
}

/* The personalisation first: its gains are part of what a calibration comes to. */
static void take(unsigned slot) {
    struct keep_record calibration = calibration_record(), personal = personal_record();

    fetch(slot, PERSONAL_AT, &personal);
    personal_take();
    fetch(slot, CALIBRATION_AT, &calibration);
    calibration_take();
}

void keep_load(void) {
    active = NO_SLOT;
    generation = 0;
    for (unsigned slot = 0; slot < PORT_STORE_SLOTS; slot++) {
        take(slot);
        if (calibration_sealed() > generation) {
            generation = calibration_sealed();
            active = slot;
        }
    }
    take(active);
}

uint32_t keep_generation(void) {
    return generation;
}

/* Both records as they are in RAM; until the last word is written the other slot is the only sound one. */
static bool write_both(unsigned slot) {
    struct keep_record calibration = calibration_record(), personal = personal_record();

    calibration_seal(generation + 1);
    return port_store_erase(slot) && (!personal_holds() || put(slot, PERSONAL_AT, &personal)) &&
           put(slot, CALIBRATION_AT, &calibration);
}

static bool store(const struct request *request, struct link_reply *reply, bool forget) {
    unsigned slot = active == 0 ? 1 : 0;
    bool left = calibration_holds() || personal_holds();
    uint32_t next = left ? generation + 1 : 0;
    bool done = left ? write_both(slot) : port_store_erase(slot);

    if (done && forget) {
        done = port_store_erase(1 - slot);
    }
    keep_load();
    if (!done || generation != next) {
        request_fail(reply, request, LINK_STORE, slot);
        return false;
    }
    return true;
}

bool keep_calibration(const struct request *request, struct link_reply *reply) {
    struct keep_record personal = personal_record();

    fetch(active, PERSONAL_AT, &personal);
    personal_take();
    return store(request, reply, !calibration_holds());
}

bool keep_personal(const struct request *request, struct link_reply *reply) {
    struct keep_record calibration = calibration_record();

    fetch(active, CALIBRATION_AT, &calibration);
    calibration_take();
    return store(request, reply, !personal_holds());
}

bool keep_has_parts(const struct request *request, struct link_reply *reply, uint8_t parts) {
    uint8_t present = port_facts()->parts;
    if ((present & parts) == parts) {
        return true;
    }
    request_fail(reply, request, LINK_NO_PART, present);
    return false;
}

void keep_read(const struct request *request, struct link_reply *reply, const struct keep_record *record) {
    if (!request_has_length(reply, request, 4)) {
        return;
    }
    uint16_t offset = bytes_get_u16(request->body), count = bytes_get_u16(request->body + 2);
    if (count == 0 || count > FRAME_BODY_MAX || offset > record->length || count > record->length - offset) {
        request_fail(reply, request, LINK_OUT_OF_RANGE, (uint32_t)record->length);
        return;
    }
    memcpy(reply->body, record->bytes + offset, count);
    reply->length = count;
}

void keep_write(const struct request *request, struct link_reply *reply, const struct keep_record *record) {
    if (request->length < 3) {
        request_has_length(reply, request, 3);
        return;
    }
    uint16_t offset = bytes_get_u16(request->body);
    size_t count = request->length - 2;
    if (offset > record->length || count > record->length - offset) {
        request_fail(reply, request, LINK_OUT_OF_RANGE, (uint32_t)record->length);
        return;
    }
    memcpy(record->bytes + offset, request->body + 2, count);
}
