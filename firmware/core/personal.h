/* SPDX-License-Identifier: Apache-2.0
 *
 * personal.h: what adapts the model to its wearer: a gain of each input, and the constants of the last layer
 * (SPEC.md section 8).
 *
 * The record lies in the engine's memory (engine.h), as long as the model asks for.  It belongs to one model,
 * whose hash it carries; another's is refused, and left alone where it is stored.
 */
#ifndef PERSONAL_H
#define PERSONAL_H

#include "keep.h"

enum personal_field { /* what is implausible: detail of LINK_IMPLAUSIBLE, with 256 * the input */
                      PERSONAL_RECORD = 1, /* magic, length, sizes or checksum */
                      PERSONAL_MODEL = 2,  /* it was made for another */
                      PERSONAL_GAIN = 3,   /* out of bounds, or too much for the calibration */
                      PERSONAL_HEAD = 4,   /* the last layer cannot be computed with it */
};

enum {
    PERSONAL_GAIN_ONE = 4096, /* a gain of 1 */
};

/* The record in RAM; of length 0 where the last layer of the model cannot be replaced. */
struct keep_record personal_record(void);

/* Puts the record in RAM in effect, or the model as it is where there is no sound one. */
void personal_take(void);

/* True while a record is in effect. */
bool personal_holds(void);

/* What the force on a sensor is multiplied with on its way to the model, times PERSONAL_GAIN_ONE. */
uint32_t personal_gain(size_t sensor);

/* Handlers of PERSONAL_READ, PERSONAL_WRITE, PERSONAL_COMMIT, PERSONAL_ERASE. */
request_handler personal_read, personal_write, personal_commit, personal_erase;

#endif
