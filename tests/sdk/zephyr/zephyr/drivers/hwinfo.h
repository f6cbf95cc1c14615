/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RESET_PIN (1u << 0)
#define RESET_SOFTWARE (1u << 1)
#define RESET_BROWNOUT (1u << 2)
#define RESET_POR (1u << 3)
#define RESET_WATCHDOG (1u << 4)
#define RESET_CPU_LOCKUP (1u << 7)
ssize_t hwinfo_get_device_id(uint8_t *buffer, size_t length);
int hwinfo_get_reset_cause(uint32_t *cause);
int hwinfo_clear_reset_cause(void);
