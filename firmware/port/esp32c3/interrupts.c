/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupts.h"

#include "esp32c3.h"
#include "fault.h"
#include "port.h"

enum {
    PRIORITY = 1,
};

/* mtvec keeps its low eight bits at "vectored": the table lies at a multiple of 256, an instruction of four
 * bytes per entry.  An interrupt that nobody attached is a fault like any other. */
__attribute__((naked, aligned(256), section(".ram_code.vectors"))) void interrupts_vectors(void) {
    __asm volatile(".option push\n"
                   ".option norvc\n"
                   ".option norelax\n"
                   "j fault_entry\n"
                   "j uart_interrupt\n"
#if SCAN_CHANNELS
                   "j scan_tick_interrupt\n"
                   "j scan_settled_interrupt\n"
                   "j scan_converted_interrupt\n"
#else
                   ".rept 3\n"
                   "j fault_entry\n"
                   ".endr\n"
#endif
                   ".rept 27\n"
                   "j fault_entry\n"
                   ".endr\n"
                   ".option pop\n");
}

void interrupts_attach(uint32_t source, enum interrupt number) {
    INTERRUPT_MAP(source) = number;
    INTERRUPT_TYPE &= ~(1u << number); /* a level */
    INTERRUPT_PRIORITY(number) = PRIORITY;
    INTERRUPT_THRESHOLD = PRIORITY;
    INTERRUPT_ENABLE |= 1u << number;
}
