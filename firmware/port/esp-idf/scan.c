/* SPDX-License-Identifier: Apache-2.0
 *
 * The scan: a general-purpose timer's interrupt converts the inputs on ADC1, and stamps the frame with that
 * timer as it begins.  A matrix, or a multiplexer, takes an interrupt a step; while one settles, others are
 * served.
 */
#include "port.h"
#include "scan_clock.h"

#if SCAN_CHANNELS == 0
#include "absent_scan.c"

bool scan_runs(void) {
    return false;
}

bool scan_has_frame(void) {
    return false;
}
#else

#include <driver/gpio.h>
#include <driver/gptimer.h>
#include <esp_adc/adc_oneshot.h>
#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>

enum {
    ENTRY_US = 10, /* from an alarm to its step's first conversion: our estimate */
};

static const int input_channels[] = SCAN_INPUT_PINS; /* of ADC1 */
static const int select_pins[] = SCAN_SELECT_PINS;
static const uint64_t row_levels[] = SCAN_ROW_LEVELS, address_levels[] = SCAN_ADDRESS_LEVELS;

static gptimer_handle_t timer;
static adc_oneshot_unit_handle_t adc;
static QueueHandle_t frames; /* of PORT_SCAN_KEPT struct port_scan_frame, the oldest first */
static uint32_t step_us;     /* that a step's conversions take on this chip */
static volatile bool running;

/* The interrupt's alone while `running`. */
static struct port_scan_frame frame;
static uint64_t due; /* when the frame is to begin */
static uint32_t period;
static int step;
static bool sound;

static uint64_t now(void) {
    uint64_t count = 0;
    gptimer_get_raw_count(timer, &count);
    return count;
}

/* The pins that select: first those that go low, so that two rows are never driven at once. */
static void drive(uint64_t high) {
    for (uint32_t level = 0; level < 2; level++) {
        for (int n = 0; n < SCAN_SELECT_COUNT; n++) {
            if ((high >> select_pins[n] & 1) == level) {
                gpio_set_level((gpio_num_t)select_pins[n], level);
            }
        }
    }
}

static void select_step(int which) {
    step = which;
    drive(row_levels[which / SCAN_ADDRESSES] | address_levels[which % SCAN_ADDRESSES]);
}

/* All inputs into `counts`; false when a conversion failed, which the driver tells by a negative count. */
static bool convert_step(uint16_t counts[SCAN_INPUTS]) {
    for (int input = 0; input < SCAN_INPUTS; input++) {
        int raw = -1;
        if (adc_oneshot_read_isr(adc, (adc_channel_t)input_channels[input], &raw) != ESP_OK || raw < 0) {
            return false;
        }
        counts[input] = (uint16_t)(raw > PORT_SCAN_FULL ? PORT_SCAN_FULL : raw);
    }
    return true;
}

/* The next frame begins a multiple of the period after the first, however late this one was; periods that
 * are past by then have numbers and no frame. */
static void await_period(uint64_t settled) {
    do {
        due += period;
        frame.number++;
    } while (due < settled);
}

static bool on_alarm(gptimer_handle_t from, const gptimer_alarm_event_data_t *event, void *context) {
    (void)context;
    BaseType_t woken = pdFALSE;
    if (!running) {
        return false;
    }
    if (step == 0) {
        frame.ticks = (uint32_t)event->count_value;
        sound = true;
    }
    sound = convert_step(frame.counts + step * SCAN_INPUTS) && sound;
    select_step((step + 1) % SCAN_STEPS);
    gptimer_alarm_config_t next = {.alarm_count = now() + SCAN_SETTLE_US};
    if (step == 0) {
        if (sound) {
            xQueueSendFromISR(frames, &frame, &woken); /* full: lost, a hole in the numbers */
        }
        await_period(next.alarm_count);
        next.alarm_count = due;
    }
    gptimer_set_alarm_action(from, &next);
    return woken == pdTRUE;
}

static bool prepare_adc(void) {
    const adc_oneshot_unit_init_cfg_t unit = {.unit_id = ADC_UNIT_1};
    const adc_oneshot_chan_cfg_t channel = {.atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_12};
    if (adc_oneshot_new_unit(&unit, &adc) != ESP_OK) {
        return false;
    }
    for (int input = 0; input < SCAN_INPUTS; input++) {
        if (adc_oneshot_config_channel(adc, (adc_channel_t)input_channels[input], &channel) != ESP_OK) {
            return false;
        }
    }
    for (int n = 0; n < SCAN_SELECT_COUNT; n++) {
        if (gpio_set_direction((gpio_num_t)select_pins[n], GPIO_MODE_OUTPUT) != ESP_OK) {
            return false;
        }
    }
    drive(0);
    return true;
}

/* The timer counts from here on; only its alarm comes and goes. */
static bool prepare_timer(void) {
    const gptimer_config_t clock = {
        .clk_src = GPTIMER_CLK_SRC_DEFAULT,
        .direction = GPTIMER_COUNT_UP,
        .resolution_hz = SCAN_CLOCK_HZ,
    };
    const gptimer_event_callbacks_t callbacks = {.on_alarm = on_alarm};
    return gptimer_new_timer(&clock, &timer) == ESP_OK &&
           gptimer_register_event_callbacks(timer, &callbacks, NULL) == ESP_OK &&
           gptimer_enable(timer) == ESP_OK && gptimer_start(timer) == ESP_OK;
}

/* Once, at the first start; false when a driver refuses, or the ADC is slower than the UART's FIFO bears. */
static bool prepare(void) {
    static bool prepared;
    if (step_us) {
        return true;
    }
    if (!prepared) {
        frames = frames ? frames : xQueueCreate(PORT_SCAN_KEPT, sizeof(struct port_scan_frame));
        prepared = frames && prepare_adc() && prepare_timer();
        if (!prepared) {
            return false;
        }
    }
    uint64_t begin = now();
    if (!convert_step(frame.counts)) {
        return false;
    }
    uint32_t took = (uint32_t)(now() - begin) + 1;
    step_us = took + ENTRY_US <= SCAN_CLOCK_LONGEST_US ? took : 0;
    return step_us != 0;
}

uint32_t port_scan_start(uint32_t rate_mhz) {
    port_scan_stop();
    if (!rate_mhz || !prepare()) {
        return 0;
    }
    period = (uint32_t)((1000ull * SCAN_CLOCK_HZ + rate_mhz / 2) / rate_mhz);
    if (period < SCAN_STEPS * (ENTRY_US + step_us + SCAN_SETTLE_US)) {
        return 0;
    }
    frame.number = 0;
    select_step(0);
    due = now() + period;
    const gptimer_alarm_config_t alarm = {.alarm_count = due};
    running = true;
    if (gptimer_set_alarm_action(timer, &alarm) != ESP_OK) {
        port_scan_stop();
        return 0;
    }
    return (uint32_t)((1000ull * SCAN_CLOCK_HZ + period / 2) / period);
}

void port_scan_stop(void) {
    if (running) {
        running = false; /* an alarm that is pending already finds it so: it is served by this core */
        gptimer_set_alarm_action(timer, NULL);
        drive(0);
        xQueueReset(frames);
    }
}

bool port_scan_fetch(struct port_scan_frame *into) {
    return frames && xQueueReceive(frames, into, 0) == pdTRUE;
}

uint32_t port_scan_ticks(void) {
    return timer ? (uint32_t)now() : 0;
}

bool scan_runs(void) {
    return running;
}

bool scan_has_frame(void) {
    return frames && uxQueueMessagesWaiting(frames) > 0;
}

#endif
