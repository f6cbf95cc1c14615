/* SPDX-License-Identifier: Apache-2.0
 *
 * interrupts.h: which interrupt of the core is whose.  All have one priority, so none interrupts another.
 *
 * What passes from interrupt to main passes through one ring each (uart.c, scan.c): the interrupt alone
 * writes its head, main alone its tail, both are aligned words, and the core keeps its own stores in order.
 */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include <stdint.h>

enum interrupt {
    INTERRUPT_UART = 1,
    INTERRUPT_SCAN_TICK = 2,
    INTERRUPT_SCAN_SETTLED = 3,
    INTERRUPT_SCAN_CONVERTED = 4,
};

/* Leads interrupt `source` of the matrix to `number` and lets it in. */
void interrupts_attach(uint32_t source, enum interrupt number);

/* The handlers, one per number; each ends with mret. */
void uart_interrupt(void);
void scan_tick_interrupt(void);
void scan_settled_interrupt(void);
void scan_converted_interrupt(void);

/* Where the core goes: exceptions to entry 0, interrupt n to entry n. */
void interrupts_vectors(void);

#endif
