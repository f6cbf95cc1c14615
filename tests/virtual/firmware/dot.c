/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs an int16 dot product of LENGTH pairs ROUNDS times with SMLAD and sends the sum and the cycles
 * that the core counted.  `weights` lie in flash, or in RAM with IN_RAM.
 */
#include "chip.h"

enum { LENGTH = 64 };

#define FOUR 3, -5, 700, 11,
#define SIXTEEN FOUR FOUR FOUR FOUR
#if IN_RAM
#define PLACE
#else
#define PLACE const
#endif

PLACE int16_t weights[2 * LENGTH]
    __attribute__((aligned(4))) = {SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN};
static int16_t input[2 * LENGTH] __attribute__((aligned(4)));
static uint32_t reply[2];

static uint32_t dot(const uint32_t *a, const uint32_t *b, uint32_t sum) {
    for (uint32_t i = LENGTH / 4; i > 0; i--, a += 4, b += 4) {
        __asm volatile("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a[0]), "r"(b[0]));
        __asm volatile("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a[1]), "r"(b[1]));
        __asm volatile("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a[2]), "r"(b[2]));
        __asm volatile("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a[3]), "r"(b[3]));
    }
    return sum;
}

void program(void) {
    uart_on();
    for (uint32_t i = 0; i < 2 * LENGTH; i++) {
        input[i] = (int16_t)(i - 60);
    }
    uint32_t begin = CYCCNT;
    for (uint32_t i = ROUNDS; i > 0; i--) {
        reply[0] = dot((const uint32_t *)(uintptr_t)weights, (const uint32_t *)(uintptr_t)input, reply[0]);
    }
    reply[1] = CYCCNT - begin;
    uart_send(reply, sizeof reply);
    for (;;) {
        __asm volatile("wfe");
    }
}
