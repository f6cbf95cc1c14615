/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h: which requests are executed, which are answered again, which are refused (SPEC.md section 2).
 *
 * Pure state: no port, no clock, no message bodies but its own errors.  Sequence numbers and types
 * come from outside and may have any value.
 */
#ifndef LINK_H
#define LINK_H

#include "frame.h"

enum {
    LINK_CREDITS = 4, /* requests that the host may have under way; divides 256 */
};

enum link_type {
    LINK_HELLO = 0x01,
    LINK_RESET = 0x02,
    LINK_STEP = 0x03,
    LINK_WRITE = 0x04,
    LINK_RUN = 0x05,
    LINK_READ = 0x06,
    LINK_STATS = 0x07,
    LINK_START = 0x08,
    LINK_STOP = 0x09,
    LINK_STATUS = 0x0A,
    LINK_SCAN = 0x0B,
    LINK_CAL_READ = 0x0C,
    LINK_CAL_WRITE = 0x0D,
    LINK_CAL_COMMIT = 0x0E,
    LINK_CAL_ERASE = 0x0F,
    LINK_FAULT = 0x10,
    LINK_PERSONAL_READ = 0x11,
    LINK_PERSONAL_WRITE = 0x12,
    LINK_PERSONAL_COMMIT = 0x13,
    LINK_PERSONAL_ERASE = 0x14,
    LINK_TYPES,        /* one more than the highest request */
    LINK_REPLY = 0x80, /* set in the type of a reply */
    LINK_LIVE = 0xC0,  /* comes unasked, after a START */
    LINK_ERROR = 0xFF,
};

enum link_error {
    LINK_UNKNOWN_TYPE = 1,
    LINK_BAD_LENGTH = 2,
    LINK_BAD_INDEX = 3,
    LINK_NO_MODE = 4,
    LINK_OUT_OF_RANGE = 5,
    LINK_SEQUENCE = 6,
    LINK_NOT_GREETED = 7,
    LINK_PROTOCOL = 8,
    LINK_BUSY = 9,         /* not while live streaming runs */
    LINK_NO_PART = 10,     /* this board has no scan, store or fault record */
    LINK_IMPLAUSIBLE = 11, /* a calibration or a personalisation out of bounds */
    LINK_STORE = 12,       /* the flash did not take it */
};

struct link_reply {
    uint8_t type;
    uint8_t seq;
    uint16_t length; /* 0..FRAME_BODY_MAX */
    uint8_t body[FRAME_BODY_MAX];
};

/* All zero is a link that nobody has greeted. */
struct link {
    bool greeted;
    uint8_t expected;                     /* seq of the next request */
    uint8_t kept_count;                   /* replies that can be sent again, 0..LINK_CREDITS */
    struct link_reply kept[LINK_CREDITS]; /* of request seq at [seq % LINK_CREDITS] */
    struct link_reply refusal;
    uint32_t duplicates; /* requests answered again, since boot */
};

/* Says what becomes of a request.  Always returns the reply to send; with *execute the caller fills it
 * first (length and body, or link_fail()), the seq is taken and the reply kept. */
struct link_reply *link_request(struct link *link, uint8_t type, uint8_t seq, bool *execute);

/* Makes `reply` an ERROR that answers a request of type `request`. */
void link_fail(struct link_reply *reply, enum link_error code, uint8_t request, uint32_t detail);

#endif
