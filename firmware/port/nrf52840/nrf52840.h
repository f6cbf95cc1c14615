/* SPDX-License-Identifier: Apache-2.0
 *
 * nrf52840.h: the registers that this port touches, all of them, by the names of Nordic's nRF52840
 * product specification (v1.7) and of the Armv7-M manual.  Offsets are from the base in the macro.
 */
#ifndef NRF52840_H
#define NRF52840_H

#include <stdint.h>

#define NRF_REGISTER(base, offset) (*(volatile uint32_t *)((base) + (uintptr_t)(offset)))

/* Factory information: a random number of 64 bits per chip */
#define FICR_DEVICEID(n) NRF_REGISTER(0x10000000u, 0x060 + 4 * (n))

/* What the programmer chose, kept until the chip is erased */
#define UICR_APPROTECT NRF_REGISTER(0x10001000u, 0x208)
enum {
    UICR_APPROTECT_PALL = 0xFF,
    UICR_APPROTECT_HWDISABLED = 0x5A,
};

/* POWER, CLOCK and APPROTECT share a base */
#define POWER_DCDCEN NRF_REGISTER(0x40000000u, 0x578)    /* REG1, the second stage: 1 needs an inductor */
#define POWER_RESETREAS NRF_REGISTER(0x40000000u, 0x400) /* write ones to clear */
#define CLOCK_TASKS_HFCLKSTART NRF_REGISTER(0x40000000u, 0x000)
#define CLOCK_EVENTS_HFCLKSTARTED NRF_REGISTER(0x40000000u, 0x100)
#define APPROTECT_DISABLE NRF_REGISTER(0x40000000u, 0x558)
enum {
    APPROTECT_DISABLE_SWDISABLE = 0x5A,
    POWER_RESETREAS_RESETPIN = 1 << 0,
    POWER_RESETREAS_DOG = 1 << 1,
    POWER_RESETREAS_SREQ = 1 << 2,
    POWER_RESETREAS_LOCKUP = 1 << 3,
};

/* GPIO: port 0 and port 1; a pin is written 32 * port + number */
#define GPIO_OUTCLR(port) NRF_REGISTER(0x50000000u, 0x300 * (port) + 0x50C)
#define GPIO_OUTSET(port) NRF_REGISTER(0x50000000u, 0x300 * (port) + 0x508)
#define GPIO_PIN_CNF(pin) NRF_REGISTER(0x50000000u, 0x300 * ((pin) / 32u) + 0x700 + 4 * ((pin) % 32u))
enum {
    GPIO_PIN_CNF_OUTPUT = 1 << 0 | 1 << 1,                 /* DIR output, INPUT disconnected */
    GPIO_PIN_CNF_OUTPUT_STRONG = 1 << 0 | 1 << 1 | 3 << 8, /* ... driving high and low with 5 mA */
    GPIO_PIN_CNF_INPUT_PULLUP = 3 << 2,                    /* DIR input, INPUT connected, PULL up */
    GPIO_PIN_CNF_OFF = 1 << 1,                             /* as at reset: DIR input, disconnected */
};

