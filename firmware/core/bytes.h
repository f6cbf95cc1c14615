/* SPDX-License-Identifier: Apache-2.0
 *
 * bytes.h: little-endian numbers at any address of a message, whatever the core's own order.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t bytes_get_u16(const uint8_t *from) {
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t bytes_get_u32(const uint8_t *from) {
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline void bytes_put_u16(uint8_t *to, uint16_t value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void bytes_put_u32(uint8_t *to, uint32_t value) {
    bytes_put_u16(to, (uint16_t)value);
    bytes_put_u16(to + 2, (uint16_t)(value >> 16));
}

static inline void bytes_put_f32(uint8_t *to, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bytes_put_u32(to, bits);
}

#endif
