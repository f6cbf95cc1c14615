/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ring_buf {
    uint8_t *buffer;
    uint32_t size;
};
#define RING_BUF_DECLARE(name, bytes)                                                                        \
    static uint8_t name##_data[bytes];                                                                       \
    struct ring_buf name = {name##_data, bytes}
uint32_t ring_buf_put(struct ring_buf *buf, const uint8_t *data, uint32_t size);
uint32_t ring_buf_get(struct ring_buf *buf, uint8_t *data, uint32_t size);
bool ring_buf_is_empty(const struct ring_buf *buf);
