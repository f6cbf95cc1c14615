/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: the first two pages of the board's storage partition.
 */
#include "port.h"

#include <string.h>
#include <zephyr/storage/flash_map.h>

static const struct flash_area *area(void) {
    static const struct flash_area *opened;
    if (!opened && flash_area_open(FIXED_PARTITION_ID(storage_partition), &opened) != 0) {
        opened = NULL;
    }
    return opened;
}

bool port_store_erase(unsigned slot) {
    const struct flash_area *store = area();
    return store && flash_area_erase(store, (off_t)(slot * PORT_STORE_SIZE), PORT_STORE_SIZE) == 0;
}

bool port_store_write(unsigned slot, uint32_t offset, const uint8_t *data, size_t length) {
    const struct flash_area *store = area();
    off_t at = (off_t)(slot * PORT_STORE_SIZE + offset);
    if (!store || flash_area_write(store, at, data, length) != 0) {
        return false;
    }
    for (size_t done = 0; done < length; done += 4) {
        uint32_t word;
        if (flash_area_read(store, at + (off_t)done, &word, sizeof word) != 0 ||
            memcmp(&word, data + done, sizeof word) != 0) {
            return false;
        }
    }
    return true;
}

void port_store_read(unsigned slot, uint32_t offset, uint8_t *into, size_t length) {
    const struct flash_area *store = area();
    if (!store || flash_area_read(store, (off_t)(slot * PORT_STORE_SIZE + offset), into, length) != 0) {
        memset(into, 0xFF, length);
    }
}
