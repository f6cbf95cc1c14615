/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include "clock.h"
#include "esp32c3.h"
#include "interrupts.h"
#include "scan_port.h"

enum {
    SLOTS = 8,          /* frames that wait, a power of two */
    CONVERSION_US = 20, /* at most, all around it included */
    MILLIHERTZ = 1000,
    SCAN_US = SCAN_STEPS * (SCAN_SETTLE_US + SCAN_INPUTS * CONVERSION_US),
    /* Turns of three cycles or more: the converter wants three cycles of its 5 MHz between choosing an input
     * and starting. */
    CHOSEN_TURNS = 40,
    SETTLE_HZ = 20000000,
    SETTLE_TICKS = SCAN_SETTLE_US * (SETTLE_HZ / 1000000),
};

/* The settling timer: from 0 up to its alarm, once. */
#define SETTLE_TIMER                                                                                         \
    (TIMG_T0_EN | TIMG_T0_INCREASE | TIMG_T0_USE_XTAL | XTAL_HZ / SETTLE_HZ << TIMG_T0_DIVIDER_SHIFT)

_Static_assert((int)SLOTS >= (int)PORT_SCAN_KEPT, "frames that may wait");
_Static_assert((int)SETTLE_TICKS > 0, "a timer that never ends");

/* Not constants: the interrupts may come while the flash cannot be read. */
static uint8_t inputs[] = SCAN_INPUT_PINS;
#if SCAN_SELECT_COUNT
#define SELECT_MASK (uint32_t)SCAN_SELECT_MASK
static uint64_t row_levels[] = SCAN_ROW_LEVELS, address_levels[] = SCAN_ADDRESS_LEVELS;
#endif

/* Written by interrupts, and by main while it holds them back. */
static struct port_scan_frame frames[SLOTS];
static uint32_t begun, oldest, newest; /* ticks of the timer; frames, modulo 2^32 */
static uint32_t step, input, channel;  /* what is selected */
static bool under_way, converting;

/* ---- One frame, a step after the other ---- */

static IN_RAM void choose_input(void) {
    SARADC_ONETIME =
        SARADC_ONETIME_ADC1 | SARADC_ONETIME_12_DB | (uint32_t)inputs[input] << SARADC_ONETIME_CHANNEL_SHIFT;
}

static IN_RAM void start_conversion(void) {
    converting = true;
    SARADC_ONETIME |= SARADC_ONETIME_START;
}

static IN_RAM void select_step(uint32_t which) {
    step = which;
    input = 0;
#if SCAN_SELECT_COUNT
    uint32_t high = (uint32_t)(row_levels[which / SCAN_ADDRESSES] | address_levels[which % SCAN_ADDRESSES]);
    GPIO_OUT_CLEAR = SELECT_MASK & ~high;
    GPIO_OUT_SET = high;
#endif
    choose_input();
}

/* No row is driven; address lines are low. */
static IN_RAM void select_none(void) {
#if SCAN_SELECT_COUNT
    GPIO_OUT_CLEAR = SELECT_MASK;
#endif
}

/* From now on SCAN_SETTLE_US pass until scan_settled_interrupt(). */
static IN_RAM void settle(void) {
    TIMG_T0LOAD = 1;
    TIMG_T0CONFIG = SETTLE_TIMER | TIMG_T0_ALARM_EN;
}

/* A scan that is not done when the next one is due is given up: its settling ends here, and its conversion
 * may end while the new one settles, where nobody waits for it. */
IN_RAM __attribute__((interrupt)) void scan_tick_interrupt(void) {
    SYSTIMER_INT_CLR = SYSTIMER_INT_TARGET0;
    struct port_scan_frame *frame = &frames[newest % SLOTS];

    frame->ticks = (uint32_t)clock_ticks() + SCAN_SETTLE_US * (SYSTIMER_HZ / 1000000);
    frame->number = begun++;
    if (newest - oldest == SLOTS) {
        oldest++; /* overwritten from here on */
    }
    under_way = true;
    converting = false;
    channel = 0;
    select_step(0);
    settle();
    TIMG_INT_CLR = TIMG_INT_T0;
}

IN_RAM __attribute__((interrupt)) void scan_settled_interrupt(void) {
    TIMG_INT_CLR = TIMG_INT_T0;
    start_conversion();
}

IN_RAM __attribute__((interrupt)) void scan_converted_interrupt(void) {
    SARADC_INT_CLR = SARADC_INT_DONE1;
    if (!converting) {
        return;
    }
    converting = false;
    frames[newest % SLOTS].counts[channel++] = (uint16_t)(SARADC_DATA1 & PORT_SCAN_FULL);
    if (input + 1 < SCAN_INPUTS) {
        input++;
        choose_input();
        for (uint32_t turn = 0; turn < CHOSEN_TURNS; turn++) {
            __asm volatile("");
        }
        start_conversion();
    } else if (step + 1 < SCAN_STEPS) {
        select_step(step + 1);
        settle();
    } else {
        select_none();
        under_way = false;
        newest++;
    }
}

