/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include "interrupts.h"
#include "nrf52840.h"
#include "port.h"

enum {
    TICK_HZ = 32768,
    SECONDS = 10,
    REQUESTS = 8,
};

static uint32_t requests; /* bit n: RR[n] must be written */

/* One that runs already (after a reset by software; a boot loader's) keeps its settings: it is only fed. */
void watchdog_start(void) {
    if (!WDT_RUNSTATUS) {
        WDT_CRV = SECONDS * TICK_HZ - 1;
        WDT_RREN = 1;
        WDT_CONFIG = WDT_CONFIG_PAUSED;
    }
    WDT_INTENSET = WDT_INT_TIMEOUT;
    NVIC_IPR(WDT_IRQ) = INTERRUPTS_LAST_WORD;
    NVIC_ISER0 = 1u << WDT_IRQ;
    requests = WDT_RREN;
    WDT_TASKS_START = 1;
}

void port_watchdog_feed(void) {
    for (uint32_t n = 0; n < REQUESTS; n++) {
        if (requests >> n & 1) {
            WDT_RR(n) = WDT_RELOAD;
        }
    }
}
