/* SPDX-License-Identifier: Apache-2.0
 *
 * port.h: all that core/ asks of a chip.  A port is one folder that defines these calls.
 *
 * Scan, fault record and store are optional: `port_facts.parts` says which work.  A port without one of
 * them links absent_scan.c, absent_fault.c or absent_store.c, and leaves its bit clear.
 */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan.h" /* SCAN_*: this image's sensors; written by cmake/scan.cmake */

enum port_reset_cause {
    PORT_RESET_UNKNOWN = 0,
    PORT_RESET_POWER_ON = 1,
    PORT_RESET_PIN = 2,
    PORT_RESET_WATCHDOG = 3,
    PORT_RESET_SOFTWARE = 4,
    PORT_RESET_LOCK_UP = 5,
    PORT_RESET_BROWN_OUT = 6,
};

enum port_part {
    PORT_SCAN = 1,  /* port_scan_*() work; never set where SCAN_CHANNELS is 0 */
    PORT_FAULT = 2, /* port_fault_*() work */
    PORT_STORE = 4, /* port_store_*() work */
};

/* What stays the same from boot on; 0 where the board cannot know. */
struct port_facts {
    uint32_t clock_hz;     /* of port_cycles() */
    uint32_t stack_size;   /* bytes */
    uint32_t flash_bytes;  /* of the image */
    uint32_t ram_bytes;    /* static, without the stack */
    uint32_t scan_tick_hz; /* of port_scan_ticks(): 1 to 100 MHz */
    uint8_t parts;         /* PORT_SCAN | ... */
    enum port_reset_cause reset_cause;
    uint8_t device_id[8];
};

/* Called once, before everything else: clocks, counters, the watchdog, and the receiver, which from then
 * on takes every byte. */
void port_init(void);

const struct port_facts *port_facts(void);

/* Copies bytes that came, oldest first, at most `room`; returns how many, 0 when none wait.  As long
 * as the host keeps to the credits of SPEC.md, none is lost between two calls of port_receive() or
 * port_send(), however long the engine ran in between. */
size_t port_receive(uint8_t *into, size_t room);

/* Starts to send; `data` may change once the call is back.  Waits while an earlier send is under way.
 * Requires length <= FRAME_WIRE_MAX. */
void port_send(const uint8_t *data, size_t length);

/* Sleeps until a byte or a frame of sensors came or something else woke the core; returns at once if bytes
 * or a frame wait.  While a scan runs it returns once per scan period even when no frame came, so that an
 * ADC that died is noticed. */
void port_idle(void);

/* A free-running counter, modulo 2^32. */
uint32_t port_cycles(void);

/* The deepest that the stack has been since boot, in bytes. */
uint32_t port_stack_used(void);

/* Times that bytes were lost since boot: the receiver was too slow, or their stop bits were broken. */
uint32_t port_overruns(void);

/* Milliseconds since boot, modulo 2^32. */
uint32_t port_uptime_ms(void);

/* Called once per turn of the main loop.  The watchdog, where there is one, runs from port_init() on and
 * bites after 8 seconds or more of a core that is awake and does not call this; it rests while the core
 * sleeps in port_idle(), or port_idle() returns in time. */
void port_watchdog_feed(void);

/* ---- Scan: frames of SCAN_CHANNELS sensors, started by a hardware timer ----
 *
 * A scan is SCAN_STEPS steps (scan.h): each selects a row of a matrix, an address of the multiplexers in
 * front of the inputs, or both, lets them settle for SCAN_SETTLE_US, and converts all SCAN_INPUTS analog
 * inputs. */

enum {
    PORT_SCAN_FULL =
        4095,           /* highest count: a port brings its ADC to 12 bits and clips to 0..PORT_SCAN_FULL */
    PORT_SCAN_KEPT = 4, /* frames that wait, at least, before one is lost */
};

struct port_scan_frame {
    uint32_t number; /* of the timer's tick since port_scan_start(), 0, 1, ...; also ticks
                      * whose frame was lost (no room, or never converted) are numbered */
    uint32_t ticks;  /* of port_scan_ticks(), taken by hardware as the first conversion began */
    uint16_t
        counts[SCAN_ROOM]; /* [SCAN_CHANNELS], each 0..PORT_SCAN_FULL; row by row, of each row all columns */
};

/* Starts the timer and the first scan one period from now; forgets the frames of an earlier start.  Gives
 * the rate in mHz (1000 = 1 Hz) that the timer really has, or 0 when it cannot run at `rate_mhz` (0, or a
 * period shorter than a scan takes); nothing runs then. */
uint32_t port_scan_start(uint32_t rate_mhz);

/* Stops at once; what waits is forgotten.  May be called when nothing runs. */
void port_scan_stop(void);

/* Takes the oldest complete frame; false when none waits. */
bool port_scan_fetch(struct port_scan_frame *frame);

/* Now, on the clock that stamps frames, modulo 2^32: `port_facts.scan_tick_hz`. */
uint32_t port_scan_ticks(void);

/* ---- Fault record: what stopped the firmware before the last reset; survives a reset, not a power cut */

enum port_fault_kind {
    PORT_FAULT_NONE = 0,
    PORT_FAULT_HARD = 1,     /* a fault of no other kind, or one inside a fault's handler */
    PORT_FAULT_MEMORY = 2,   /* protection: a stack that overflowed, a null pointer */
    PORT_FAULT_BUS = 3,      /* an address where nothing is */
    PORT_FAULT_USAGE = 4,    /* an instruction that is none, a misaligned access, main() came back */
    PORT_FAULT_WATCHDOG = 5, /* pc is where the core was, 0 where the chip cannot tell */
};

struct port_fault {
    uint32_t kind;      /* PORT_FAULT_* */
    uint32_t pc;        /* of the instruction that faulted; 0: not known */
    uint32_t lr;        /* the return address register then; 0: not known */
    uint32_t status;    /* the chip's own words: CFSR on Cortex-M, mcause on RISC-V */
    uint32_t address;   /* what was accessed: MMFAR or BFAR, mtval; 0: not known */
    uint32_t uptime_ms; /* when it happened; 0: not known */
    uint32_t count;     /* faults since power-on, this one included; 0 only without any */
};

/* The record of the last fault; all zero when there was none since power-on or port_fault_clear(). */
void port_fault_read(struct port_fault *fault);
void port_fault_clear(void);

/* ---- Store: PORT_STORE_SLOTS areas of flash that outlive the image, each erased as a whole ---- */

enum {
    PORT_STORE_SLOTS = 2,
    PORT_STORE_SIZE = 4096, /* bytes of a slot */
};

/* Makes all of a slot 0xFF.  False when that failed.  A power cut in the middle may leave anything in this
 * slot, and changes no other. */
bool port_store_erase(unsigned slot);

/* Writes words: offset and length in bytes, multiples of 4, within the slot; each word at most once since
 * the slot was erased.  False when a word does not read back.  A power cut in the middle leaves the words
 * before it written, one word in any state, and the others erased. */
bool port_store_write(unsigned slot, uint32_t offset, const uint8_t *data, size_t length);

/* Copies bytes of a slot; requires offset + length <= PORT_STORE_SIZE. */
void port_store_read(unsigned slot, uint32_t offset, uint8_t *into, size_t length);

#endif
