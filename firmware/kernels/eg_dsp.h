/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_dsp.h: pairs of int16 in a word, as the DSP instructions of Cortex-M4 and later take them.
 *
 * Each function is one instruction there (arm_acle.h of the compilers lacks some of them) and the same
 * arithmetic in plain C everywhere else, so that a host runs, and sanitizers see, what the chip runs.
 * Words are read little-endian.  For the kernels alone.
 */
#ifndef EG_DSP_H
#define EG_DSP_H

#include "eg_kernels.h"

/* Whether the packed kernels take two int16 of a word at a time: where that is one instruction, and wherever
 * it is to be tried.  If not, eg_scalar.h has them. */
#if !defined(EG_PAIRS)
#if defined(__ARM_FEATURE_DSP)
#define EG_PAIRS 1
#else
#define EG_PAIRS 0
#endif
#endif

enum { EG_SCALE_WORDS = 3 }; /* multiplier, offset, shift */

/* For what is to be compiled anew for each constant it is called with. */
#if defined(__OPTIMIZE__)
#define EG_INLINE inline __attribute__((always_inline))
#else
#define EG_INLINE inline
#endif

/* Several rounds of the loop behind it at a time. */
#define EG_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define EG_UNROLL(rounds) EG_PRAGMA(unroll rounds)
#else
#define EG_UNROLL(rounds) EG_PRAGMA(GCC unroll rounds)
#endif

/* One of a word's two int16, as a core takes it that multiplies one pair of numbers at a time. */
typedef int16_t __attribute__((may_alias)) eg_half;

/* Four int8 values as a word, at any address. */
static inline uint32_t eg_load4(const int8_t *x) {
    uint32_t word;

    __builtin_memcpy(&word, x, sizeof word); /* one instruction, without a C library too */
    return word;
}

#if defined(__ARM_FEATURE_DSP)

static inline uint32_t eg_even(uint32_t x) {
    uint32_t pair;

    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(x));
    return pair;
}

static inline uint32_t eg_odd(uint32_t x) {
    uint32_t pair;

    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(x));
    return pair;
}

static inline int32_t eg_smlad(uint32_t x, uint32_t y, int32_t sum) {
    int32_t result;

    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(sum));
    return result;
}

