/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include "board.h"
#include "clock.h"
#include "esp32c3.h"
#include "fault.h"
#include "scan_port.h"
#include "startup.h"
#include "uart.h"
#include "watchdog.h"

extern uint8_t link_image_size[], link_ram_start[], link_ram_end[];
extern uint8_t link_stack_bottom[], link_stack_top[];

static struct port_facts facts;

static enum port_reset_cause read_reset_cause(void) {
    switch (RTC_RESET_STATE & RTC_RESET_CAUSE) {
    case RTC_RESET_POWER_ON: /* the pin CHIP_EN, too */
        return PORT_RESET_POWER_ON;
    case RTC_RESET_SOFTWARE:
    case RTC_RESET_SOFTWARE_CORE:
    case RTC_RESET_USB_SERIAL:
    case RTC_RESET_USB_JTAG:
        return PORT_RESET_SOFTWARE;
    case RTC_RESET_TG0_WATCHDOG:
    case RTC_RESET_TG1_WATCHDOG:
    case RTC_RESET_RTC_WATCHDOG:
    case RTC_RESET_TG0_WATCHDOG_CORE:
    case RTC_RESET_RTC_WATCHDOG_CORE:
    case RTC_RESET_RTC_WATCHDOG_RTC:
    case RTC_RESET_TG1_WATCHDOG_CORE:
    case RTC_RESET_SUPER_WATCHDOG:
        return PORT_RESET_WATCHDOG;
    case RTC_RESET_BROWN_OUT:
        return PORT_RESET_BROWN_OUT;
    default:
        return PORT_RESET_UNKNOWN;
    }
}

static uint32_t span(const uint8_t *from, const uint8_t *to) {
    return (uint32_t)((uintptr_t)to - (uintptr_t)from);
}

static void fill_facts(void) {
    facts.clock_hz = CLOCK_CORE_HZ;
    facts.stack_size = span(link_stack_bottom, link_stack_top);
    facts.flash_bytes = (uint32_t)(uintptr_t)link_image_size;
    facts.ram_bytes = span(link_ram_start, link_ram_end);
    facts.parts = PORT_FAULT | (SCAN_CHANNELS ? PORT_SCAN : 0);
#ifdef BOARD_STORE_SIZE
    facts.parts |= PORT_STORE;
#endif
    facts.scan_tick_hz = SYSTIMER_HZ;
    facts.reset_cause = read_reset_cause();
    for (uint32_t i = 0; i < sizeof facts.device_id; i++) {
        facts.device_id[i] = (uint8_t)(EFUSE_MAC(i / 4) >> 8 * (i % 4));
    }
}

void port_init(void) {
    fill_facts();
    fault_init(facts.reset_cause == PORT_RESET_POWER_ON, facts.reset_cause == PORT_RESET_WATCHDOG);
    clock_init();
    uart_init();
#if SCAN_CHANNELS
    scan_init();
#endif
    watchdog_start();
    interrupts_restore(MSTATUS_MIE);
}

const struct port_facts *port_facts(void) {
    return &facts;
}

size_t port_receive(uint8_t *into, size_t room) {
    return uart_take(into, room);
}

void port_send(const uint8_t *data, size_t length) {
    uart_send(data, length);
}

#if SCAN_CHANNELS
static bool nothing_waits(void) {
    return !scan_waiting() && uart_waiting() == 0;
}

/* What woke the core was a step of a scan that goes on, for nobody but the interrupts. */
static bool scan_goes_on(uint32_t ticks) {
    return scan_under_way() && scan_ticks() == ticks;
}
#else
static bool nothing_waits(void) {
    return uart_waiting() == 0;
}

static uint32_t scan_ticks(void) {
    return 0;
}

static bool scan_goes_on(uint32_t ticks) {
    (void)ticks;
    return false;
}
#endif

/* An interrupt that is held back wakes the core all the same: one that comes between the look and WFI is not
 * slept through. */
void port_idle(void) {
    uint32_t before = interrupts_hold(), ticks = scan_ticks();

    if (nothing_waits()) {
        watchdog_pause();
        do {
            __asm volatile("wfi" ::: "memory");
            interrupts_restore(before);
            (void)interrupts_hold();
        } while (nothing_waits() && scan_goes_on(ticks));
        watchdog_resume();
    }
    interrupts_restore(before);
}

uint32_t port_cycles(void) {
    return CSR_READ(0x7E2);
}

uint32_t port_stack_used(void) {
    return startup_stack_used();
}

uint32_t port_overruns(void) {
    return uart_overruns();
}

uint32_t port_uptime_ms(void) {
    return clock_milliseconds();
}

void port_watchdog_feed(void) {
    watchdog_feed();
}
