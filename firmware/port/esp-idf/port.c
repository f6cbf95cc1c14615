/* SPDX-License-Identifier: Apache-2.0
 *
 * Espressif's chips under ESP-IDF: the UART driver's ring takes every byte while an inference runs.
 */
#include "port.h"

#include <driver/uart.h>
#include <esp_cpu.h>
#include <esp_mac.h>
#include <esp_rom_sys.h>
#include <esp_system.h>
#include <esp_task_wdt.h>
#include <esp_timer.h>
#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>
#include <freertos/task.h>
#include <sdkconfig.h>

#include "fault.h"
#include "frame.h"
#include "link.h"
#include "scan_clock.h"

enum {
    /* A host that keeps to its credits has at most one request more than them under way. */
    RING = 4096,
    EVENTS = 16,
    FIFO = 128,          /* bytes, of UART0 to UART2 of every chip */
    FIFO_INTERRUPT = 16, /* bytes that wait when the driver is to take them */
    TX_PIN = CONFIG_EDGEGRF_TX_PIN < 0 ? BOARD_PIN_TXD : CONFIG_EDGEGRF_TX_PIN,
    RX_PIN = CONFIG_EDGEGRF_RX_PIN < 0 ? BOARD_PIN_RXD : CONFIG_EDGEGRF_RX_PIN,
    LONGEST_SLEEP_MS = 1000, /* well within the watchdog's 8 s */
    SCANNING_SLEEP_MS = 1,   /* a frame of sensors wakes nobody: look for it */
};
_Static_assert((LINK_CREDITS + 1) * FRAME_WIRE_MAX < RING, "the ring holds what a host may send unanswered");
_Static_assert(BOARD_BAUD / 10 * SCAN_CLOCK_LONGEST_US / 1000000 < FIFO - FIFO_INTERRUPT,
               "the FIFO holds what comes while a row is converted");

static struct port_facts facts;
static QueueHandle_t events;
static uint32_t overruns;
static uint8_t peeked;
static bool has_peeked;

static enum port_reset_cause read_reset_cause(void) {
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
        return PORT_RESET_POWER_ON;
    case ESP_RST_EXT:
        return PORT_RESET_PIN;
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
        return PORT_RESET_WATCHDOG;
    case ESP_RST_SW:
        return PORT_RESET_SOFTWARE;
    case ESP_RST_PANIC:
        return PORT_RESET_LOCK_UP;
    case ESP_RST_BROWNOUT:
        return PORT_RESET_BROWN_OUT;
    default:
        return PORT_RESET_UNKNOWN;
    }
}

static void start_uart(void) {
    const uart_config_t config = {
        .baud_rate = BOARD_BAUD,
        .data_bits = UART_DATA_8_BITS,
        .parity = UART_PARITY_DISABLE,
        .stop_bits = UART_STOP_BITS_1,
        .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
        .source_clk = UART_SCLK_DEFAULT,
    };
    ESP_ERROR_CHECK(uart_driver_install(CONFIG_EDGEGRF_UART, RING, 0, EVENTS, &events, 0));
    ESP_ERROR_CHECK(uart_param_config(CONFIG_EDGEGRF_UART, &config));
    ESP_ERROR_CHECK(
        uart_set_pin(CONFIG_EDGEGRF_UART, TX_PIN, RX_PIN, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE));
    ESP_ERROR_CHECK(uart_set_rx_full_threshold(CONFIG_EDGEGRF_UART, FIFO_INTERRUPT));
}

void port_init(void) {
    facts.clock_hz = esp_rom_get_cpu_ticks_per_us() * 1000000u;
    facts.stack_size = CONFIG_ESP_MAIN_TASK_STACK_SIZE;
    facts.scan_tick_hz = SCAN_CLOCK_HZ;
    facts.parts = PORT_STORE | PORT_FAULT | (SCAN_CHANNELS ? PORT_SCAN : 0);
    facts.reset_cause = read_reset_cause();
    esp_efuse_mac_get_default(facts.device_id);
    fault_note(facts.reset_cause);
    start_uart();
    ESP_ERROR_CHECK(esp_task_wdt_add(NULL));
}

const struct port_facts *port_facts(void) {
    return &facts;
}

/* Bytes that the driver dropped, or that broke on the line, are told by events alone. */
static void note_losses(void) {
    uart_event_t event;
    while (xQueueReceive(events, &event, 0)) {
        if (event.type == UART_FIFO_OVF || event.type == UART_BUFFER_FULL) {
            overruns++;
            uart_flush_input(CONFIG_EDGEGRF_UART);
        } else if (event.type == UART_FRAME_ERR) {
            overruns++;
        }
    }
}

size_t port_receive(uint8_t *into, size_t room) {
    size_t count = 0;
    note_losses();
    if (has_peeked && room) {
        into[count++] = peeked;
        has_peeked = false;
    }
    int more = uart_read_bytes(CONFIG_EDGEGRF_UART, into + count, (uint32_t)(room - count), 0);
    return more > 0 ? count + (size_t)more : count;
}

void port_send(const uint8_t *data, size_t length) {
    uart_write_bytes(CONFIG_EDGEGRF_UART, data, length); /* without a ring: back when all is in the FIFO */
}

void port_idle(void) {
    uint32_t longest = scan_runs() ? SCANNING_SLEEP_MS : LONGEST_SLEEP_MS;
    if (!has_peeked && !scan_has_frame()) {
        has_peeked = uart_read_bytes(CONFIG_EDGEGRF_UART, &peeked, 1, pdMS_TO_TICKS(longest)) == 1;
    }
}

uint32_t port_cycles(void) {
    return (uint32_t)esp_cpu_get_cycle_count();
}

uint32_t port_stack_used(void) {
    return facts.stack_size - (uint32_t)uxTaskGetStackHighWaterMark(NULL);
}

uint32_t port_overruns(void) {
    return overruns;
}

uint32_t port_uptime_ms(void) {
    return (uint32_t)(esp_timer_get_time() / 1000);
}

void port_watchdog_feed(void) {
    esp_task_wdt_reset();
}
