/* SPDX-License-Identifier: Apache-2.0
 *
 * The flash of a process: a file, written word by word; with a power supply that can be cut.
 */
#define _POSIX_C_SOURCE 200809L
#include "native.h"
#include "port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WORD = 4,
};

static uint8_t flash[PORT_STORE_SLOTS][PORT_STORE_SIZE];
static FILE *file;
static unsigned long writes, cut_at; /* cut_at 0: never */

static void save(unsigned slot, uint32_t offset, size_t length) {
    if (!file) {
        return;
    }
    if (fseek(file, (long)(slot * PORT_STORE_SIZE + offset), SEEK_SET) != 0 ||
        fwrite(&flash[slot][offset], 1, length, file) != length || fflush(file) != 0) {
        perror("EDGEGRF_STORE");
        exit(EXIT_FAILURE);
    }
}

void store_init(void) {
    const char *path = getenv("EDGEGRF_STORE"), *cut = getenv("EDGEGRF_POWER_CUT");
    memset(flash, 0xFF, sizeof flash);
    cut_at = cut ? strtoul(cut, NULL, 10) : 0;
    if (!path) {
        return;
    }
    file = fopen(path, "r+b");
    if (file) {
        size_t got = fread(flash, 1, sizeof flash, file);
        memset((uint8_t *)flash + got, 0xFF, sizeof flash - got);
    } else {
        file = fopen(path, "w+b");
    }
    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    for (unsigned slot = 0; slot < PORT_STORE_SLOTS; slot++) {
        save(slot, 0, PORT_STORE_SIZE);
    }
}

/* Counts a write of `length` bytes; in the one that is cut only half of them get through. */
static void use_power(unsigned slot, uint32_t offset, const uint8_t *data, size_t length) {
    bool cut = ++writes == cut_at;
    size_t done = cut ? length / 2 : length;
    memcpy(&flash[slot][offset], data, done);
    save(slot, offset, done);
    if (cut) {
        _exit(STORE_POWER_CUT);
    }
}

bool port_store_erase(unsigned slot) {
    static uint8_t blank[PORT_STORE_SIZE];
    memset(blank, 0xFF, sizeof blank);
    use_power(slot, 0, blank, sizeof blank);
    return true;
}

bool port_store_write(unsigned slot, uint32_t offset, const uint8_t *data, size_t length) {
    static const uint8_t erased[WORD] = {0xFF, 0xFF, 0xFF, 0xFF};
    for (; length; offset += WORD, data += WORD, length -= WORD) {
        if (memcmp(&flash[slot][offset], erased, WORD) != 0) {
            return false; /* flash only turns ones into zeros: what was not erased would not read back */
        }
        use_power(slot, offset, data, WORD);
    }
    return true;
}

void port_store_read(unsigned slot, uint32_t offset, uint8_t *into, size_t length) {
    memcpy(into, &flash[slot][offset], length);
}
