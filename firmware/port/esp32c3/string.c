/* SPDX-License-Identifier: Apache-2.0
 *
 * Words where both addresses allow it, bytes for the rest: the core faults on a word at an odd address.
 * Compiled with -fno-builtin, or these would be compiled into calls of themselves.
 */
#include <string.h>

#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) word;

static int aligned(const void *one, const void *other) {
    return (((uintptr_t)one | (uintptr_t)other) & 3u) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *out = to;
    const uint8_t *in = from;

    if (aligned(out, in)) {
        for (; count >= 16; count -= 16, out += 16, in += 16) {
            uint32_t a = ((const word *)in)[0], b = ((const word *)in)[1];
            uint32_t c = ((const word *)in)[2], d = ((const word *)in)[3];
            ((word *)out)[0] = a;
            ((word *)out)[1] = b;
            ((word *)out)[2] = c;
            ((word *)out)[3] = d;
        }
        for (; count >= 4; count -= 4, out += 4, in += 4) {
            *(word *)out = *(const word *)in;
        }
    }
    while (count--) {
        *out++ = *in++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    uint8_t *out = to;
    const uint8_t *in = from;

    if ((uintptr_t)out <= (uintptr_t)in) {
        while (count--) {
            *out++ = *in++;
        }
    } else {
        while (count--) {
            out[count] = in[count];
        }
    }
    return to;
}

void *memset(void *to, int value, size_t count) {
    uint8_t *out = to;
    uint32_t pattern = (uint8_t)value * 0x01010101u;

    if (aligned(out, out)) {
        for (; count >= 4; count -= 4, out += 4) {
            *(word *)out = pattern;
        }
    }
    while (count--) {
        *out++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t count) {
    const uint8_t *a = left, *b = right;

    for (; count && *a == *b; count--, a++, b++) {
    }
    return count ? *a - *b : 0;
}

size_t strlen(const char *text) {
    const char *end = text;
    while (*end) {
        end++;
    }
    return (size_t)(end - text);
}
