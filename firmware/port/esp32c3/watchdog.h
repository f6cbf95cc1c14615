/* SPDX-License-Identifier: Apache-2.0
 *
 * watchdog.h: timer group 0's watchdog bites after 8 seconds; the four that the ROM leaves running are
 * stopped.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

/* Stops those that guard the boot. */
void watchdog_stop_all(void);

/* Runs from now on; needs the PLL's clock. */
void watchdog_start(void);
void watchdog_feed(void);

/* While the core sleeps, which the watchdog itself does not notice. */
void watchdog_pause(void);
void watchdog_resume(void);

#endif
