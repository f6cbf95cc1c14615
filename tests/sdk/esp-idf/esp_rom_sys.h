/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/esp-idf uses of ESP-IDF 5.3, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stdint.h>

uint32_t esp_rom_get_cpu_ticks_per_us(void);
