/* SPDX-License-Identifier: Apache-2.0
 *
 * live.h: the insole, scanned, estimated and sent as it happens (SPEC.md section 8).
 *
 * Idle until START.  While it runs, live_turn() takes one frame of sensors per call, brings it to the model's
 * code, steps the model and sends a LIVE frame; STOP, a HELLO, or a host that is no longer heard ends it.
 */
#ifndef LIVE_H
#define LIVE_H

#include "request.h"

enum live_content {                    /* of START and of LIVE frames */
                    LIVE_RAW = 1,      /* counts, 12 bits each */
                    LIVE_PRESSURE = 2, /* in the model's code */
                    LIVE_ESTIMATE = 4, /* the model runs */
};

enum live_flag { /* of a LIVE frame and, but for the first two, of STATUS */
                 LIVE_HAS_ESTIMATE = 1,
                 LIVE_HAS_FAULTS = 2, /* two maps of sensors follow: open, saturated */
                 LIVE_STUCK = 4,      /* no count has changed for a second: the ADC converts nothing new */
                 LIVE_SILENT = 8,     /* no frame came; this one holds no sample */
                 LIVE_MISSED = 16,    /* the estimate was ready only after the next sample was taken */
                 LIVE_UNCALIBRATED = 32,
                 LIVE_OFF_RATE = 64, /* the scan does not run at the rate that the model was made for */
                 LIVE_RUNNING = 128, /* STATUS only */
};

enum live_end {
    LIVE_NEVER_RAN = 0,
    LIVE_STOPPED = 1,
    LIVE_HOST_GONE = 2,
    LIVE_TAKEN_OVER = 3, /* by a HELLO, or a command in text */
};

/* True while frames may come unasked. */
bool live_running(void);

/* Something was heard from the host. */
void live_heard(void);

/* Ends the scan, if one runs. */
void live_end(enum live_end cause);

/* Does at most one frame's work; returns true if it did any, so that the caller does not sleep. */
bool live_turn(void);

/* Handlers of START, STOP, STATUS, SCAN. */
request_handler live_start, live_stop, live_status, live_scan;

#endif
