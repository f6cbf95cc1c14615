/* SPDX-License-Identifier: Apache-2.0
 *
 * The record of what stopped the firmware: written by the last exception of a life, read in the next one.
 *
 * It lies in RAM that start-up leaves alone, right above the stack at the bottom of RAM, where a boot
 * loader that runs in between does not reach.  A reset keeps RAM, a power cut does not: a check word tells.
 */
#include "fault.h"

#include "interrupts.h"
#include "nrf52840.h"
#include "port.h"

extern uint8_t link_stack_bottom[], link_stack_top[];

enum {
    FRAME_BYTES = 32,
    FRAME_LR = 5,
    FRAME_PC = 6,
    FIRST_IRQ = 16,
    GUARD_BYTES = 4096, /* an access so far below the stack is a stack that overflowed */
};

#define SEED 0x67726661u

struct record {
    struct port_fault last; /* kind PORT_FAULT_NONE: read and cleared */
    uint32_t check;
};

static struct record record __attribute__((section(".noinit")));

void fault_report(const uint32_t *frame);

static uint32_t check_of(const struct port_fault *fault) {
    const uint32_t words[] = {fault->kind,    fault->pc,        fault->lr,   fault->status,
                              fault->address, fault->uptime_ms, fault->count};
    uint32_t sum = SEED;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        sum = (sum << 5 | sum >> 27) ^ words[i];
    }
    return sum;
}

void fault_begin(bool ram_was_lost) {
    if (ram_was_lost || record.check != check_of(&record.last)) {
        record.last = (struct port_fault){.kind = PORT_FAULT_NONE};
        record.check = check_of(&record.last);
    }
}

void port_fault_read(struct port_fault *fault) {
    *fault = record.last.kind != PORT_FAULT_NONE ? record.last : (struct port_fault){.kind = PORT_FAULT_NONE};
}

void port_fault_clear(void) {
    record.last.kind = PORT_FAULT_NONE; /* its count goes on */
    record.check = check_of(&record.last);
}

static uint32_t exception(void) {
    uint32_t number;
    __asm volatile("mrs %0, ipsr" : "=r"(number));
    return number;
}

static uint32_t kind_of(uint32_t status, uint32_t address) {
    uint32_t bottom = (uint32_t)(uintptr_t)link_stack_bottom;
    if (exception() == FIRST_IRQ + WDT_IRQ) {
        return PORT_FAULT_WATCHDOG;
    }
    if (status & (SCB_CFSR_MEMORY | SCB_CFSR_STKERR) ||
        (address < bottom && address >= bottom - GUARD_BYTES)) {
        return PORT_FAULT_MEMORY;
    }
    if (status & SCB_CFSR_BUS) {
        return PORT_FAULT_BUS;
    }
    return status ? PORT_FAULT_USAGE : PORT_FAULT_HARD;
}

/* `frame`: where the core stacked r0 to r3, r12, lr, pc and xPSR, if it could. */
__attribute__((used, noreturn)) void fault_report(const uint32_t *frame) {
    struct port_fault *fault = &record.last;
    uintptr_t at = (uintptr_t)frame;
    uint32_t status = SCB_CFSR;
    bool stacked = !(status & (SCB_CFSR_MSTKERR | SCB_CFSR_STKERR)) && at >= (uintptr_t)link_stack_bottom &&
                   at <= (uintptr_t)link_stack_top - FRAME_BYTES;

    fault->count++;
    fault->pc = stacked ? frame[FRAME_PC] : 0;
    fault->lr = stacked ? frame[FRAME_LR] : 0;
    fault->status = status;
    fault->address = status & SCB_CFSR_BFARVALID ? SCB_BFAR : status & SCB_CFSR_MMARVALID ? SCB_MMFAR : 0;
    fault->kind = kind_of(status, fault->address);
    fault->uptime_ms = port_uptime_ms();
    record.check = check_of(fault);
    if (fault->kind != PORT_FAULT_WATCHDOG) { /* which resets the chip itself, two of its ticks from now */
        __asm volatile("dsb");
        SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    }
    for (;;) {
    }
}

/* The stack may be what broke.  With less than 512 bytes left of it, or outside of it, the report's own
 * frames go to its other end, where they cannot hit what was just stacked. */
__attribute__((naked)) void fault_interrupt(void) {
    __asm volatile("mov r0, sp\n"
                   "ldr r1, =link_stack_bottom + 512\n"
                   "ldr r2, =link_stack_top\n"
                   "subs r3, r0, r1\n"
                   "subs r1, r2, r1\n"
                   "cmp r3, r1\n"
                   "it hi\n"
                   "movhi sp, r2\n"
                   "b fault_report\n");
}
