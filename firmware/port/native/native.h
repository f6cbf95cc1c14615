/* SPDX-License-Identifier: Apache-2.0
 *
 * native.h: what the files of this port share.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <stdint.h>

enum {
    SCAN_TICK_HZ = 10000000,
};

/* Nanoseconds of the monotonic clock. */
uint64_t clock_ns(void);

/* Opens the recording that plays the insole: EDGEGRF_INSOLE, frames of SCAN_CHANNELS u16 counts in the
 * host's byte order, repeated for ever.  Without it an unloaded insole lies on the desk. */
void scan_init(void);

/* Milliseconds until the next frame, at least 0; -1 when no scan runs. */
int scan_wait_ms(void);

/* Opens the file that plays the flash: EDGEGRF_STORE, made when it is not there.  Without it the store is
 * lost when the process ends.  EDGEGRF_POWER_CUT=n ends the process in the middle of the n-th (1, 2, ...)
 * erase or word written, with code STORE_POWER_CUT. */
void store_init(void);

enum {
    STORE_POWER_CUT = 75,
};

#endif
