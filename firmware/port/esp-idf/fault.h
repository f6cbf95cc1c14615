/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h: what stopped the firmware before the last reset, in memory that a reset leaves alone.
 */
#ifndef FAULT_H
#define FAULT_H

#include "port.h"

/* Called once at start-up with what the reset was. */
void fault_note(enum port_reset_cause cause);

#endif
