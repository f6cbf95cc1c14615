/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/esp-idf uses of ESP-IDF 5.3, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
enum { ESP_OK = 0, ESP_FAIL = -1 };
void esp_error_abort(esp_err_t code);
#define ESP_ERROR_CHECK(x)                                                                                   \
    do {                                                                                                     \
        esp_err_t code_ = (x);                                                                               \
        if (code_ != ESP_OK) {                                                                               \
            esp_error_abort(code_);                                                                          \
        }                                                                                                    \
    } while (0)
