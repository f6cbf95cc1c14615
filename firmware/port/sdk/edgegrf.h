/* SPDX-License-Identifier: Apache-2.0
 *
 * edgegrf.h: the firmware as a component of an SDK's application.
 */
#ifndef EDGEGRF_H
#define EDGEGRF_H

/* Takes the UART that Kconfig or the devicetree names and answers SPEC.md on it; never comes back.  The
 * calling task is watched by the watchdog; its stack needs 4 KiB, 8 KiB with TFLite Micro. */
int edgegrf_run(void);

#endif
