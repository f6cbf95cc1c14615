/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h: makes the record of faults of the last life readable.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>

/* Called once at start-up: forgets the record if RAM was lost, or if its check word does not fit. */
void fault_begin(bool ram_was_lost);

#endif
