/* SPDX-License-Identifier: Apache-2.0
 *
 * counter.c: adds up what an emulated core executes, block by block.
 *
 * counter_block() is the emulator's block hook.  A block's cost is asked for once (`decode`) and kept in
 * an open-addressing table; after that a block costs a look-up and a few additions.  When the count
 * has passed `deadline` the core is stopped before the block, which is counted when it is entered again.
 * counter_read_page() serves the register that shows the cycles.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_BITS = 13, TABLE_SIZE = 1 << TABLE_BITS, PROBES = 12, TERMS = 3 };

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
    uint32_t sets_event;  /* 1: holds a SEV */
    uint32_t probes;
    struct probe probe[PROBES];
};

typedef int (*stop_call)(void *core);
typedef int (*read_call)(void *core, int reg, void *value);
typedef int (*load_call)(void *core, uint64_t address, void *bytes, uint64_t size);
typedef void (*decode_call)(uint32_t address, uint32_t size, struct block *block);
typedef uint64_t (*register_call)(void *core, uint64_t offset, unsigned size, void *user);

struct counter {
    uint64_t instructions;
    uint64_t half_cycles;
    uint64_t flash_reads;  /* data reads from flash, as far as the probes see them */
    uint64_t deadline;     /* in half cycles */
    uint32_t previous_end; /* where a block begins that was not branched to */
    uint32_t sent_event;   /* 1: a SEV was executed */
    uint32_t taken_branch; /* half cycles that a taken branch costs */
    uint32_t flash_read;   /* half cycles that a data read from flash costs */
    uint32_t flash_size;   /* flash is [0, flash_size) */
    uint32_t used;         /* places of the table in use */
    uint32_t cyccnt_on;    /* 1: the cycle register counts */
    uint32_t cyccnt_from;  /* what it shows beyond the cycles counted here, modulo 2^32 */
    uint32_t cyccnt_place; /* its offset within its page */
    void *core;
    stop_call stop;
    read_call read;
    load_call load;
    decode_call decode;
    register_call other; /* reads the other registers of the cycle register's page */
    struct block table[TABLE_SIZE];
};

/* What the Python side calls or hands to the emulator. */
struct counter *counter_new(void);
void counter_free(struct counter *counter);
void counter_block(void *core, uint64_t address, uint32_t size, void *user);
uint64_t counter_read_page(void *core, uint64_t offset, unsigned size, void *user);

struct counter *counter_new(void) {
    return calloc(1, sizeof(struct counter));
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

void counter_block(void *core, uint64_t address, uint32_t size, void *user) {
    struct counter *counter = user;
    if (counter->half_cycles >= counter->deadline) {
        counter->stop(core);
        return;
    }

    const struct block *block = find(counter, (uint32_t)address, size);
    counter->instructions += block->instructions;
    counter->half_cycles += block->half_cycles;
    if ((uint32_t)address != counter->previous_end) {
        counter->half_cycles += counter->taken_branch;
    }
    if (block->probes != 0) {
        uint32_t reads = reads_from_flash(counter, block);
        counter->flash_reads += reads;
        counter->half_cycles += (uint64_t)reads * counter->flash_read;
    }
    counter->sent_event |= block->sets_event;
    counter->previous_end = (uint32_t)address + size;
}

/* The page of the cycle register: that one is answered here, for programs that time themselves. */
uint64_t counter_read_page(void *core, uint64_t offset, unsigned size, void *user) {
    const struct counter *counter = user;
    if (counter->cyccnt_on && offset == counter->cyccnt_place && size == 4) {
        return (uint32_t)(counter->half_cycles / 2 + counter->cyccnt_from);
    }
    return counter->other(core, offset, size, user);
}
