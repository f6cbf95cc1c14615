/* SPDX-License-Identifier: Apache-2.0
 *
 * All of core/ on a port whose time and sensors are a script, for tests/live/test_live_rules.py.  Lines on
 * stdin: "time MS", "now TICKS", "send HEX" (bytes from the host), "frame NUMBER TICKS COUNT x 8", "turn".
 * Prints "sent HEX" for what the board sends, and "scan MHZ" / "stop" when it starts or stops the scan.
 */
#include "app.h"
#include "keep.h"
#include "live.h"
#include "port.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct port_facts facts = {
    .clock_hz = 1000000,
    .scan_tick_hz = 1000000,
    .parts = PORT_SCAN | PORT_FAULT | PORT_STORE,
};
static struct port_fault last = {.kind = PORT_FAULT_BUS, .pc = 0x1234, .count = 1};
static struct port_scan_frame waiting;
static bool frame_waits;
static uint32_t now_ms, now_ticks;
static uint8_t flash[PORT_STORE_SLOTS][PORT_STORE_SIZE];

const struct port_facts *port_facts(void) {
    return &facts;
}

void port_send(const uint8_t *data, size_t length) {
    printf("sent ");
    for (size_t i = 0; i < length; i++) {
        printf("%02x", data[i]);
    }
    printf("\n");
}

uint32_t port_cycles(void) {
    return now_ticks;
}

uint32_t port_stack_used(void) {
    return 0;
}

uint32_t port_overruns(void) {
    return 0;
}

uint32_t port_uptime_ms(void) {
    return now_ms;
}

void port_watchdog_feed(void) {}

uint32_t port_scan_start(uint32_t rate_mhz) {
    printf("scan %" PRIu32 "\n", rate_mhz);
    return rate_mhz <= 1000000 ? rate_mhz : 0;
}

void port_scan_stop(void) {
    printf("stop\n");
}

bool port_scan_fetch(struct port_scan_frame *frame) {
    *frame = waiting;
    bool had = frame_waits;
    frame_waits = false;
    return had;
}

uint32_t port_scan_ticks(void) {
    return now_ticks;
}

void port_fault_read(struct port_fault *fault) {
    *fault = last;
}

void port_fault_clear(void) {
    last = (struct port_fault){.kind = PORT_FAULT_NONE};
}

bool port_store_erase(unsigned slot) {
    memset(flash[slot], 0xFF, PORT_STORE_SIZE);
    return true;
}

bool port_store_write(unsigned slot, uint32_t offset, const uint8_t *data, size_t length) {
    (void)data;
    (void)length;
    flash[slot][offset] = 0; /* a page that is worn out: nothing reads back */
    return false;
}

void port_store_read(unsigned slot, uint32_t offset, uint8_t *into, size_t length) {
    memcpy(into, &flash[slot][offset], length);
}

static void take_bytes(void) {
    unsigned byte;
    while (scanf("%2x", &byte) == 1) {
        uint8_t data = (uint8_t)byte;
        app_take(&data, 1);
        int next = getchar();
        if (next == '\n' || next == EOF) {
            return;
        }
        ungetc(next, stdin);
    }
}

int main(void) {
    char word[8];

    memset(flash, 0xFF, sizeof flash);
    keep_load();
    while (scanf("%7s", word) == 1) {
        if (!strcmp(word, "time") && scanf("%" SCNu32, &now_ms) == 1) {
            continue;
        }
        if (!strcmp(word, "now") && scanf("%" SCNu32, &now_ticks) == 1) {
            continue;
        }
        if (!strcmp(word, "send")) {
            take_bytes();
        } else if (!strcmp(word, "frame")) {
            frame_waits = scanf("%" SCNu32 " %" SCNu32, &waiting.number, &waiting.ticks) == 2;
            for (int i = 0; i < SCAN_CHANNELS; i++) {
                frame_waits = frame_waits && scanf("%" SCNu16, &waiting.counts[i]) == 1;
            }
        } else if (!strcmp(word, "turn")) {
            live_turn();
        } else {
            return 1;
        }
    }
    return 0;
}