static inline int32_t eg_smlatb(uint32_t x, uint32_t y, int32_t sum) {
    int32_t result;

    __asm__("smlatb %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(sum));
    return result;
}

static inline int32_t eg_smlabt(uint32_t x, uint32_t y, int32_t sum) {
    int32_t result;

    __asm__("smlabt %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(sum));
    return result;
}

static inline uint32_t eg_add16(uint32_t x, uint32_t y) {
    uint32_t pair;

    __asm__("sadd16 %0, %1, %2" : "=r"(pair) : "r"(x), "r"(y));
    return pair;
}

static inline uint32_t eg_sub16(uint32_t x, uint32_t y) {
    uint32_t pair;

    __asm__("ssub16 %0, %1, %2" : "=r"(pair) : "r"(x), "r"(y));
    return pair;
}

static inline uint32_t eg_half_add16(uint32_t x, uint32_t y) {
    uint32_t pair;

    __asm__("shadd16 %0, %1, %2" : "=r"(pair) : "r"(x), "r"(y));
    return pair;
}

static inline uint32_t eg_half_sub16(uint32_t x, uint32_t y) {
    uint32_t pair;

    __asm__("shsub16 %0, %1, %2" : "=r"(pair) : "r"(x), "r"(y));
    return pair;
}

static inline int32_t eg_smmlar(int32_t x, int32_t y, int32_t sum) {
    int32_t result;

    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(sum));
    return result;
}

static inline int8_t eg_saturate(int32_t x) {
    int32_t result;

    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
    return (int8_t)result;
}

#else

static inline int32_t eg_low(uint32_t pair) {
    return (int16_t)(pair & 0xffffu);
}

static inline int32_t eg_high(uint32_t pair) {
    return (int16_t)(pair >> 16);
}

/* Bytes 0 and 2 of a word, extended. */
static inline uint32_t eg_even(uint32_t x) {
    uint32_t low = (uint32_t)(int32_t)(int8_t)(x & 0xffu);
    uint32_t high = (uint32_t)(int32_t)(int8_t)(x >> 16 & 0xffu);

    return (low & 0xffffu) | high << 16;
}

/* Bytes 1 and 3. */
static inline uint32_t eg_odd(uint32_t x) {
    return eg_even(x >> 8);
}

/* sum + x.low * y.low + x.high * y.high, modulo 2^32. */
static inline int32_t eg_smlad(uint32_t x, uint32_t y, int32_t sum) {
    uint32_t low = (uint32_t)(eg_low(x) * eg_low(y));
    uint32_t high = (uint32_t)(eg_high(x) * eg_high(y));

    return (int32_t)((uint32_t)sum + low + high);
}

/* Both halves by themselves, modulo 2^16. */
static inline uint32_t eg_add16(uint32_t x, uint32_t y) {
    return ((x + y) & 0xffffu) | ((x >> 16) + (y >> 16)) << 16;
}

static inline uint32_t eg_sub16(uint32_t x, uint32_t y) {
    return ((x - y) & 0xffffu) | ((x >> 16) - (y >> 16)) << 16;
}

/* Half of the sums and differences of both halves, rounded down. */
static inline uint32_t eg_half_add16(uint32_t x, uint32_t y) {
    uint32_t low = (uint32_t)((eg_low(x) + eg_low(y)) >> 1);

    return (low & 0xffffu) | (uint32_t)((eg_high(x) + eg_high(y)) >> 1) << 16;
}

static inline uint32_t eg_half_sub16(uint32_t x, uint32_t y) {
    uint32_t low = (uint32_t)((eg_low(x) - eg_low(y)) >> 1);

    return (low & 0xffffu) | (uint32_t)((eg_high(x) - eg_high(y)) >> 1) << 16;
}

static inline int32_t eg_smlabb(uint32_t x, uint32_t y, int32_t sum) {
    return (int32_t)((uint32_t)sum + (uint32_t)(eg_low(x) * eg_low(y)));
}

static inline int32_t eg_smlatt(uint32_t x, uint32_t y, int32_t sum) {
    return (int32_t)((uint32_t)sum + (uint32_t)(eg_high(x) * eg_high(y)));
}

static inline int32_t eg_smlatb(uint32_t x, uint32_t y, int32_t sum) {
    return (int32_t)((uint32_t)sum + (uint32_t)(eg_high(x) * eg_low(y)));
}

static inline int32_t eg_smlabt(uint32_t x, uint32_t y, int32_t sum) {
    return (int32_t)((uint32_t)sum + (uint32_t)(eg_low(x) * eg_high(y)));
}

/* sum + x * y / 2^32, rounded half up. */
static inline int32_t eg_smmlar(int32_t x, int32_t y, int32_t sum) {
    int64_t product = (int64_t)x * y;

    return sum + (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
}

static inline int8_t eg_saturate(int32_t x) {
    if ((uint32_t)x + 128u > 255u) { /* seldom */
        x = x < 0 ? -128 : 127;
    }
    return (int8_t)x;
}

#endif

/* x / 2^shift as int8, in one instruction where the shift is a constant. */
static EG_INLINE int8_t eg_shifted(int32_t x, int32_t shift) {
#if defined(__ARM_FEATURE_DSP) && defined(__OPTIMIZE__) && !defined(__clang__)
    if (__builtin_constant_p(shift)) {
        int32_t result;

        __asm__("ssat %0, #8, %1, asr %2" : "=r"(result) : "r"(x), "i"(shift));
        return (int8_t)result;
    }
#endif
    return eg_saturate(x >> shift);
}

/* An accumulator, given twice, as an int8 output: eg_requantise(), the zero point and the clamp at once.
 *
 * smmlar is the doubling-high multiplication with its rounding; the offset holds the half of the right shift,
 * less one where the accumulator is negative, which takes halves away from zero, and the zero point.  Exact
 * for |accumulator| < 2^30 and shifts of 1 to 21 to the right, which the compiler has proven. */
static EG_INLINE int8_t eg_narrow(int32_t twice, int32_t multiplier, int32_t offset, int32_t shift) {
    return eg_shifted(eg_smmlar(twice, multiplier, offset + (twice >> 31)), shift);
}

/* The same of outputs whose zero point is -128: where the sign would matter, all is clamped to it. */
static EG_INLINE int8_t eg_rectify(int32_t twice, int32_t multiplier, int32_t offset, int32_t shift) {
    return eg_shifted(eg_smmlar(twice, multiplier, offset), shift);
}

/* The next output, its three words of scale at *w, which moves on. */
static EG_INLINE int8_t eg_narrow_next(int32_t twice, const uint32_t **w) {
#if defined(__ARM_FEATURE_DSP)
    int32_t result;

    __asm__ volatile("ldm %[w]!, {r4, r5, r6}\n\t"
                     "add r5, r5, %[twice], asr #31\n\t"
                     "smmlar %[result], %[twice], r4, r5\n\t"
                     "asr %[result], %[result], r6\n\t"
                     "ssat %[result], #8, %[result]"
                     : [w] "+r"(*w), [result] "=&r"(result)
                     : [twice] "r"(twice)
                     : "r4", "r5", "r6", "memory");
    return (int8_t)result;
#else
    const uint32_t *scale = *w;

    *w += EG_SCALE_WORDS;
    return eg_narrow(twice, (int32_t)scale[0], (int32_t)scale[1], (int32_t)scale[2]);
#endif
}

/* The same at two positions, the second `next` behind the first. */
static EG_INLINE void eg_narrow_both(int32_t s, int32_t t, const uint32_t **w, int8_t *out, int32_t next) {
#if defined(__ARM_FEATURE_DSP)
    int32_t second;

    __asm__ volatile("ldm %[w]!, {r4, r5, r6}\n\t"
                     "add %[second], r5, %[t], asr #31\n\t"
                     "smmlar %[second], %[t], r4, %[second]\n\t"
                     "add r5, r5, %[s], asr #31\n\t"
                     "smmlar %[s], %[s], r4, r5\n\t"
                     "asr %[second], %[second], r6\n\t"
                     "ssat %[second], #8, %[second]\n\t"
                     "asr %[s], %[s], r6\n\t"
                     "ssat %[s], #8, %[s]"
                     : [w] "+r"(*w), [s] "+r"(s), [second] "=&r"(second)
                     : [t] "r"(t)
                     : "r4", "r5", "r6", "memory");
    out[0] = (int8_t)s;
    out[next] = (int8_t)second;
#else
    const uint32_t *scale = *w;

    out[0] = eg_narrow_next(s, w);
    out[next] = eg_narrow_next(t, &scale);
#endif
}

#endif
