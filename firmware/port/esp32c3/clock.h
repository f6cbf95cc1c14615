/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.h: the core at 160 MHz, and the time since it started.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

enum {
    CLOCK_CORE_HZ = 160000000,
};

/* Brings the core from the crystal to the PLL. */
void clock_init(void);

/* Ticks of SYSTIMER_HZ since clock_init(). */
uint64_t clock_ticks(void);

uint32_t clock_milliseconds(void);

#endif
