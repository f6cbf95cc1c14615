/* SPDX-License-Identifier: Apache-2.0
 *
 * From the ROM's jump to main().
 *
 * The ROM has mapped the flash twice, for code and for constants, or has loaded the program into RAM; it
 * leaves its own stack, interrupts off, the core on the crystal, and watchdogs running.
 */
#include "startup.h"

#include "esp32c3.h"
#include "fault.h"
#include "interrupts.h"
#include "watchdog.h"

extern int main(void);
extern uint32_t link_code_load[], link_code_to[], link_code_end[];
extern uint32_t link_data_load[], link_data[], link_data_end[], link_bss[], link_bss_end[];

void startup_reset(void);
void startup_main(void);

/* The stack lies at the very bottom of RAM: what overflows it faults instead of eating data. */
__attribute__((naked, noreturn, section(".text.start"))) void startup_reset(void) {
    __asm volatile(".option push\n"
                   ".option norelax\n"
                   "la gp, __global_pointer$\n"
                   ".option pop\n"
                   "csrci mstatus, 8\n"
                   "la sp, link_stack_top\n"
                   "j startup_main\n");
}

static void copy(uint32_t *to, const uint32_t *end, const uint32_t *from) {
    while (to < end) {
        *to++ = *from++;
    }
}

__attribute__((used)) void startup_main(void) {
    watchdog_stop_all();
    startup_paint_stack();
    copy(link_code_to, link_code_end, link_code_load); /* empty where the ROM has loaded all into RAM */
    copy(link_data, link_data_end, link_data_load);
    for (uint32_t *to = link_bss; to < link_bss_end; to++) {
        *to = 0;
    }
    CSR_WRITE(mtvec, (uintptr_t)interrupts_vectors | 1u);
    main();
    fault_main_returned();
}
