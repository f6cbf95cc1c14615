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
#define GPIO_OUTSET(port) NRF_REGISTER(0x50000000u, 0x300 * (port) + 0x508)
#define GPIO_PIN_CNF(pin) NRF_REGISTER(0x50000000u, 0x300 * ((pin) / 32u) + 0x700 + 4 * ((pin) % 32u))
enum {
    GPIO_PIN_CNF_OUTPUT = 1 << 0 | 1 << 1, /* DIR output, INPUT disconnected */
    GPIO_PIN_CNF_INPUT_PULLUP = 3 << 2,    /* DIR input, INPUT connected, PULL up */
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

/* TIMER0 keeps the time, TIMER1 counts bytes */
#define TIMER_TASKS_START(n) NRF_REGISTER(0x40008000u, 0x1000 * (n) + 0x000)
#define TIMER_TASKS_CLEAR(n) NRF_REGISTER(0x40008000u, 0x1000 * (n) + 0x00C)
#define TIMER_TASKS_CAPTURE0(n) NRF_REGISTER(0x40008000u, 0x1000 * (n) + 0x040)
#define TIMER_MODE(n) NRF_REGISTER(0x40008000u, 0x1000 * (n) + 0x504)
#define TIMER_BITMODE(n) NRF_REGISTER(0x40008000u, 0x1000 * (n) + 0x508)
#define TIMER_PRESCALER(n) NRF_REGISTER(0x40008000u, 0x1000 * (n) + 0x510) /* 16 MHz / 2^PRESCALER */
#define TIMER_CC0(n) NRF_REGISTER(0x40008000u, 0x1000 * (n) + 0x540)
#define TIMER1_COUNT_ADDRESS 0x40009008u
enum {
    TIMER_MODE_TIMER = 0,
    TIMER_MODE_COUNTER = 1,
    TIMER_BITMODE_32 = 3,
};

/* The flash's controller */
#define NVMC_ICACHECNF NRF_REGISTER(0x4001E000u, 0x540)
enum {
    NVMC_ICACHECNF_CACHEEN = 1 << 0,
};

/* PPI: an event's address to a task's address */
#define PPI_CHENSET NRF_REGISTER(0x4001F000u, 0x504)
#define PPI_CH_EEP(n) NRF_REGISTER(0x4001F000u, 0x510 + 8 * (n))
#define PPI_CH_TEP(n) NRF_REGISTER(0x4001F000u, 0x514 + 8 * (n))

/* Cortex-M4: system control, debug, cycle counter */
#define NVIC_ICPR0 NRF_REGISTER(0xE000E280u, 0)
#define SCB_VTOR NRF_REGISTER(0xE000ED08u, 0)
#define SCB_AIRCR NRF_REGISTER(0xE000ED0Cu, 0)
#define SCB_SCR NRF_REGISTER(0xE000ED10u, 0)
#define SCB_CPACR NRF_REGISTER(0xE000ED88u, 0)
#define DCB_DEMCR NRF_REGISTER(0xE000EDFCu, 0)
#define DWT_CTRL NRF_REGISTER(0xE0001000u, 0)
#define DWT_CYCCNT NRF_REGISTER(0xE0001004u, 0)
#define SCB_AIRCR_SYSRESETREQ 0x05FA0004u /* with the key that the register asks for */
enum {
    SCB_SCR_SEVONPEND = 1 << 4,
    SCB_CPACR_FPU = 0xF << 20,
    DCB_DEMCR_TRCENA = 1 << 24,
    DWT_CTRL_CYCCNTENA = 1 << 0,
};

#endif
