/* SPDX-License-Identifier: Apache-2.0
 *
 * calibration.h: the wearer's calibration (SPEC.md section 8); keep.h stores it.
 *
 * One record in RAM is both what senses go by and what the host reads and writes; only a record that was
 * found plausible and stored, or came from the store, is in effect.
 */
#ifndef CALIBRATION_H
#define CALIBRATION_H

#include "keep.h"
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

/* The record in RAM. */
struct keep_record calibration_record(void);

/* Puts the record in RAM in effect, or the board's default where it is blank or not sound. */
void calibration_take(void);

/* Whether the record in RAM is plausible under the personalisation in effect. */
bool calibration_fits(void);

/* True while a record that was stored is in effect, not the default. */
bool calibration_holds(void);

/* The generation of the record that calibration_take() last met; 0: it was not sound. */
uint32_t calibration_sealed(void);

/* Readies the record in RAM for a slot; a default becomes a blank record. */
void calibration_seal(uint32_t generation);

/* The generation in effect: 1, 2, ... counted by commits; 0: the default holds. */
uint32_t calibration_generation(void);

/* Pressure of all sensors in the model's code, and which are faulty. */
void calibration_apply(const uint16_t counts[SCAN_ROOM], struct sense_result *result);

/* Handlers of CAL_READ, CAL_WRITE, CAL_COMMIT, CAL_ERASE. */
request_handler calibration_read, calibration_write, calibration_commit, calibration_erase;

#endif
