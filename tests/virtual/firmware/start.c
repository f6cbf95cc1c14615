/* SPDX-License-Identifier: Apache-2.0 */
#include "chip.h"

extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

void start(void) {
    CPACR |= 0xFu << 20;
    for (uint32_t *to = data_start, *from = data_load; to < data_end;) {
        *(volatile uint32_t *)to++ = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end;) {
        *(volatile uint32_t *)to++ = 0;
    }
    DEMCR |= 1u << 24;
    CYCCNT = 0;
    DWT_CTRL |= 1;
    program();
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*reset)(void);
} vectors = {stack_top, start};

void uart_on(void) {
    UART(BAUDRATE) = 0x10000000;
    UART(ENABLE) = 8;
}

void uart_send(const void *data, uint32_t length) {
    UART(ENDTX) = 0;
    UART(TXD_PTR) = address_of(data);
    UART(TXD_MAXCNT) = length;
    UART(STARTTX) = 1;
    while (!UART(ENDTX)) {
    }
}
