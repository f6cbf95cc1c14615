/* SPDX-License-Identifier: Apache-2.0
 *
 * Interrupts and faults as a program meets them; each scene sends what its handlers noted.
 */
#include "chip.h"

#define SCB(offset) REG(0xE000ED00u + (offset))
#define NVIC(offset) REG(0xE000E000u + (offset))
#define PRIORITY(irq) (*(volatile uint8_t *)(uintptr_t)(0xE000E400u + (irq)))

enum { IRQ_A = 20, IRQ_B = 21, ISER = 0x100, ISPR = 0x200, ICPR = 0x280, PENDSV = 14, SVCALL = 11 };

static volatile uint8_t notes[64];
static volatile uint32_t noted, stacked[8];
static void (*table[48])(void) __attribute__((aligned(256)));

static void note(uint8_t what) {
    notes[noted++] = what;
}

static uint32_t current(void) {
    uint32_t number;
    __asm volatile("mrs %0, ipsr" : "=r"(number));
    return number;
}

static void pend(uint32_t irq) {
    NVIC(ISPR) = 1u << irq;
    __asm volatile("dsb\nisb");
}

/* Notes its coming and going; A asks for B from inside. */
static void handler_a(void) {
    note('A');
    pend(IRQ_B);
    note('a');
}

static void handler_b(void) {
    note(current() == 16 + IRQ_B ? 'B' : '?');
    note('b');
}

static void pendsv(void) {
    note('P');
}

static void svcall(void) {
    note('S');
}

/* The stacked registers, as a fault's report reads them. */
__attribute__((naked)) static void fault(void) {
    __asm volatile("mov r0, sp\n"
                   "b note_fault\n");
}

__attribute__((used)) void note_fault(volatile uint32_t *frame) {
    note((uint8_t)current());
    for (int i = 0; i < 8; i++) {
        stacked[i] = frame[i];
    }
    stacked[0] = SCB(0x28), stacked[1] = SCB(0x2C), stacked[2] = SCB(0x38); /* CFSR, HFSR, BFAR */
    uart_send((const void *)notes, noted);
    uart_send((const void *)stacked, sizeof stacked);
    for (;;) {
        __asm volatile("wfe");
    }
}

/* Uses floating-point registers while the interrupted code has its own in them. */
static void handler_float(void) {
    __asm volatile("vmov.f32 s0, #2.0\nvmov.f32 s15, #3.0\nvmov.f32 s1, #4.0" ::: "s0", "s1", "s15");
    note('F');
}

static void scene_floats(void) {
    float first, last;
    table[16 + IRQ_A] = handler_float;
    __asm volatile("vmov.f32 s0, #1.0\n"
                   "vmov.f32 s15, #8.0\n"
                   "str %2, [%3]\n"
                   "dsb\n"
                   "isb\n"
                   "vmov %0, s0\n"
                   "vmov %1, s15\n"
                   : "=r"(first), "=r"(last)
                   : "r"(1u << IRQ_A), "r"(&NVIC(ISPR))
                   : "s0", "s15", "memory");
    note(first == 1.0f && last == 8.0f ? '=' : '!');
}

static void scene_masks(void) {
    __asm volatile("cpsid i");
    pend(IRQ_B);
    note('1');
    for (volatile int i = 0; i < 500; i++) {
    }
    note('2');
    __asm volatile("cpsie i\nisb");
    for (volatile int i = 0; i < 100; i++) {
    }
    note('3');
    PRIORITY(IRQ_B) = 0x80;
    __asm volatile("msr basepri, %0" ::"r"(0x80));
    pend(IRQ_B);
    note('4');
    __asm volatile("msr basepri, %0" ::"r"(0));
    for (volatile int i = 0; i < 100; i++) {
    }
    note('5');
    __asm volatile("cpsid i");
    pend(IRQ_B); /* ends WFI though it is masked */
    __asm volatile("wfi");
    note('6');
}

/* A timer's line that stays high brings its handler back until the event is cleared. */
static void handler_timer(void) {
    note('T');
    if (noted >= 3) {
        TIMER(0, 0x140) = 0;
        (void)TIMER(0, 0x140);
    }
}

static void scene_timer(void) {
    table[16 + 8] = handler_timer;
    TIMER(0, 0x508) = 3;
    TIMER(0, 0x510) = 0;
    TIMER(0, 0x540) = 16000; /* 1 ms */
    TIMER(0, 0x204 + 0x100) = 1u << 16;
    TIMER(0, 0x000) = 1;
    NVIC(ISER) = 1u << 8;
    __asm volatile("wfi");
    note('w');
}

void program(void) {
    for (int i = 0; i < 48; i++) {
        table[i] = fault;
    }
    table[16 + IRQ_A] = handler_a;
    table[16 + IRQ_B] = handler_b;
    table[PENDSV] = pendsv;
    table[SVCALL] = svcall;
    SCB(0x08) = address_of(table);
    uart_on();
    PRIORITY(IRQ_A) = PRIORITY_A;
    PRIORITY(IRQ_B) = PRIORITY_B;
    NVIC(ISER) = 1u << IRQ_A | 1u << IRQ_B;
    SCB(0x24) = ENABLE_FAULTS; /* SHCSR */
    switch (SCENE) {
    case 'n':
        pend(IRQ_A);
        break;
    case 'p':
        SCB(0x04) = 1u << 28;
        __asm volatile("dsb\nisb\nsvc #1");
        break;
    case 'f':
        scene_floats();
        break;
    case 'm':
        scene_masks();
        break;
    case 't':
        scene_timer();
        break;
    case 'x':
        __asm volatile("str r0, [%0]" ::"r"(0x30000000u));
        break;
    case 'u':
        __asm volatile("udf #0");
        break;
    default: /* the stack outside RAM: nothing can be stacked */
        __asm volatile("mov sp, %0\nudf #0" ::"r"(0x20000008u));
    }
    uart_send((const void *)notes, noted);
    for (;;) {
        __asm volatile("wfe");
    }
}
