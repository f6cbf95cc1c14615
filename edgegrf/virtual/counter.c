/* SPDX-License-Identifier: Apache-2.0
 *
 * counter.c: adds up what an emulated core executes, block by block.
 *
 * counter_block() is the emulator's block hook.  A block's cost is asked for once (`decode`) and kept in
 * an open-addressing table; after that a block costs a look-up and a few additions.  When the count
 * has passed `deadline` the core is stopped before the block, which is counted when it is entered again.
 * counter_read_page() serves the register that shows the cycles.
 *
 * Counts are also kept by owner: decode() gives a block an owner, or 0 for code that works for whoever runs
 * it.  From the first block that has one until control returns to where that was called from, each block
 * counts for the owner that ran last; all else counts for owner 0.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_BITS = 13, TABLE_SIZE = 1 << TABLE_BITS, PROBES = 12, TERMS = 3, OWNERS = 1024 };

/* A group of loads whose address is a sum of registers, or words on the stack, at the block's entry. */
struct probe {
    int32_t reg[TERMS];   /* the emulator's numbers; 0: none */
    uint32_t slot[TERMS]; /* 0: the register; n: the word that it points to, n - 1 bytes on */
    uint32_t factor[TERMS];
    uint32_t constant;
    uint32_t reads; /* words that these loads read */
};

struct block {
    uint32_t address, size; /* size 0: an empty place of the table */
    uint32_t instructions;
    uint32_t half_cycles; /* without the penalty of a taken branch and of reads from flash */
    uint32_t sets_event;  /* 1: holds a SEV, or ends by letting interrupts in */
    uint32_t owner;       /* 1 .. OWNERS - 1, or 0: whose code it works for */
    uint32_t probes;
    struct probe probe[PROBES];
};

struct share {
    uint64_t instructions, half_cycles, flash_reads;
};

typedef int (*stop_call)(void *core);
typedef int (*read_call)(void *core, int reg, void *value);
typedef int (*load_call)(void *core, uint64_t address, void *bytes, uint64_t size);
typedef void (*decode_call)(uint32_t address, uint32_t size, struct block *block);
typedef uint64_t (*register_call)(void *core, uint64_t offset, unsigned size, void *user);

struct counter {
    uint64_t instructions;
    uint64_t half_cycles;
    uint64_t flash_reads;    /* data reads from flash, as far as the probes see them */
    uint64_t deadline;       /* in half cycles */
    uint32_t previous_end;   /* where a block begins that was not branched to */
    uint32_t sent_event;     /* 1: such a block was executed */
    uint32_t taken_branch;   /* half cycles that a taken branch costs */
    uint32_t flash_read;     /* half cycles that a data read from flash costs */
    uint32_t flash_size;     /* flash is [0, flash_size) */
    uint32_t used;           /* places of the table in use */
    uint32_t cyccnt_on;      /* 1: the cycle register counts */
    uint32_t cyccnt_from;    /* what it shows beyond the cycles counted here, modulo 2^32 */
    uint32_t cyccnt_place;   /* its offset within its page */
    uint32_t owner;          /* whose code runs */
    uint32_t back;           /* where control returns from the owners' code; odd: not in it */
    int32_t link_register;   /* the emulator's number */
    uint32_t stops_on_event; /* 1: the core stops behind a block that sets the event */
    void *core;
    stop_call stop;
    read_call read;
    load_call load;
    decode_call decode;
    register_call other; /* reads the other registers of the cycle register's page */
    struct share share[OWNERS];
    struct block table[TABLE_SIZE];
};

/* What the Python side calls or hands to the emulator. */
struct counter *counter_new(void);
void counter_free(struct counter *counter);
void counter_start_over(struct counter *counter);
void counter_block(void *core, uint64_t address, uint32_t size, void *user);
uint64_t counter_read_page(void *core, uint64_t offset, unsigned size, void *user);

enum { OUTSIDE = 1 }; /* no block begins at an odd address */

