/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include "clock.h"
#include "esp32c3.h"
#include "interrupts.h"
#include "scan_port.h"

enum {
    SLOTS = 8,          /* frames that wait, a power of two */
    CONVERSION_US = 20, /* at most, all around it included */
    PATIENCE = 2000,    /* reads of a register: far more than a conversion takes */
    MILLIHERTZ = 1000,
    SCAN_US = SCAN_CHANNELS * CONVERSION_US + SCAN_ROWS * SCAN_SETTLE_US,
    /* Turns of three cycles or more: the converter wants three cycles of its 5 MHz between choosing and
     * starting, and 25 of them to convert. */
    START_TURNS = 40,
    CONVERSION_TURNS = 250,
};

_Static_assert((int)SLOTS >= (int)PORT_SCAN_KEPT, "frames that may wait");
_Static_assert((int)SCAN_US < (int)SCAN_LONGEST_US, "the UART's FIFO fills meanwhile");

/* Not constants: the interrupt may come while the flash cannot be read. */
static uint8_t columns[] = SCAN_COLUMN_PINS;
#if SCAN_ROWS
static uint8_t rows[] = SCAN_ROW_PINS;
#endif

/* Written by the interrupt, and by main while it holds interrupts back. */
static struct port_scan_frame frames[SLOTS];
static uint32_t begun, oldest, newest; /* ticks of the timer; frames, modulo 2^32 */

static IN_RAM void wait_us(uint32_t microseconds) {
    uint32_t begin = CSR_READ(0x7E2);

    while (CSR_READ(0x7E2) - begin < microseconds * (CLOCK_CORE_HZ / 1000000)) {
    }
}

static IN_RAM void spin(uint32_t turns) {
    while (turns--) {
        __asm volatile("");
    }
}

/* The count of one channel, or -1 where the converter does not answer. */
static IN_RAM int32_t convert(uint32_t channel) {
    uint32_t choice = SARADC_ONETIME_ADC1 | SARADC_ONETIME_12_DB | channel << SARADC_ONETIME_CHANNEL_SHIFT;

    SARADC_ONETIME = choice;
    spin(START_TURNS);
    SARADC_INT_CLR = SARADC_INT_DONE1;
    SARADC_ONETIME = choice | SARADC_ONETIME_START;
    spin(CONVERSION_TURNS);
    for (uint32_t turn = 0; turn < PATIENCE; turn++) {
        if (SARADC_INT_RAW & SARADC_INT_DONE1) {
            uint32_t count = SARADC_DATA1 & PORT_SCAN_FULL;
            SARADC_ONETIME = choice;
            return (int32_t)count;
        }
    }
    SARADC_ONETIME = choice;
    return -1;
}

static IN_RAM bool convert_row(uint16_t *to) {
    for (uint32_t column = 0; column < SCAN_COLUMNS; column++) {
        int32_t count = convert(columns[column]);

        if (count < 0) {
            return false;
        }
        to[column] = (uint16_t)count;
    }
    return true;
}

static IN_RAM bool convert_all(uint16_t *to) {
#if SCAN_ROWS
    for (uint32_t row = 0; row < SCAN_ROWS; row++, to += SCAN_COLUMNS) {
        GPIO_OUT_SET = 1u << rows[row];
        wait_us(SCAN_SETTLE_US);
        bool converted = convert_row(to);
        GPIO_OUT_CLEAR = 1u << rows[row];
        if (!converted) {
            return false;
        }
    }
    return true;
#else
    wait_us(SCAN_SETTLE_US);
    return convert_row(to);
#endif
}

IN_RAM __attribute__((interrupt)) void scan_interrupt(void) {
    SYSTIMER_INT_CLR = SYSTIMER_INT_TARGET0;
    struct port_scan_frame *frame = &frames[newest % SLOTS];

    frame->ticks = (uint32_t)clock_ticks();
    frame->number = begun++;
    if (newest - oldest == SLOTS) {
        oldest++; /* overwritten from here on */
    }
    if (convert_all(frame->counts)) {
        newest++;
    }
}

static void start_converter(void) {
    SYSTEM_PERIP_CLK_EN0 |= SYSTEM_CLK_SARADC;
    SYSTEM_PERIP_RST_EN0 &= ~(uint32_t)SYSTEM_CLK_SARADC;
    I2C_ANA_CONFIG &= ~(uint32_t)I2C_ANA_SAR_OFF;
    I2C_ANA_CONFIG2 |= I2C_ANA_SAR_ON;
    SARADC_CLKM_CONF = SARADC_CLKM_5_MHZ;
    SARADC_CTRL |= SARADC_CTRL_ON | SARADC_CTRL_CLK_GATED;
}

void scan_init(void) {
    for (uint32_t column = 0; column < SCAN_COLUMNS; column++) {
        IO_MUX_GPIO(columns[column]) = IO_MUX_AS_GPIO; /* neither input nor pull: analog */
    }
#if SCAN_ROWS
    for (uint32_t row = 0; row < SCAN_ROWS; row++) {
        GPIO_OUT_CLEAR = 1u << rows[row];
        GPIO_OUT_SELECT(rows[row]) = GPIO_OUT_SELECT_OUT;
        GPIO_ENABLE_SET = 1u << rows[row];
        IO_MUX_GPIO(rows[row]) = IO_MUX_AS_GPIO | IO_MUX_DRIVE;
    }
#endif
    start_converter();
    interrupts_attach(INTERRUPT_SOURCE_SYSTIMER0, INTERRUPT_SCAN);
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
    oldest = newest;
    interrupts_restore(before);
}

bool scan_waiting(void) {
    return *(volatile uint32_t *)&newest != oldest;
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
