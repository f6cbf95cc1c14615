/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/esp-idf uses of ESP-IDF 5.3, declared after its documentation; nothing is defined.
 */
#pragma once

#include "esp_err.h"

esp_err_t esp_efuse_mac_get_default(uint8_t *mac);
