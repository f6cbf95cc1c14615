/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stdint.h>

struct device {
    const char *name;
};
extern const struct device device_edgegrf_uart, device_watchdog0;
#define DT_CHOSEN(name) device_##name
#define DT_ALIAS(name) device_##name
#define DEVICE_DT_GET(node) (&node)
