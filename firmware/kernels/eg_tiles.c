/* SPDX-License-Identifier: Apache-2.0
 *
 * Compilers put sums on the stack here, which costs a third; so there is assembly, and C beside it that says
 * what it does, which other chips and the host run.
 */
#include "eg_tiles.h"

#if defined(__ARM_FEATURE_DSP)

/* Biases as the sums of a tile. */
#define BEGIN                                                                                                \
    "ldr r0, [sp, #40]\n"                                                                                    \
    "ldm r1!, {r4-r7}\n"                                                                                     \
    "mov r8, r4\n"                                                                                           \
    "mov r9, r5\n"                                                                                           \
    "mov r10, r6\n"                                                                                          \
    "mov r11, r7\n"
/* The products of one kind, whose run lies at `run` on the stack. */
#define RUN(run)                                                                                             \
    "ldrd r2, r3, [sp, #" run "]\n"                                                                          \
    "str r3, [sp]\n"                                                                                         \
    "bl 20f\n"
/* The sum goes on, the difference waits. */
#define MEET(sum, other)                                                                                     \
    "add " sum ", " sum ", " other "\n"                                                                      \
    "rsb " other ", " sum ", " other ", lsl #1\n"
/* Four outputs each of two positions, whose pointers lie at `out` on the stack. */
#define PUT(out)                                                                                             \
    "ldrd r2, r3, [sp, #" out "]\n"                                                                          \
    "strb r5, [r2, #1]\n"                                                                                    \
    "strb r6, [r2, #2]\n"                                                                                    \
    "strb r7, [r2, #3]\n"                                                                                    \
    "strb r4, [r2], #4\n"                                                                                    \
    "strb r9, [r3, #1]\n"                                                                                    \
    "strb r10, [r3, #2]\n"                                                                                   \
    "strb r11, [r3, #3]\n"                                                                                   \
    "strb r8, [r3], #4\n"                                                                                    \
    "strd r2, r3, [sp, #" out "]\n"
/* On to the next tile at `label`, or back to the caller. */
#define NEXT(label)                                                                                          \
    "ldr r2, [sp, #44]\n"                                                                                    \
    "subs r2, r2, #1\n"                                                                                      \
    "str r2, [sp, #44]\n"                                                                                    \
    "bne " label "b\n"                                                                                       \
    "add sp, sp, #112\n"                                                                                     \
    "pop {r4-r11, pc}\n"
#define LIMIT(s, t)                                                                                          \
    "asr " t ", " t ", r12\n"                                                                                \
    "asr " s ", " s ", r12\n"                                                                                \
    "ssat " t ", #8, " t "\n"                                                                                \
    "ssat " s ", #8, " s "\n"
/* An output at both positions: eg_narrow(), and eg_rectify(). */
#define ROUND(s, t)                                                                                          \
    "ldm r1!, {r2, r3, r12}\n"                                                                               \
    "add lr, r3, " t ", asr #31\n"                                                                           \
    "smmlar " t ", " t ", r2, lr\n"                                                                          \
    "add r3, r3, " s ", asr #31\n"                                                                           \
    "smmlar " s ", " s ", r2, r3\n" LIMIT(s, t)
#define RECTIFY(s, t)                                                                                        \
    "ldm r1!, {r2, r3, r12}\n"                                                                               \
    "smmlar " t ", " t ", r2, r3\n"                                                                          \
    "smmlar " s ", " s ", r2, r3\n" LIMIT(s, t)

/* r4 to r7 are the sums of four outputs at one position, r8 to r11 those at the other; r0 is x, r1 is w.
 * On the stack: the run's end, its return, then what struct eg_tiles holds up to `w`, entries and the way of
 * rounding as addresses; at 72 sums that wait, at 104 the return of eg_narrow(). */
