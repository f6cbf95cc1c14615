/* SPDX-License-Identifier: Apache-2.0
 *
 * The SDK's own handler catches a fault and resets; all that is left to tell is which kind of reset it was.
 */
#include "fault.h"

#include <esp_attr.h>
#include <string.h>

enum {
    KEPT = 0x4647u, /* says that the record is one, and not what RAM holds at power-on */
};

static RTC_NOINIT_ATTR struct {
    uint32_t mark;
    struct port_fault fault;
} record;

void fault_note(enum port_reset_cause cause) {
    if (record.mark != KEPT || cause == PORT_RESET_POWER_ON) {
        memset(&record, 0, sizeof record);
        record.mark = KEPT;
    }
    if (cause == PORT_RESET_LOCK_UP || cause == PORT_RESET_WATCHDOG) {
        record.fault.kind = cause == PORT_RESET_WATCHDOG ? PORT_FAULT_WATCHDOG : PORT_FAULT_HARD;
        record.fault.count++;
    }
}

void port_fault_read(struct port_fault *fault) {
    *fault = record.fault;
}

void port_fault_clear(void) {
    memset(&record.fault, 0, sizeof record.fault);
}
