/* SPDX-License-Identifier: Apache-2.0
 *
 * The scan: an alarm of a hardware counter wakes a thread above all others, which stamps the frame with that
 * counter, has the ADC convert all columns by DMA, and for a matrix drives the next row.
 */
#include "port.h"
#include "scan_clock.h"

#if SCAN_CHANNELS == 0
#include "absent_scan.c"

uint32_t scan_init(struct k_sem *wake) {
    (void)wake;
    return 0;
}

bool scan_has_frame(void) {
    return false;
}
#else

#include <errno.h>
#include <zephyr/device.h>
#include <zephyr/drivers/adc.h>
#include <zephyr/drivers/counter.h>
#include <zephyr/drivers/gpio.h>

enum {
    ROWS = SCAN_ROWS ? SCAN_ROWS : 1,
    RESOLUTION = 12, /* bits */
    STACK = 1024,
    ENTRY_US = 50, /* from an alarm to the thread's first conversion: our estimate */
    CHANNEL = 0,   /* of the counter */
};

/* The pins are the devicetree's; tests hold them to board.toml's. */
#define PINS DT_PATH(zephyr_user)
#define COLUMN(node, property, index) ADC_DT_SPEC_GET_BY_IDX(node, index),
#define ROW(node, property, index) GPIO_DT_SPEC_GET_BY_IDX(node, property, index),
static const struct adc_dt_spec columns[] = {DT_FOREACH_PROP_ELEM(PINS, io_channels, COLUMN)};
static const struct gpio_dt_spec rows[] = {DT_FOREACH_PROP_ELEM(PINS, row_gpios, ROW)};
static const struct gpio_dt_spec held = GPIO_DT_SPEC_GET(PINS, held_gpios);
static const struct device *const clock = DEVICE_DT_GET(DT_CHOSEN(edgegrf_clock));
BUILD_ASSERT(SCAN_COLUMNS == ARRAY_SIZE(columns), "all columns are scanned, in the order of their channels");
BUILD_ASSERT(SCAN_ROWS <= ARRAY_SIZE(rows), "rows enough");
BUILD_ASSERT(SCAN_ADDRESSES == 1, "multiplexers are not supported by this port");

K_MSGQ_DEFINE(frames, sizeof(struct port_scan_frame), PORT_SCAN_KEPT, 4);
K_THREAD_STACK_DEFINE(stack, STACK);
static struct k_work_q queue;
static struct k_sem *waker;
static uint32_t tick_hz, row_ticks; /* row_ticks: that a row's conversions take */
static volatile bool running;

/* The thread's alone while `running`. */
static struct port_scan_frame frame;
static uint32_t period, due; /* ticks; modulo 2^32 */

static uint32_t now(void) {
    uint32_t ticks = 0;
    counter_get_value(clock, &ticks);
    return ticks;
}

static void drive(int row, int level) {
    if (SCAN_ROWS) {
        gpio_pin_set_dt(&rows[row], level);
    }
}

/* A pin that is the interface chip's while no sensor is read. */
static void hold(bool on) {
    gpio_pin_configure_dt(&held, on ? GPIO_INPUT | GPIO_PULL_UP : GPIO_DISCONNECTED);
}

/* All columns into `counts`; false when the ADC refuses. */
static bool convert_row(uint16_t counts[SCAN_COLUMNS], bool calibrate) {
    int16_t raw[SCAN_COLUMNS];
    const struct adc_sequence sequence = {
        .channels = BIT_MASK(SCAN_COLUMNS),
        .buffer = raw,
        .buffer_size = sizeof raw,
        .resolution = RESOLUTION,
        .calibrate = calibrate,
    };
    if (adc_read(columns[0].dev, &sequence) != 0) {
        return false;
    }
    for (int column = 0; column < SCAN_COLUMNS; column++) { /* noise may take it below the ground */
        int count = raw[column];
        counts[column] = (uint16_t)(count < 0 ? 0 : count > PORT_SCAN_FULL ? PORT_SCAN_FULL : count);
    }
    return true;
}

static bool convert_all(void) {
    bool sound = true;
    for (int row = 0; row < ROWS; row++) {
        sound = convert_row(frame.counts + row * SCAN_COLUMNS, false) && sound;
        drive(row, 0);
        drive((row + 1) % ROWS, 1);
        if (row + 1 < ROWS) {
            k_busy_wait(SCAN_SETTLE_US);
        }
    }
    return sound;
}

