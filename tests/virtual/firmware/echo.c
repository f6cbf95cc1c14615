/* SPDX-License-Identifier: Apache-2.0
 *
 * Echoes every byte, received into two halves by DMA and counted through PPI, while the core is busy
 * for WORK rounds between two looks.  Every read of a register is a peripheral access; WORK is plain
 * arithmetic, so nothing but time passes.
 */
#include "chip.h"

#ifndef WORK
#define WORK 0
#endif
#ifndef SPIN
#define SPIN 0
#endif
#ifndef SHORT_STARTRX
#define SHORT_STARTRX (1u << 5)
#endif

enum { HALF = 256, RING = 2 * HALF };

static uint8_t ring[RING];
static uint8_t out[RING];
static uint32_t sink;

static void work(void) {
    uint32_t x = sink;
    for (uint32_t i = WORK; i > 0; i--) {
        __asm volatile("" : "+r"(x));
        x = x * 1664525u + 1013904223u;
    }
    sink = x;
}

static uint32_t received(void) {
    TIMER(1, 0x040) = 1;
    return TIMER(1, 0x540);
}

static void listen(void) {
    TIMER(1, 0x504) = 1; /* counter of 32 bits */
    TIMER(1, 0x508) = 3;
    TIMER(1, 0x000) = 1;
    PPI(0x510) = 0x40002000u + RXDRDY;
    PPI(0x514) = 0x40009000u + 0x008;
    PPI(0x504) = 1;
    uart_on();
    UART(SHORTS) = SHORT_STARTRX;
    UART(INTENSET) = 1u << 2;
    SCR = 1u << 4;
    UART(RXD_PTR) = address_of(ring);
    UART(RXD_MAXCNT) = HALF;
    UART(STARTRX) = 1;
    while (!UART(RXSTARTED)) {
    }
    UART(RXD_PTR) = address_of(ring + HALF);
}

void program(void) {
    uint32_t taken = 0, named = 1;

    __asm volatile("cpsid i");
    listen();
    for (;;) {
        UART(RXDRDY) = 0;
        ICPR0 = 1u << 2;
        uint32_t count = received();
        if (count == taken) {
            if (!SPIN) {
                __asm volatile("wfe" ::: "memory");
            }
            continue;
        }
        work();
        if (count / HALF >= named) {
            named = count / HALF + 1;
            UART(RXD_PTR) = address_of(ring + named % 2 * HALF);
        }
        uint32_t length = count - taken;
        for (uint32_t i = 0; i < length; i++) {
            out[i % RING] = ring[taken++ % RING];
        }
        uart_send(out, length < RING ? length : RING);
    }
}
