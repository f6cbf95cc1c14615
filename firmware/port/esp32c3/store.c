/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: the last two sectors of the flash, through functions of the ROM.
 *
 * While the flash erases or writes it cannot be read, so the cache rests, and what runs lies in RAM or ROM:
 * these functions, and the interrupts, which go on.  The data is read by the ROM, too, never through the
 * cache.
 */
#include "board.h"
#include "esp32c3.h"
#include "port.h"

#include <string.h>

_Static_assert(BOARD_STORE_SIZE == PORT_STORE_SLOTS * PORT_STORE_SIZE, "the slots of the store");
_Static_assert(BOARD_STORE_ORIGIN % PORT_STORE_SIZE == 0, "a slot is a sector");

enum {
    CHUNK = 16, /* words */
};

static uint32_t place(unsigned slot, uint32_t offset) {
    return BOARD_STORE_ORIGIN + slot * PORT_STORE_SIZE + offset;
}

static IN_RAM bool erase(uint32_t address) {
    uint32_t autoload = ROM_CACHE_SUSPEND();
    int failed = ROM_FLASH_UNLOCK() || ROM_FLASH_ERASE(address / PORT_STORE_SIZE);

    ROM_CACHE_RESUME(autoload);
    return !failed;
}

static IN_RAM bool write_words(uint32_t address, const uint32_t *words, uint32_t bytes) {
    uint32_t autoload = ROM_CACHE_SUSPEND();
    int failed = ROM_FLASH_UNLOCK() || ROM_FLASH_WRITE(address, words, (int32_t)bytes);

    ROM_CACHE_RESUME(autoload);
    return !failed;
}

static IN_RAM bool read_words(uint32_t address, uint32_t *words, uint32_t bytes) {
    uint32_t autoload = ROM_CACHE_SUSPEND();
    int failed = ROM_FLASH_READ(address, words, (int32_t)bytes);

    ROM_CACHE_RESUME(autoload);
    return !failed;
}

bool port_store_erase(unsigned slot) {
    return slot < PORT_STORE_SLOTS && erase(place(slot, 0));
}

bool port_store_write(unsigned slot, uint32_t offset, const uint8_t *data, size_t length) {
    if (slot >= PORT_STORE_SLOTS || offset + length > PORT_STORE_SIZE) {
        return false;
    }
    while (length) {
        uint32_t words[CHUNK], back[CHUNK];
        uint32_t bytes = length < sizeof words ? (uint32_t)length : (uint32_t)sizeof words;

        memcpy(words, data, bytes);
        if (!write_words(place(slot, offset), words, bytes) ||
            !read_words(place(slot, offset), back, bytes) || memcmp(words, back, bytes) != 0) {
            return false;
        }
        offset += bytes;
        data += bytes;
        length -= bytes;
    }
    return true;
}

void port_store_read(unsigned slot, uint32_t offset, uint8_t *into, size_t length) {
    while (length) {
        uint32_t words[CHUNK];
        uint32_t begin = offset % 4;
        uint32_t bytes = length < sizeof words - begin ? (uint32_t)length : (uint32_t)sizeof words - begin;

        if (!read_words(place(slot, offset - begin), words, (begin + bytes + 3) / 4 * 4)) {
            memset(words, 0xFF, sizeof words);
        }
        memcpy(into, (const uint8_t *)words + begin, bytes);
        offset += bytes;
        into += bytes;
        length -= bytes;
    }
}
