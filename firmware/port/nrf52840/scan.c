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
    STEP_TIMER = 3,
    STAMP_TIMER = 4,
    PPI_SAMPLE = 1,
    PPI_END = 2,
    PPI_STEP = 3,
    PPI_STEPS_END = 4,
    PPI_ALL = 1 << PPI_SAMPLE | 1 << PPI_END | 1 << PPI_STEP | 1 << PPI_STEPS_END,
    TICK_HZ = 16000000,
    TICKS_PER_US = TICK_HZ / 1000000,
    MILLIHERTZ = 1000,
    /* A step is selected by an interrupt: within this, or its frame is dropped (scan_driver.h, the bound) */
    STEP_LATENCY = 4 * TICKS_PER_US,
    /* What a multiplexer shows was settled for, from a source that does so in SCAN_SETTLE_US */
    ACQUIRE_US = SCAN_ADDRESSES > 1 ? 3 : 10,
    CONVERSION = SCAN_INPUTS * (ACQUIRE_US + 2) * TICKS_PER_US, /* at most 2 us to convert */
    SETTLE = SCAN_STEPS > 1 ? STEP_LATENCY + SCAN_SETTLE_US * TICKS_PER_US : 0,
    SLOT = SETTLE + CONVERSION + 4 * TICKS_PER_US, /* of a step: selected, settled, converted, some air */
    SCAN_TICKS = SCAN_STEPS * SLOT,
    SPARE = 50 * TICKS_PER_US, /* from a frame's end to the next one's start, for scan_frame_interrupt() */
    PATIENCE = 20000,          /* reads of a register, of 5 cycles or more */
    LOST = -1,
};
_Static_assert(SCAN_INPUTS <= SAADC_CHANNELS, "as many inputs as the ADC scans");

struct slot {
    int32_t number; /* of the period since the start; LOST: this frame is none */
    uint32_t ticks;
    volatile int16_t counts[SCAN_CHANNELS];
};

static const uint8_t input_pins[] = SCAN_INPUT_PINS;
static struct slot frames[FRAMES];
/* Frames that ended (written by the interrupt alone) and frames that were taken (by the main loop alone),
 * modulo 2^32: frame k lies at frames[k % FRAMES]. */
static volatile uint32_t filled, taken;
static uint32_t period, last_end, number;
static bool named; /* RESULT.PTR names the slot behind the one that is being filled, not the same again */
static volatile bool running;

#if SCAN_STEPS > 1
static const uint8_t select_pins[] = SCAN_SELECT_PINS;
static const uint64_t row_levels[] = SCAN_ROW_LEVELS, address_levels[] = SCAN_ADDRESS_LEVELS;
static uint32_t step;
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

#if SCAN_STEPS > 1
static void select_step(uint32_t which) {
    uint64_t high = row_levels[which / SCAN_ADDRESSES] | address_levels[which % SCAN_ADDRESSES];

    step = which;
    GPIO_OUTCLR(0) = (uint32_t)(SCAN_SELECT_MASK & ~high);
    GPIO_OUTCLR(1) = (uint32_t)((SCAN_SELECT_MASK & ~high) >> 32);
    GPIO_OUTSET(0) = (uint32_t)high;
    GPIO_OUTSET(1) = (uint32_t)(high >> 32);
}

void scan_step_interrupt(void) {
    TIMER_EVENTS_COMPARE(STEP_TIMER, 1) = 0;
    if (step + 1 < SCAN_STEPS) {
        select_step(step + 1);
    }
    TIMER_TASKS_CAPTURE(STEP_TIMER, 2) = 1;
    late |= TIMER_CC(STEP_TIMER, 2) > STEP_LATENCY || TIMER_EVENTS_COMPARE(STEP_TIMER, 1);
}

/* True if every step was selected in its time; selects the first one for the next frame, and says that it was
 * late if that frame has begun.  A step's interrupt that still waits was the ended frame's. */
