/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include "bytes.h"

void link_fail(struct link_reply *reply, enum link_error code, uint8_t request, uint32_t detail) {
    reply->type = LINK_ERROR;
    reply->body[0] = (uint8_t)code;
    reply->body[1] = request;
    bytes_put_u32(reply->body + 2, detail);
    reply->length = 6;
}

static struct link_reply *refuse(struct link *link, enum link_error code, uint8_t type, uint8_t seq,
                                 uint32_t detail) {
    link->refusal.seq = seq;
    link_fail(&link->refusal, code, type, detail);
    return &link->refusal;
}

struct link_reply *link_request(struct link *link, uint8_t type, uint8_t seq, bool *execute) {
    struct link_reply *reply = &link->kept[seq % LINK_CREDITS];

    *execute = false;
    if (type == LINK_HELLO) {
        link->greeted = false; /* until the greeting is accepted */
        link->expected = seq;
        link->kept_count = 0;
    } else if (!link->greeted) {
        return refuse(link, LINK_NOT_GREETED, type, seq, 0);
    }
    uint8_t age = (uint8_t)(link->expected - seq); /* 0: new, 1: the last one executed, ... */
    if (age == 0) {
        link->expected++;
        if (link->kept_count < LINK_CREDITS) {
            link->kept_count++;
        }
        reply->type = (uint8_t)(type | LINK_REPLY);
        reply->seq = seq;
        reply->length = 0;
        *execute = true;
        return reply;
    }
    if (age <= link->kept_count) {
        link->duplicates++;
        return reply;
    }
    return refuse(link, LINK_SEQUENCE, type, seq, link->expected);
}
