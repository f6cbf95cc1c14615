/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_port.h: the sensors, by SYSTIMER's interrupt and single conversions of ADC1.
 *
 * Each period the interrupt stamps the time and converts all channels, one after the other; that takes up to
 * SCAN_LONGEST_US, in which the UART's FIFO takes the bytes (uart.h).  The stamp is late by
 * what the core needs to answer: a few cycles, or 20 microseconds where the UART's interrupt has just begun.
 * Linked where SCAN_CHANNELS is not 0.
 */
#ifndef SCAN_PORT_H
#define SCAN_PORT_H

#include <stdbool.h>

enum {
    SCAN_LONGEST_US = 900,
};

void scan_init(void);

/* True if a frame waits. */
bool scan_waiting(void);

#endif