/* UARTE0, peripheral and interrupt number 2 */
#define UARTE_TASKS_STARTRX NRF_REGISTER(0x40002000u, 0x000)
#define UARTE_TASKS_STOPRX NRF_REGISTER(0x40002000u, 0x004)
#define UARTE_TASKS_STARTTX NRF_REGISTER(0x40002000u, 0x008)
#define UARTE_TASKS_FLUSHRX NRF_REGISTER(0x40002000u, 0x02C)
#define UARTE_EVENTS_RXDRDY NRF_REGISTER(0x40002000u, 0x108)
#define UARTE_EVENTS_ENDRX NRF_REGISTER(0x40002000u, 0x110)
#define UARTE_EVENTS_ENDTX NRF_REGISTER(0x40002000u, 0x120)
#define UARTE_EVENTS_ERROR NRF_REGISTER(0x40002000u, 0x124) /* overrun, parity, framing, break */
#define UARTE_EVENTS_RXTO NRF_REGISTER(0x40002000u, 0x144)
#define UARTE_EVENTS_RXSTARTED NRF_REGISTER(0x40002000u, 0x14C)
#define UARTE_SHORTS NRF_REGISTER(0x40002000u, 0x200)
#define UARTE_INTENSET NRF_REGISTER(0x40002000u, 0x304)
#define UARTE_ERRORSRC NRF_REGISTER(0x40002000u, 0x480) /* write ones to clear */
#define UARTE_ENABLE NRF_REGISTER(0x40002000u, 0x500)
#define UARTE_PSEL_RTS NRF_REGISTER(0x40002000u, 0x508)
#define UARTE_PSEL_TXD NRF_REGISTER(0x40002000u, 0x50C)
#define UARTE_PSEL_CTS NRF_REGISTER(0x40002000u, 0x510)
#define UARTE_PSEL_RXD NRF_REGISTER(0x40002000u, 0x514)
#define UARTE_BAUDRATE NRF_REGISTER(0x40002000u, 0x524)
#define UARTE_RXD_PTR NRF_REGISTER(0x40002000u, 0x534)
#define UARTE_RXD_MAXCNT NRF_REGISTER(0x40002000u, 0x538)
#define UARTE_TXD_PTR NRF_REGISTER(0x40002000u, 0x544)
#define UARTE_TXD_MAXCNT NRF_REGISTER(0x40002000u, 0x548)
#define UARTE_CONFIG NRF_REGISTER(0x40002000u, 0x56C) /* 0: no parity, one stop bit, no flow control */
#define UARTE_RXDRDY_ADDRESS 0x40002108u
enum {
    UARTE_IRQ = 2,
    UARTE_SHORTS_ENDRX_STARTRX = 1 << 5,
    UARTE_INT_RXDRDY = 1 << 2,
    UARTE_INT_ERROR = 1 << 9,
    UARTE_ERRORSRC_ALL = 0xF,
    UARTE_ENABLE_ON = 8,
    UARTE_BAUDRATE_115200 = 0x01D60000,
    UARTE_BAUDRATE_1000000 = 0x10000000,
};
#define UARTE_PSEL_NONE 0xFFFFFFFFu

/* SAADC, interrupt 7: one SAMPLE converts every channel that has an input */
#define SAADC_TASKS_START NRF_REGISTER(0x40007000u, 0x000)
#define SAADC_TASKS_STOP NRF_REGISTER(0x40007000u, 0x008)
#define SAADC_TASKS_CALIBRATEOFFSET NRF_REGISTER(0x40007000u, 0x00C)
#define SAADC_EVENTS_STARTED NRF_REGISTER(0x40007000u, 0x100)
#define SAADC_EVENTS_END NRF_REGISTER(0x40007000u, 0x104)
#define SAADC_EVENTS_CALIBRATEDONE NRF_REGISTER(0x40007000u, 0x110)
#define SAADC_EVENTS_STOPPED NRF_REGISTER(0x40007000u, 0x114)
#define SAADC_INTENSET NRF_REGISTER(0x40007000u, 0x304)
#define SAADC_INTENCLR NRF_REGISTER(0x40007000u, 0x308)
#define SAADC_ENABLE NRF_REGISTER(0x40007000u, 0x500)
#define SAADC_PSELP(n) NRF_REGISTER(0x40007000u, 0x510 + 0x10 * (n)) /* 0: none, 1: AIN0, ... 8: AIN7 */
#define SAADC_PSELN(n) NRF_REGISTER(0x40007000u, 0x514 + 0x10 * (n))
#define SAADC_CONFIG(n) NRF_REGISTER(0x40007000u, 0x518 + 0x10 * (n))
#define SAADC_RESOLUTION NRF_REGISTER(0x40007000u, 0x5F0)
#define SAADC_RESULT_PTR NRF_REGISTER(0x40007000u, 0x62C)
#define SAADC_RESULT_MAXCNT NRF_REGISTER(0x40007000u, 0x630) /* results of 16 bits */
enum {
    SAADC_START_ADDRESS = 0x40007000,
    SAADC_SAMPLE_ADDRESS = 0x40007004,
    SAADC_END_ADDRESS = 0x40007104,
    SAADC_IRQ = 7,
    SAADC_INT_END = 1 << 1,
    SAADC_CHANNELS = 8,
    SAADC_RESOLUTION_12 = 2,
    SAADC_CONFIG_OF_SUPPLY = 2 << 8 | 1 << 12, /* full scale is the supply: gain 1/4, reference supply/4 */
    SAADC_CONFIG_3_US = 0 << 16,               /* to acquire, for sources of up to 10 kOhm */
    SAADC_CONFIG_10_US = 2 << 16,              /* 100 kOhm */
};

