/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends why it was reset and a count that lives in RAM across resets; resets itself on any byte.
 */
#include "chip.h"

static uint8_t received[4];
static uint8_t reply[2];

void program(void) {
    volatile uint32_t *kept = (volatile uint32_t *)0x20010000u; /* not touched by the start-up */
    uint32_t reasons = CLOCK(0x400);

    __asm volatile("cpsid i");
    CLOCK(0x400) = reasons;
    reply[0] = (uint8_t)reasons;
    reply[1] = reasons ? (uint8_t)++*kept : 0xA5;
    if (!reasons) {
        *kept = 0;
    }
    uart_on();
    uart_send(reply, sizeof reply);
    UART(RXD_PTR) = address_of(received);
    UART(RXD_MAXCNT) = 1;
    UART(INTENSET) = 1u << 4;
    SCR = 1u << 4;
    UART(STARTRX) = 1;
    while (!UART(ENDRX)) {
        __asm volatile("wfe");
    }
    AIRCR = 0x05FA0004u;
    for (;;) {
    }
}
