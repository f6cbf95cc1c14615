/* SPDX-License-Identifier: Apache-2.0 */
#include "uart.h"

#include "board.h"
#include "esp32c3.h"
#include "frame.h"
#include "interrupts.h"
#include "link.h"

#include <string.h>

_Static_assert((LINK_CREDITS + 1) * FRAME_WIRE_MAX < UART_RING,
               "the ring holds what comes between two calls");
_Static_assert((UART_RING & (UART_RING - 1)) == 0, "byte numbers wrap at 2^32");
_Static_assert(BOARD_PIN_TXD == 21 && BOARD_PIN_RXD == 20, "the pins that UART0 reaches by function 0");

enum {
    RX_FULL = 32,
    TX_EMPTY = 64,
    SILENCE_BITS = 20,
    SIXTEENTHS = (UART_CLOCK_HZ * 2ll * 16 / BOARD_BAUD + 1) / 2, /* of a divider, rounded */
    PATIENCE = 1000,
};

/* Numbers of bytes, modulo 2^32; byte k lies at ring[k % UART_RING]. */
static uint8_t ring[UART_RING];
static volatile uint32_t received; /* written by the interrupt alone */
static uint32_t taken;             /* and this by main */
static volatile uint32_t overruns;

static uint8_t outgoing[FRAME_WIRE_MAX];
static volatile uint32_t sent, to_send; /* of outgoing; to_send is written while they are equal */

static IN_RAM void drain(void) {
    uint32_t head = received;

    while (UART_STATUS & UART_STATUS_COUNT) {
        uint8_t byte = (uint8_t)UART_FIFO;
        if (head - *(volatile uint32_t *)&taken < UART_RING) {
            ring[head++ % UART_RING] = byte;
        } else {
            overruns++;
        }
    }
    received = head; /* after the bytes: the core stores in order */
}

static IN_RAM void fill(void) {
    uint32_t place = sent, end = to_send;

    while (place != end && (UART_STATUS >> UART_STATUS_TX_SHIFT & UART_STATUS_COUNT) < UART_FIFO_BYTES - 1) {
        UART_FIFO = outgoing[place++];
    }
    sent = place;
    if (place == end) {
        UART_INT_ENA &= ~(uint32_t)UART_INT_TXFIFO_EMPTY;
    }
}

IN_RAM __attribute__((interrupt)) void uart_interrupt(void) {
    uint32_t events = UART_INT_ST;

    UART_INT_CLR = events;
    if (events & (UART_INT_RXFIFO_OVF | UART_INT_FRM_ERR)) {
        overruns++;
    }
    drain();
    fill();
}

/* Registers are copied to the UART's own clock. */
static void take_over(void) {
    UART_ID |= UART_ID_REG_UPDATE;
    for (uint32_t turn = 0; turn < PATIENCE && UART_ID & UART_ID_REG_UPDATE; turn++) {
    }
}

void uart_init(void) {
    const uint32_t mode = UART_CONF0_8N1 | UART_CONF0_ERR_WR_MASK | UART_CONF0_MEM_CLK_EN;

    UART_INT_ENA = 0;
    IO_MUX_GPIO(BOARD_PIN_TXD) = IO_MUX_DRIVE;
    IO_MUX_GPIO(BOARD_PIN_RXD) = IO_MUX_INPUT | IO_MUX_PULL_UP;
    UART_CLK_CONF = UART_CLK_CONF_XTAL | UART_CLK_CONF_RST_CORE;
    UART_CLK_CONF = UART_CLK_CONF_XTAL;
    UART_CLKDIV = (uint32_t)(SIXTEENTHS / 16) | (uint32_t)(SIXTEENTHS % 16) << 20;
    UART_MEM_CONF = UART_MEM_CONF_SIZES | (uint32_t)SILENCE_BITS << UART_MEM_CONF_TOUT_SHIFT;
    UART_CONF1 = RX_FULL | TX_EMPTY << UART_CONF1_TX_SHIFT | UART_CONF1_RX_TOUT_EN;
    UART_CONF0 = mode | UART_CONF0_RXFIFO_RST | UART_CONF0_TXFIFO_RST;
    UART_CONF0 = mode;
    take_over();
    UART_INT_CLR = UART_INT_ALL;
    UART_INT_ENA = UART_INT_RXFIFO_FULL | UART_INT_RXFIFO_TOUT | UART_INT_RXFIFO_OVF | UART_INT_FRM_ERR;
    interrupts_attach(INTERRUPT_SOURCE_UART0, INTERRUPT_UART);
}

uint32_t uart_waiting(void) {
    return received - taken;
}

size_t uart_take(uint8_t *into, size_t room) {
    uint32_t waiting = uart_waiting();
    size_t count = waiting < room ? waiting : room;

    for (size_t i = 0; i < count; i++) {
        into[i] = ring[(taken + i) % UART_RING];
    }
    __asm volatile("" ::: "memory"); /* read before their places are free */
    taken += (uint32_t)count;
    return count;
}

void uart_send(const uint8_t *data, size_t length) {
    while (sent != to_send) {
    }
    memcpy(outgoing, data, length);
    uint32_t before = interrupts_hold();
    sent = 0;
    to_send = (uint32_t)length;
    UART_INT_ENA |= UART_INT_TXFIFO_EMPTY;
    interrupts_restore(before);
}

uint32_t uart_overruns(void) {
    return overruns;
}
