/* SPDX-License-Identifier: Apache-2.0
 *
 * Words where the addresses allow it, bytes for the rest.  Compiled with -fno-builtin, or these would be
 * compiled into calls of themselves.
 */
#include <string.h>

#include <stdint.h>

#ifdef __ARM_FEATURE_UNALIGNED /* words are loaded from any address, aligned ones faster */
typedef uint32_t __attribute__((may_alias, aligned(1))) word;

static int in_words(const void *one, const void *other) {
    (void)one, (void)other;
    return 1;
}
#else /* the core faults on a word at an odd address */
typedef uint32_t __attribute__((may_alias)) word;

static int in_words(const void *one, const void *other) {
    return (((uintptr_t)one | (uintptr_t)other) & 3u) == 0;
}
#endif

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *out = to;
    const uint8_t *in = from;

    if (in_words(out, in)) {
        for (; count >= 16; count -= 16, out += 16, in += 16) {
            uint32_t a = *(const word *)in, b = *(const word *)(in + 4);
            uint32_t c = *(const word *)(in + 8), d = *(const word *)(in + 12);
            *(word *)out = a;
            *(word *)(out + 4) = b;
            *(word *)(out + 8) = c;
            *(word *)(out + 12) = d;
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
        for (; count >= 4 && in_words(out, in); count -= 4, out += 4, in += 4) {
            *(word *)out = *(const word *)in;
        }
        while (count--) {
            *out++ = *in++;
        }
    } else {
        for (; count >= 4 && in_words(out + count, in + count); count -= 4) {
            *(word *)(out + count - 4) = *(const word *)(in + count - 4);
        }
        while (count--) {
            out[count] = in[count];
        }
    }
    return to;
}

void *memset(void *to, int value, size_t count) {
    uint8_t *out = to;
    uint32_t pattern = (uint8_t)value * 0x01010101u;

    if (in_words(out, out)) {
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
