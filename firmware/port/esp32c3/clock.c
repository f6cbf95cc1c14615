/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include "esp32c3.h"

enum {
    /* Turns of two instructions or more at 40 MHz or less: the PLL has half a millisecond to settle, where
     * Espressif's own start-up code waits for nothing. */
    PLL_TURNS = 10000,
    PATIENCE = 1000, /* reads of a register whose answer takes a few cycles */
};

static uint64_t start;

/* The PLL at 480 MHz from a crystal of 40 MHz: the numbers that Espressif gives for these fields of its
 * analogue registers, which no manual describes. */
static void set_pll(void) {
    RTC_OPTIONS0 &= ~(uint32_t)RTC_OPTIONS0_PLL_OFF;
    SYSTEM_CPU_PER_CONF |= SYSTEM_PLL_480_MHZ;
    I2C_ANA_CONF0 &= ~(uint32_t)I2C_ANA_BBPLL_STOP_HIGH; /* calibrates itself */
    I2C_ANA_CONF0 |= I2C_ANA_BBPLL_STOP_LOW;
    ROM_ANALOG_WRITE(I2C_BBPLL, 0, 4, 0x6B);                /* MODE_HF */
    ROM_ANALOG_WRITE(I2C_BBPLL, 0, 2, 5 << 4);              /* OC_REF_DIV, OC_DCHGP */
    ROM_ANALOG_WRITE(I2C_BBPLL, 0, 3, 8);                   /* OC_DIV_7_0 */
    ROM_ANALOG_WRITE_BITS(I2C_BBPLL, 0, 5, 2, 0, 0);        /* OC_DR1 */
    ROM_ANALOG_WRITE_BITS(I2C_BBPLL, 0, 5, 6, 4, 0);        /* OC_DR3 */
    ROM_ANALOG_WRITE(I2C_BBPLL, 0, 6, 2 << 6 | 1 << 4 | 3); /* OC_DLREF_SEL, OC_DHREF_SEL, OC_DCUR */
    ROM_ANALOG_WRITE_BITS(I2C_BBPLL, 0, 9, 1, 0, 2);        /* OC_VCO_DBIAS */
    ROM_ANALOG_WRITE_BITS(I2C_BBPLL, 0, 6, 5, 4, 2);        /* OC_DHREF_SEL */
    ROM_ANALOG_WRITE_BITS(I2C_BBPLL, 0, 6, 7, 6, 1);        /* OC_DLREF_SEL */
    for (uint32_t turn = 0; turn < PLL_TURNS; turn++) {
        __asm volatile("");
    }
}

void clock_init(void) {
    if ((SYSTEM_SYSCLK_CONF & SYSTEM_SYSCLK_SOURCE) != SYSTEM_SYSCLK_PLL) { /* a reset may leave it running */
        set_pll();
    }
    SYSTEM_CPU_PER_CONF = SYSTEM_PLL_480_MHZ | SYSTEM_CPU_160_MHZ; /* and the core's clock rests in WFI */
    SYSTEM_SYSCLK_CONF = SYSTEM_SYSCLK_PLL;
    SYSTEM_PERIP_CLK_EN0 |= SYSTEM_CLK_UART | SYSTEM_CLK_TIMG0 | SYSTEM_CLK_SYSTIMER;
    SYSTEM_PERIP_RST_EN0 &= ~(uint32_t)(SYSTEM_CLK_UART | SYSTEM_CLK_TIMG0 | SYSTEM_CLK_SYSTIMER);
    SYSTIMER_CONF |= SYSTIMER_CONF_UNIT0;
    start = clock_ticks();
    CSR_WRITE(0x7E0, 1); /* the performance counter counts cycles */
    CSR_WRITE(0x7E1, 1);
}

/* Also called by interrupts: reading is done at once, or the halves would be of two times. */
IN_RAM uint64_t clock_ticks(void) {
    uint32_t before = interrupts_hold();

    SYSTIMER_UNIT0_OP = SYSTIMER_OP_UPDATE;
    for (uint32_t turn = 0; turn < PATIENCE && !(SYSTIMER_UNIT0_OP & SYSTIMER_OP_VALID); turn++) {
    }
    uint64_t ticks = (uint64_t)SYSTIMER_UNIT0_HI << 32 | SYSTIMER_UNIT0_LO;
    interrupts_restore(before);
    return ticks - start;
}

uint32_t clock_milliseconds(void) {
    return (uint32_t)(clock_ticks() / (SYSTIMER_HZ / 1000));
}
