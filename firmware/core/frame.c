/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include "bytes.h"

/* One entry per nibble: 64 bytes of table.  A byte costs some 15 cycles; at 1 Mbaud one arrives every
 * 640 cycles of a 64 MHz core, so the 1 KiB table of whole bytes would buy nothing. */
static const uint32_t crc_table[16] = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

uint32_t frame_crc32(uint32_t crc, const uint8_t *data, size_t length) {
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ crc_table[crc & 15u];
        crc = crc >> 4 ^ crc_table[crc & 15u];
    }
    return ~crc;
}

static void append(struct frame_decoder *decoder, uint8_t byte) {
    if (decoder->length == FRAME_CONTENT_MAX) {
        decoder->overlong = true;
    } else {
        decoder->content[decoder->length++] = byte;
    }
}

static size_t finish(struct frame_decoder *decoder) {
    size_t length = decoder->length;
    if (decoder->overlong) {
        decoder->wrong_length++;
        return 0;
    }
    if (decoder->block_left) {
        decoder->damaged++;
        return 0;
    }
    /* The length first: a shorter content has no CRC to look at. */
    if (length < FRAME_CONTENT_MIN) {
        decoder->wrong_length++;
        return 0;
    }
    length -= FRAME_CRC;
    if (frame_crc32(0, decoder->content, length) != bytes_get_u32(decoder->content + length)) {
        decoder->damaged++;
        return 0;
    }
    decoder->good++;
    return length;
}

void frame_forget(struct frame_decoder *decoder) {
    decoder->begun = decoder->zero_due = decoder->overlong = false;
    decoder->length = 0;
    decoder->block_left = 0;
}

size_t frame_take(struct frame_decoder *decoder, uint8_t byte) {
    decoder->bytes++;
    if (byte == 0) {
        size_t length = decoder->begun ? finish(decoder) : 0;
        frame_forget(decoder);
        return length;
    }
    decoder->begun = true;
    if (decoder->block_left) {
        decoder->block_left--;
        append(decoder, byte);
        return 0;
    }
    if (decoder->zero_due) {
        append(decoder, 0);
    }
    decoder->block_left = (uint8_t)(byte - 1u);
    decoder->zero_due = byte != 0xFF;
    return 0;
}

/* COBS as a stream: `code` is where the current block's code byte will be written. */
struct stuffer {
    uint8_t *code;
    uint8_t *end;
};

static void stuff(struct stuffer *out, const uint8_t *data, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (out->end - out->code == 0xFF) {
            *out->code = 0xFF;
            out->code = out->end++;
        }
        if (data[i]) {
            *out->end++ = data[i];
        } else {
            *out->code = (uint8_t)(out->end - out->code);
            out->code = out->end++;
        }
    }
}

size_t frame_encode(uint8_t wire[FRAME_WIRE_MAX], uint8_t type, uint8_t seq, const uint8_t *body,
                    size_t length) {
    const uint8_t header[FRAME_HEADER] = {type, seq};
    uint8_t crc[FRAME_CRC];
    struct stuffer out = {wire + 1, wire + 2};

    bytes_put_u32(crc, frame_crc32(frame_crc32(0, header, sizeof header), body, length));
    wire[0] = 0;
    stuff(&out, header, sizeof header);
    stuff(&out, body, length);
    stuff(&out, crc, sizeof crc);
    *out.code = (uint8_t)(out.end - out.code);
    *out.end++ = 0;
    return (size_t)(out.end - wire);
}
