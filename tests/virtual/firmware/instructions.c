/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers three words a, b, c with the results of the DSP and floating-point instructions on them, in
 * the order of test_instructions.py.
 */
#include "chip.h"

static uint32_t operands[3];
static uint32_t results[32];

#define THREE(name)                                                                                          \
    static uint32_t name##_(uint32_t a, uint32_t b, uint32_t c) {                                            \
        uint32_t r;                                                                                          \
        __asm volatile(#name " %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c));                          \
        return r;                                                                                            \
    }
#define TWO(name)                                                                                            \
    static uint32_t name##_(uint32_t a, uint32_t b) {                                                        \
        uint32_t r;                                                                                          \
        __asm volatile(#name " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));                                      \
        return r;                                                                                            \
    }
#define ONE(label, text)                                                                                     \
    static uint32_t label(uint32_t a) {                                                                      \
        uint32_t r;                                                                                          \
        __asm volatile(text : "=r"(r) : "r"(a));                                                             \
        return r;                                                                                            \
    }

/* clang-format off */
THREE(smlad) THREE(smladx) THREE(smlsd) THREE(smlabb) THREE(smlatt) THREE(smmlar) THREE(mla) THREE(mls)
TWO(smmulr) TWO(smuad) TWO(qadd) TWO(qsub) TWO(sdiv) TWO(sadd16) TWO(smulwb)
ONE(sxtb16_, "sxtb16 %0, %1") ONE(sxtb16_8, "sxtb16 %0, %1, ror #8")
ONE(ssat_8, "ssat %0, #8, %1") ONE(ssat_8_asr_4, "ssat %0, #8, %1, asr #4") ONE(usat_8, "usat %0, #8, %1")
ONE(clz_, "clz %0, %1") ONE(rev_, "rev %0, %1")
    /* clang-format on */

    static void longs(uint32_t a, uint32_t b, uint32_t c, uint32_t *r) {
    uint32_t low = c, high = a;
    __asm volatile("smull %0, %1, %2, %3" : "=&r"(r[0]), "=&r"(r[1]) : "r"(a), "r"(b));
    __asm volatile("smlal %0, %1, %2, %3" : "+&r"(low), "+&r"(high) : "r"(a), "r"(b));
    r[2] = low;
    r[3] = high;
    __asm volatile("pkhbt %0, %1, %2, lsl #16" : "=r"(r[4]) : "r"(a), "r"(b));
    __asm volatile("pkhtb %0, %1, %2, asr #16" : "=r"(r[5]) : "r"(a), "r"(b));
}

static void floats(uint32_t a, uint32_t b, uint32_t *r) {
    float x, y = 1.25f, z;
    __asm volatile("vmov %0, %1\n vcvt.f32.s32 %0, %0" : "=t"(x) : "r"(a));
    __asm volatile("vmov %0, %1\n vcvt.f32.s32 %0, %0" : "=t"(z) : "r"(b));
    __asm volatile("vfma.f32 %0, %1, %2" : "+t"(z) : "t"(x), "t"(y));
    __asm volatile("vmov %0, %1" : "=r"(r[0]) : "t"(z));
    __asm volatile("vdiv.f32 %0, %1, %2" : "=t"(y) : "t"(z), "t"(x));
    __asm volatile("vmov %0, %1" : "=r"(r[1]) : "t"(y));
    __asm volatile("vabs.f32 %0, %1\n vsqrt.f32 %0, %0" : "=t"(y) : "t"(x));
    __asm volatile("vmov %0, %1" : "=r"(r[2]) : "t"(y));
    __asm volatile("vcvt.s32.f32 %0, %1" : "=t"(y) : "t"(y));
    __asm volatile("vmov %0, %1" : "=r"(r[3]) : "t"(y));
}

static void compute(uint32_t a, uint32_t b, uint32_t c, uint32_t *r) {
    const uint32_t values[] = {
        smlad_(a, b, c),  smladx_(a, b, c), smlsd_(a, b, c), smlabb_(a, b, c), smlatt_(a, b, c),
        smmlar_(a, b, c), mla_(a, b, c),    mls_(a, b, c),   smmulr_(a, b),    smuad_(a, b),
        qadd_(a, b),      qsub_(a, b),      sdiv_(a, b),     sadd16_(a, b),    smulwb_(a, b),
        sxtb16_(a),       sxtb16_8(a),      ssat_8(a),       ssat_8_asr_4(a),  usat_8(a),
        clz_(a),          rev_(a),
    };
    uint32_t count = sizeof values / sizeof values[0];

    for (uint32_t i = 0; i < count; i++) {
        r[i] = ((const volatile uint32_t *)values)[i];
    }
    longs(a, b, c, r + count);
    floats(a, b, r + count + 6);
}

void program(void) {
    __asm volatile("cpsid i");
    uart_on();
    UART(INTENSET) = 1u << 4 | 1u << 8; /* ENDRX, ENDTX */
    SCR = 1u << 4;
    UART(RXD_PTR) = address_of(operands);
    UART(RXD_MAXCNT) = sizeof operands;
    for (;;) {
        UART(ENDRX) = UART(ENDTX) = 0;
        ICPR0 = 1u << 2;
        UART(STARTRX) = 1;
        while (!UART(ENDRX)) {
            __asm volatile("wfe");
        }
        compute(operands[0], operands[1], operands[2], results);
        UART(ENDRX) = UART(ENDTX) = 0;
        ICPR0 = 1u << 2;
        UART(TXD_PTR) = address_of(results);
        UART(TXD_MAXCNT) = sizeof results;
        UART(STARTTX) = 1;
        while (!UART(ENDTX)) {
            __asm volatile("wfe");
        }
    }
}
