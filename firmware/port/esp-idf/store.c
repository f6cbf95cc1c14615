/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: a data partition of its own, two sectors named "edgegrf" in partitions.csv.
 */
#include "port.h"

#include <esp_partition.h>
#include <string.h>

enum {
    SUBTYPE = 0x40, /* the first that is free for applications */
};

static const esp_partition_t *partition(void) {
    static const esp_partition_t *found;
    if (!found) {
        found =
            esp_partition_find_first(ESP_PARTITION_TYPE_DATA, (esp_partition_subtype_t)SUBTYPE, "edgegrf");
    }
    return found;
}

bool port_store_erase(unsigned slot) {
    const esp_partition_t *store = partition();
    return store && esp_partition_erase_range(store, slot * PORT_STORE_SIZE, PORT_STORE_SIZE) == ESP_OK;
}

bool port_store_write(unsigned slot, uint32_t offset, const uint8_t *data, size_t length) {
    const esp_partition_t *store = partition();
    size_t at = slot * PORT_STORE_SIZE + offset;
    if (!store || esp_partition_write(store, at, data, length) != ESP_OK) {
        return false;
    }
    for (size_t done = 0; done < length; done += 4) {
        uint32_t word;
        if (esp_partition_read(store, at + done, &word, sizeof word) != ESP_OK ||
            memcmp(&word, data + done, sizeof word) != 0) {
            return false;
        }
    }
    return true;
}

void port_store_read(unsigned slot, uint32_t offset, uint8_t *into, size_t length) {
    const esp_partition_t *store = partition();
    if (!store || esp_partition_read(store, slot * PORT_STORE_SIZE + offset, into, length) != ESP_OK) {
        memset(into, 0xFF, length);
    }
}
