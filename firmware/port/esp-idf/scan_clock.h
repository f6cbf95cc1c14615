/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_clock.h: what port.c asks of the scan of sensors.
 */
#ifndef SCAN_CLOCK_H
#define SCAN_CLOCK_H

#include <stdbool.h>

enum {
    SCAN_CLOCK_HZ = 1000000,      /* of the timer that starts scans and stamps frames */
    SCAN_CLOCK_LONGEST_US = 1000, /* that its interrupt may take: a row's conversions */
};

/* True from port_scan_start() to port_scan_stop(). */
bool scan_runs(void);

/* True if port_scan_fetch() would give a frame. */
bool scan_has_frame(void);

#endif
