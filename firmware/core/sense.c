/* SPDX-License-Identifier: Apache-2.0 */
#include "sense.h"

#include <string.h>

enum {
    SEGMENT_BITS = 9,     /* 4096 counts in SENSE_KNOTS segments */
    MULTIPLIER_BITS = 28, /* after the point */
    FLOAT_MANTISSA = 23,
};

/* Variables, since a board without sensors has zeros here, with which no comparison makes sense. */
static const uint16_t open_below = SCAN_OPEN_BELOW, saturated_from = SCAN_SATURATED_FROM;

/* Bit by bit: it runs when a calibration is loaded, not per sample. */
uint64_t sense_divide(uint64_t value, uint32_t by) {
    uint64_t quotient = 0, rest = 0;
    for (int bit = 63; bit >= 0; bit--) {
        rest = rest << 1 | (value >> bit & 1);
        quotient <<= 1;
        if (rest >= by) {
            rest -= by;
            quotient |= 1;
        }
    }
    return quotient;
}

/* A float is mantissa * 2^(exponent - 150): the quotient is taken in integers, so that no rounding of a
 * float decides a bit. */
uint32_t sense_multiplier(uint32_t gain_mn, uint32_t weight_mn, float scale) {
    uint32_t bits;
    memcpy(&bits, &scale, sizeof bits);
    int exponent = (int)(bits >> FLOAT_MANTISSA & 0xFF);
    uint32_t mantissa = (bits & ((1u << FLOAT_MANTISSA) - 1)) | 1u << FLOAT_MANTISSA;
    if (weight_mn == 0 || bits >> 31 || exponent == 0 || exponent == 0xFF) {
        return 0;
    }
    uint64_t weights = sense_divide((uint64_t)gain_mn << 32, weight_mn); /* body weights * 2^32 */
    int shift = 150 - exponent + MULTIPLIER_BITS - 32 - 16;
    if (shift < 0) {
        weights = shift > -64 ? weights >> -shift : 0;
    } else if (shift > 63 || weights >> (63 - shift)) {
        return 0;
    } else {
        weights <<= shift;
    }
    uint64_t multiplier = sense_divide(weights, mantissa);
    return multiplier <= UINT32_MAX ? (uint32_t)multiplier : 0;
}

static uint32_t linear_load(const struct sense_sensor *sensor, uint32_t above) {
    uint32_t segment = above >> SEGMENT_BITS, part = above & ((1u << SEGMENT_BITS) - 1);
    uint32_t low = segment ? sensor->knots[segment - 1] : 0, high = sensor->knots[segment];
    return low + ((high - low) * part >> SEGMENT_BITS);
}

int32_t sense_steps(const struct sense_sensor *sensor, uint32_t multiplier, uint16_t counts) {
    if (counts <= sensor->offset + sensor->band) {
        return 0;
    }
    uint64_t product = (uint64_t)linear_load(sensor, (uint32_t)counts - sensor->offset) * multiplier;
    return (int32_t)((product + (UINT64_C(1) << (MULTIPLIER_BITS - 1))) >> MULTIPLIER_BITS);
}

bool sense_faults(struct sense_result *result, size_t index, uint16_t counts) {
    uint8_t bit = (uint8_t)(1u << index % 8);
    bool open = counts < open_below, saturated = counts >= saturated_from;
    if (open) {
        result->open[index / 8] |= bit;
    }
    if (saturated) {
        result->saturated[index / 8] |= bit;
    }
    result->faulty |= open || saturated;
    return open;
}

int16_t sense_code(int32_t steps, int32_t zero_point, int32_t low, int32_t high) {
    int32_t code = zero_point + steps;
    return (int16_t)(code < low ? low : code > high ? high : code);
}