/* TIMER0 keeps the time, TIMER1 counts bytes, TIMER2 is the sample clock, TIMER3 paces the steps of
 * a scan, TIMER4 stamps frames */
#define TIMER_BASE(n) (((n) < 3 ? 0x40008000u : 0x40017000u) + 0x1000u * (n))
#define TIMER_TASKS_START(n) NRF_REGISTER(TIMER_BASE(n), 0x000)
#define TIMER_TASKS_STOP(n) NRF_REGISTER(TIMER_BASE(n), 0x004)
#define TIMER_TASKS_CLEAR(n) NRF_REGISTER(TIMER_BASE(n), 0x00C)
#define TIMER_TASKS_CAPTURE(n, cc) NRF_REGISTER(TIMER_BASE(n), 0x040 + 4 * (cc))
#define TIMER_EVENTS_COMPARE(n, cc) NRF_REGISTER(TIMER_BASE(n), 0x140 + 4 * (cc))
#define TIMER_SHORTS(n) NRF_REGISTER(TIMER_BASE(n), 0x200)
#define TIMER_INTENSET(n) NRF_REGISTER(TIMER_BASE(n), 0x304)
#define TIMER_INTENCLR(n) NRF_REGISTER(TIMER_BASE(n), 0x308)
#define TIMER_MODE(n) NRF_REGISTER(TIMER_BASE(n), 0x504)
#define TIMER_BITMODE(n) NRF_REGISTER(TIMER_BASE(n), 0x508)
#define TIMER_PRESCALER(n) NRF_REGISTER(TIMER_BASE(n), 0x510) /* 16 MHz / 2^PRESCALER */
#define TIMER_CC(n, cc) NRF_REGISTER(TIMER_BASE(n), 0x540 + 4 * (cc))
#define TIMER_TASK_ADDRESS(n, offset) (TIMER_BASE(n) + (offset))
enum {
    TIMER_START = 0x000,
    TIMER_STOP = 0x004,
    TIMER_COUNT = 0x008,
    TIMER_CLEAR = 0x00C,
    TIMER_CAPTURE0 = 0x040,
    TIMER_CAPTURE1 = 0x044,
    TIMER_COMPARE0 = 0x140,
    TIMER_MODE_TIMER = 0,
    TIMER_MODE_COUNTER = 1,
    TIMER_BITMODE_32 = 3,
    TIMER_SHORTS_COMPARE0_CLEAR = 1 << 0,
    TIMER_SHORTS_COMPARE1_CLEAR = 1 << 1,
    TIMER_INT_COMPARE0 = 1 << 16,
    TIMER_INT_COMPARE1 = 1 << 17,
    TIMER2_IRQ = 10,
    TIMER3_IRQ = 26,
};

/* WDT, interrupt 16: ticks of 32768 Hz; what is not told 0x6E524635 in time resets the chip */
#define WDT_TASKS_START NRF_REGISTER(0x40010000u, 0x000)
#define WDT_INTENSET NRF_REGISTER(0x40010000u, 0x304)
#define WDT_RUNSTATUS NRF_REGISTER(0x40010000u, 0x400)
#define WDT_CRV NRF_REGISTER(0x40010000u, 0x504)
#define WDT_RREN NRF_REGISTER(0x40010000u, 0x508)
#define WDT_CONFIG NRF_REGISTER(0x40010000u, 0x50C)
#define WDT_RR(n) NRF_REGISTER(0x40010000u, 0x600 + 4 * (n))
enum {
    WDT_IRQ = 16,
    WDT_INT_TIMEOUT = 1 << 0,
    WDT_CONFIG_PAUSED = 0, /* while the core sleeps, and while a debugger has halted it */
    WDT_RELOAD = 0x6E524635,
};

