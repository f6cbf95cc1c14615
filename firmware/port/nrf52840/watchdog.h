/* SPDX-License-Identifier: Apache-2.0
 *
 * watchdog.h: resets a firmware that is awake for ten seconds without coming round its main loop.
 *
 * It stands still while the core sleeps, so nothing must wake the core to feed it, and while a debugger
 * has halted it.  61 us before the reset its interrupt writes down where the core was.  It runs on the
 * low-frequency RC oscillator (up to 5 % off), which it starts by itself and which nothing else needs.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

void watchdog_start(void);

#endif
