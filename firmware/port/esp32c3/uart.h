/* SPDX-License-Identifier: Apache-2.0
 *
 * uart.h: UART0 by interrupts.  Reception is a ring that an interrupt fills from the hardware's FIFO.
 *
 *   - The FIFO holds 128 bytes and asks for attention at 32, or after two bytes' time of silence.  So the
 *     interrupt may come 96 bytes late, 960 microseconds at 1 Mbaud.  The scan's take a few microseconds,
 *     and nothing holds interrupts back but a few lines that only touch words.
 *   - Between two calls of uart_take() or uart_send() at most one request is executed.  By the credit rule
 * the host can send LINK_CREDITS frames before its reply and one more after it: (4 + 1) * 266 = 1330 bytes <
 * UART_RING, so the ring never overflows.
 *   - A host that breaks the rule loses the newest bytes: they are counted, and the frames that were cut fail
 *     their CRC.  So do bytes with a broken stop bit, which are not stored.
 */
#ifndef UART_H
#define UART_H

#include <stddef.h>
#include <stdint.h>

enum {
    UART_RING = 2048,
};

void uart_init(void);

/* Copies bytes that came, at most `room`; returns how many. */
size_t uart_take(uint8_t *into, size_t room);

/* Copies `data` and starts to send it; waits for the end of an earlier send. */
void uart_send(const uint8_t *data, size_t length);

/* Bytes that wait. */
uint32_t uart_waiting(void);

/* Times that bytes were lost. */
uint32_t uart_overruns(void);

#endif
