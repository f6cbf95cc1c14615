/* SPDX-License-Identifier: Apache-2.0 */
#include "uart.h"

#include "board.h"
#include "frame.h"
#include "link.h"
#include "nrf52840.h"

#include <string.h>

_Static_assert((LINK_CREDITS + 1) * FRAME_WIRE_MAX < UART_HALF - 16,
               "a half holds what comes between two calls");
_Static_assert(BOARD_BAUD == 1000000 || BOARD_BAUD == 115200, "the two rates that nrf52840.h names");
_Static_assert(UART_HALF % 4 == 0, "DMA begins at whole words");

enum {
    RING = 2 * UART_HALF,
    BYTE_TIMER = 1,
    PPI_CHANNEL = 0,
    /* RXDRDY says that a byte is whole; its way to RAM, PPI's way to the counter (up to 4 cycles of
     * 16 MHz), and at the end of a half ENDRX and STARTRX, take a few bus cycles more: 64 are waited.
     * At 1 Mbaud the next byte is 640 cycles away. */
    SETTLE_TURNS = 22, /* of 3 cycles or more */
    /* So close to a half's end it is too late to name the next one safely. */
    MARGIN = 16,
    /* Reads of a register, of 5 cycles or more: 1.5 ms, where the receiver stops within 5 bytes, which
     * at 115200 baud take 0.4 ms. */
    PATIENCE = 20000,
};

static uint8_t ring[RING] __attribute__((aligned(4)));
static uint8_t outgoing[FRAME_WIRE_MAX] __attribute__((aligned(4)));
static int sending;
static uint32_t taken; /* bytes handed out or dropped, modulo 2^32 as all of these */
static uint32_t begun; /* number of the first byte of the half that is being filled */
static uint32_t half;  /* where that byte lies: 0 or UART_HALF */
static uint32_t overruns;

/* For bytes from RING before the end of the half that is being filled on. */
static uint8_t *place(uint32_t number) {
    int32_t at = (int32_t)(number - begun) + (int32_t)half;
    return ring + (at < 0 ? at + RING : at);
}

static void name_next_half(void) {
    UARTE_RXD_PTR = (uint32_t)(uintptr_t)(ring + UART_HALF - half);
}

/* Counted in turns: a debugger that leaves switches the cycle counter off. */
static void settle(void) {
    uint32_t turns = SETTLE_TURNS;
    __asm volatile("1: subs %0, %0, #1\n"
                   "bne 1b\n"
                   : "+l"(turns)
                   :
                   : "cc");
}

static void await(const volatile uint32_t *event) {
    for (uint32_t turn = 0; turn < PATIENCE && !*event; turn++) {
    }
}

/* Begins the ring at its first byte, for byte number 0. */
static void start_receiver(void) {
    taken = begun = half = 0;
    TIMER_TASKS_CLEAR(BYTE_TIMER) = 1;
    UARTE_SHORTS = UARTE_SHORTS_ENDRX_STARTRX;
    UARTE_RXD_PTR = (uint32_t)(uintptr_t)ring;
    UARTE_EVENTS_RXSTARTED = 0;
    UARTE_TASKS_STARTRX = 1;
    await(&UARTE_EVENTS_RXSTARTED); /* RXD.PTR is free for the next half */
    name_next_half();
}

/* A byte with a broken stop bit may be counted, but is never stored: from then on the counter no longer
 * says where bytes lie.  What waits is dropped, and ring and counter start over together. */
static void restart_receiver(void) {
    overruns++;
    UARTE_SHORTS = 0;
    UARTE_EVENTS_RXTO = 0;
    UARTE_TASKS_STOPRX = 1;
    await(&UARTE_EVENTS_RXTO);
    UARTE_RXD_PTR = (uint32_t)(uintptr_t)ring; /* for what the FIFO still holds */
    UARTE_EVENTS_ENDRX = 0;
    UARTE_TASKS_FLUSHRX = 1;
    await(&UARTE_EVENTS_ENDRX);
    settle();
    UARTE_EVENTS_ERROR = 0;
    UARTE_ERRORSRC = UARTE_ERRORSRC_ALL;
    start_receiver();
    __asm volatile("sev"); /* the error may have kept the interrupt pending: do not sleep on that */
}

/* Bytes received so far, all of them in RAM. */
static uint32_t bytes_received(void) {
    TIMER_TASKS_CAPTURE(BYTE_TIMER, 0) = 1;
    uint32_t count = TIMER_CC(BYTE_TIMER, 0);
    if (count != taken) {
        settle();
    }
    return count;
}

