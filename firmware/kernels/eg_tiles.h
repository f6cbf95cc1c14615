/* SPDX-License-Identifier: Apache-2.0
 *
 * eg_tiles.h: the inner loops over a window, on eight sums at once: four outputs at two positions, or at two
 * pairs of positions.  For the packed kernels alone.
 */
#ifndef EG_TILES_H
#define EG_TILES_H

#include "eg_dot.h"

enum { EG_CHAIN = 16 }; /* words that run without a branch */

/* Words of one kind of product, which are multiplied one behind the other. */
struct eg_run {
    int32_t entry;       /* where the chain is entered, in bytes from its begin */
    const uint32_t *end; /* in x */
};

/* What eg_tiles() takes; the assembly knows its layout. */
struct eg_tiles {
    struct eg_run runs[4]; /* of eg_paired.h: both, apart, first, second; else the first alone */
    const uint32_t *x;     /* [words][2] */
    int32_t tiles;         /* of four outputs */
    int32_t rectified;
    int32_t second;    /* bytes of a tile's weights of the kind `second`; negative where there are no pairs */
    int8_t *out[4];    /* of the first and the third position, the second and the fourth; or of two */
    const uint32_t *w; /* of every tile biases [4], weights [words][4], scales [4] */
};

/* The run of `words` that ends at `end`. */
static EG_INLINE struct eg_run eg_run(int32_t words, const uint32_t *end) {
    struct eg_run run;
    int32_t skipped = words == 0 ? EG_CHAIN : -words & (EG_CHAIN - 1);

    run.entry = 44 * skipped; /* eleven instructions each */
    run.end = end;
    return run;
}

void eg_tiles(const struct eg_tiles *p);

/* All tiles of four outputs of a pass over two patches, whose words take turns in x [words][2]. */
static EG_INLINE void eg_tiles_of(const struct eg_pass *p, const uint32_t *x, struct eg_tiles *tiles) {
    tiles->x = x;
    tiles->w = p->constants;
    tiles->runs[0] = tiles->runs[1] = tiles->runs[2] = tiles->runs[3] = eg_run(p->words, x + 2 * p->words);
    tiles->tiles = p->outputs / EG_TILE;
    tiles->rectified = p->rectified;
    tiles->second = -1;
}

/* out [outputs] and second [outputs] of those patches. */
static EG_INLINE void eg_dot2(const struct eg_pass *p, struct eg_tiles *tiles, int8_t *out, int8_t *second) {
    int32_t whole = p->outputs / EG_TILE * EG_TILE;
    const uint32_t *w = p->constants + whole * (p->words + 1 + EG_SCALE_WORDS);

    if (whole > 0) {
        tiles->out[0] = tiles->out[2] = out;
        tiles->out[1] = tiles->out[3] = second;
        eg_tiles(tiles);
    }
    for (; whole < p->outputs; whole++) {
        eg_single(w, tiles->x, p->words, 2, out + whole);
        w = eg_single(w, tiles->x + 1, p->words, 2, second + whole);
    }
}

#endif
