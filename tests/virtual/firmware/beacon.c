/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends a counting byte every millisecond, by TIMER0's compare, asleep in between.
 */
#include "chip.h"

static uint8_t count;

void program(void) {
    __asm volatile("cpsid i");
    uart_on();
    SCR = 1u << 4;
    TIMER(0, 0x508) = 3;
    TIMER(0, 0x510) = 4; /* 1 MHz */
    TIMER(0, 0x540) = 1000;
    TIMER(0, SHORTS) = 1;
    TIMER(0, INTENSET) = 1u << 16;
    TIMER(0, 0x000) = 1;
    for (;;) {
        __asm volatile("wfe");
        if (TIMER(0, 0x140)) {
            TIMER(0, 0x140) = 0;
            ICPR0 = 1u << 8;
            uart_send(&count, 1);
            count++;
        }
    }
}