struct counter *counter_new(void) {
    struct counter *counter = calloc(1, sizeof *counter);
    if (counter) {
        counter->back = OUTSIDE;
    }
    return counter;
}

/* Forget the blocks and what was counted by owner: owners are others now. */
void counter_start_over(struct counter *counter) {
    memset(counter->table, 0, sizeof counter->table);
    memset(counter->share, 0, sizeof counter->share);
    counter->used = 0;
    counter->owner = 0;
    counter->back = OUTSIDE;
}

void counter_free(struct counter *counter) {
    free(counter);
}

static struct block *find(struct counter *counter, uint32_t address, uint32_t size) {
    uint32_t place = ((address >> 1) * 2654435761u) >> (32 - TABLE_BITS);
    for (;; place = (place + 1) & (TABLE_SIZE - 1)) {
        struct block *block = &counter->table[place];
        if (block->address == address && block->size == size) {
            return block;
        }
        if (block->size != 0) {
            continue;
        }
        if (counter->used > TABLE_SIZE / 4 * 3) { /* start over rather than grow: decoding is cheap */
            memset(counter->table, 0, sizeof counter->table);
            counter->used = 0;
        }
        block->address = address;
        block->size = size;
        counter->used++;
        counter->decode(address, size, block);
        return block;
    }
}

static uint32_t reads_from_flash(const struct counter *counter, const struct block *block) {
    uint32_t reads = 0;
    for (uint32_t i = 0; i < block->probes; i++) {
        const struct probe *probe = &block->probe[i];
        uint32_t address = probe->constant;
        for (int term = 0; term < TERMS && probe->reg[term] != 0; term++) {
            uint32_t value = 0;
            counter->read(counter->core, probe->reg[term], &value);
            if (probe->slot[term] != 0) {
                counter->load(counter->core, value + probe->slot[term] - 1, &value, sizeof value);
            }
            address += probe->factor[term] * value;
        }
        if (address < counter->flash_size) {
            reads += probe->reads;
        }
    }
    return reads;
}

/* Whose block this is. */
static struct share *owner_of(struct counter *counter, const struct block *block) {
    if (block->address == counter->back) {
        counter->owner = 0;
        counter->back = OUTSIDE;
    }
    if (block->owner != 0) {
        if (counter->back == OUTSIDE) {
            uint32_t link = 0;
            counter->read(counter->core, counter->link_register, &link);
            counter->back = link & ~1u;
        }
        counter->owner = block->owner;
    }
    return &counter->share[counter->owner];
}

void counter_block(void *core, uint64_t address, uint32_t size, void *user) {
    struct counter *counter = user;
    if (counter->half_cycles >= counter->deadline || (counter->sent_event & counter->stops_on_event)) {
        counter->stop(core);
        return;
    }

    const struct block *block = find(counter, (uint32_t)address, size);
    uint32_t half_cycles = block->half_cycles;
    uint32_t reads = 0;
    if ((uint32_t)address != counter->previous_end) {
        half_cycles += counter->taken_branch;
    }
    if (block->probes != 0) {
        reads = reads_from_flash(counter, block);
        half_cycles += reads * counter->flash_read;
    }
    counter->instructions += block->instructions;
    counter->half_cycles += half_cycles;
    counter->flash_reads += reads;
    counter->sent_event |= block->sets_event;
    counter->previous_end = (uint32_t)address + size;

    struct share *share = owner_of(counter, block);
    share->instructions += block->instructions;
    share->half_cycles += half_cycles;
    share->flash_reads += reads;
}

/* The page of the cycle register: that one is answered here, for programs that time themselves. */
uint64_t counter_read_page(void *core, uint64_t offset, unsigned size, void *user) {
    const struct counter *counter = user;
    if (counter->cyccnt_on && offset == counter->cyccnt_place && size == 4) {
        return (uint32_t)(counter->half_cycles / 2 + counter->cyccnt_from);
    }
    return counter->other(core, offset, size, user);
}
