/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.h: bytes to messages and back (SPEC.md section 1): 0x00 COBS(type seq body crc) 0x00.
 *
 * Knows no port and no clock.  The decoder takes bytes from the outside world one at a time, never
 * writes beyond `content`, and drops and counts whatever is not a frame.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_BODY_MAX = 256,
    FRAME_HEADER = 2, /* type, seq */
    FRAME_CRC = 4,
    FRAME_CONTENT_MIN = FRAME_HEADER + FRAME_CRC,
    FRAME_CONTENT_MAX = FRAME_CONTENT_MIN + FRAME_BODY_MAX,
    FRAME_WIRE_MAX = FRAME_CONTENT_MAX + FRAME_CONTENT_MAX / 254 + 1 + 2, /* COBS codes, two delimiters */
};

/* All zero is a decoder that has seen nothing. */
struct frame_decoder {
    uint8_t content[FRAME_CONTENT_MAX]; /* type, seq, body, crc; valid after frame_take() gave > 0 */
    uint16_t length;                    /* bytes of content so far */
    uint8_t block_left;                 /* bytes until the next COBS code */
    bool begun;                         /* a byte other than 0x00 came since the last delimiter */
    bool zero_due;                      /* the block that ended stands for a 0x00, unless it is the last */
    bool overlong;                      /* more than FRAME_CONTENT_MAX: wait for the delimiter */
    uint32_t bytes;                     /* counters since boot, modulo 2^32: bytes taken, */
    uint32_t good;                      /* frames with the right CRC, */
    uint32_t damaged;                   /* frames of broken COBS or another CRC, */
    uint32_t wrong_length;              /* frames shorter or longer than any message */
};

/* Takes one byte.  Returns FRAME_HEADER + the body's length when it ended a good frame, whose type,
 * seq and body then lie in `content` until the next call; else 0. */
size_t frame_take(struct frame_decoder *decoder, uint8_t byte);

/* Drops what came since the last delimiter, uncounted: it was no frame, and was taken elsewhere. */
void frame_forget(struct frame_decoder *decoder);

/* Writes a whole frame to `wire`; requires length <= FRAME_BODY_MAX.  Returns its bytes on the wire. */
size_t frame_encode(uint8_t wire[FRAME_WIRE_MAX], uint8_t type, uint8_t seq, const uint8_t *body,
                    size_t length);

/* CRC-32 as zlib's crc32(data) goes on: start with crc = 0. */
uint32_t frame_crc32(uint32_t crc, const uint8_t *data, size_t length);

#endif
