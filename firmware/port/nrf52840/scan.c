/* SPDX-License-Identifier: Apache-2.0 */
#include "scan_driver.h"

#include "interrupts.h"
#include "nrf52840.h"
#include "port.h"
#include "uart.h"

enum {
    UPTO = 2048, /* bytes of the ring, and at least the frames that port.h asks for */
    FRAME_BYTES = 8 + 2 * SCAN_CHANNELS,
    MOST_FRAMES = 32,
    LEAST_FRAMES = PORT_SCAN_KEPT + 2, /* two are in the hands of the hardware */
    FITTING = UPTO / FRAME_BYTES < MOST_FRAMES ? UPTO / FRAME_BYTES : MOST_FRAMES,
    FRAMES = FITTING > LEAST_FRAMES ? FITTING : LEAST_FRAMES,
    SAMPLE_TIMER = 2,
    ROW_TIMER = 3,
    STAMP_TIMER = 4,
    PPI_SAMPLE = 1,
    PPI_END = 2,
    PPI_ROW = 3,
    PPI_ROWS_END = 4,
    PPI_ALL = 1 << PPI_SAMPLE | 1 << PPI_END | 1 << PPI_ROW | 1 << PPI_ROWS_END,
    TICK_HZ = 16000000,
    TICKS_PER_US = TICK_HZ / 1000000,
    MILLIHERTZ = 1000,
    /* A row is switched by an interrupt: within this, or its frame is dropped (scan_driver.h, the bound) */
    ROW_LATENCY = 10 * TICKS_PER_US,
    CONVERSION = SCAN_COLUMNS * (10 + 2) * TICKS_PER_US, /* 10 us to acquire, at most 2 us to convert */
    SETTLE = SCAN_ROWS ? ROW_LATENCY + SCAN_SETTLE_US * TICKS_PER_US : 0,
    SLOT = SETTLE + CONVERSION + 4 * TICKS_PER_US, /* of a row: chosen, settled, converted, and some air */
    SCAN_TICKS = (SCAN_ROWS ? SCAN_ROWS : 1) * SLOT,
    SPARE = 50 * TICKS_PER_US, /* from a frame's end to the next one's start, for scan_frame_interrupt() */
    PATIENCE = 20000,          /* reads of a register, of 5 cycles or more */
    LOST = -1,
};
_Static_assert(SCAN_COLUMNS <= SAADC_CHANNELS, "as many inputs as the ADC scans");

struct slot {
    int32_t number; /* of the period since the start; LOST: this frame is none */
    uint32_t ticks;
    volatile int16_t counts[SCAN_CHANNELS];
};

static const uint8_t column_pins[] = SCAN_COLUMN_PINS;
static struct slot frames[FRAMES];
/* Frames that ended (written by the interrupt alone) and frames that were taken (by the main loop alone),
 * modulo 2^32: frame k lies at frames[k % FRAMES]. */
static volatile uint32_t filled, taken;
static uint32_t period, last_end, number;
static bool named; /* RESULT.PTR names the slot behind the one that is being filled, not the same again */
static volatile bool running;

#if SCAN_ROWS
static const uint8_t row_pins[] = SCAN_ROW_PINS;
static uint32_t row;
static bool late;
#endif

static void await(const volatile uint32_t *event) {
    for (uint32_t turn = 0; turn < PATIENCE && !*event; turn++) {
    }
}

/* 16 000 000 000 / x, rounded, without a division of 64 bits; for x >= 8. */
static uint32_t reciprocal(uint32_t x) {
    uint32_t most = 16000000000u / 8 / x, rest = 16000000000u / 8 % x;
    return most * 8 + (rest * 8 + x / 2) / x;
}

/* ---- Interrupts ---- */

#if SCAN_ROWS
static void drive(uint32_t pin, bool high) {
    if (high) {
        GPIO_OUTSET(pin / 32u) = 1u << pin % 32u;
    } else {
        GPIO_OUTCLR(pin / 32u) = 1u << pin % 32u;
    }
}

