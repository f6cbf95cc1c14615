/* SPDX-License-Identifier: Apache-2.0 */
#include "chip.h"

__attribute__((noinline)) static void strike(void) {
    REG(0x30000000u) = 1;
}

void program(void) {
    strike();
    for (;;) {
        __asm volatile("wfe");
    }
}
