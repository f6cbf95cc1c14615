/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_clock.h: what port.c asks of the scan of sensors.
 */
#ifndef SCAN_CLOCK_H
#define SCAN_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <zephyr/kernel.h>

/* Starts the clock that starts scans and stamps frames; returns its ticks per second, 0 without sensors.
 * While a scan runs `wake` is given once a period, with a frame or without. */
uint32_t scan_init(struct k_sem *wake);

/* True if port_scan_fetch() would give a frame. */
bool scan_has_frame(void);

#endif
