/* SPDX-License-Identifier: Apache-2.0
 *
 * core/sense.c on the host, for tests/live/test_conditioning.py: lines of "GAIN_MN WEIGHT_MN SCALE_BITS
 * OFFSET BAND KNOT x 8 COUNTS"; prints per line the multiplier and the steps.
 */
#include "sense.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    uint32_t weight, bits;
    struct sense_sensor sensor;

    while (scanf("%" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu16 " %" SCNu16, &sensor.gain_mn, &weight, &bits,
                 &sensor.offset, &sensor.band) == 5) {
        uint16_t counts;
        float scale;
        for (int knot = 0; knot < SENSE_KNOTS; knot++) {
            if (scanf("%" SCNu16, &sensor.knots[knot]) != 1) {
                return 1;
            }
        }
        if (scanf("%" SCNu16, &counts) != 1) {
            return 1;
        }
        memcpy(&scale, &bits, sizeof scale);
        uint32_t multiplier = sense_multiplier(sensor.gain_mn, weight, scale);
        printf("%" PRIu32 " %" PRId32 "\n", multiplier, sense_steps(&sensor, multiplier, counts));
    }
    return 0;
}
