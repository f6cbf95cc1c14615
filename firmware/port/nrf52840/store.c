/* SPDX-License-Identifier: Apache-2.0
 *
 * Two pages of flash.  The core stands still while one is erased (85 ms) or a word is written (41 us):
 * DMA goes on, interrupts wait; so a scan loses frames meanwhile, and the uart none (uart.h).
 */
#include "board.h"
#include "nrf52840.h"
#include "port.h"

#include <string.h>

_Static_assert(BOARD_STORE_SIZE == PORT_STORE_SLOTS * PORT_STORE_SIZE && BOARD_STORE_ORIGIN % 4096 == 0,
               "a page for each slot");

enum {
    WORD = 4,
};

static volatile uint32_t *place(unsigned slot, uint32_t offset) {
    return (volatile uint32_t *)(uintptr_t)(BOARD_STORE_ORIGIN + slot * PORT_STORE_SIZE + offset);
}

static void become(uint32_t mode) {
    while (!(NVMC_READY & 1)) {
    }
    NVMC_CONFIG = mode;
    __asm volatile("dsb\nisb" ::: "memory");
}

bool port_store_erase(unsigned slot) {
    if (slot >= PORT_STORE_SLOTS) {
        return false;
    }
    become(NVMC_CONFIG_ERASE);
    NVMC_ERASEPAGE = (uint32_t)(uintptr_t)place(slot, 0);
    become(NVMC_CONFIG_READ);
    for (uint32_t offset = 0; offset < PORT_STORE_SIZE; offset += WORD) {
        if (*place(slot, offset) != UINT32_MAX) {
            return false;
        }
    }
    return true;
}

bool port_store_write(unsigned slot, uint32_t offset, const uint8_t *data, size_t length) {
    if (slot >= PORT_STORE_SLOTS || (offset | length) % WORD || offset > PORT_STORE_SIZE ||
        length > PORT_STORE_SIZE - offset) {
        return false;
    }
    bool good = true;
    for (size_t done = 0; good && done < length; done += WORD) {
        uint32_t word;
        memcpy(&word, data + done, sizeof word);
        volatile uint32_t *to = place(slot, offset + (uint32_t)done);
        become(NVMC_CONFIG_WRITE);
        *to = word;
        become(NVMC_CONFIG_READ);
        good = *to == word;
    }
    return good;
}

void port_store_read(unsigned slot, uint32_t offset, uint8_t *into, size_t length) {
    memcpy(into, (const uint8_t *)(uintptr_t)place(slot, offset), length);
}
