/* SPDX-License-Identifier: Apache-2.0
 *
 * From reset to main(): vectors, FPU, memory, painted stack.  No interrupt is ever enabled, so every
 * vector but the first two is a fault.
 */
#include "nrf52840.h"
#include "startup.h"

extern int main(void);
extern uint32_t link_stack_top[], link_data_load[], link_data[], link_data_end[], link_bss[], link_bss_end[];

void startup_reset(void);
void startup_main(void);
void startup_fault(void);

typedef void vector(void);

/* The stack lies at the very bottom of RAM: what overflows it faults instead of eating data. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    vector *handlers[15];
} vectors = {
    link_stack_top,
    {
        startup_reset,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
    },
};

/* A boot loader may have left any stack pointer and enabled interrupts behind: both are set before C
 * code needs them, and the FPU with them, since the compiler may use its registers anywhere. */
__attribute__((naked, noreturn)) void startup_reset(void) {
    __asm volatile("cpsid i\n"
                   "ldr r0, =link_stack_top\n"
                   "mov sp, r0\n"
                   "ldr r0, =0xE000ED88\n" /* CPACR */
                   "ldr r1, [r0]\n"
                   "orr r1, r1, #0xF00000\n"
                   "str r1, [r0]\n"
                   "dsb\n"
                   "isb\n"
                   "b startup_main\n");
}

void startup_main(void) {
    const uint32_t *load = link_data_load;

    SCB_VTOR = (uint32_t)(uintptr_t)&vectors;
    startup_paint_stack();
    for (uint32_t *to = link_data; to < link_data_end; to++) {
        *to = *load++;
    }
    for (uint32_t *to = link_bss; to < link_bss_end; to++) {
        *to = 0;
    }
    main();
    startup_fault(); /* main() does not return */
}

/* A fault restarts the board; the host sees a reset of cause "software" or, when even this faults,
 * "lock-up". */
void startup_fault(void) {
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) {
    }
}