static bool end_steps(uint32_t end) {
    bool good = !late && step + 1 == SCAN_STEPS;
    TIMER_EVENTS_COMPARE(STEP_TIMER, 1) = 0;
    (void)TIMER_EVENTS_COMPARE(STEP_TIMER, 1);
    NVIC_ICPR(0) = 1u << TIMER3_IRQ;
    select_step(0);
    late = (int32_t)(TIMER_CC(STAMP_TIMER, 0) - end) > 0;
    return good;
}
#else
void scan_step_interrupt(void) {
    fault_interrupt();
}

static bool end_steps(uint32_t end) {
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
    bool good = end_steps(end) && ended == 1 && end - start <= SCAN_TICKS;
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
    for (uint32_t n = 0; n < SCAN_INPUTS; n++) {
        GPIO_PIN_CNF(input_pins[n]) = GPIO_PIN_CNF_OFF; /* a pull-up of the uart's would load the sensor */
    }
    for (uint32_t n = 0; n < SAADC_CHANNELS; n++) {
        SAADC_PSELP(n) = n < SCAN_INPUTS ? analog_input(input_pins[n]) : 0;
        SAADC_PSELN(n) = 0;
        SAADC_CONFIG(n) = SAADC_CONFIG_OF_SUPPLY | (ACQUIRE_US == 3 ? SAADC_CONFIG_3_US : SAADC_CONFIG_10_US);
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
         SCAN_STEPS > 1 ? TIMER_TASK_ADDRESS(STEP_TIMER, TIMER_START) : SAADC_SAMPLE_ADDRESS,
         TIMER_TASK_ADDRESS(STAMP_TIMER, TIMER_CAPTURE0));
    if (SCAN_STEPS > 1) {
        lead(PPI_STEP, TIMER_TASK_ADDRESS(STEP_TIMER, TIMER_COMPARE0), SAADC_SAMPLE_ADDRESS, 0);
        lead(PPI_STEPS_END, SAADC_END_ADDRESS, TIMER_TASK_ADDRESS(STEP_TIMER, TIMER_STOP),
             TIMER_TASK_ADDRESS(STEP_TIMER, TIMER_CLEAR));
    }
}

#if SCAN_STEPS > 1
static void drive_pins(uint32_t from, uint32_t to, uint32_t configuration) {
    for (uint32_t n = from; n < to; n++) {
        GPIO_PIN_CNF(select_pins[n]) = configuration;
    }
}

static void start_steps(void) {
    select_step(0);
    drive_pins(0, SCAN_SELECT_COUNT, GPIO_PIN_CNF_OUTPUT_STRONG);
    late = false;
    start_timer(STEP_TIMER);
    TIMER_CC(STEP_TIMER, 0) = SETTLE;
    TIMER_CC(STEP_TIMER, 1) = SLOT;
    TIMER_SHORTS(STEP_TIMER) = TIMER_SHORTS_COMPARE1_CLEAR;
    TIMER_EVENTS_COMPARE(STEP_TIMER, 1) = 0;
    TIMER_INTENSET(STEP_TIMER) = TIMER_INT_COMPARE1;
    NVIC_IPR(TIMER3_IRQ) = INTERRUPTS_SCAN;
    NVIC_ISER0 = 1u << TIMER3_IRQ;
}

/* Address lines are driven for ever: inputs of logic that float draw current. */
static void stop_steps(void) {
    TIMER_TASKS_STOP(STEP_TIMER) = 1;
    TIMER_INTENCLR(STEP_TIMER) = TIMER_INT_COMPARE1;
    select_step(0);
    drive_pins(0, SCAN_HELD_COUNT, GPIO_PIN_CNF_OUTPUT_STRONG);
    drive_pins(SCAN_HELD_COUNT, SCAN_SELECT_COUNT, GPIO_PIN_CNF_OFF);
}
#else
static void start_steps(void) {}

static void stop_steps(void) {}
#endif

uint32_t port_scan_start(uint32_t rate_mhz) {
    port_scan_stop();
    if (rate_mhz < 8 || reciprocal(rate_mhz) < SCAN_TICKS + SPARE) {
        return 0;
    }
    period = reciprocal(rate_mhz);
    filled = taken = number = 0;
    start_adc();
    start_steps();
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
    stop_steps();
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
    stop_steps();
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
