/* SPDX-License-Identifier: Apache-2.0
 *
 * From reset to main(): vectors, FPU, memory, painted stack.  What is no interrupt of interrupts.h is a
 * fault.
 */
#include "interrupts.h"
#include "nrf52840.h"
#include "startup.h"

extern int main(void);
extern uint32_t link_stack_top[], link_data_load[], link_data[], link_data_end[], link_bss[], link_bss_end[];

void startup_reset(void);
void startup_main(void);

typedef void vector(void);

enum {
    EXCEPTIONS = 15, /* the core's own: vector n is exception n + 1 */
    INTERRUPTS = 27, /* up to TIMER3's, the highest that is used */
};

/* The stack lies at the very bottom of RAM: what overflows it faults instead of eating data. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    vector *handlers[EXCEPTIONS + INTERRUPTS];
} vectors = {
    link_stack_top,
    {
        [0] = startup_reset,
        [1 ... EXCEPTIONS + SAADC_IRQ - 1] = fault_interrupt,
        [EXCEPTIONS + SAADC_IRQ] = scan_frame_interrupt,
        [EXCEPTIONS + SAADC_IRQ + 1 ... EXCEPTIONS + TIMER3_IRQ - 1] = fault_interrupt,
        [EXCEPTIONS + TIMER3_IRQ] = scan_step_interrupt,
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
    for (uint32_t word = 0; word < 2; word++) { /* a boot loader's interrupts are not ours */
        NVIC_ICER(word) = UINT32_MAX;
        NVIC_ICPR(word) = UINT32_MAX;
    }
    startup_paint_stack();
    for (uint32_t *to = link_data; to < link_data_end; to++) {
        *to = *load++;
    }
    for (uint32_t *to = link_bss; to < link_bss_end; to++) {
        *to = 0;
    }
    main();
    __builtin_trap(); /* main() does not return: a fault of usage */
}
