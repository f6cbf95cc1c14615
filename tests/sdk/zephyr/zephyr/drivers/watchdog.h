/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stdint.h>
#include <zephyr/device.h>

#define WDT_FLAG_RESET_SOC (2u)
#define WDT_OPT_PAUSE_HALTED_BY_DBG (2u)
struct wdt_window {
    uint32_t min, max;
};
typedef void (*wdt_callback_t)(const struct device *device, int channel);
struct wdt_timeout_cfg {
    struct wdt_window window;
    wdt_callback_t callback;
    uint8_t flags;
};
int wdt_install_timeout(const struct device *device, const struct wdt_timeout_cfg *limit);
int wdt_setup(const struct device *device, uint8_t options);
int wdt_feed(const struct device *device, int channel);
