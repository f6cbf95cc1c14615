/* SPDX-License-Identifier: Apache-2.0
 *
 * The pins of a played SDK: which are high, and since when.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PINS = 64 };

static bool high[PINS];
static uint64_t driven_at[PINS];

/* The last pin that is high, -1 without one; `rows`: how many are. */
static int driven_row(uint32_t *rows) {
    int found = -1;
    *rows = 0;
    for (int pin = 0; pin < PINS; pin++) {
        if (high[pin]) {
            found = pin;
            ++*rows;
        }
    }
    return found;
}
