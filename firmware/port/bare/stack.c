/* SPDX-License-Identifier: Apache-2.0 */
#include "startup.h"

#define PAINT 0xA5C35A3Cu

enum {
    OWN_FRAME = 64, /* bytes below this function's frame that it may use itself: left unpainted */
};

extern uint32_t link_stack_bottom[], link_stack_top[];

void startup_paint_stack(void) {
    volatile uint32_t *end = (volatile uint32_t *)((uintptr_t)__builtin_frame_address(0) - OWN_FRAME);
    for (volatile uint32_t *word = link_stack_bottom; word < end; word++) {
        *word = PAINT;
    }
}

uint32_t startup_stack_used(void) {
    const volatile uint32_t *word = link_stack_bottom;
    while (word < link_stack_top && *word == PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)link_stack_top - (uintptr_t)word);
}
