/* SPDX-License-Identifier: Apache-2.0
 *
 * uart.h: UARTE0 by DMA alone.  Reception is a ring that the hardware fills and counts; no interrupt of its
 * own, and the few microseconds that others take (interrupts.h) are small beside every margin here.
 *
 * The ring is two halves of UART_HALF bytes.  While one is being filled, RXD.PTR already names the
 * other, and the short ENDRX -> STARTRX begins it without the core.  Every byte received also counts
 * TIMER1 up, through PPI; so the counter says how many bytes there are, and, as the halves take turns, where
 * each of them lies.  The core's one duty is to name the next half once per half:
 *
 *   - Between two calls of uart_take() or uart_send() at most one request is executed.  By the credit
 *     rule the host can send LINK_CREDITS frames before its reply and one more after it:
 *     (4 + 1) * 266 = 1330 bytes < UART_HALF = 1360.  So at most one half ends in between, its successor
 *     was named, and no byte is overwritten before it is taken.
 *   - A host that breaks the rule is found out by the counter.  That is an overrun: what waits is
 *     dropped, the ring finds its place again, and the frames that were cut fail their CRC.
 *   - A byte with a broken stop bit (noise, a plug, another baud rate) sets EVENTS_ERROR: also an overrun,
 *     and the receiver starts over.
 */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UART_HALF = 1360,
};

void uart_init(void);

/* Copies bytes that came, at most `room`; returns how many. */
size_t uart_take(uint8_t *into, size_t room);

/* Copies `data` and starts to send it; waits for the end of an earlier send. */
void uart_send(const uint8_t *data, size_t length);

/* From here on the next byte sets the event that ends WFE; one that came before is counted. */
void uart_arm(void);

/* True if bytes wait. */
bool uart_waiting(void);

uint32_t uart_overruns(void);

/* Pulls the pin high that the other end may take for flow control when it is low; it may have been an
 * analog input meanwhile. */
void uart_hold_rts(void);

#endif
