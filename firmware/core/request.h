/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h: what a handler of messages gets and how it refuses.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "link.h"

/* One message from the host: untrusted but for its type, by which the handler was chosen. */
struct request {
    uint8_t type;
    const uint8_t *body;
    size_t length; /* 0..FRAME_BODY_MAX */
};

/* Fills reply->length and reply->body, or makes it an ERROR. */
typedef void request_handler(const struct request *request, struct link_reply *reply);

static inline void request_fail(struct link_reply *reply, const struct request *request, enum link_error code,
                                uint32_t detail) {
    link_fail(reply, code, request->type, detail);
}

/* True if the body has `length` bytes; else the reply says so. */
static inline bool request_has_length(struct link_reply *reply, const struct request *request,
                                      size_t length) {
    if (request->length == length) {
        return true;
    }
    link_fail(reply, LINK_BAD_LENGTH, request->type, (uint32_t)request->length);
    return false;
}

#endif
