/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the parts of Zephyr that scan.c stands on, in simulated microseconds: a counter with one alarm, an
 * ADC whose counts tell row and column, pins, a message queue, a work queue that is served at once.
 */
#include <errno.h>
#include <string.h>
#include <zephyr/drivers/adc.h>
#include <zephyr/drivers/counter.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/kernel.h>

#include "play_pins.h"
#include "scan_clock.h"

enum { HELD = 63 };

/* set by the test */
uint32_t play_latency_us, play_conversion_us = 15;
int play_fails; /* conversions of a row from here on that fail */

/* looked at by the test */
uint64_t play_now;
uint32_t play_early; /* rows that were converted before they had settled for 10 us */
uint32_t play_most_rows;
uint32_t play_held; /* the pin that is held up between scans is */
uint32_t play_wakes;

const struct device device_edgegrf_uart, device_edgegrf_clock, device_watchdog0, device_adc, device_gpio;

static struct counter_alarm_cfg alarm;
static uint64_t alarm_at;
static bool armed, started;
static struct k_sem waker;

__attribute__((constructor)) static void boot(void) {
    scan_init(&waker);
}

/* Time passes until `until`; each alarm is served `play_latency_us` after it is due. */
void play(uint64_t until) {
    while (armed && alarm_at + play_latency_us <= until) {
        play_now = alarm_at + play_latency_us > play_now ? alarm_at + play_latency_us : play_now;
        armed = false;
        alarm.callback(&device_edgegrf_clock, 0, (uint32_t)alarm_at, alarm.user_data);
    }
    play_now = until > play_now ? until : play_now;
}

bool device_is_ready(const struct device *device) {
    return device == &device_edgegrf_clock;
}

int counter_start(const struct device *device) {
    (void)device;
    started = true;
    return 0;
}

int counter_get_value(const struct device *device, uint32_t *ticks) {
    (void)device;
    *ticks = (uint32_t)play_now;
    return started ? 0 : -EINVAL;
}

uint32_t counter_get_frequency(const struct device *device) {
    (void)device;
    return 1000000;
}

int counter_set_guard_period(const struct device *device, uint32_t ticks, uint32_t flags) {
    (void)device, (void)ticks, (void)flags;
    return 0;
}

int counter_set_channel_alarm(const struct device *device, uint8_t channel,
                              const struct counter_alarm_cfg *config) {
    (void)device, (void)channel;
    int32_t ahead = (int32_t)(config->ticks - (uint32_t)play_now);
    if (armed) {
        return -EBUSY;
    }
    alarm = *config;
    alarm_at = ahead > 0 ? play_now + (uint32_t)ahead : play_now;
    armed = true;
    return ahead > 0 ? 0 : -ETIME;
}

int counter_cancel_channel_alarm(const struct device *device, uint8_t channel) {
    (void)device, (void)channel;
    armed = false;
    return 0;
}

bool adc_is_ready_dt(const struct adc_dt_spec *spec) {
    return spec->dev == &device_adc;
}

int adc_channel_setup_dt(const struct adc_dt_spec *spec) {
    return spec->channel_id < 8 ? 0 : -EINVAL;
}

/* 80 for each pin number, 1 for each channel. */
int adc_read(const struct device *device, const struct adc_sequence *sequence) {
    (void)device;
    uint32_t rows;
    int row = driven_row(&rows);
    int16_t *into = sequence->buffer;
    play_most_rows = rows > play_most_rows ? rows : play_most_rows;
    play_early += row >= 0 && play_now - driven_at[row] < 10;
    for (int channel = 0; channel < 32; channel++) {
        if (sequence->channels >> channel & 1u) {
            play_now += play_conversion_us;
            *into++ = (int16_t)(80 * (row + 1) + channel);
        }
    }
    play_fails -= play_fails > 0;
    return play_fails ? -EIO : 0;
}

int gpio_pin_configure_dt(const struct gpio_dt_spec *spec, gpio_flags_t flags) {
    if (spec->pin == HELD) {
        play_held = (flags & GPIO_PULL_UP) != 0;
    }
    return 0;
}

int gpio_pin_set_dt(const struct gpio_dt_spec *spec, int level) {
    driven_at[spec->pin] = play_now;
    high[spec->pin] = level != 0;
    return 0;
}

void k_busy_wait(uint32_t us) {
    play_now += us;
}

void k_sem_give(struct k_sem *sem) {
    play_wakes += sem == &waker;
}

int k_msgq_put(struct k_msgq *queue, const void *item, k_timeout_t timeout) {
    (void)timeout;
    if (queue->used == queue->room) {
        return -ENOMSG;
    }
    memcpy(queue->buffer + queue->size * queue->used++, item, queue->size);
    return 0;
}

int k_msgq_get(struct k_msgq *queue, void *item, k_timeout_t timeout) {
    (void)timeout;
    if (!queue->used) {
        return -ENOMSG;
    }
    memcpy(item, queue->buffer, queue->size);
    memmove(queue->buffer, queue->buffer + queue->size, queue->size * --queue->used);
    return 0;
}

uint32_t k_msgq_num_used_get(struct k_msgq *queue) {
    return queue->used;
}

void k_msgq_purge(struct k_msgq *queue) {
    queue->used = 0;
}

void k_work_queue_start(struct k_work_q *queue, k_thread_stack_t *stack, size_t size, int priority,
                        const struct k_work_queue_config *config) {
    (void)stack, (void)size, (void)priority, (void)config;
    queue->started = 1;
}

int k_work_submit_to_queue(struct k_work_q *queue, struct k_work *work) {
    if (queue->started) {
        work->handler(work);
    }
    return 1;
}

bool k_work_cancel_sync(struct k_work *work, struct k_work_sync *sync) {
    (void)work, (void)sync;
    return false;
}
