/* SPDX-License-Identifier: Apache-2.0
 *
 * For boards without sensors, beside port/absent_scan.c.
 */
#include "interrupts.h"
#include "scan_driver.h"

uint32_t scan_init(void) {
    return 0;
}

void scan_arm(void) {}

bool scan_waiting(void) {
    return false;
}

void scan_step_interrupt(void) {
    fault_interrupt();
}

void scan_frame_interrupt(void) {
    fault_interrupt();
}