/* The flash's controller; the core stands still while it works */
#define NVMC_READY NRF_REGISTER(0x4001E000u, 0x400)
#define NVMC_CONFIG NRF_REGISTER(0x4001E000u, 0x504)
#define NVMC_ERASEPAGE NRF_REGISTER(0x4001E000u, 0x508)
#define NVMC_ICACHECNF NRF_REGISTER(0x4001E000u, 0x540)
enum {
    NVMC_CONFIG_READ = 0,
    NVMC_CONFIG_WRITE = 1,
    NVMC_CONFIG_ERASE = 2,
    NVMC_ICACHECNF_CACHEEN = 1 << 0,
};

/* PPI: an event's address to a task's address */
#define PPI_CHENSET NRF_REGISTER(0x4001F000u, 0x504)
#define PPI_CHENCLR NRF_REGISTER(0x4001F000u, 0x508)
#define PPI_CH_EEP(n) NRF_REGISTER(0x4001F000u, 0x510 + 8 * (n))
#define PPI_CH_TEP(n) NRF_REGISTER(0x4001F000u, 0x514 + 8 * (n))
#define PPI_FORK_TEP(n) NRF_REGISTER(0x4001F000u, 0x910 + 4 * (n)) /* a second task of channel n */

/* Cortex-M4: system control, debug, cycle counter */
#define NVIC_ISER0 NRF_REGISTER(0xE000E100u, 0)
#define NVIC_ISPR0 NRF_REGISTER(0xE000E200u, 0)
#define NVIC_ICER(word) NRF_REGISTER(0xE000E180u, 4 * (word))
#define NVIC_ICPR(word) NRF_REGISTER(0xE000E280u, 4 * (word))
#define NVIC_IPR(irq) (*(volatile uint8_t *)(0xE000E400u + (uintptr_t)(irq))) /* 0 runs first */
#define SCB_VTOR NRF_REGISTER(0xE000ED08u, 0)
#define SCB_AIRCR NRF_REGISTER(0xE000ED0Cu, 0)
#define SCB_SCR NRF_REGISTER(0xE000ED10u, 0)
#define SCB_CFSR NRF_REGISTER(0xE000ED28u, 0)
#define SCB_HFSR NRF_REGISTER(0xE000ED2Cu, 0)
#define SCB_MMFAR NRF_REGISTER(0xE000ED34u, 0)
#define SCB_BFAR NRF_REGISTER(0xE000ED38u, 0)
#define SCB_CPACR NRF_REGISTER(0xE000ED88u, 0)
#define DCB_DEMCR NRF_REGISTER(0xE000EDFCu, 0)
#define DWT_CTRL NRF_REGISTER(0xE0001000u, 0)
#define DWT_CYCCNT NRF_REGISTER(0xE0001004u, 0)
#define SCB_AIRCR_SYSRESETREQ 0x05FA0004u /* with the key that the register asks for */
enum {
    SCB_SCR_SEVONPEND = 1 << 4,
    SCB_CFSR_MEMORY = 0xFF,       /* MemManage */
    SCB_CFSR_MSTKERR = 1 << 4,    /* ... while stacking */
    SCB_CFSR_MMARVALID = 1 << 7,  /* ... at MMFAR */
    SCB_CFSR_BUS = 0xFF00,        /* BusFault */
    SCB_CFSR_STKERR = 1 << 12,    /* ... while stacking */
    SCB_CFSR_BFARVALID = 1 << 15, /* ... at BFAR */
    SCB_CPACR_FPU = 0xF << 20,
    DCB_DEMCR_TRCENA = 1 << 24,
    DWT_CTRL_CYCCNTENA = 1 << 0,
};

#endif
