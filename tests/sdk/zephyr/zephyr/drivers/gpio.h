/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include "zephyr/device.h"

typedef uint32_t gpio_flags_t;
#define GPIO_DISCONNECTED 0u
#define GPIO_PULL_UP (1u << 4)
#define GPIO_INPUT (1u << 16)
#define GPIO_OUTPUT_INACTIVE (1u << 17 | 1u << 18)

struct gpio_dt_spec {
    const struct device *port;
    uint8_t pin;
    uint16_t dt_flags;
};
extern const struct device device_gpio;
/* pins as the index in their property, `held-gpios` beyond them */
#define GPIO_DT_SPEC_GET_BY_IDX(node, property, index) {&device_gpio, (index), 0}
#define GPIO_DT_SPEC_GET(node, property) {&device_gpio, 63, 0}
int gpio_pin_configure_dt(const struct gpio_dt_spec *spec, gpio_flags_t flags);
int gpio_pin_set_dt(const struct gpio_dt_spec *spec, int level);
