/* SPDX-License-Identifier: Apache-2.0 */
#include "eg_paired.h"

void eg_paired_stage(int32_t taps, int32_t row, const uint32_t *constants, int32_t outputs, uint32_t *to) {
    const struct eg_groups g = eg_groups(taps, 2 * row);
    int32_t tap = EG_TILE * row;

    for (; outputs > 0; outputs -= EG_TILE) {
        uint32_t *both = to + EG_TILE, *apart = both + EG_TILE * g.both;
        uint32_t *first = apart + EG_TILE * g.apart, *second = first + EG_TILE * g.first;

        memcpy(to, constants, EG_TILE * sizeof *to);
        constants += EG_TILE;
        for (int32_t three = 0; three < g.threes; three++, constants += 3 * tap) {
            for (int32_t i = 0; i < tap; i++) {
                uint32_t ends = eg_add16(constants[i], constants[i + 2 * tap]);

                *both++ = eg_half_add16(ends, constants[i + tap]);
                *apart++ = eg_half_sub16(ends, constants[i + tap]);
                *first++ = constants[i];
                *second++ = constants[i + 2 * tap];
            }
        }
        for (int32_t i = 0; g.rest == 2 && i < tap; i++) {
            *both++ = eg_add16(constants[i], constants[i + tap]);
        }
        if (g.rest != 0) {
            memcpy(first, constants, (size_t)tap * sizeof *to);
            memcpy(second, constants + (g.rest - 1) * tap, (size_t)tap * sizeof *to);
            second += tap;
            constants += g.rest * tap;
        }
        memcpy(second, constants, EG_TILE * EG_SCALE_WORDS * sizeof *to);
        constants += EG_TILE * EG_SCALE_WORDS;
        to = second + EG_TILE * EG_SCALE_WORDS;
    }
}
