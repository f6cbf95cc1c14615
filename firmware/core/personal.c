/* SPDX-License-Identifier: Apache-2.0 */
#include "personal.h"

#include "bytes.h"
#include "calibration.h"
#include "engine.h"
#include "port.h"

enum {
    MAGIC = 0x31504745, /* "EGP1" */
    LENGTH_AT = 4,
    INPUTS_AT = 6,
    OUTPUTS_AT = 8,
    DEPTH_AT = 10,
    MODEL_AT = 12, /* SHA-256 of its .tflite; that of the personalised one follows */
    GAINS_AT = ENGINE_RECORD_HEADER,
    GAIN_MIN = PERSONAL_GAIN_ONE / 4,
    GAIN_MAX = PERSONAL_GAIN_ONE * 4,
};

static const uint8_t map[] = SCAN_MAP; /* [model input]: sensor */

static bool holds;

struct keep_record personal_record(void) {
    const struct engine_info *info = engine_info();
    size_t length = ENGINE_RECORD_BYTES((size_t)info->input_channels, (size_t)info->head_outputs,
                                        (size_t)info->head_depth);
    return (struct keep_record){info->record, info->head_outputs ? length - 4 : 0};
}

/* Puts the record in effect; 0, or the detail of the refusal. */
static uint32_t attempt(void) {
    const struct engine_info *info = engine_info();
    const uint8_t *record = info->record;

    if (bytes_get_u32(record) != MAGIC || bytes_get_u16(record + LENGTH_AT) != personal_record().length ||
        bytes_get_u16(record + INPUTS_AT) != info->input_channels ||
        bytes_get_u16(record + OUTPUTS_AT) != info->head_outputs ||
        bytes_get_u16(record + DEPTH_AT) != info->head_depth) {
        return PERSONAL_RECORD;
    }
    if (memcmp(record + MODEL_AT, info->model_sha256, sizeof info->model_sha256) != 0) {
        return PERSONAL_MODEL;
    }
    for (uint32_t input = 0; input < info->input_channels; input++) {
        uint16_t gain = bytes_get_u16(record + GAINS_AT + 2 * input);
        if (gain < GAIN_MIN || gain > GAIN_MAX) {
            return PERSONAL_GAIN + 256u * input;
        }
    }
    /* the record lies on a word's address, and so do its scales */
    const uint8_t *scales = record + GAINS_AT + ENGINE_WORDS(2u * info->input_channels);
    const uint8_t *weights = scales + 12u * info->head_outputs;
    return engine_head((const int32_t *)(const void *)scales, (const int8_t *)weights) ? 0 : PERSONAL_HEAD;
}

void personal_take(void) {
    struct keep_record record = personal_record();

    holds = record.length && keep_is_whole(&record) && attempt() == 0;
    if (record.length && !holds) {
        engine_head(NULL, NULL);
        memset(record.bytes, 0, record.length);
    }
}

bool personal_holds(void) {
    return holds;
}

uint32_t personal_gain(size_t sensor) {
    for (size_t input = 0; holds && input < sizeof map && input < engine_info()->input_channels; input++) {
        if (map[input] == sensor) {
            return bytes_get_u16(engine_info()->record + GAINS_AT + 2 * input);
        }
    }
    return PERSONAL_GAIN_ONE;
}

/* True if the last layer can be replaced, and the record kept; else the reply says so. */
static bool is_possible(const struct request *request, struct link_reply *reply) {
    if (!keep_has_parts(request, reply, PORT_STORE)) {
        return false;
    }
    if (!engine_info()->head_outputs) {
        request_fail(reply, request, LINK_NO_MODE, engine_info()->modes);
        return false;
    }
    return true;
}

void personal_read(const struct request *request, struct link_reply *reply) {
    struct keep_record record = personal_record();
    if (is_possible(request, reply)) {
        keep_read(request, reply, &record);
    }
}

void personal_write(const struct request *request, struct link_reply *reply) {
    struct keep_record record = personal_record();
    if (is_possible(request, reply)) {
        keep_write(request, reply, &record);
    }
}

void personal_commit(const struct request *request, struct link_reply *reply) {
    struct keep_record record = personal_record();
    if (!is_possible(request, reply) || !request_has_length(reply, request, 4)) {
        return;
    }
    uint32_t verdict = PERSONAL_RECORD;
    if (frame_crc32(0, record.bytes, record.length) == bytes_get_u32(request->body)) {
        verdict = attempt();
        holds = verdict == 0;
        verdict = holds && !calibration_fits() ? (uint32_t)PERSONAL_GAIN : verdict;
    }
    if (verdict) {
        keep_load();
        request_fail(reply, request, LINK_IMPLAUSIBLE, verdict);
    } else if (keep_personal(request, reply)) {
        bytes_put_u32(reply->body, keep_generation());
        reply->length = 4;
    }
}

void personal_erase(const struct request *request, struct link_reply *reply) {
    if (!is_possible(request, reply) || !request_has_length(reply, request, 0)) {
        return;
    }
    holds = false;
    keep_personal(request, reply);
}
