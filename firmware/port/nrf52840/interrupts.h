/* SPDX-License-Identifier: Apache-2.0
 *
 * interrupts.h: who may interrupt the main loop, and what they may touch.
 *
 *   priority 0  the watchdog's last word, and every fault: write the fault record, do not come back
 *   priority 1  a step of the scan, the end of a frame: same priority, so they never nest
 *
 * What they share with the main loop: scan.c's ring, and nothing else.
 */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

enum {
    INTERRUPTS_LAST_WORD = 0x00,
    INTERRUPTS_SCAN = 0x20,
};

/* Faults, unexpected interrupts, the watchdog. */
void fault_interrupt(void);

/* TIMER3: the next row or address. */
void scan_step_interrupt(void);

/* SAADC: a frame is complete. */
void scan_frame_interrupt(void);

#endif
