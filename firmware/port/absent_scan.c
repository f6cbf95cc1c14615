/* SPDX-License-Identifier: Apache-2.0
 *
 * For ports without a scan of sensors.
 */
#include "port.h"

uint32_t port_scan_start(uint32_t rate_mhz) {
    (void)rate_mhz;
    return 0;
}

void port_scan_stop(void) {}

bool port_scan_fetch(struct port_scan_frame *frame) {
    (void)frame;
    return false;
}

uint32_t port_scan_ticks(void) {
    return 0;
}
