/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include "esp32c3.h"

enum {
    DIVIDER = 40000, /* of 80 MHz: 2 kHz */
    TICKS = 16000,
};

#define RUNNING (TIMG_WDT_EN | TIMG_WDT_STG0_RESET | TIMG_WDT_LENGTHS | TIMG_WDT_UPDATE)

/* Group 1's is off unless somebody starts it. */
void watchdog_stop_all(void) {
    RTC_WDTWPROTECT = WDT_KEY;
    RTC_WDTCONFIG0 = 0;
    RTC_WDTWPROTECT = 0;
    RTC_SWD_WPROTECT = RTC_SWD_KEY;
    RTC_SWD_CONF |= RTC_SWD_DISABLE;
    RTC_SWD_WPROTECT = 0;
    watchdog_pause();
}

static void configure(uint32_t config) {
    TIMG_WDTWPROTECT = WDT_KEY;
    TIMG_WDTCONFIG0 = config;
    TIMG_WDTFEED = 1;
    TIMG_WDTWPROTECT = 0;
}

void watchdog_start(void) {
    TIMG_WDTWPROTECT = WDT_KEY;
    TIMG_WDTCONFIG1 = (uint32_t)DIVIDER << 16;
    TIMG_WDTCONFIG2 = TICKS;
    configure(RUNNING);
}

void watchdog_feed(void) {
    TIMG_WDTWPROTECT = WDT_KEY;
    TIMG_WDTFEED = 1;
    TIMG_WDTWPROTECT = 0;
}

void watchdog_pause(void) {
    configure(TIMG_WDT_UPDATE);
}

void watchdog_resume(void) {
    configure(RUNNING);
}
