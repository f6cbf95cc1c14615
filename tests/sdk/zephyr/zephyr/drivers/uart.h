/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <zephyr/device.h>

enum uart_event_type {
    UART_TX_DONE,
    UART_TX_ABORTED,
    UART_RX_RDY,
    UART_RX_BUF_REQUEST,
    UART_RX_BUF_RELEASED,
    UART_RX_DISABLED,
    UART_RX_STOPPED,
};
struct uart_event_tx {
    const uint8_t *buf;
    size_t len;
};
struct uart_event_rx {
    uint8_t *buf;
    size_t offset, len;
};
struct uart_event {
    enum uart_event_type type;
    union {
        struct uart_event_tx tx;
        struct uart_event_rx rx;
    } data;
};
typedef void (*uart_callback_t)(const struct device *device, struct uart_event *event, void *context);
int uart_callback_set(const struct device *device, uart_callback_t callback, void *context);
int uart_tx(const struct device *device, const uint8_t *data, size_t length, int32_t timeout_us);
int uart_rx_enable(const struct device *device, uint8_t *buffer, size_t length, int32_t timeout_us);
int uart_rx_buf_rsp(const struct device *device, uint8_t *buffer, size_t length);
