/* SPDX-License-Identifier: Apache-2.0
 *
 * The insole of a process: frames from a file at the pace of the clock.
 */
#define _POSIX_C_SOURCE 200809L
#include "native.h"
#include "port.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    KEPT = 1024, /* frames: what another program takes of this computer is no fault of the firmware */
    MILLIHERTZ = 1000,
};

static FILE *insole;
static uint32_t rate; /* mHz; 0: no scan runs */
static uint64_t start_ns;
static uint32_t next; /* number of the oldest frame that was not taken */

static uint64_t period_ns(void) {
    return UINT64_C(1000000000) * MILLIHERTZ / rate;
}

static uint64_t due_ns(uint32_t number) {
    return start_ns + (number + UINT64_C(1)) * UINT64_C(1000000000) * MILLIHERTZ / rate;
}

void scan_init(void) {
    const char *path = getenv("EDGEGRF_INSOLE");
    if (path && SCAN_CHANNELS) {
        insole = fopen(path, "rb");
        if (!insole) {
            perror(path);
            exit(EXIT_FAILURE);
        }
    }
}

int scan_wait_ms(void) {
    if (!rate) {
        return -1;
    }
    uint64_t now = clock_ns(), due = due_ns(next);
    return due > now ? (int)((due - now) / 1000000 + 1) : 0;
}

uint32_t port_scan_start(uint32_t rate_mhz) {
    if (rate_mhz == 0 || rate_mhz > 100000 * MILLIHERTZ || !SCAN_CHANNELS) {
        rate = 0;
        return 0;
    }
    rate = rate_mhz;
    start_ns = clock_ns();
    next = 0;
    if (insole) {
        rewind(insole);
    }
    return rate;
}

void port_scan_stop(void) {
    rate = 0;
}

/* An unloaded sensor: its bias and a bit of noise, the same on every run. */
static void lie_on_the_desk(struct port_scan_frame *frame) {
    static uint32_t noise = 1;
    for (size_t i = 0; i < SCAN_CHANNELS; i++) {
        noise = noise * 1664525u + 1013904223u;
        frame->counts[i] = (uint16_t)(60u + 4u * (uint32_t)i % 32u + (noise >> 30));
    }
}

static void read_frame(struct port_scan_frame *frame) {
    const size_t size = sizeof frame->counts[0];
    if (fread(frame->counts, size, SCAN_CHANNELS, insole) == SCAN_CHANNELS) {
        return;
    }
    rewind(insole);
    if (fread(frame->counts, size, SCAN_CHANNELS, insole) != SCAN_CHANNELS) {
        fprintf(stderr, "ERROR: EDGEGRF_INSOLE holds no frame of %d counts\n", SCAN_CHANNELS);
        exit(EXIT_FAILURE);
    }
}

bool port_scan_fetch(struct port_scan_frame *frame) {
    uint64_t now = clock_ns();
    if (!rate || now < due_ns(next)) {
        return false;
    }
    uint64_t waiting = (now - due_ns(next)) / period_ns() + 1;
    if (waiting > KEPT) {
        next += (uint32_t)(waiting - KEPT);
    }
    if (insole) {
        read_frame(frame);
    } else {
        lie_on_the_desk(frame);
    }
    frame->number = next;
    frame->ticks = (uint32_t)(due_ns(next) / (1000000000 / SCAN_TICK_HZ));
    next++;
    return true;
}

uint32_t port_scan_ticks(void) {
    return (uint32_t)(clock_ns() / (1000000000 / SCAN_TICK_HZ));
}
