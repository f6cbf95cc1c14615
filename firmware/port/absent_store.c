/* SPDX-License-Identifier: Apache-2.0
 *
 * For ports without flash that outlives the image.
 */
#include "port.h"

bool port_store_erase(unsigned slot) {
    (void)slot;
    return false;
}

bool port_store_write(unsigned slot, uint32_t offset, const uint8_t *data, size_t length) {
    (void)slot;
    (void)offset;
    (void)data;
    (void)length;
    return false;
}

void port_store_read(unsigned slot, uint32_t offset, uint8_t *into, size_t length) {
    (void)slot;
    (void)offset;
    for (size_t i = 0; i < length; i++) {
        into[i] = 0xFF;
    }
}
