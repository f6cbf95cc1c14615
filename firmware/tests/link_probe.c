/* SPDX-License-Identifier: Apache-2.0
 *
 * The sequence rules on the host, for tests/firmware/test_link_rules.py: lines "TYPE SEQ" on stdin; prints
 * per line "execute N", "repeat N" (N: which execution's reply it is) or "refuse CODE REQUEST DETAIL", and
 * the number of duplicates at the end.  A HELLO of seq 99 plays one that is not accepted.
 */
#include "link.h"

#include "bytes.h"

#include <stdio.h>

int main(void) {
    static struct link link;
    unsigned type, seq;
    uint32_t executions = 0;

    while (scanf("%u %u", &type, &seq) == 2) {
        bool execute;
        uint32_t duplicates = link.duplicates;
        struct link_reply *reply = link_request(&link, (uint8_t)type, (uint8_t)seq, &execute);
        if (reply->seq != seq) {
            printf("wrong seq %u\n", reply->seq);
        } else if (execute) {
            if (type == LINK_HELLO) {
                link.greeted = seq != 99;
            }
            reply->length = 4;
            bytes_put_u32(reply->body, executions);
            printf("execute %u\n", executions++);
        } else if (link.duplicates != duplicates) {
            printf("repeat %u\n", bytes_get_u32(reply->body));
        } else {
            printf("refuse %u %u %u\n", reply->body[0], reply->body[1], bytes_get_u32(reply->body + 2));
        }
    }
    printf("%u\n", link.duplicates);
    return 0;
}
