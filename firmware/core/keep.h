/* SPDX-License-Identifier: Apache-2.0
 *
 * keep.h: what the board keeps of its wearer, the calibration and the personalisation, in two slots of flash
 * so that a power cut at any moment leaves what was or what is new (SPEC.md section 8).
 *
 * A slot holds both records.  The calibration is written last and its checksum last of all, so a slot counts
 * only when both are in it; a slot without a calibration holds a blank one.
 */
#ifndef KEEP_H
#define KEEP_H

#include "request.h"

/* A record in RAM: `length` bytes, and four more for their CRC-32; length 0: this image has no such record.
 */
struct keep_record {
    uint8_t *bytes;
    size_t length;
};

/* Takes what the newest sound slot holds, and forgets what the host wrote without a commit.  Called once
 * after port_init(), and whenever a record in RAM may be half written. */
void keep_load(void);

/* Counts commits: that of the slot in effect; 0: nothing is stored. */
uint32_t keep_generation(void);

/* Stores one record as it is in RAM, the other as it is kept, and takes both.  A record that holds no longer
 * is left out, and forgotten in the older slot, too.  When the flash fails the reply says so, and what is
 * sound holds. */
bool keep_calibration(const struct request *request, struct link_reply *reply);
bool keep_personal(const struct request *request, struct link_reply *reply);

/* Whether the CRC-32 behind a record is its own. */
bool keep_is_whole(const struct keep_record *record);

/* Whether the port has these parts (enum port_part); else the reply says so. */
bool keep_has_parts(const struct request *request, struct link_reply *reply, uint8_t parts);

/* The work of CAL_READ and CAL_WRITE, and of their like, on a record. */
void keep_read(const struct request *request, struct link_reply *reply, const struct keep_record *record);
void keep_write(const struct request *request, struct link_reply *reply, const struct keep_record *record);

#endif
