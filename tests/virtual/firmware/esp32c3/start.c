/* SPDX-License-Identifier: Apache-2.0 */
#include "chip.h"

#include "esp32c3.h"
#include "watchdog.h"

extern uint32_t link_data_load[], link_data[], link_data_end[], link_bss[], link_bss_end[];

void startup_reset(void);
void run(void);

__attribute__((naked, section(".text.start"))) void startup_reset(void) {
    __asm volatile(".option push\n"
                   ".option norelax\n"
                   "la gp, __global_pointer$\n"
                   ".option pop\n"
                   "la sp, link_stack_top\n"
                   "j run\n");
}

__attribute__((used)) void run(void) {
    watchdog_stop_all();
    for (uint32_t *to = link_data, *from = link_data_load; to < link_data_end;) {
        *(volatile uint32_t *)to++ = *from++;
    }
    for (uint32_t *to = link_bss; to < link_bss_end;) {
        *(volatile uint32_t *)to++ = 0;
    }
    program();
}

void uart_on(void) {}

void uart_send(const void *data, uint32_t length) {
    for (const uint8_t *byte = data; length > 0; length--) {
        while ((UART_STATUS >> UART_STATUS_TX_SHIFT & UART_STATUS_COUNT) == UART_FIFO_BYTES) {
        }
        UART_FIFO = *byte++;
    }
}
