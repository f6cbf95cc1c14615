/* SPDX-License-Identifier: Apache-2.0
 *
 * app.h: the messages of SPEC.md section 3, executed on the engine.
 *
 * Everything in a message body is untrusted and checked here, before the engine sees it.
 */
#ifndef APP_H
#define APP_H

#include <stddef.h>
#include <stdint.h>

enum {
    APP_PROTOCOL = 1,      /* the one version of SPEC.md that this firmware speaks */
    APP_MODE_LIVE = 4,     /* in HELLO's modes, beside the engine's: START works */
    APP_MODE_PERSONAL = 8, /* and: a wearer's record has changed the model's last layer */
};

/* Takes bytes that came over the link, executes the requests that they complete and sends the replies. */
void app_take(const uint8_t *data, size_t length);

/* FRAME_BODY_MAX bytes for a body that app_send() sends before the next byte is taken. */
uint8_t *app_scratch(void);

/* Sends a frame; requires length <= FRAME_BODY_MAX. */
void app_send(uint8_t type, uint8_t seq, const uint8_t *body, size_t length);

#endif