void scan_row_interrupt(void) {
    TIMER_EVENTS_COMPARE(ROW_TIMER, 1) = 0;
    if (row + 1 < SCAN_ROWS) {
        drive(row_pins[row], false);
        drive(row_pins[++row], true);
    }
    TIMER_TASKS_CAPTURE(ROW_TIMER, 2) = 1;
    late |= TIMER_CC(ROW_TIMER, 2) > ROW_LATENCY || TIMER_EVENTS_COMPARE(ROW_TIMER, 1);
}

/* True if every row was driven in its time; drives the first one for the next frame, and says that it was
 * late if that frame has begun.  A row's interrupt that still waits was the ended frame's. */
static bool end_rows(uint32_t end) {
    bool good = !late && row + 1 == SCAN_ROWS;
    TIMER_EVENTS_COMPARE(ROW_TIMER, 1) = 0;
    (void)TIMER_EVENTS_COMPARE(ROW_TIMER, 1);
    NVIC_ICPR(0) = 1u << TIMER3_IRQ;
    drive(row_pins[row], false);
    row = 0;
    drive(row_pins[row], true);
    late = (int32_t)(TIMER_CC(STAMP_TIMER, 0) - end) > 0;
    return good;
}
#else
void scan_row_interrupt(void) {
    fault_interrupt();
}

static bool end_rows(uint32_t end) {
    (void)end;
    return true;
}
#endif

static void name_slot(uint32_t which) {
    SAADC_RESULT_PTR = (uint32_t)(uintptr_t)frames[which % FRAMES].counts;
}

/* END has begun the next frame already, in the slot that was named. */
void scan_frame_interrupt(void) {
    SAADC_EVENTS_END = 0;
    uint32_t start = TIMER_CC(STAMP_TIMER, 0), end = TIMER_CC(STAMP_TIMER, 1);
    uint32_t ended = (end - last_end + period / 2) / period;
    if (ended == 0) { /* it came while its forerunner was served, and was counted there */
        return;
    }
    bool good = end_rows(end) && ended == 1 && end - start <= SCAN_TICKS;
    last_end = end;
    number += ended;
    if (named) {
        struct slot *slot = &frames[filled % FRAMES];
        slot->number = good ? (int32_t)(number - 1) : LOST;
        slot->ticks = start + SETTLE;
        __asm volatile("dmb" ::: "memory"); /* the slot is whole before it counts */
        filled++;
    } /* else the frame lies where the next one is being written: lost */
    named = filled + 1 - taken < FRAMES;
    if (named) {
        await(&SAADC_EVENTS_STARTED); /* RESULT.PTR was read and is free */
        SAADC_EVENTS_STARTED = 0;
        name_slot(filled + 1);
        named = !SAADC_EVENTS_END; /* else the next frame has ended meanwhile, and its slot is filled again */
    }
}

/* ---- Start and stop ---- */

/* AIN0 to AIN3 are P0.02 to P0.05, AIN4 to AIN7 are P0.28 to P0.31. */
static uint32_t analog_input(uint32_t pin) {
    return pin < 28 ? pin - 1 : pin - 23;
}

