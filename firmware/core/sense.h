/* SPDX-License-Identifier: Apache-2.0
 *
 * sense.h: raw counts to pressure in the model's code, by a wearer's calibration, in integers only
 * (SPEC.md section 8); edgegrf/live/conditioning.py computes the same bits.
 *
 * Pure: no port, no clock.  One sensor's path: counts - offset, nothing up to the noise band, the linear
 * load by seven knots, times gain over body weight over the model's input scale, rounded.
 */
#ifndef SENSE_H
#define SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan.h"

enum {
    SENSE_KNOTS = 8, /* of the table, at 512, 1024, ... 4096 counts above the offset */
    SENSE_MAP_BYTES = (SCAN_ROOM + 7) / 8,
};

/* One sensor's calibration. */
struct sense_sensor {
    uint16_t offset;             /* counts without load */
    uint16_t band;               /* counts above the offset that are still noise: no load */
    uint32_t gain_mn;            /* millinewton that a linear load of 65536 stands for */
    uint16_t knots[SENSE_KNOTS]; /* linear load at each knot, never falling; 0 at 0 counts */
};

/* What a frame of sensors says. */
struct sense_result {
    int16_t values[SCAN_ROOM];     /* pressure in the model's code */
    uint8_t open[SENSE_MAP_BYTES]; /* bit i % 8 of byte i / 8: sensor i is not connected; its load is 0 */
    uint8_t saturated[SENSE_MAP_BYTES]; /* sensor i is at the end of its range */
    bool faulty;                        /* any of the two */
};

/* value / by, rounded down, without the 700 bytes of a compiler's 64-bit division; requires by > 0. */
uint64_t sense_divide(uint64_t value, uint32_t by);

/* Steps of the model's input per linear load, times 2^28, for a sensor of `gain_mn` under a wearer of
 * `weight_mn` and an input of `scale` body weights a step; 0 when that fits no 32 bits. */
uint32_t sense_multiplier(uint32_t gain_mn, uint32_t weight_mn, float scale);

/* The load of `counts` in steps of the model's input, before its zero point. */
int32_t sense_steps(const struct sense_sensor *sensor, uint32_t multiplier, uint16_t counts);

/* Marks sensor `index` in `result` as open or saturated if its counts say so; returns true if it is open. */
bool sense_faults(struct sense_result *result, size_t index, uint16_t counts);

/* `steps` above the zero point, as far as low..high goes. */
int16_t sense_code(int32_t steps, int32_t zero_point, int32_t low, int32_t high);

#endif
