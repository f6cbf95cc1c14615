/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_task.h: the scan of sensors as a task of its own, woken by a hardware timer.
 */
#ifndef SCAN_TASK_H
#define SCAN_TASK_H

#include <stdbool.h>

enum {
    SCAN_TASK_TICK_HZ = 1000000, /* of the timer that wakes it and stamps frames */
};

/* True from port_scan_start() to port_scan_stop(). */
bool scan_task_runs(void);

/* True if port_scan_fetch() would give a frame. */
bool scan_task_has_frame(void);

#endif