static void start_adc(void) {
    SAADC_ENABLE = 1;
    SAADC_RESOLUTION = SAADC_RESOLUTION_12;
    for (uint32_t n = 0; n < SCAN_COLUMNS; n++) {
        GPIO_PIN_CNF(column_pins[n]) = GPIO_PIN_CNF_OFF; /* a pull-up of the uart's would load the sensor */
    }
    for (uint32_t n = 0; n < SAADC_CHANNELS; n++) {
        SAADC_PSELP(n) = n < SCAN_COLUMNS ? analog_input(column_pins[n]) : 0;
        SAADC_PSELN(n) = 0;
        SAADC_CONFIG(n) = SAADC_CONFIG_OF_SUPPLY;
    }
    SAADC_EVENTS_CALIBRATEDONE = 0;
    SAADC_TASKS_CALIBRATEOFFSET = 1; /* never between START and END (nRF52840 anomaly 237) */
    await(&SAADC_EVENTS_CALIBRATEDONE);
    SAADC_EVENTS_STOPPED = 0;
    SAADC_TASKS_STOP = 1;
    await(&SAADC_EVENTS_STOPPED);
    name_slot(0);
    SAADC_RESULT_MAXCNT = SCAN_CHANNELS;
    SAADC_EVENTS_STARTED = 0;
    SAADC_EVENTS_END = 0;
    SAADC_TASKS_START = 1;
    await(&SAADC_EVENTS_STARTED);
    SAADC_EVENTS_STARTED = 0;
    name_slot(1);
    named = true;
    SAADC_INTENSET = SAADC_INT_END;
}

static void start_timer(uint32_t timer) {
    TIMER_MODE(timer) = TIMER_MODE_TIMER;
    TIMER_BITMODE(timer) = TIMER_BITMODE_32;
    TIMER_PRESCALER(timer) = 0;
    TIMER_TASKS_CLEAR(timer) = 1;
}

static void lead(uint32_t channel, uint32_t event, uint32_t task, uint32_t other_task) {
    PPI_CH_EEP(channel) = event;
    PPI_CH_TEP(channel) = task;
    PPI_FORK_TEP(channel) = other_task;
    PPI_CHENSET = 1u << channel;
}

static void lead_events(void) {
    lead(PPI_END, SAADC_END_ADDRESS, SAADC_START_ADDRESS, TIMER_TASK_ADDRESS(STAMP_TIMER, TIMER_CAPTURE1));
    lead(PPI_SAMPLE, TIMER_TASK_ADDRESS(SAMPLE_TIMER, TIMER_COMPARE0),
         SCAN_ROWS ? TIMER_TASK_ADDRESS(ROW_TIMER, TIMER_START) : SAADC_SAMPLE_ADDRESS,
         TIMER_TASK_ADDRESS(STAMP_TIMER, TIMER_CAPTURE0));
    if (SCAN_ROWS) {
        lead(PPI_ROW, TIMER_TASK_ADDRESS(ROW_TIMER, TIMER_COMPARE0), SAADC_SAMPLE_ADDRESS, 0);
        lead(PPI_ROWS_END, SAADC_END_ADDRESS, TIMER_TASK_ADDRESS(ROW_TIMER, TIMER_STOP),
             TIMER_TASK_ADDRESS(ROW_TIMER, TIMER_CLEAR));
    }
}

#if SCAN_ROWS
static void start_rows(void) {
    for (uint32_t n = 0; n < SCAN_ROWS; n++) {
        drive(row_pins[n], n == 0);
        GPIO_PIN_CNF(row_pins[n]) = GPIO_PIN_CNF_OUTPUT_STRONG;
    }
    row = 0;
    late = false;
    start_timer(ROW_TIMER);
    TIMER_CC(ROW_TIMER, 0) = SETTLE;
    TIMER_CC(ROW_TIMER, 1) = SLOT;
    TIMER_SHORTS(ROW_TIMER) = TIMER_SHORTS_COMPARE1_CLEAR;
    TIMER_EVENTS_COMPARE(ROW_TIMER, 1) = 0;
    TIMER_INTENSET(ROW_TIMER) = TIMER_INT_COMPARE1;
    NVIC_IPR(TIMER3_IRQ) = INTERRUPTS_SCAN;
    NVIC_ISER0 = 1u << TIMER3_IRQ;
}

