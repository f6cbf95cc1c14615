/* SPDX-License-Identifier: Apache-2.0
 *
 * The scan: a general-purpose timer wakes a task above all others, which drives the rows and converts the
 * columns on ADC1, one after the other, and stamps the frame with the same timer.
 */
#include "port.h"
#include "scan_task.h"

#if SCAN_CHANNELS == 0
#include "absent_scan.c"

bool scan_task_runs(void) {
    return false;
}

bool scan_task_has_frame(void) {
    return false;
}
#else

#include <driver/gpio.h>
#include <driver/gptimer.h>
#include <esp_adc/adc_oneshot.h>
#include <esp_rom_sys.h>
#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>
#include <freertos/task.h>
#include <sdkconfig.h>

enum {
    STACK = 3072,
    ROWS = SCAN_ROWS ? SCAN_ROWS : 1,
    SHORTEST_CONVERSION_US = 20, /* of adc_oneshot_read(), driver included: our estimate */
    SHORTEST_SCAN_US = ROWS * (SCAN_SETTLE_US + SCAN_COLUMNS * SHORTEST_CONVERSION_US),
};

static const int column_channels[] = SCAN_COLUMN_PINS; /* of ADC1 */
static const int row_pins[] = SCAN_ROW_PINS;

static gptimer_handle_t timer;
static adc_oneshot_unit_handle_t adc;
static TaskHandle_t task;
static QueueHandle_t frames; /* of PORT_SCAN_KEPT struct port_scan_frame, the oldest first */
static uint32_t period;      /* ticks */
static volatile bool running;
static volatile uint32_t ticked; /* periods since port_scan_start(), counted by the timer's interrupt */

/* The timer runs on, so that it stamps frames; the next alarm is a period after this one, however late we
 * are. */
static bool on_alarm(gptimer_handle_t from, const gptimer_alarm_event_data_t *event, void *context) {
    (void)context;
    BaseType_t woken = pdFALSE;
    const gptimer_alarm_config_t next = {.alarm_count = event->alarm_value + period};
    gptimer_set_alarm_action(from, &next);
    ticked = ticked + 1;
    vTaskNotifyGiveFromISR(task, &woken);
    return woken == pdTRUE;
}

static uint32_t now(void) {
    uint64_t count = 0;
    gptimer_get_raw_count(timer, &count);
    return (uint32_t)count;
}

/* All columns of one row into `counts`; false when a conversion failed. */
static bool convert_row(uint16_t counts[SCAN_COLUMNS]) {
    for (int column = 0; column < SCAN_COLUMNS; column++) {
        int raw;
        if (SCAN_ROWS == 0) {
            esp_rom_delay_us(SCAN_SETTLE_US);
        }
        if (adc_oneshot_read(adc, (adc_channel_t)column_channels[column], &raw) != ESP_OK) {
            return false;
        }
        counts[column] = (uint16_t)(raw < 0 ? 0 : raw > PORT_SCAN_FULL ? PORT_SCAN_FULL : raw);
    }
    return true;
}

static bool scan(struct port_scan_frame *frame) {
    frame->ticks = now();
    if (SCAN_ROWS == 0) {
        return convert_row(frame->counts);
    }
    bool sound = true;
    for (int row = 0; row < SCAN_ROWS && sound; row++) {
        gpio_set_level((gpio_num_t)row_pins[row], 1);
        esp_rom_delay_us(SCAN_SETTLE_US);
        sound = convert_row(frame->counts + row * SCAN_COLUMNS);
        gpio_set_level((gpio_num_t)row_pins[row], 0);
    }
    return sound;
}

static void scan_forever(void *context) {
    static struct port_scan_frame frame, oldest;
    (void)context;
    for (;;) {
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        if (!running) {
            continue;
        }
        frame.number = ticked - 1;
        if (scan(&frame) && running && xQueueSend(frames, &frame, 0) != pdTRUE) {
            xQueueReceive(frames, &oldest, 0);
            xQueueSend(frames, &frame, 0);
        }
    }
}

static bool prepare_adc(void) {
    const adc_oneshot_unit_init_cfg_t unit = {.unit_id = ADC_UNIT_1};
    const adc_oneshot_chan_cfg_t channel = {.atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_12};
    if (adc_oneshot_new_unit(&unit, &adc) != ESP_OK) {
        return false;
    }
    for (int column = 0; column < SCAN_COLUMNS; column++) {
        if (adc_oneshot_config_channel(adc, (adc_channel_t)column_channels[column], &channel) != ESP_OK) {
            return false;
        }
    }
    for (int row = 0; row < SCAN_ROWS; row++) {
        if (gpio_set_direction((gpio_num_t)row_pins[row], GPIO_MODE_OUTPUT) != ESP_OK) {
            return false;
        }
        gpio_set_level((gpio_num_t)row_pins[row], 0);
    }
    return true;
}

/* Once, at the first start; false when the driver refuses. */
static bool prepare(void) {
    const gptimer_config_t clock = {
        .clk_src = GPTIMER_CLK_SRC_DEFAULT,
        .direction = GPTIMER_COUNT_UP,
        .resolution_hz = SCAN_TASK_TICK_HZ,
    };
    const gptimer_event_callbacks_t callbacks = {.on_alarm = on_alarm};
    if (task) {
        return true;
    }
    frames = xQueueCreate(PORT_SCAN_KEPT, sizeof(struct port_scan_frame));
    if (!frames || !prepare_adc() || gptimer_new_timer(&clock, &timer) != ESP_OK ||
        gptimer_register_event_callbacks(timer, &callbacks, NULL) != ESP_OK ||
        gptimer_enable(timer) != ESP_OK) {
        return false;
    }
    return xTaskCreate(scan_forever, "scan", STACK, NULL, CONFIG_EDGEGRF_SCAN_PRIORITY, &task) == pdPASS;
}

uint32_t port_scan_start(uint32_t rate_mhz) {
    port_scan_stop();
    period = rate_mhz ? (uint32_t)((1000ull * SCAN_TASK_TICK_HZ + rate_mhz / 2) / rate_mhz) : 0;
    if (period < SHORTEST_SCAN_US || !prepare()) {
        return 0;
    }
    const gptimer_alarm_config_t alarm = {.alarm_count = period};
    ticked = 0;
    running = true;
    xQueueReset(frames);
    if (gptimer_set_raw_count(timer, 0) != ESP_OK || gptimer_set_alarm_action(timer, &alarm) != ESP_OK ||
        gptimer_start(timer) != ESP_OK) {
        running = false;
        return 0;
    }
    return (uint32_t)(1000ull * SCAN_TASK_TICK_HZ / period);
}

void port_scan_stop(void) {
    if (running) {
        running = false;
        gptimer_stop(timer);
        xQueueReset(frames);
    }
}

bool port_scan_fetch(struct port_scan_frame *frame) {
    return frames && xQueueReceive(frames, frame, 0) == pdTRUE;
}

uint32_t port_scan_ticks(void) {
    return timer ? now() : 0;
}

bool scan_task_runs(void) {
    return running;
}

bool scan_task_has_frame(void) {
    return frames && uxQueueMessagesWaiting(frames) > 0;
}

#endif
