/* SPDX-License-Identifier: Apache-2.0
 *
 * The host as a board: a process that speaks on its standard input and output, a pty or a pipe.  It ends
 * when the other side closes.
 */
#define _POSIX_C_SOURCE 200809L
#include "port.h"

#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum {
    NANOSECONDS = 1000000000,
};

static struct port_facts facts;
static uint64_t boot_ns;

uint64_t clock_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * NANOSECONDS + (uint64_t)time.tv_nsec;
}

/* A terminal would translate and echo: every byte must pass as it is. */
static void make_raw(int terminal) {
    struct termios settings;

    if (tcgetattr(terminal, &settings) != 0) {
        return; /* a pipe */
    }
    settings.c_iflag = 0;
    settings.c_oflag = 0;
    settings.c_lflag = 0;
    settings.c_cflag |= CS8 | CREAD | CLOCAL;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    tcsetattr(terminal, TCSANOW, &settings);
}

void port_init(void) {
    facts.clock_hz = NANOSECONDS;
    facts.scan_tick_hz = SCAN_TICK_HZ;
    facts.parts = PORT_STORE | (SCAN_CHANNELS ? PORT_SCAN : 0);
    facts.reset_cause = PORT_RESET_POWER_ON;
    memcpy(facts.device_id, "NATIVE", sizeof "NATIVE");
    boot_ns = clock_ns();
    scan_init();
    store_init();
    make_raw(STDIN_FILENO);
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
}

const struct port_facts *port_facts(void) {
    return &facts;
}

size_t port_receive(uint8_t *into, size_t room) {
    ssize_t count = read(STDIN_FILENO, into, room);

    if (count > 0) {
        return (size_t)count;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    exit(EXIT_SUCCESS); /* end of file, or EIO: the pty's other side is closed */
}

void port_send(const uint8_t *data, size_t length) {
    while (length) {
        ssize_t count = write(STDOUT_FILENO, data, length);
        if (count > 0) {
            data += count;
            length -= (size_t)count;
        } else if (errno == EAGAIN) { /* both ends of a pty share the flag that port_init() set */
            poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            exit(EXIT_SUCCESS);
        }
    }
}

void port_idle(void) {
    poll(&(struct pollfd){.fd = STDIN_FILENO, .events = POLLIN}, 1, scan_wait_ms());
}

uint32_t port_cycles(void) {
    return (uint32_t)clock_ns();
}

uint32_t port_stack_used(void) {
    return 0; /* the sanitizers' frames would say nothing about a board's */
}

uint32_t port_overruns(void) {
    return 0; /* the kernel holds the host back instead */
}

uint32_t port_uptime_ms(void) {
    return (uint32_t)((clock_ns() - boot_ns) / 1000000);
}

void port_watchdog_feed(void) {}
