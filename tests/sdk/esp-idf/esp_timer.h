/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/esp-idf uses of ESP-IDF 5.3, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stdint.h>

int64_t esp_timer_get_time(void);
