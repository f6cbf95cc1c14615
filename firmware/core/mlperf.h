/* SPDX-License-Identifier: Apache-2.0
 *
 * mlperf.h: the device side of the MLPerf Tiny protocol (SPEC.md section 7), on the same line as the frames.
 *
 * A command is printable text that ends in '%'.  No frame can be taken for one: what follows a 0x00 begins
 * with a COBS code and a type below 0x20, and is left alone up to the next 0x00.
 */
#ifndef MLPERF_H
#define MLPERF_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MLPERF_COMMAND_MAX = 79, /* characters without the '%' */
    MLPERF_SILENCE_MS = 100, /* after which noise or half a frame is over */
};

/* Says at what time the bytes that follow came, in milliseconds modulo 2^32. */
void mlperf_listen(uint32_t now_ms);

/* Takes one byte of the line.  Returns true when it ended a command, whose answer has then been sent; the
 * command may have used the engine's stream and window. */
bool mlperf_take(uint8_t byte);

#endif
