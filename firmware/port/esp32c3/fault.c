/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "clock.h"
#include "esp32c3.h"
#include "port.h"

#define MAGIC 0xFA017C30u

enum {
    /* mcause, privileged architecture 1.12, table 3.6 */
    FETCH_MISALIGNED = 0,
    FETCH_ACCESS = 1,
    ILLEGAL_INSTRUCTION = 2,
    BREAKPOINT = 3,
    LOAD_ACCESS = 5,
    STORE_ACCESS = 7,
};

/* In RTC RAM, which no start-up code touches. */
static struct {
    uint32_t magic; /* MAGIC ^ the sum of the words behind it: else nothing is recorded */
    struct port_fault fault;
} kept __attribute__((section(".noinit")));

extern uint8_t link_stack_bottom[];

_Noreturn void fault_note(uint32_t lr);

static IN_RAM uint32_t seal(void) {
    const struct port_fault *f = &kept.fault;

    return MAGIC ^ (f->kind + f->pc + f->lr + f->status + f->address + f->uptime_ms + f->count);
}

static IN_RAM uint32_t kind_of(uint32_t cause, uint32_t address) {
    switch (cause) {
    case FETCH_ACCESS:
    case LOAD_ACCESS:
    case STORE_ACCESS:
        /* below the stack, or a null pointer */
        return address < 0x1000u || (uintptr_t)address - ((uintptr_t)link_stack_bottom - 0x1000u) < 0x1000u
                   ? PORT_FAULT_MEMORY
                   : PORT_FAULT_BUS;
    case FETCH_MISALIGNED:
    case ILLEGAL_INSTRUCTION:
    case BREAKPOINT:
        return PORT_FAULT_USAGE;
    default:
        return PORT_FAULT_HARD;
    }
}

static IN_RAM void record(uint32_t kind, uint32_t pc, uint32_t lr, uint32_t status, uint32_t address) {
    uint32_t count = kept.magic == seal() ? kept.fault.count : 0;

    kept.fault.kind = kind;
    kept.fault.pc = pc;
    kept.fault.lr = lr;
    kept.fault.status = status;
    kept.fault.address = address;
    kept.fault.uptime_ms = clock_milliseconds();
    kept.fault.count = count + 1;
    kept.magic = seal();
}

static IN_RAM _Noreturn void restart(void) {
    RTC_OPTIONS0 |= RTC_OPTIONS0_SW_SYS_RST;
    for (;;) {
    }
}

IN_RAM __attribute__((used)) void fault_note(uint32_t lr) {
    uint32_t cause = CSR_READ(mcause);
    uint32_t address = CSR_READ(mtval);

    record(kind_of(cause, address), CSR_READ(mepc), lr, cause, cause == ILLEGAL_INSTRUCTION ? 0 : address);
    restart();
}

/* The stack may be what went wrong: it starts over, as nothing returns from here. */
__attribute__((naked, section(".ram_code"))) void fault_entry(void) {
    __asm volatile("mv a0, ra\n"
                   "la sp, link_stack_top\n"
                   "j fault_note\n");
}

void fault_init(bool power_on, bool watchdog) {
    if (power_on || kept.magic != seal()) {
        kept.fault = (struct port_fault){.kind = PORT_FAULT_NONE};
        kept.magic = seal();
    }
    if (watchdog) {
        record(PORT_FAULT_WATCHDOG, 0, 0, 0, 0);
        kept.fault.uptime_ms = 0;
        kept.magic = seal();
    }
}

void fault_main_returned(void) {
    record(PORT_FAULT_USAGE, (uint32_t)(uintptr_t)__builtin_return_address(0), 0, 0, 0);
    restart();
}

void port_fault_read(struct port_fault *fault) {
    *fault = kept.fault;
}

void port_fault_clear(void) {
    kept.fault = (struct port_fault){.kind = PORT_FAULT_NONE};
    kept.magic = seal();
}
