/* SPDX-License-Identifier: Apache-2.0
 *
 * Any board of Zephyr whose UART has the asynchronous API: DMA fills two buffers in turn, its events move
 * what came into a ring, and so take every byte while an inference runs.
 */
#include "port.h"

#include <string.h>
#include <zephyr/device.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/drivers/watchdog.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/ring_buffer.h>
#include <zephyr/timing/timing.h>

#include "frame.h"
#include "link.h"
#include "scan_clock.h"

#ifdef CONFIG_CLOCK_CONTROL_NRF
#include <zephyr/drivers/clock_control/nrf_clock_control.h>
#endif

enum {
    CHUNK = 256,         /* of one DMA buffer */
    SILENCE_US = 1000,   /* after which the driver tells of a buffer that is not full */
    SLEEP_MS = 1000,     /* well within the watchdog's time */
    SEND_TIMEOUT_S = 10, /* of a frame of 266 bytes, at any speed */
};
BUILD_ASSERT((LINK_CREDITS + 1) * FRAME_WIRE_MAX < CONFIG_EDGEGRF_RX_RING,
             "the ring holds what a host may send unanswered");

static const struct device *const uart = DEVICE_DT_GET(DT_CHOSEN(edgegrf_uart));
static const struct device *const watchdog = DEVICE_DT_GET(DT_ALIAS(watchdog0));

RING_BUF_DECLARE(ring, CONFIG_EDGEGRF_RX_RING);
K_SEM_DEFINE(arrived, 0, 1);
K_SEM_DEFINE(sent, 1, 1);

static uint8_t chunks[2][CHUNK];
static uint8_t outgoing[FRAME_WIRE_MAX];
static uint32_t overruns; /* written by events alone */
static struct port_facts facts;
static int watchdog_channel = -1;

static void on_uart(const struct device *device, struct uart_event *event, void *context) {
    static unsigned next = 1; /* of chunks[] */
    (void)context;
    switch (event->type) {
    case UART_TX_DONE:
    case UART_TX_ABORTED:
        k_sem_give(&sent);
        break;
    case UART_RX_RDY: {
        const struct uart_event_rx *rx = &event->data.rx;
        overruns += ring_buf_put(&ring, rx->buf + rx->offset, (uint32_t)rx->len) < rx->len;
        k_sem_give(&arrived);
        break;
    }
    case UART_RX_BUF_REQUEST:
        uart_rx_buf_rsp(device, chunks[next], CHUNK);
        next ^= 1;
        break;
    case UART_RX_STOPPED: /* a broken stop bit, or bytes that nobody took in time */
        overruns++;
        break;
    case UART_RX_DISABLED:
        next = 1;
        uart_rx_enable(device, chunks[0], CHUNK, SILENCE_US);
        break;
    default:
        break;
    }
}

static enum port_reset_cause read_reset_cause(void) {
    uint32_t causes = 0;
    if (hwinfo_get_reset_cause(&causes) != 0) {
        return PORT_RESET_UNKNOWN;
    }
    hwinfo_clear_reset_cause();
    if (causes & RESET_WATCHDOG) {
        return PORT_RESET_WATCHDOG;
    }
    if (causes & RESET_BROWNOUT) {
        return PORT_RESET_BROWN_OUT;
    }
    if (causes & RESET_CPU_LOCKUP) {
        return PORT_RESET_LOCK_UP;
    }
    if (causes & RESET_PIN) {
        return PORT_RESET_PIN;
    }
    return causes & RESET_SOFTWARE ? PORT_RESET_SOFTWARE : PORT_RESET_POWER_ON;
}

static void start_watchdog(void) {
    const struct wdt_timeout_cfg limit = {
        .window = {.min = 0, .max = CONFIG_EDGEGRF_WATCHDOG_MS},
        .flags = WDT_FLAG_RESET_SOC,
    };
    watchdog_channel = wdt_install_timeout(watchdog, &limit);
    if (watchdog_channel >= 0) {
        wdt_setup(watchdog, WDT_OPT_PAUSE_HALTED_BY_DBG);
    }
}

/* The crystal: without a request for it Nordic's chips run on an oscillator too far off for 1 Mbaud. */
static void start_crystal(void) {
#ifdef CONFIG_CLOCK_CONTROL_NRF
    static struct onoff_client client;
    sys_notify_init_spinwait(&client.notify);
    onoff_request(z_nrf_clock_control_get_onoff(CLOCK_CONTROL_NRF_SUBSYS_HF), &client);
#endif
}

void port_init(void) {
    start_crystal();
    timing_init();
    timing_start();
    facts.clock_hz = (uint32_t)timing_freq_get();
    facts.stack_size = CONFIG_MAIN_STACK_SIZE;
    facts.scan_tick_hz = scan_init(&arrived);
    facts.parts = PORT_STORE | (facts.scan_tick_hz ? PORT_SCAN : 0);
    facts.reset_cause = read_reset_cause();
    hwinfo_get_device_id(facts.device_id, sizeof facts.device_id);
    uart_callback_set(uart, on_uart, NULL);
    uart_rx_enable(uart, chunks[0], CHUNK, SILENCE_US);
    start_watchdog();
}

const struct port_facts *port_facts(void) {
    return &facts;
}

size_t port_receive(uint8_t *into, size_t room) {
    return ring_buf_get(&ring, into, (uint32_t)room);
}

void port_send(const uint8_t *data, size_t length) {
    k_sem_take(&sent, K_SECONDS(SEND_TIMEOUT_S));
    memcpy(outgoing, data, length);
    if (uart_tx(uart, outgoing, length, SYS_FOREVER_US) != 0) {
        k_sem_give(&sent);
    }
}

void port_idle(void) {
    if (ring_buf_is_empty(&ring) && !scan_has_frame()) {
        k_sem_take(&arrived, K_MSEC(SLEEP_MS));
    }
}

uint32_t port_cycles(void) {
    return (uint32_t)timing_counter_get();
}

uint32_t port_stack_used(void) {
    size_t unused = 0;
    k_thread_stack_space_get(k_current_get(), &unused);
    return facts.stack_size - (uint32_t)unused;
}

uint32_t port_overruns(void) {
    return overruns;
}

uint32_t port_uptime_ms(void) {
    return k_uptime_get_32();
}

void port_watchdog_feed(void) {
    if (watchdog_channel >= 0) {
        wdt_feed(watchdog, watchdog_channel);
    }
}
