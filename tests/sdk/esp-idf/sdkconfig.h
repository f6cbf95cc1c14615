/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/esp-idf uses of ESP-IDF 5.3, declared after its documentation; nothing is defined.
 */
#pragma once

#define CONFIG_EDGEGRF_UART 0
#define CONFIG_EDGEGRF_TX_PIN -1
#define CONFIG_EDGEGRF_RX_PIN -1
#define CONFIG_ESP_MAIN_TASK_STACK_SIZE 8192