static void scan(struct k_work *work);
K_WORK_DEFINE(scan_work, scan);

static void on_alarm(const struct device *device, uint8_t channel, uint32_t ticks, void *context) {
    (void)device, (void)channel, (void)ticks, (void)context;
    if (running) {
        k_work_submit_to_queue(&queue, &scan_work);
    }
}

static bool await(uint32_t ticks) {
    const struct counter_alarm_cfg alarm = {
        .callback = on_alarm,
        .ticks = ticks,
        .flags = COUNTER_ALARM_CFG_ABSOLUTE | COUNTER_ALARM_CFG_EXPIRE_WHEN_LATE,
    };
    int refused = counter_set_channel_alarm(clock, CHANNEL, &alarm);
    return refused == 0 || refused == -ETIME; /* late: it comes at once */
}

/* The next frame begins a multiple of the period after the first, however late this one was; periods that
 * are past by then have numbers and no frame. */
static void scan(struct k_work *work) {
    (void)work;
    frame.ticks = now();
    if (convert_all()) {
        k_msgq_put(&frames, &frame, K_NO_WAIT); /* full: lost, a hole in the numbers */
    }
    uint32_t settled = now() + SCAN_SETTLE_US * (tick_hz / 1000000u);
    do {
        due += period;
        frame.number++;
    } while ((int32_t)(due - settled) < 0);
    if (running) {
        await(due);
    }
    k_sem_give(waker);
}

static bool prepare_pins(void) {
    for (int column = 0; column < SCAN_COLUMNS; column++) {
        if (!adc_is_ready_dt(&columns[column]) || adc_channel_setup_dt(&columns[column]) != 0) {
            return false;
        }
    }
    for (int row = 0; row < SCAN_ROWS; row++) {
        if (gpio_pin_configure_dt(&rows[row], GPIO_OUTPUT_INACTIVE) != 0) {
            return false;
        }
    }
    return true;
}

/* Once, at the first start; false when a driver refuses. */
static bool prepare(void) {
    if (row_ticks) {
        return true;
    }
    if (!prepare_pins() || !convert_row(frame.counts, true)) {
        return false;
    }
    uint32_t begin = now();
    if (!convert_row(frame.counts, false)) {
        return false;
    }
    row_ticks = now() - begin + 1;
    return true;
}

uint32_t scan_init(struct k_sem *wake) {
    waker = wake;
    hold(true);
    if (!device_is_ready(clock) || counter_start(clock) != 0) {
        return 0;
    }
    counter_set_guard_period(clock, UINT32_MAX / 2, COUNTER_GUARD_PERIOD_LATE_TO_SET);
    k_work_queue_start(&queue, stack, K_THREAD_STACK_SIZEOF(stack), K_PRIO_COOP(0), NULL);
    tick_hz = counter_get_frequency(clock);
    return tick_hz;
}

uint32_t port_scan_start(uint32_t rate_mhz) {
    port_scan_stop();
    uint32_t us = tick_hz / 1000000u;
    uint64_t ticks = rate_mhz ? (1000ull * tick_hz + rate_mhz / 2) / rate_mhz : 0;
    hold(false);
    if (ticks > INT32_MAX || !ticks || !prepare() ||
        ticks < ENTRY_US * us + ROWS * (row_ticks + SCAN_SETTLE_US * us)) {
        hold(true);
        return 0;
    }
    period = (uint32_t)ticks;
    frame.number = 0;
    drive(0, 1);
    due = now() + period;
    running = true;
    if (!await(due)) {
        port_scan_stop();
        return 0;
    }
    return (uint32_t)((1000ull * tick_hz + period / 2) / period);
}

void port_scan_stop(void) {
    struct k_work_sync sync;
    if (running) {
        running = false;
        k_work_cancel_sync(&scan_work, &sync); /* a scan under way ends first, and sets no alarm */
        counter_cancel_channel_alarm(clock, CHANNEL);
        drive(0, 0);
        k_msgq_purge(&frames);
        hold(true);
    }
}

bool port_scan_fetch(struct port_scan_frame *into) {
    return k_msgq_get(&frames, into, K_NO_WAIT) == 0;
}

uint32_t port_scan_ticks(void) {
    return now();
}

bool scan_has_frame(void) {
    return k_msgq_num_used_get(&frames) > 0;
}

#endif
