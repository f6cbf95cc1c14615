/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_port.h: the sensors, by three interrupts that each take a microsecond or two: nobody waits.
 *
 *   SYSTIMER  each period: stamps the time, selects the first step
 *   TIMG0 T0  a step has settled: starts a conversion of ADC1
 *   ADC1      it is done: keeps the count, then the next input, the next step, or the frame is whole
 *
 * A conversion never begins earlier than SCAN_SETTLE_US after its step was selected, and nothing is selected
 * while one runs: an interrupt that comes late makes the frame longer, not wrong.  A frame that the next
 * period overtakes is given up, and its number missing; so an ADC that died costs frames, and is tried each
 * period. The stamp is late by what the core needs to answer: a few cycles, or 20 microseconds where the
 * UART's interrupt has just begun.  Linked where SCAN_CHANNELS is not 0.
 */
#ifndef SCAN_PORT_H
#define SCAN_PORT_H

#include <stdbool.h>
#include <stdint.h>

void scan_init(void);

/* True if a frame waits. */
bool scan_waiting(void);

/* Periods since the scan was started, modulo 2^32. */
uint32_t scan_ticks(void);

/* True while a frame is being converted. */
bool scan_under_way(void);

#endif
