/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_driver.h: the insole by SAADC, EasyDMA, timers and PPI; the core only names buffers and steps.
 *
 * Sample clock: TIMER2 at 16 MHz clears itself each period, and PPI leads its event to SAADC.SAMPLE, so no
 * code delays a conversion.  SAADC converts all inputs and writes them by DMA; when the frame is whole its
 * END starts the next buffer, again by PPI.  TIMER4 runs freely and is captured, by PPI, as a frame begins
 * and as it ends: these are the stamps.
 *
 * A matrix, or multiplexers: the sample clock starts TIMER3 instead, which asks for a conversion SETTLE after
 * it was cleared and clears itself SLOT after.  Each time it does, scan_step_interrupt() selects the next
 * step: row, address, or both (scan.h).
 *
 *   The bound: from TIMER3's event to the pins it takes the core's interrupt latency (12 cycles), the
 *   rest of an interrupt of the same priority (there is none then: a frame's end is a slot away), the
 *   watchdog's last word (after which nothing matters) and some 50 cycles of the handler: 1 us.  Main code
 *   never masks interrupts; only a flash page that is erased or written (store.c) stalls the core for longer.
 *   4 us are allowed, and measured by TIMER3 itself: a step that was later makes its frame a lost one.
 *
 * The ring: slots are filled in order.  While one is being filled, RESULT.PTR already names the next one, if
 * it is free.  What is shared:
 *
 *   filled   written by scan_frame_interrupt(), after the slot it publishes (dmb)
 *   taken    written by the main loop, after it has copied the slot out (dmb)
 *
 * The interrupt writes slots filled and filled + 1 only, the main loop reads slots taken to filled - 1 only,
 * and filled + 1 - taken < FRAMES holds whenever a slot is named: so nobody ever touches a slot that the
 * other may touch.  When no slot is free the one being filled is filled again; when the interrupt comes a
 * period late (TIMER4's stamps tell) the frames in between are gone.  Both leave a hole in the numbers.
 */
#ifndef SCAN_DRIVER_H
#define SCAN_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

/* Starts the clock of the stamps; returns its ticks per second. */
uint32_t scan_init(void);

/* From here on the next period, or a frame that ends, sets the event that ends WFE. */
void scan_arm(void);

/* True if frames wait. */
bool scan_waiting(void);

#endif
