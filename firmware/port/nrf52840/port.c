/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include "board.h"
#include "fault.h"
#include "nrf52840.h"
#include "scan_driver.h"
#include "startup.h"
#include "uart.h"
#include "watchdog.h"

enum {
    CLOCK_HZ = 64000000,
    UPTIME_TIMER = 0,
    CRYSTAL_PATIENCE = 200000, /* reads of a register, of 5 cycles or more: 15 ms; 0.4 ms are usual */
    UPTIME_PRESCALER = 9,      /* 31250 Hz; wraps after 38 hours, so one STATS in that time keeps it right */
};

extern uint8_t link_image_start[], link_image_end[], link_ram_start[], link_ram_end[];
extern uint8_t link_stack_bottom[], link_stack_top[];

static struct port_facts facts;

/* A pin reset may show other bits beside its own (nRF52840 anomaly 136), hence the order. */
static enum port_reset_cause read_reset_cause(void) {
    uint32_t reasons = POWER_RESETREAS;
    POWER_RESETREAS = reasons;
    if (reasons == 0) {
        return PORT_RESET_POWER_ON;
    }
    if (reasons & POWER_RESETREAS_RESETPIN) {
        return PORT_RESET_PIN;
    }
    if (reasons & POWER_RESETREAS_DOG) {
        return PORT_RESET_WATCHDOG;
    }
    if (reasons & POWER_RESETREAS_LOCKUP) {
        return PORT_RESET_LOCK_UP;
    }
    return reasons & POWER_RESETREAS_SREQ ? PORT_RESET_SOFTWARE : PORT_RESET_UNKNOWN;
}

static uint32_t span(const uint8_t *from, const uint8_t *to) {
    return (uint32_t)((uintptr_t)to - (uintptr_t)from);
}

static void fill_facts(void) {
    facts.clock_hz = CLOCK_HZ;
    facts.stack_size = span(link_stack_bottom, link_stack_top);
    facts.flash_bytes = span(link_image_start, link_image_end);
    facts.ram_bytes = span(link_ram_start, link_ram_end);
    facts.parts = PORT_FAULT | PORT_STORE | (SCAN_CHANNELS ? PORT_SCAN : 0);
    facts.reset_cause = read_reset_cause();
    for (uint32_t i = 0; i < sizeof facts.device_id; i++) {
        facts.device_id[i] = (uint8_t)(FICR_DEVICEID(i / 4) >> 8 * (i % 4));
    }
}

/* From revision 3 on, every reset locks the debug port until the firmware, too, agrees to have it open. */
static void keep_debug_port_as_chosen(void) {
    if ((UICR_APPROTECT & UICR_APPROTECT_PALL) == UICR_APPROTECT_HWDISABLED) {
        APPROTECT_DISABLE = APPROTECT_DISABLE_SWDISABLE;
    }
}

static void start_clocks(void) {
    NVMC_ICACHECNF = NVMC_ICACHECNF_CACHEEN; /* off at reset: every fetch would wait for the flash */
    /* The crystal: the internal oscillator is up to 8 % off, too much for 1 Mbaud and for a sample clock.
     * A board whose crystal does not start still runs, and may be heard at 115200 baud. */
    CLOCK_EVENTS_HFCLKSTARTED = 0;
    CLOCK_TASKS_HFCLKSTART = 1;
    for (uint32_t turn = 0; turn < CRYSTAL_PATIENCE && !CLOCK_EVENTS_HFCLKSTARTED; turn++) {
    }
    TIMER_MODE(UPTIME_TIMER) = TIMER_MODE_TIMER;
    TIMER_BITMODE(UPTIME_TIMER) = TIMER_BITMODE_32;
    TIMER_PRESCALER(UPTIME_TIMER) = UPTIME_PRESCALER;
    TIMER_TASKS_CLEAR(UPTIME_TIMER) = 1;
    TIMER_TASKS_START(UPTIME_TIMER) = 1;
}

/* The second regulator as a converter saves about half the current, but needs an inductor on the board. */
static void start_supply(void) {
#if BOARD_DCDC
    POWER_DCDCEN = 1;
#endif
}

/* A debugger that leaves clears TRCENA (pyOCD does, with the firmware running), which stops the counter. */
static void wake_counter(void) {
    if (!(DCB_DEMCR & DCB_DEMCR_TRCENA)) {
        DCB_DEMCR |= DCB_DEMCR_TRCENA;
        DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    }
}

void port_init(void) {
    keep_debug_port_as_chosen();
    fill_facts();
    fault_begin(facts.reset_cause == PORT_RESET_POWER_ON);
    start_supply();
    start_clocks();
    facts.scan_tick_hz = scan_init();
    uart_init();
    watchdog_start();
    wake_counter();
    __asm volatile("cpsie i");
}

const struct port_facts *port_facts(void) {
    return &facts;
}

size_t port_receive(uint8_t *into, size_t room) {
    wake_counter();
    return uart_take(into, room);
}

void port_send(const uint8_t *data, size_t length) {
    uart_send(data, length);
}

/* What comes after it was armed for sets the event register, and WFE falls through.  So do the rows of a
 * matrix, which are no reason to come back: what is shows in its pending bit. */
void port_idle(void) {
    uart_arm();
    scan_arm();
    bool more = uart_waiting();
    while (!more && !scan_waiting()) {
        __asm volatile("wfe" ::: "memory");
        more = NVIC_ISPR0 & (1u << UARTE_IRQ | 1u << TIMER2_IRQ);
    }
}

uint32_t port_cycles(void) {
    return DWT_CYCCNT;
}

uint32_t port_stack_used(void) {
    return startup_stack_used();
}

uint32_t port_overruns(void) {
    return uart_overruns();
}

uint32_t port_uptime_ms(void) {
    static uint32_t last, milliseconds, parts; /* parts: of 1/125 ms */

    TIMER_TASKS_CAPTURE(UPTIME_TIMER, 0) = 1;
    uint32_t ticks = TIMER_CC(UPTIME_TIMER, 0) - last; /* 4/125 ms each */
    last += ticks;
    parts += ticks % 125 * 4;
    milliseconds += ticks / 125 * 4 + parts / 125;
    parts %= 125;
    return milliseconds;
}
