/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h: what becomes of an exception: a record in RTC RAM, which survives a reset, and a reset.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>

/* Where exceptions enter. */
void fault_entry(void);

/* Called once at start: forgets the record after a power cut, and notes a watchdog that bit. */
void fault_init(bool power_on, bool watchdog);

/* main() came back. */
_Noreturn void fault_main_returned(void);

#endif
