/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include "zephyr/device.h"

#define COUNTER_ALARM_CFG_ABSOLUTE (1u << 0)
#define COUNTER_ALARM_CFG_EXPIRE_WHEN_LATE (1u << 1)
#define COUNTER_GUARD_PERIOD_LATE_TO_SET (1u << 0)

typedef void (*counter_alarm_callback_t)(const struct device *device, uint8_t channel, uint32_t ticks,
                                         void *context);
struct counter_alarm_cfg {
    counter_alarm_callback_t callback;
    uint32_t ticks;
    void *user_data;
    uint32_t flags;
};
int counter_start(const struct device *device);
int counter_get_value(const struct device *device, uint32_t *ticks);
uint32_t counter_get_frequency(const struct device *device);
int counter_set_guard_period(const struct device *device, uint32_t ticks, uint32_t flags);
int counter_set_channel_alarm(const struct device *device, uint8_t channel,
                              const struct counter_alarm_cfg *alarm);
int counter_cancel_channel_alarm(const struct device *device, uint8_t channel);
