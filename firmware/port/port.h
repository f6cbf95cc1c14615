/* SPDX-License-Identifier: Apache-2.0
 *
 * port.h: all that core/ asks of a chip.  A port is one folder that defines these calls.
 */
#ifndef PORT_H
#define PORT_H

#include <stddef.h>
#include <stdint.h>

enum port_reset_cause {
    PORT_RESET_UNKNOWN = 0,
    PORT_RESET_POWER_ON = 1,
    PORT_RESET_PIN = 2,
    PORT_RESET_WATCHDOG = 3,
    PORT_RESET_SOFTWARE = 4,
    PORT_RESET_LOCK_UP = 5,
};

/* What stays the same from boot on; 0 where the board cannot know. */
struct port_facts {
    uint32_t clock_hz;    /* of port_cycles() */
    uint32_t stack_size;  /* bytes */
    uint32_t flash_bytes; /* of the image */
    uint32_t ram_bytes;   /* static, without the stack */
    enum port_reset_cause reset_cause;
    uint8_t device_id[8];
};

/* Called once, before everything else: clocks, counters, and the receiver, which from then on takes
 * every byte. */
void port_init(void);

const struct port_facts *port_facts(void);

/* Copies bytes that came, oldest first, at most `room`; returns how many, 0 when none wait.  As long
 * as the host keeps to the credits of SPEC.md, none is lost between two calls of port_receive() or
 * port_send(), however long the engine ran in between. */
size_t port_receive(uint8_t *into, size_t room);

/* Starts to send; `data` may change once the call is back.  Waits while an earlier send is under way.
 * Requires length <= FRAME_WIRE_MAX. */
void port_send(const uint8_t *data, size_t length);

/* Sleeps until a byte came or something else woke the core; returns at once if bytes wait. */
void port_idle(void);

/* A free-running counter, modulo 2^32. */
uint32_t port_cycles(void);

/* The deepest that the stack has been since boot, in bytes. */
uint32_t port_stack_used(void);

/* Times that bytes were lost since boot: the receiver was too slow, or their stop bits were broken. */
uint32_t port_overruns(void);

/* Milliseconds since boot, modulo 2^32. */
uint32_t port_uptime_ms(void);

#endif
