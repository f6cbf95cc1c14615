/* SPDX-License-Identifier: Apache-2.0
 *
 * chip.h: what ../chip.h promises of test programs, on the ESP32-C3.
 */
#ifndef CHIP_H
#define CHIP_H

#include <stdint.h>

void uart_on(void);
void uart_send(const void *data, uint32_t length);
void program(void);

#endif
