/* SPDX-License-Identifier: Apache-2.0
 *
 * calibration.h: the wearer's calibration, kept in two slots of flash so that a power cut at any moment
 * leaves the old or the new one (SPEC.md section 8).
 *
 * One record in RAM is both what senses go by and what the host reads and writes; only a record that was
 * found plausible and stored, or came from the store, is in effect.
 */
#ifndef CALIBRATION_H
#define CALIBRATION_H

#include "request.h"
#include "sense.h"

enum calibration_field { /* what is implausible: detail of LINK_IMPLAUSIBLE, with 256 * the sensor */
                         CALIBRATION_RECORD = 1, /* magic, length, channels or checksum */
                         CALIBRATION_WEIGHT = 2,
                         CALIBRATION_OFFSET = 3,
                         CALIBRATION_BAND = 4,
                         CALIBRATION_GAIN = 5,
                         CALIBRATION_KNOTS = 6,
                         CALIBRATION_RANGE = 7, /* gain, weight and the model's scale do not go together */
};

/* Takes the newer sound record of the store, else the board's default, and forgets what the host wrote
 * without a commit.  Called once after port_init(), and whenever the record in RAM may be half written. */
void calibration_load(void);

/* The generation in effect: 1, 2, ... counted by commits; 0: nothing is stored, the default holds. */
uint32_t calibration_generation(void);

/* Pressure of all sensors in the model's code, and which are faulty. */
void calibration_apply(const uint16_t counts[SCAN_ROOM], struct sense_result *result);

/* Handlers of CAL_READ, CAL_WRITE, CAL_COMMIT, CAL_ERASE. */
request_handler calibration_read, calibration_write, calibration_commit, calibration_erase;

#endif