/* ---- Start and stop ---- */

static void start_converter(void) {
    SYSTEM_PERIP_CLK_EN0 |= SYSTEM_CLK_SARADC;
    SYSTEM_PERIP_RST_EN0 &= ~(uint32_t)SYSTEM_CLK_SARADC;
    I2C_ANA_CONFIG &= ~(uint32_t)I2C_ANA_SAR_OFF;
    I2C_ANA_CONFIG2 |= I2C_ANA_SAR_ON;
    SARADC_CLKM_CONF = SARADC_CLKM_5_MHZ;
    SARADC_CTRL |= SARADC_CTRL_ON | SARADC_CTRL_CLK_GATED;
    SARADC_INT_CLR = SARADC_INT_DONE1;
    SARADC_INT_ENA = SARADC_INT_DONE1;
}

static void start_settle_timer(void) {
    TIMG_T0CONFIG = SETTLE_TIMER;
    TIMG_T0LOADLO = 0;
    TIMG_T0LOADHI = 0;
    TIMG_T0ALARMLO = SETTLE_TICKS;
    TIMG_T0ALARMHI = 0;
    TIMG_INT_CLR = TIMG_INT_T0;
    TIMG_INT_ENA = TIMG_INT_T0;
}

#if SCAN_SELECT_COUNT
static void drive_select_pins(void) {
    static const uint8_t pins[] = SCAN_SELECT_PINS;

    for (uint32_t n = 0; n < SCAN_SELECT_COUNT; n++) {
        GPIO_OUT_SELECT(pins[n]) = GPIO_OUT_SELECT_OUT;
        GPIO_ENABLE_SET = 1u << pins[n];
        IO_MUX_GPIO(pins[n]) = IO_MUX_AS_GPIO | IO_MUX_DRIVE;
    }
}
#else
static void drive_select_pins(void) {}
#endif

void scan_init(void) {
    for (uint32_t n = 0; n < SCAN_INPUTS; n++) {
        IO_MUX_GPIO(inputs[n]) = IO_MUX_AS_GPIO; /* neither input nor pull: analog */
    }
    start_converter();
    start_settle_timer();
    select_none();
    drive_select_pins();
    interrupts_attach(INTERRUPT_SOURCE_SYSTIMER0, INTERRUPT_SCAN_TICK);
    interrupts_attach(INTERRUPT_SOURCE_TIMG0_T0, INTERRUPT_SCAN_SETTLED);
    interrupts_attach(INTERRUPT_SOURCE_SARADC, INTERRUPT_SCAN_CONVERTED);
}

uint32_t port_scan_start(uint32_t rate_mhz) {
    port_scan_stop();
    if (rate_mhz == 0) {
        return 0;
    }
    uint64_t period = ((uint64_t)SYSTIMER_HZ * MILLIHERTZ + rate_mhz / 2) / rate_mhz;
    if (period > SYSTIMER_PERIOD_MAX || period <= (uint64_t)SCAN_US * (SYSTIMER_HZ / 1000000)) {
        return 0;
    }
    begun = oldest = newest = 0;
    SYSTIMER_TARGET0_CONF = (uint32_t)period;
    SYSTIMER_COMP0_LOAD = 1;
    SYSTIMER_TARGET0_CONF = (uint32_t)period | SYSTIMER_TARGET_PERIOD;
    SYSTIMER_INT_CLR = SYSTIMER_INT_TARGET0;
    SYSTIMER_INT_ENA = SYSTIMER_INT_TARGET0;
    SYSTIMER_CONF |= SYSTIMER_CONF_TARGET0;
    return (uint32_t)(((uint64_t)SYSTIMER_HZ * MILLIHERTZ + period / 2) / period);
}

void port_scan_stop(void) {
    uint32_t before = interrupts_hold();

    SYSTIMER_INT_ENA = 0;
    SYSTIMER_CONF &= ~(uint32_t)SYSTIMER_CONF_TARGET0;
    TIMG_T0CONFIG = SETTLE_TIMER; /* no alarm */
    TIMG_INT_CLR = TIMG_INT_T0;
    under_way = converting = false;
    oldest = newest;
    select_none();
    interrupts_restore(before);
}

/* ---- For the main loop ---- */

bool scan_waiting(void) {
    return *(volatile uint32_t *)&newest != oldest;
}

uint32_t scan_ticks(void) {
    return *(volatile uint32_t *)&begun;
}

bool scan_under_way(void) {
    return *(volatile bool *)&under_way;
}

bool port_scan_fetch(struct port_scan_frame *frame) {
    uint32_t before = interrupts_hold();
    bool waits = scan_waiting();

    if (waits) {
        *frame = frames[oldest++ % SLOTS];
    }
    interrupts_restore(before);
    return waits;
}

uint32_t port_scan_ticks(void) {
    return (uint32_t)clock_ticks();
}
