/* SPDX-License-Identifier: Apache-2.0
 *
 * What the lx106's libgcc lacks: the product of two numbers of 64 bits, modulo 2^64.
 */
#include <stdint.h>

uint64_t __muldi3(uint64_t x, uint64_t y);

static uint64_t product(uint32_t x, uint32_t y) {
    uint32_t low = (x & 0xffffu) * (y & 0xffffu);
    uint32_t one = (x >> 16) * (y & 0xffffu);
    uint32_t other = (x & 0xffffu) * (y >> 16);
    uint32_t middle = (low >> 16) + (one & 0xffffu) + (other & 0xffffu);
    uint32_t high = (x >> 16) * (y >> 16) + (one >> 16) + (other >> 16) + (middle >> 16);

    return (uint64_t)high << 32 | (uint32_t)(middle << 16) | (low & 0xffffu);
}

uint64_t __muldi3(uint64_t x, uint64_t y) {
    uint32_t cross = (uint32_t)x * (uint32_t)(y >> 32) + (uint32_t)(x >> 32) * (uint32_t)y;

    return product((uint32_t)x, (uint32_t)y) + ((uint64_t)cross << 32);
}
