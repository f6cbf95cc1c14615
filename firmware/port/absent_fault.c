/* SPDX-License-Identifier: Apache-2.0
 *
 * For ports that keep no record of faults.
 */
#include "port.h"

void port_fault_read(struct port_fault *fault) {
    *fault = (struct port_fault){.kind = PORT_FAULT_NONE};
}

void port_fault_clear(void) {}