static void stop_rows(void) {
    TIMER_TASKS_STOP(ROW_TIMER) = 1;
    TIMER_INTENCLR(ROW_TIMER) = TIMER_INT_COMPARE1;
    for (uint32_t n = 0; n < SCAN_ROWS; n++) {
        GPIO_PIN_CNF(row_pins[n]) = GPIO_PIN_CNF_OFF;
    }
}
#else
static void start_rows(void) {}

static void stop_rows(void) {}
#endif

uint32_t port_scan_start(uint32_t rate_mhz) {
    port_scan_stop();
    if (rate_mhz < 8 || reciprocal(rate_mhz) < SCAN_TICKS + SPARE) {
        return 0;
    }
    period = reciprocal(rate_mhz);
    filled = taken = number = 0;
    start_adc();
    start_rows();
    lead_events();
    start_timer(SAMPLE_TIMER);
    TIMER_CC(SAMPLE_TIMER, 0) = period;
    TIMER_SHORTS(SAMPLE_TIMER) = TIMER_SHORTS_COMPARE0_CLEAR;
    TIMER_EVENTS_COMPARE(SAMPLE_TIMER, 0) = 0;
    TIMER_INTENSET(SAMPLE_TIMER) = TIMER_INT_COMPARE0; /* wakes the core; never enabled in the NVIC */
    NVIC_IPR(SAADC_IRQ) = INTERRUPTS_SCAN;
    NVIC_ICPR(0) = 1u << SAADC_IRQ | 1u << TIMER3_IRQ;
    NVIC_ISER0 = 1u << SAADC_IRQ;
    last_end = port_scan_ticks() + SCAN_TICKS; /* as if a frame had begun now */
    running = true;
    TIMER_TASKS_START(SAMPLE_TIMER) = 1;
    return reciprocal(period);
}

void port_scan_stop(void) {
    running = false;
    TIMER_TASKS_STOP(SAMPLE_TIMER) = 1;
    PPI_CHENCLR = PPI_ALL;
    NVIC_ICER(0) = 1u << SAADC_IRQ | 1u << TIMER3_IRQ;
    stop_rows();
    if (SAADC_ENABLE) {
        SAADC_EVENTS_STOPPED = 0;
        SAADC_TASKS_STOP = 1;
        await(&SAADC_EVENTS_STOPPED);
        SAADC_INTENCLR = SAADC_INT_END;
        SAADC_ENABLE = 0;
        uart_hold_rts();
    }
    taken = filled;
}

bool port_scan_fetch(struct port_scan_frame *frame) {
    while (running && filled != taken) {
        __asm volatile("dmb" ::: "memory"); /* what is read now was written before `filled` */
        const struct slot *slot = &frames[taken % FRAMES];
        bool good = slot->number != LOST;
        if (good) {
            frame->number = (uint32_t)slot->number;
            frame->ticks = slot->ticks;
            for (size_t i = 0; i < SCAN_CHANNELS; i++) {
                int16_t count = slot->counts[i]; /* noise may take it below the ground */
                frame->counts[i] = count < 0 ? 0 : (uint16_t)count;
            }
        }
        __asm volatile("dmb" ::: "memory"); /* read before the slot is given back */
        taken++;
        if (good) {
            return true;
        }
    }
    return false;
}

uint32_t port_scan_ticks(void) {
    TIMER_TASKS_CAPTURE(STAMP_TIMER, 2) = 1;
    return TIMER_CC(STAMP_TIMER, 2);
}

/* ---- For port.c ---- */

uint32_t scan_init(void) {
    start_timer(STAMP_TIMER);
    TIMER_TASKS_START(STAMP_TIMER) = 1;
    return TICK_HZ;
}

void scan_arm(void) {
    TIMER_EVENTS_COMPARE(SAMPLE_TIMER, 0) = 0;
    (void)TIMER_EVENTS_COMPARE(SAMPLE_TIMER, 0);
    NVIC_ICPR(0) = 1u << TIMER2_IRQ;
}

bool scan_waiting(void) {
    return running && filled != taken;
}
