/* SPDX-License-Identifier: Apache-2.0
 *
 * chip.h: the registers that the test programs use, and their start-up.
 */
#ifndef CHIP_H
#define CHIP_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define CLOCK(offset) REG(0x40000000u + (offset))
#define UART(offset) REG(0x40002000u + (offset))
#define TIMER(n, offset) REG(0x40008000u + 0x1000u * (n) + (offset))
#define PPI(offset) REG(0x4001F000u + (offset))
#define DWT_CTRL REG(0xE0001000u)
#define CYCCNT REG(0xE0001004u)
#define DEMCR REG(0xE000EDFCu)
#define SCR REG(0xE000ED10u)
#define AIRCR REG(0xE000ED0Cu)
#define CPACR REG(0xE000ED88u)
#define ICPR0 REG(0xE000E280u)
#define ISER0 REG(0xE000E100u)

enum {
    STARTRX = 0x000,
    STARTTX = 0x008,
    RXDRDY = 0x108,
    ENDRX = 0x110,
    ENDTX = 0x120,
    RXSTARTED = 0x14C,
    SHORTS = 0x200,
    INTENSET = 0x304,
    ENABLE = 0x500,
    BAUDRATE = 0x524,
    RXD_PTR = 0x534,
    RXD_MAXCNT = 0x538,
    TXD_PTR = 0x544,
    TXD_MAXCNT = 0x548,
};

static inline uint32_t address_of(const volatile void *pointer) {
    return (uint32_t)(uintptr_t)pointer;
}

/* UARTE0 on at 1 Mbaud. */
void uart_on(void);
/* Sends and waits; `data` must lie in RAM. */
void uart_send(const void *data, uint32_t length);
/* The program; never returns. */
void program(void);

#endif