__attribute__((naked)) void eg_tiles(__attribute__((unused)) const struct eg_tiles *p) {
    /* An instruction a line. */
    /* clang-format off */
    __asm__ volatile(
        ".syntax unified\n"
        "push {r4-r11, lr}\n"
        "sub sp, sp, #112\n"
        "add r12, sp, #8\n"
        "ldm r0!, {r4-r11}\n"
        "adr r3, 10f\n"
        "orr r3, r3, #1\n"
        "add r4, r4, r3\n"
        "add r6, r6, r3\n"
        "add r8, r8, r3\n"
        "add r10, r10, r3\n"
        "stm r12!, {r4-r11}\n"
        "ldm r0!, {r4-r11}\n"
        "cmp r6, #0\n"
        "ite ne\n"
        "adrne r6, 30f\n"
        "adreq r6, 31f\n"
        "orr r6, r6, #1\n"
        "stm r12, {r4-r11}\n"
        "ldr r1, [r0]\n"
        "ldr r3, [sp, #52]\n"
        "cmp r3, #0\n"
        "blt 2f\n"
        "1:\n" /* a tile of four kinds of product */
        BEGIN
        RUN("8")
        "add r2, sp, #72\n"
        "stm r2, {r4-r11}\n"
        "mov r4, #0\n"
        "mov r5, #0\n"
        "mov r6, #0\n"
        "mov r7, #0\n"
        "mov r8, #0\n"
        "mov r9, #0\n"
        "mov r10, #0\n"
        "mov r11, #0\n"
        RUN("16")
        "add r2, sp, #72\n"
        "ldm r2, {r3, r12, lr}\n"
        MEET("r4", "r3")
        MEET("r5", "r12")
        MEET("r6", "lr")
        "stm r2!, {r3, r12, lr}\n"
        "ldm r2, {r3, r12, lr}\n"
        MEET("r7", "r3")
        MEET("r8", "r12")
        MEET("r9", "lr")
        "stm r2!, {r3, r12, lr}\n"
        "ldm r2, {r3, r12}\n"
        MEET("r10", "r3")
        MEET("r11", "r12")
        "stm r2, {r3, r12}\n"
        RUN("24")
        "ldrd r2, r12, [sp, #48]\n"
        "str r1, [sp]\n"
        "add r1, r1, r12\n" /* the scales lie behind the weights that are left */
        "blx r2\n"
        PUT("56")
        "add r2, sp, #72\n"
        "ldm r2, {r4-r11}\n"
        "ldr r1, [sp]\n"
        RUN("32")
        "ldr r2, [sp, #48]\n"
        "blx r2\n"
        PUT("64")
        NEXT("1")
        ".p2align 2\n"
        "2:\n" /* tiles of one kind of product, whose return and end stay */
        "adr r2, 5f\n"
        "orr r2, r2, #1\n"
        "ldr r3, [sp, #12]\n"
        "strd r3, r2, [sp]\n"
        "4:\n"
        BEGIN
        "ldr r2, [sp, #8]\n"
        "bx r2\n"
        ".p2align 2\n"
        "5:\n"
        "ldr r2, [sp, #48]\n"
        "blx r2\n"
        PUT("56")
        NEXT("4")
        ".p2align 2\n"
        "10:\n" /* the chain */
        ".rept 16\n"
        "ldrd r2, r3, [r0], #8\n"
        "ldrd r12, lr, [r1], #8\n"
        "smlad r4, r2, r12, r4\n"
        "smlad r8, r3, r12, r8\n"
        "smlad r5, r2, lr, r5\n"
        "smlad r9, r3, lr, r9\n"
        "ldrd r12, lr, [r1], #8\n"
        "smlad r6, r2, r12, r6\n"
        "smlad r10, r3, r12, r10\n"
        "smlad r7, r2, lr, r7\n"
        "smlad r11, r3, lr, r11\n"
        ".endr\n"
        "ldr r2, [sp]\n"
        "cmp r2, r0\n"
        "bne.w 10b\n"
        "ldr pc, [sp, #4]\n"
        "20:\n" /* a run; r2 is its entry */
        "str lr, [sp, #4]\n"
        "bx r2\n"
        ".p2align 2\n"
        "30:\n"
        RECTIFY("r4", "r8")
        RECTIFY("r5", "r9")
        RECTIFY("r6", "r10")
        RECTIFY("r7", "r11")
        "bx lr\n"
        ".p2align 2\n"
        "31:\n"
        "str lr, [sp, #104]\n"
        ROUND("r4", "r8")
        ROUND("r5", "r9")
        ROUND("r6", "r10")
        ROUND("r7", "r11")
        "ldr pc, [sp, #104]\n");
    /* clang-format on */
}
#else

/* Sums of four outputs at two positions. */
struct sums {
    int32_t of[2][EG_TILE];
};

/* Products up to `end` in x added to `s`; x and w are moved on. */
static void multiply(const uint32_t *end, const uint32_t **x, const uint32_t **w, struct sums *s) {
    for (; *x != end; *x += 2, *w += EG_TILE) {
        for (int o = 0; o < EG_TILE; o++) {
            s->of[0][o] = eg_smlad((*x)[0], (*w)[o], s->of[0][o]);
            s->of[1][o] = eg_smlad((*x)[1], (*w)[o], s->of[1][o]);
        }
    }
}

/* The sums go on in `apart`, the differences wait in `both`; modulo 2^32. */
static void meet(struct sums *both, struct sums *apart) {
    for (int o = 0; o < 2 * EG_TILE; o++) {
        uint32_t x = (uint32_t)both->of[o / EG_TILE][o % EG_TILE];
        uint32_t y = (uint32_t)apart->of[o / EG_TILE][o % EG_TILE];

        both->of[o / EG_TILE][o % EG_TILE] = (int32_t)(x - y);
        apart->of[o / EG_TILE][o % EG_TILE] = (int32_t)(x + y);
    }
}

static void put(const struct eg_tiles *p, int32_t tile, const uint32_t *scales, const struct sums *s,
                int8_t *const out[2]) {
    for (int o = 0; o < EG_TILE; o++, scales += EG_SCALE_WORDS) {
        for (int position = 0; position < 2; position++) {
            int32_t m = (int32_t)scales[0], offset = (int32_t)scales[1], shift = (int32_t)scales[2];
            int32_t twice = s->of[position][o];

            out[position][EG_TILE * tile + o] =
                p->rectified ? eg_rectify(twice, m, offset, shift) : eg_narrow(twice, m, offset, shift);
        }
    }
}

void eg_tiles(const struct eg_tiles *p) {
    const uint32_t *w = p->w;

    for (int32_t tile = 0; tile < p->tiles; tile++) {
        struct sums both, apart = {{{0}}};
        const uint32_t *x = p->x;

        for (int o = 0; o < EG_TILE; o++) {
            both.of[0][o] = both.of[1][o] = (int32_t)*w++;
        }
        multiply(p->runs[0].end, &x, &w, &both);
        if (p->second >= 0) {
            multiply(p->runs[1].end, &x, &w, &apart);
            meet(&both, &apart);
            multiply(p->runs[2].end, &x, &w, &apart);
            put(p, tile, w + p->second / 4, &apart, p->out);
            multiply(p->runs[3].end, &x, &w, &both);
        }
        put(p, tile, w, &both, p->out + (p->second >= 0 ? 2 : 0));
        w += EG_TILE * EG_SCALE_WORDS;
    }
}
#endif