/* Halves ended: the hardware went on in the one that was named, and in that one again and again when nobody
 * named another. */
static void follow(uint32_t ended) {
    begun += ended * UART_HALF;
    half = UART_HALF - half;
    name_next_half();
}

/* Keeps the ring going; returns the bytes that wait. */
static uint32_t attend(void) {
    uint32_t count = bytes_received();
    if (UARTE_EVENTS_ERROR) { /* looked at last: a counted byte's error shows by now */
        restart_receiver();
        return 0;
    }
    uint32_t into = count - begun, ended = into / UART_HALF;
    bool too_late = into % UART_HALF >= UART_HALF - MARGIN;

    if (ended > 1 || (ended == 1 && too_late)) {
        overruns++;
        taken = count;
    }
    if (ended > 0 && !too_late) {
        follow(ended);
    }
    if (count - taken > RING - MARGIN) {
        overruns++;
        taken = count;
    }
    return count - taken;
}

void uart_hold_rts(void) {
#ifdef BOARD_PIN_RTS
    GPIO_PIN_CNF(BOARD_PIN_RTS) = GPIO_PIN_CNF_INPUT_PULLUP;
#endif
}

static void configure_pins(void) {
    GPIO_OUTSET(BOARD_PIN_TXD / 32u) = 1u << BOARD_PIN_TXD % 32u;
    GPIO_PIN_CNF(BOARD_PIN_TXD) = GPIO_PIN_CNF_OUTPUT;
    GPIO_PIN_CNF(BOARD_PIN_RXD) = GPIO_PIN_CNF_INPUT_PULLUP;
    uart_hold_rts();
    UARTE_PSEL_TXD = BOARD_PIN_TXD;
    UARTE_PSEL_RXD = BOARD_PIN_RXD;
    UARTE_PSEL_RTS = UARTE_PSEL_NONE;
    UARTE_PSEL_CTS = UARTE_PSEL_NONE;
}

static void start_byte_counter(void) {
    TIMER_MODE(BYTE_TIMER) = TIMER_MODE_COUNTER;
    TIMER_BITMODE(BYTE_TIMER) = TIMER_BITMODE_32;
    TIMER_TASKS_START(BYTE_TIMER) = 1;
    PPI_CH_EEP(PPI_CHANNEL) = UARTE_RXDRDY_ADDRESS;
    PPI_CH_TEP(PPI_CHANNEL) = TIMER_TASK_ADDRESS(BYTE_TIMER, TIMER_COUNT);
    PPI_CHENSET = 1u << PPI_CHANNEL;
}

void uart_init(void) {
    UARTE_ENABLE = 0;
    configure_pins();
    UARTE_CONFIG = 0;
    UARTE_BAUDRATE = BOARD_BAUD == 1000000 ? UARTE_BAUDRATE_1000000 : UARTE_BAUDRATE_115200;
    start_byte_counter();
    /* Pends an interrupt that is never enabled: enough to wake the core. */
    UARTE_INTENSET = UARTE_INT_RXDRDY | UARTE_INT_ERROR;
    SCB_SCR = SCB_SCR_SEVONPEND;
    UARTE_RXD_MAXCNT = UART_HALF;
    UARTE_ENABLE = UARTE_ENABLE_ON;
    start_receiver();
}

size_t uart_take(uint8_t *into, size_t room) {
    uint32_t waiting = attend();
    size_t count = waiting < room ? waiting : room;

    __asm volatile("dmb" ::: "memory"); /* the DMA wrote what is read now */
    for (size_t i = 0; i < count; i++) {
        into[i] = *place(taken++);
    }
    return count;
}

void uart_send(const uint8_t *data, size_t length) {
    attend();
    while (sending && !UARTE_EVENTS_ENDTX) {
        attend();
    }
    memcpy(outgoing, data, length);
    __asm volatile("dmb" ::: "memory"); /* the DMA reads what was written */
    UARTE_EVENTS_ENDTX = 0;
    UARTE_TXD_PTR = (uint32_t)(uintptr_t)outgoing;
    UARTE_TXD_MAXCNT = (uint32_t)length;
    UARTE_TASKS_STARTTX = 1;
    sending = 1;
}

void uart_arm(void) {
    UARTE_EVENTS_RXDRDY = 0;
    (void)UARTE_EVENTS_RXDRDY; /* the write has arrived before the pending bit is cleared */
    NVIC_ICPR(0) = 1u << UARTE_IRQ;
    settle(); /* a byte whose event was just cleared is counted now */
}

bool uart_waiting(void) {
    return attend() != 0;
}

uint32_t uart_overruns(void) {
    return overruns;
}
