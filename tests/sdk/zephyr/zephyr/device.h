/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct device {
    const char *name;
};
extern const struct device device_edgegrf_uart, device_edgegrf_clock, device_watchdog0;
#define DT_CHOSEN(name) device_##name
#define DT_ALIAS(name) device_##name
#define DEVICE_DT_GET(node) (&node)
#define DT_PATH(node) node
/* the properties of the nrf52840dk's overlay: 8 channels, 16 rows */
#define DT_FOREACH_PROP_ELEM(node, property, each) each_of_##property(node, property, each)
#define each_of_io_channels(n, p, f) f(n, p, 0) f(n, p, 1) f(n, p, 2) f(n, p, 3) each_of_last_4(n, p, f)
#define each_of_last_4(n, p, f) f(n, p, 4) f(n, p, 5) f(n, p, 6) f(n, p, 7)
#define each_of_row_gpios(n, p, f) each_of_io_channels(n, p, f) each_of_next_4(n, p, f) each_of_end_4(n, p, f)
#define each_of_next_4(n, p, f) f(n, p, 8) f(n, p, 9) f(n, p, 10) f(n, p, 11)
#define each_of_end_4(n, p, f) f(n, p, 12) f(n, p, 13) f(n, p, 14) f(n, p, 15)
bool device_is_ready(const struct device *device);
