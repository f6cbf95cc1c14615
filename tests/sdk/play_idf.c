/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the parts of ESP-IDF that scan.c stands on, in simulated microseconds: a timer with one alarm, an ADC
 * whose count tells row and column, pins, a queue.
 */
#include <driver/gpio.h>
#include <driver/gptimer.h>
#include <esp_adc/adc_oneshot.h>
#include <freertos/queue.h>
#include <string.h>

#include "play_pins.h"

enum { MOST = 4096 };

/* set by the test */
uint32_t play_latency_us, play_conversion_us = 15;
int play_fails;             /* conversions from here on that fail */
uint32_t play_shows_levels; /* 1: a count tells the levels of pins 0 to 11, not row and column */

/* looked at by the test */
uint64_t play_now;
uint32_t play_early; /* conversions before their row had settled for 10 us */
uint32_t play_most_rows;

static gptimer_alarm_cb_t on_alarm;
static uint64_t alarm;
static bool armed;
static uint8_t kept[MOST];
static size_t count, room, size;

/* Time passes until `until`; each alarm is served `play_latency_us` after it is due. */
void play(uint64_t until) {
    while (armed && alarm + play_latency_us <= until) {
        const gptimer_alarm_event_data_t event = {
            .count_value = alarm + play_latency_us > play_now ? alarm + play_latency_us : play_now,
            .alarm_value = alarm,
        };
        play_now = event.count_value;
        armed = false;
        on_alarm(NULL, &event, NULL);
    }
    play_now = until > play_now ? until : play_now;
}

esp_err_t gptimer_new_timer(const gptimer_config_t *config, gptimer_handle_t *timer) {
    *timer = (gptimer_handle_t)&alarm;
    return config->resolution_hz == 1000000 ? ESP_OK : ESP_FAIL;
}

esp_err_t gptimer_register_event_callbacks(gptimer_handle_t timer, const gptimer_event_callbacks_t *callbacks,
                                           void *context) {
    (void)timer, (void)context;
    on_alarm = callbacks->on_alarm;
    return ESP_OK;
}

esp_err_t gptimer_enable(gptimer_handle_t timer) {
    (void)timer;
    return ESP_OK;
}

esp_err_t gptimer_start(gptimer_handle_t timer) {
    (void)timer;
    return ESP_OK;
}

esp_err_t gptimer_get_raw_count(gptimer_handle_t timer, uint64_t *now) {
    (void)timer;
    *now = play_now;
    return ESP_OK;
}

esp_err_t gptimer_set_alarm_action(gptimer_handle_t timer, const gptimer_alarm_config_t *config) {
    (void)timer;
    armed = config != NULL;
    alarm = config ? config->alarm_count : 0;
    return ESP_OK;
}

esp_err_t adc_oneshot_new_unit(const adc_oneshot_unit_init_cfg_t *config, adc_oneshot_unit_handle_t *unit) {
    (void)config;
    *unit = (adc_oneshot_unit_handle_t)&alarm;
    return ESP_OK;
}

esp_err_t adc_oneshot_config_channel(adc_oneshot_unit_handle_t unit, adc_channel_t channel,
                                     const adc_oneshot_chan_cfg_t *config) {
    (void)unit, (void)channel, (void)config;
    return ESP_OK;
}

/* 80 for each pin number, 1 for each channel. */
esp_err_t adc_oneshot_read_isr(adc_oneshot_unit_handle_t unit, adc_channel_t channel, int *raw) {
    (void)unit;
    uint32_t rows;
    int row = driven_row(&rows);
    play_most_rows = rows > play_most_rows ? rows : play_most_rows;
    play_early += row >= 0 && play_now - driven_at[row] < 10;
    play_now += play_conversion_us;
    if (play_shows_levels) {
        *raw = 0;
        for (int pin = 0; pin < 12; pin++) {
            *raw |= high[pin] << pin;
        }
        return ESP_OK;
    }
    *raw = play_fails > 0 ? -1 : 80 * (row + 1) + (int)channel;
    play_fails -= play_fails > 0;
    return ESP_OK;
}

esp_err_t gpio_set_direction(gpio_num_t pin, gpio_mode_t mode) {
    (void)mode;
    return pin < PINS ? ESP_OK : ESP_FAIL;
}

esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level) {
    driven_at[pin] = play_now;
    high[pin] = level != 0;
    return ESP_OK;
}

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size) {
    room = length;
    size = item_size;
    return length * item_size <= sizeof kept ? (QueueHandle_t)kept : NULL;
}

BaseType_t xQueueSendFromISR(QueueHandle_t queue, const void *item, BaseType_t *woken) {
    (void)queue, (void)woken;
    if (count == room) {
        return pdFALSE;
    }
    memcpy(kept + size * count++, item, size);
    return pdTRUE;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t wait) {
    (void)queue, (void)wait;
    if (!count) {
        return pdFALSE;
    }
    memcpy(item, kept, size);
    memmove(kept, kept + size, size * --count);
    return pdTRUE;
}

BaseType_t xQueueReset(QueueHandle_t queue) {
    (void)queue;
    count = 0;
    return pdPASS;
}

UBaseType_t uxQueueMessagesWaiting(QueueHandle_t queue) {
    (void)queue;
    return (UBaseType_t)count;
}
